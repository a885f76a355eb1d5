"""Up-to-date check of a finished study, as in make: digests of its inputs and outputs.

While none of them has changed, a run has nothing to do, and finds that out without importing a
numeric library. Files count by their content, never by their dates. In doubt a file counts as
changed, and the run starts.
"""

import hashlib
import json
import os
import platform
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.config.model import Definition
from tunesmith.config.objective import ObjectiveSection
from tunesmith.data.file_identity import data_digest
from tunesmith.errors import TunesmithError
from tunesmith.ledger.integrity import is_checked
from tunesmith.system.files import inside, write_atomic
from tunesmith.system.fingerprint import code_digest, digest, file_digest, versions
from tunesmith.version import VERSION

PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class UpToDateRecord:
    """Answer of a run that has nothing to do, with the digests that it depends on."""

    inputs: str
    outputs: dict[str, str | None]
    """Digests by path below the project folder; ``None`` if there was no file."""
    text: str
    content: dict[str, Any]
    """The answer as JSON."""
    reading: dict[str, str] = field(default_factory=dict)
    """Files that programs have read, and their states."""


@dataclass(frozen=True)
class UpToDateCheck:
    """Comparison of a study's inputs and outputs with those of its last run."""

    definition: Definition

    def record(self, *, is_read: bool = False) -> UpToDateRecord | None:
        """Return the stored answer if nothing has changed; ``None`` if a run must start.

        Args:
            is_read: true if the ledger has just been read, and so was checked by its reader.
        """
        path = self._path
        try:
            found = UpToDateRecord(**json.loads(path.read_text())) if path else None
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        if found is None or found.inputs != self._inputs():
            return None
        if not is_read and not self._is_whole():
            return None
        if found.outputs != self._outputs():
            return None
        return found if not found.reading or self._holds(found.reading) else None

    def state(self) -> list[Any] | None:
        """Digests of all inputs and outputs as they are now; ``None`` if they are unknown."""
        inputs = self._inputs() if self._path else None
        return None if inputs is None else [inputs, self._outputs()]

    def files(self) -> list[str] | None:
        """Digests of the data and of the project's code; ``None`` if something cannot be read."""
        try:
            return self._files()
        except (OSError, TunesmithError):
            return None

    def put(
        self,
        before: list[str] | None,
        text: str,
        content: dict[str, Any],
        reading: Mapping[str, str] | None = None,
    ) -> None:
        """Record the state of a study that has ended and written its outputs.

        Nothing is recorded if data or code changed while the study ran: its results depend on the
        old content, and the next run must start.

        Args:
            before: from ``files`` when the run began.
            text: text that a run with nothing to do prints.
            content: the same as JSON.
            reading: files that the programs of its trials have read, and their states.
        """
        path = self._path
        inputs = self._inputs() if path else None
        if path is None or inputs is None or before is None or before != self.files():
            return
        if reading and not self._holds(reading):
            return
        record = UpToDateRecord(inputs, self._outputs(), text, content, dict(reading or {}))
        write_atomic(path, json.dumps(asdict(record)) + "\n")

    @property
    def _path(self) -> Path | None:
        """Path beside the ledger's file; ``None`` for a server, which may change unnoticed."""
        ledger = self.definition.ledger
        if not isinstance(ledger, Path) or not ledger.is_file():
            return None
        return ledger.with_name(f"{ledger.name}.{self.definition.file.study}.stamp")

    @property
    def _ledger(self) -> Path:
        assert isinstance(self.definition.ledger, Path)  # noqa: S101 - only such have a record
        return self.definition.ledger

    def _is_whole(self) -> bool:
        """True if the ledger is unchanged; a damaged one must not be answered from."""
        try:
            return is_checked(self._ledger)
        except (OSError, sqlite3.Error, TunesmithError):
            return False

    def _outputs(self) -> dict[str, str | None]:
        names = list(self.definition.file.outputs.paths.values())
        paths = {name: inside(self.definition.root, name) for name in names}
        return {name: file_digest([p]) if p.is_file() else None for name, p in paths.items()}

    def _inputs(self) -> str | None:
        """Digest of all that a run's trials and outputs depend on; ``None`` if it is unknown."""
        file, root = self.definition.file, self.definition.root
        if file.gate is not None and file.gate.base is not None:
            return None  # what Git has there is not ours to follow
        try:
            status = self._ledger.stat()
            return digest(
                {
                    "tunesmith": [VERSION, _own_code()],
                    "python": platform.python_version(),
                    "root": str(root.resolve()),
                    "folder": str(Path.cwd()),  # paths are shown as seen from there
                    # Another ledger in the same place is another file; its content changes with
                    # every run.
                    "ledger": [status.st_dev, status.st_ino],
                    # How fits are executed and branches are named changes no result; `share` does,
                    # and follows.
                    "file": file.model_dump(mode="json", exclude={"execution", "branches"}),
                    "share": file.execution.share,
                    "space": self.definition.space.to_json(),
                    "files": self._files(),
                    "versions": versions(file.objective.all_import_paths, root),
                }
            )
        except (OSError, TunesmithError):
            return None

    def _files(self) -> list[str]:
        """Digests of the data and of the project's code."""
        section, root = self.definition.file.objective, self.definition.root.resolve()
        data = () if section.data is None else section.data.path
        return [
            data_digest(root, data),
            code_digest(section.all_import_paths, root),
            file_digest(_program_files(section, root)),
        ]

    def _holds(self, reading: Mapping[str, str]) -> bool:
        """True if the files that programs have read are unchanged."""
        # Imported late: most studies run no program, and this check must stay quick.
        from tunesmith.objective.program.observing.reading import changed
        from tunesmith.objective.program.observing.views import view_of
        from tunesmith.objective.program.passing.ports import ProgramPorts

        root, file = self.definition.root.resolve(), self.definition.file
        try:
            files = frozenset(ProgramPorts.of(self.definition).files)
            view = view_of(root, file, files)
        except TunesmithError:
            return False
        return next(changed(view, reading), None) is None


def _own_code() -> str:
    """Digest of Tunesmith's code in a clone, which changes without a new version."""
    seen = hashlib.blake2b(digest_size=16)
    # Not `Path.rglob`: every command does this, and that takes three times as long.
    for folder, inner, names in os.walk(PACKAGE):
        inner.sort()
        for path in (f"{folder}/{name}" for name in sorted(names) if name.endswith(".py")):
            status = os.stat(path)  # noqa: PTH116 - see above
            seen.update(f"{path}{status.st_mtime_ns}{status.st_size}".encode())
    return seen.hexdigest()


def _program_files(section: ObjectiveSection, root: Path) -> Iterable[Path]:
    if not section.is_program:
        return []
    from tunesmith.objective.program.observing.dependencies import named

    files = named(root, section.depends_on or ())
    template = [] if section.params_file is None else [root / section.params_file.path]
    return [*files, *(path for path in template if path.is_file())]
