"""Answer of an earlier ``check``, for as long as nothing that it depends on has changed.

A plan takes seconds of imports, and a digest of what it was made from takes none of them. Files
count by their content. In doubt there is no earlier answer, and the plan is made anew: for programs
(what they need may lie anywhere), for ledgers on a server, while the ledger is in use, and if
another package adds parts.
"""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tunesmith.config.model import Definition
from tunesmith.errors import StorageError, TunesmithError
from tunesmith.runs.up_to_date import UpToDateCheck
from tunesmith.runs.workers import choice
from tunesmith.system.files import write_atomic
from tunesmith.system.fingerprint import digest, file_digest

OF_THE_SHELL = ("_", "OLDPWD", "PWD", "SHLVL")
"""Variables that change with every command, or repeat the working folder."""
BESIDE = ("-wal", "-journal", "-shm")
"""Endings of the files beside a ledger that is in use, or was when its process was killed."""
OWN_DISTRIBUTION = "tunesmith-"
DESCRIBING = (".dist-info", ".egg-info", ".pth", ".egg-link")
"""Endings of what an installed distribution leaves beside its modules."""
PARTS = b"[tunesmith."
"""Begin of a section by which a package adds samplers, families or other parts."""


@dataclass(frozen=True)
class CheckAnswer:
    """Answer of a check, with the digest of all that it depends on."""

    signature: str
    made: str
    """Time of the check, in ISO format."""
    text: str
    content: dict[str, Any]
    """The answer as JSON."""


@dataclass(frozen=True)
class EarlierCheck:
    """Comparison of what a plan depends on with what the last one was made from.

    Args:
        definition: of the study.
        source: path of the configuration as it was given, which the answer names.
    """

    definition: Definition
    source: Path
    _environment: list[tuple[str, str]] = field(
        # Once: libraries set variables while they are imported.
        default_factory=lambda: sorted(v for v in os.environ.items() if v[0] not in OF_THE_SHELL)
    )

    def signature(self) -> str | None:
        """Digest of all that a plan depends on; ``None`` if it is unknown."""
        file, ledger = self.definition.file, self.definition.ledger
        if file.objective.is_program or not isinstance(ledger, Path) or _is_in_use(ledger):
            return None
        try:
            inputs, installed = UpToDateCheck(self.definition).state(), _installed()
            if inputs is None or installed is None:
                return None
            parts = {
                "inputs": inputs,
                "ledger": file_digest([ledger]),
                # Executors and branches change no result, but what a plan says.
                "file": file.model_dump(mode="json", include={"execution", "branches"}),
                "workers": choice(file.objective, file.execution),
                "source": str(self.source),
                "python": [sys.version, sys.executable, platform.platform(), sys.flags.optimize],
                "environment": self._environment,
                "installed": installed,
            }
        except (OSError, TunesmithError):
            return None
        # It was opened while its content was read.
        return None if _is_in_use(ledger) else digest(parts)

    def answer(self, signature: str | None) -> CheckAnswer | None:
        """Return the earlier answer; ``None`` if there is none with this signature.

        Args:
            signature: of the present state.
        """
        try:
            found = CheckAnswer(**json.loads(self._place.read_text())) if signature else None
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        return found if found is not None and found.signature == signature else None

    def put(self, before: str | None, text: str, content: dict[str, Any]) -> None:
        """Record an answer, unless something has changed while it was made.

        Args:
            before: signature from before the plan was made.
            text: of the answer.
            content: the same as JSON.
        """
        if before is None or before != self.signature():
            return
        made = datetime.now().astimezone().isoformat(timespec="seconds")
        record = CheckAnswer(before, made, text, content)
        # Whoever may only read the project gets the same answers, later.
        with suppress(OSError, StorageError):
            write_atomic(self._place, json.dumps(asdict(record)) + "\n")

    @property
    def _place(self) -> Path:
        ledger = self.definition.ledger
        assert isinstance(ledger, Path)  # noqa: S101 - only such have a signature
        return ledger.with_name(f"{ledger.name}.{self.definition.file.study}.check")


def _is_in_use(ledger: Path) -> bool:
    return any(ledger.with_name(f"{ledger.name}{end}").exists() for end in BESIDE)


def _installed() -> str | None:
    """Digest of the installed distributions; ``None`` if one of them adds parts to Tunesmith."""
    seen = hashlib.blake2b(digest_size=16)
    for path in _distributions():
        status = path.stat()
        seen.update(f"{path}{status.st_mtime_ns}".encode())
        if path.name.startswith(OWN_DISTRIBUTION):
            continue
        with suppress(FileNotFoundError, NotADirectoryError):
            # Code of such a part may lie anywhere, and change without a new version.
            if PARTS in (path / "entry_points.txt").read_bytes():
                return None
    return seen.hexdigest()


def _distributions() -> Iterator[Path]:
    for place in sys.path:
        try:
            found = sorted(Path(place or ".").iterdir())
        except OSError:
            continue  # a zip archive, or nothing
        yield from (path for path in found if path.suffix in DESCRIBING)
