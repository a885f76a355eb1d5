"""Private copies of shared files and folders that a run is about to write.

A run finds shared files and folders through links. If it is about to write one, the link is
replaced by a copy; for a folder, by a folder of links to its content. Other links to the same file
then lead to that copy, so the run finds its changes under every name.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.objective.program.observing.copying import copy_content
from tunesmith.objective.program.observing.installed_files import is_below

MANY_LINKS = 40
"""Number of links in a row that the system follows."""


@dataclass
class Privates:
    """The copies of one run."""

    above: str
    """The run's folder; links in it may be replaced."""
    is_shared: Callable[[str], bool]
    """Returns true if a path, free of links, must not be written."""
    _copies: dict[str, str] = field(default_factory=dict)
    """Places of copies by original."""

    def clear_way(
        self, path: str, *, writes: bool, only_around: bool = False, n_links: int = 0
    ) -> None:
        """Replace links on the way to a path.

        Args:
            path: path that a program is about to look at or to write.
            writes: true if shared files on the way are copied; else links only lead to existing
                copies.
            only_around: true if the entry itself is replaced, whatever it leads to.
            n_links: number of links followed so far.
        """
        if not is_below(path, self.above) or n_links > MANY_LINKS:
            return
        here, parts = self.above, path[len(self.above) :].strip("/").split("/")
        for index, part in enumerate(parts):
            here, rest = f"{here}/{part}", parts[index + 1 :]
            if (not rest and only_around) or not os.path.islink(here):  # noqa: PTH114 - hot
                continue
            on = self._led(here, writes=writes)
            if on is not None:
                on = "/".join([on, *rest])
                self.clear_way(on, writes=writes, only_around=only_around, n_links=n_links + 1)
                return

    def _led(self, link: str, *, writes: bool) -> str | None:
        """Target of a link in the run's folder, within the folder; ``None`` if it leads outside."""
        folder, _, name = _target(link).rpartition("/")
        target = f"{os.path.realpath(folder or '/')}/{name}"
        if is_below(target, self.above):
            return target
        real = os.path.realpath(link)
        own = self._copy_of(real)
        if own is not None and own != link:
            _replace_by_link(link, own)
            return own
        if (writes and self.is_shared(real)) or self._has_below(real):
            self.make(real, link)
        return None

    def make(self, real: str, link: str) -> None:
        """Replace a link to a shared file or folder by a copy, and note that."""
        own_copy(real, link)
        self._copies[real] = link

    def _copy_of(self, real: str) -> str | None:
        """Place of the copy of a path, or of a folder around it, if the run still has it."""
        folder = real
        while folder and folder not in self._copies:
            folder = folder.rpartition("/")[0]
        own = self._copies.get(folder, "") + real[len(folder) :]
        return own if folder and os.path.lexists(own) else None

    def _has_below(self, real: str) -> bool:
        return any(is_below(copied, real) for copied in self._copies)

    @property
    def are_any(self) -> bool:
        """True if there is any copy."""
        return bool(self._copies)


def _target(link: str) -> str:
    leads_to = os.readlink(link)  # noqa: PTH115 - hot
    return leads_to if leads_to.startswith("/") else f"{link.rpartition('/')[0]}/{leads_to}"


def own_copy(real: str, link: str) -> None:
    """Replace a link by a copy of a shared file, or by a folder of links to a folder's content.

    Args:
        real: the shared file or folder.
        link: the link to it, which is replaced.
    """
    fresh = _fresh(link)
    if os.path.isdir(real):  # noqa: PTH112 - hot
        os.mkdir(fresh)  # noqa: PTH102
        with os.scandir(real) as entries:
            for entry in entries:
                os.symlink(entry.path, f"{fresh}/{entry.name}")  # noqa: PTH211
        # A folder cannot replace a link in one step.
        os.unlink(link)  # noqa: PTH108
        os.rename(fresh, link)  # noqa: PTH104
    elif os.path.isfile(real):  # noqa: PTH113
        copy_content(Path(real), Path(fresh))
        os.replace(fresh, link)  # noqa: PTH105


def _replace_by_link(link: str, own: str) -> None:
    fresh = _fresh(link)
    os.symlink(own, fresh)  # noqa: PTH211 - hot
    os.replace(fresh, link)  # noqa: PTH105


def _fresh(link: str) -> str:
    return f"{link}.tunesmith-{os.getpid()}"
