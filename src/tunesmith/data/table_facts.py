"""Facts about the table of large files, found once and remembered by the identity of the files.

Kinds of columns, the digest of the rows and signs of a leak follow from the content alone, and take
seconds for half a million rows. They lie in the private folder of the project, and may be removed
at any time. A fact is used only if its files are the same before and after they are read.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tunesmith.data.file_identity import Identity, identity_of, state_folder
from tunesmith.errors import DataError
from tunesmith.system.files import STATE, make_state_folder, write_atomic
from tunesmith.system.fingerprint import digest
from tunesmith.version import VERSION

FORMAT = 1
"""Version of the facts; raised if one of them is found in another way."""


@dataclass
class TableFacts:
    """Facts by name, as JSON values.

    Args:
        place: file that they are kept in; ``None`` if nothing is remembered.
        files: the large files -> their identities when the table was about to be read.
    """

    place: Path | None = None
    files: Mapping[str, Identity] = field(default_factory=dict)
    _known: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path, names: Sequence[str], settings: Mapping[str, object]) -> "TableFacts":
        """Return what is remembered of a table; nothing ever is if a file is small or new.

        Args:
            root: the project folder.
            names: of the files, relative to it.
            settings: JSON values that the table depends on besides.
        """
        identities = {name: identity_of(root / name) for name in names}
        files = {name: one for name, one in identities.items() if one is not None}
        # A table is as sure to be the same as the least sure of its files.
        if len(files) < len(identities):
            return cls()
        versions = [FORMAT, VERSION, pd.__version__, np.__version__]
        # Another place may be another file system, whose times mean less.
        absolute = [str((root / name).absolute()) for name in names]
        key = digest([versions, absolute, dict(settings)])
        place = root / STATE / "facts" / f"{key}.json"
        facts = cls(place, {str(root / name): one for name, one in files.items()})
        facts._known = facts._read()
        return facts

    @property
    def is_remembered(self) -> bool:
        """True if facts outlive the process."""
        return self.place is not None

    def check(self) -> None:
        """Forget everything if a file is not as it was when the facts were looked up."""
        if any(identity_of(Path(name)) != one for name, one in self.files.items()):
            self.place, self._known = None, {}

    def get(self, name: str, make: Callable[[], Any]) -> Any:
        """Return a fact, which ``make`` finds if it is not known.

        Args:
            name: of the fact.
            make: returns a JSON value.
        """
        if name not in self._known:
            self._known[name] = make()
            self._keep()
        return self._known[name]

    def _read(self) -> dict[str, Any]:
        assert self.place is not None  # noqa: S101 - large files have one
        try:
            content = json.loads(self.place.read_bytes())
            facts, identities = content["facts"], content["files"]
            # A file that somebody has cut or changed must not decide about scores.
            is_whole = isinstance(facts, dict) and content["digest"] == _mark(facts)
            return facts if is_whole and identities == dict(self.files) else {}
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return {}

    def _keep(self) -> None:
        if self.place is None:
            return
        facts = self._known
        content = {"files": dict(self.files), "facts": facts, "digest": _mark(facts)}
        # Nothing depends on it: a project that cannot be written to is read each time.
        with suppress(OSError, DataError):
            state_folder(self.place.parent.parent.parent)
            make_state_folder(self.place.parent)
            write_atomic(self.place, json.dumps(content))


def _mark(facts: Mapping[str, Any]) -> str:
    text = json.dumps(facts, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
