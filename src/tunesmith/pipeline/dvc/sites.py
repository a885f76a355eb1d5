"""Paths of a stage, which are relative to its working folder, as seen from another folder."""

import posixpath
from dataclasses import dataclass


@dataclass(frozen=True)
class Site:
    """Working folder of a stage, and the folder that its paths are seen from."""

    wdir: str = "."
    origin: str = "."

    def seen(self, path: str) -> str:
        """Return a path of the stage, relative to the origin; paths that lead elsewhere stay.

        >>> site = Site("a/b", "a")
        >>> site.seen("../c/./d"), site.seen("../../e"), site.seen("/tmp/f"), site.seen("s3://g/h")
        ('c/d', '../e', '/tmp/f', 's3://g/h')
        """
        return _moved(path, self.wdir, self.origin)

    def named(self, path: str) -> str:
        """Return a path relative to the origin, as the stage has to name it.

        >>> Site("a/b", "a").named("c/d"), Site(".", "a").named("c")
        ('../c/d', 'a/c')
        """
        return _moved(path, self.origin, self.wdir)


def _moved(path: str, there: str, here: str) -> str:
    if "://" in path or path.startswith("/"):
        return path
    full = posixpath.normpath(posixpath.join(there, path))
    if full == ".." or full.startswith("../"):  # above the top folder
        return posixpath.normpath(posixpath.join(posixpath.relpath("/", f"/{here}"), full))
    return posixpath.relpath(f"/{full}", f"/{posixpath.normpath(here)}")


def below(folder: str, path: str) -> str:
    """Return a path of a folder, relative to the folder above.

    >>> below("a", "../b"), below("", "c")
    ('b', 'c')
    """
    return posixpath.normpath(posixpath.join(folder, path))
