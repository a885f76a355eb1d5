"""Files that runs leave in the project, by its full path, and read again.

Such files are nobody's business (``mlruns``) until two runs write one of them: then a run may read
the content of another one. Each write is noted, in a folder that all runs of a study share.
"""

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field

from tunesmith.system.fingerprint import digest

FOLDER = ".left"
"""Folder of the notes, beside the folders of the runs."""
OFTEN_NS = 100_000_000
"""Time within which further writes of a file are not noted."""


@dataclass
class LeftFiles:
    """The files that one run writes outside of its own folder.

    Args:
        above: the run's folder, which has its name.
    """

    above: str
    _began_ns: int = field(default_factory=time.time_ns)
    _written: dict[str, bool] = field(default_factory=dict)
    """Files, and true if the run had read them before."""
    _read: set[str] = field(default_factory=set)
    _noted: dict[str, int] = field(default_factory=dict)

    def write(self, real: str, *, was_read: bool) -> None:
        """Note that a file is opened for writing; ``real`` is free of links."""
        # A file that is not there any more was read in vain.
        self._written.setdefault(real, was_read and os.path.exists(real))  # noqa: PTH110 - hot
        now = time.time_ns()
        if now - self._noted.get(real, 0) < OFTEN_NS:
            return
        self._noted[real], note = now, self._note(real)
        with suppress(OSError):
            os.makedirs(os.path.dirname(note), exist_ok=True)  # noqa: PTH103, PTH120 - hot
            with open(note, "a") as file:  # noqa: PTH123 - hot
                file.write(f"{os.path.basename(self.above)} {now}\n")  # noqa: PTH119 - hot

    def read(self, path: str) -> None:
        """Note that a file is opened for reading."""
        if self._written:
            self._read.add(os.path.realpath(path))

    def mixed(self) -> list[str]:
        """Files whose content may be that of another run: it wrote them meanwhile, or before."""
        return [
            real
            for real, was_read in self._written.items()
            if (was_read or real in self._read) and self._is_anothers(real, was_read)
        ]

    def _is_anothers(self, real: str, was_read: bool) -> bool:
        try:
            with open(self._note(real)) as file:  # noqa: PTH123 - hot
                notes = [line.split() for line in file if line.endswith("\n")]
        except OSError:
            return False
        own = os.path.basename(self.above)  # noqa: PTH119 - hot
        return any(name != own and (was_read or int(then) > self._began_ns) for name, then in notes)

    def _note(self, real: str) -> str:
        return f"{os.path.dirname(self.above)}/{FOLDER}/{digest([real])}"  # noqa: PTH120 - hot
