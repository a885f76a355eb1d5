"""Linked data as programs find it that walk through folders and do not follow links.

``os.walk`` does not enter links to folders, and ``find -type f`` and ``tar`` do not take a link for
a file. So once a run lists a folder, or asks about a link itself, linked folders become folders of
links, and for such programs linked files become copies.
"""

import os
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field

from tunesmith.objective.program.observing.private_files import Privates, own_copy
from tunesmith.objective.program.observing.workspace import OF_DVC, is_environment

BY_KIND = {"find", "bfs", "fd", "fdfind", "tar", "bsdtar", "rg", "ag", "du", "stat", "rsync", "git"}
"""Programs that tell files from links."""
MOST_BYTES = 4 << 30
"""Largest size of all files of a run that are copied for them."""


@dataclass
class Walker:
    """Opens up the links of one run."""

    place: str
    """The run's working folder."""
    root: str
    """The project, of which it is a copy."""
    is_shared: Callable[[str], bool]
    """Returns true if a path, free of links, must not be written."""
    privates: Privates
    _: KW_ONLY
    hidden: dict[str, None] = field(default_factory=dict)
    """Large files that stayed links, by their names in the project."""
    _n_bytes: int = 0

    def list(self, folder: str, program: str) -> None:
        """Open up the links in a folder that a program is about to list."""
        try:
            with os.scandir(folder) as entries:
                links = [entry.path for entry in entries if entry.is_symlink()]
        except OSError:
            return
        for link in links:
            self.open_up(link, program)

    def open_up(self, link: str, program: str) -> None:
        """Replace a link by what it stands for, unless it is a link in the project, too."""
        name = os.path.relpath(link, self.place)
        real = os.path.realpath(link)
        if os.path.islink(f"{self.root}/{name}") or not self.is_shared(real):  # noqa: PTH114 - hot
            return
        if os.path.isdir(real):  # noqa: PTH112 - hot
            # Installed packages, submodules and DVC's cache are no data.
            is_other = is_environment(real) or os.path.exists(f"{real}/.git")  # noqa: PTH110
            if not is_other and name not in OF_DVC:
                own_copy(real, link)
        elif program in BY_KIND:
            self._copy(link, real, name)

    def _copy(self, link: str, real: str, name: str) -> None:
        n_bytes = os.path.getsize(real)  # noqa: PTH202 - hot
        if self._n_bytes + n_bytes > MOST_BYTES:
            self.hidden.setdefault(name)
            return
        self._n_bytes += n_bytes
        self.privates.make(real, link)
