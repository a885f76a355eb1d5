"""Files that runs leave outside of their own folders, by their full paths, and read again.

Such files are nobody's business (``mlruns``, ``/tmp``) until two runs write one of them: then a run
may read the content of another one. Each write is noted, in a folder that all runs share.
"""

import os
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field

from tunesmith.system.fingerprint import digest

FOLDER = ".left"
"""Folder of the notes, beside the folders of the runs."""


@dataclass
class LeftFiles:
    """The files that one run writes outside of its own folder.

    Args:
        above: the run's folder, which has its name.
    """

    above: str
    _: KW_ONLY
    _written: dict[str, bool] = field(default_factory=dict)
    """Files, and true if the run had read them before."""
    _read: set[str] = field(default_factory=set)
    _noted: dict[str, int] = field(default_factory=dict)
    """Length of a file's notes after the run's last one: a longer one has notes of other runs."""
    _first: dict[str, int] = field(default_factory=dict)
    """Length of a file's notes after the run's first one."""
    _replaced: dict[str, None] = field(default_factory=dict)
    """Files that another run had written last when this run read them again."""

    def write(self, real: str, *, was_read: bool) -> None:
        """Note that a file is written or replaced; ``real`` is free of links."""
        # A file that is not there any more was read in vain.
        self._written.setdefault(real, was_read and os.path.exists(real))  # noqa: PTH110 - hot
        note = note_of(os.path.dirname(self.above), real)  # noqa: PTH120 - hot
        if self._is_last(real, note):
            return
        with suppress(OSError):
            os.makedirs(os.path.dirname(note), exist_ok=True)  # noqa: PTH103, PTH120 - hot
            with open(note, "a") as file:  # noqa: PTH123 - hot
                file.write(f"{os.path.basename(self.above)}\n")  # noqa: PTH119 - hot
                file.flush()
                self._noted[real] = file.tell()
                self._first.setdefault(real, self._noted[real])

    def _is_last(self, real: str, note: str) -> bool:
        """True if this run has noted a write of a file, and no run has done so since."""
        try:
            return os.stat(note).st_size == self._noted.get(real)  # noqa: PTH116 - hot
        except OSError:
            return False

    def read(self, path: str) -> None:
        """Note that a file is opened for reading."""
        if not self._written:
            return
        real = os.path.realpath(path)
        self._read.add(real)
        if real in self._noted:
            note = note_of(os.path.dirname(self.above), real)  # noqa: PTH120 - hot
            if not self._is_last(real, note):
                self._replaced.setdefault(real)

    def mixed(self, root: str) -> list[str]:
        """Files whose content may be that of another run.

        Args:
            root: the project. Its files count if another run has written them meanwhile, or before
                if this run read them first. Other files are often caches that all runs share: they
                count if another run had written them last when this run read them again.
        """
        return [
            real
            for real, was_read in self._written.items()
            if real in self._replaced
            or (real.startswith(f"{root}/") and self._is_anothers(real, was_read=was_read))
        ]

    def _is_anothers(self, real: str, *, was_read: bool) -> bool:
        if not was_read and real not in self._read:
            return False
        own = os.path.basename(self.above)  # noqa: PTH119 - hot
        return any(name != own for name in self._writers(real, since_own=not was_read))

    def _writers(self, real: str, *, since_own: bool) -> list[str]:
        """Names of runs that have written a file: of all studies, or since this run has."""
        try:
            with open(note_of(os.path.dirname(self.above), real)) as file:  # noqa: PTH120, PTH123
                file.seek(self._first.get(real, 0) if since_own else 0)
                return [line.strip() for line in file if line.endswith("\n")]
        except OSError:
            return []


def note_of(runs: str, real: str) -> str:
    """Place of the notes on a file, which is free of links."""
    return f"{runs}/{FOLDER}/{digest([real])}"


def was_written(runs: str, real: str, since_ns: int) -> bool:
    """True if some run has written a file since a moment."""
    try:
        return os.stat(note_of(runs, real)).st_mtime_ns >= since_ns  # noqa: PTH116 - hot
    except OSError:
        return False
