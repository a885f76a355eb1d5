"""Project files named like a module that others need are kept out of our processes.

A file ``random.py`` or ``pandas.py`` in a project's folder comes first if that folder is first in
``sys.path``, also when NumPy or this package imports the real one. Here, names of the standard
library and of what Tunesmith and the libraries of estimators need are always looked up past the
project's folders. Every other name is found as ``python`` finds it: in the project first.

This module is imported before everything else, so it imports only what Python has loaded already.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder

OPTIONAL = frozenset(
    (
        *("catboost", "cmaes", "cuml", "dask", "imblearn", "keras", "lightgbm", "mlflow", "polars"),
        *("psycopg", "pyarrow", "resvg_py", "skorch", "tensorflow", "torch", "transformers"),
        "xgboost",
    )
)
"""Libraries that are protected whether they are installed or not."""
OWN = "tunesmith"


class Finder:
    """A finder of modules, placed before Python's own finder of files in ``sys.meta_path``."""

    def __init__(self) -> None:
        self.folders: list[str] = []
        """Folders of projects: absolute, one entry for each time that one was given."""
        self._needed: dict[str, bool] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, _target: object = None
    ) -> ModuleSpec | None:
        """Look up a module that a project's file would hide; ``None`` leaves it to Python.

        Raises:
            ModuleNotFoundError: only the project has a file of this name, and it means another.
        """
        if path is not None or "." in name or self.file_of(name) is None:
            return None
        spec = PathFinder.find_spec(name, self.trusted())
        if spec is None and (name in sys.stdlib_module_names or name in OPTIONAL):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return spec if spec is not None and self._is_needed(name) else None

    def file_of(self, name: str) -> str | None:
        """Return the project's file for a top-level name, if it has one."""
        spec = PathFinder.find_spec(name, self.folders) if self.folders else None
        # Without an origin it may be a folder of data as well as a package: Python takes it last.
        return None if spec is None else spec.origin

    def hidden(self, name: str) -> str | None:
        """Return the project's file that is not found under its name, if there is such a file."""
        own = self.file_of(name)
        if own is None:
            return None
        try:
            spec = self.find_spec(name)
        except ModuleNotFoundError:
            return own
        return None if spec is None or spec.origin == own else own

    def trusted(self) -> list[str]:
        """Return the entries of ``sys.path`` that are no project's folder."""
        return [place for place in sys.path if _absolute(place) not in self.folders]

    def means_another(self, name: str, folders: Sequence[str]) -> bool:
        """Tell whether a top-level name never leads into these folders of a project.

        It is decided by names and paths alone: nothing is imported, and no file need be there.
        """
        if name in sys.stdlib_module_names or name in OPTIONAL or name == OWN:
            return True
        out = set(map(_absolute, folders))
        elsewhere = [place for place in self.trusted() if _absolute(place) not in out]
        spec = PathFinder.find_spec(name, elsewhere)
        return spec is not None and spec.origin is not None and self._is_needed(name)

    def _is_needed(self, name: str) -> bool:
        if name in sys.stdlib_module_names or name in OPTIONAL or name == OWN:
            return True
        if name not in self._needed:
            # For now: reading installed distributions imports modules, and may end up here again.
            self._needed[name] = True
            self._needed[name] = _is_dependency(name)
        return self._needed[name]


FINDER = Finder()


def keep_out(folders: Iterable[str | os.PathLike[str]]) -> None:
    """From now on, look up names that others need past these folders of a project."""
    FINDER.folders += [_absolute(os.fspath(folder)) for folder in folders]
    if FINDER not in sys.meta_path:
        standard = (i for i, finder in enumerate(sys.meta_path) if finder is PathFinder)
        # Directly before Python's own finder: built-in and frozen modules cannot be hidden anyway.
        sys.meta_path.insert(next(standard, len(sys.meta_path)), FINDER)


def let_in(folders: Iterable[str | os.PathLike[str]]) -> None:
    """Take back one ``keep_out`` of the same folders."""
    for folder in folders:
        FINDER.folders.remove(_absolute(os.fspath(folder)))
    if not FINDER.folders and FINDER in sys.meta_path:
        sys.meta_path.remove(FINDER)


def keep_out_start() -> None:
    """Keep out the folder that a command was started in, and what lies in it on the path."""
    here = _absolute("")
    inside = (place for place in map(_absolute, sys.path) if _is_within(place, here))
    keep_out({here, *inside})


def trusted_places() -> list[str]:
    """Return the module path for processes of our own: absolute, without any project's folder."""
    own = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
    out = {*FINDER.folders, *_script_folders()}
    places = [os.path.abspath(place) for place in sys.path]  # noqa: PTH100
    kept = [place for place in places if _absolute(place) not in out]
    return kept if own in kept else [*kept, own]


def _script_folders() -> Iterator[str]:
    """Yield the folders that Python puts in front for a script, for ``-m`` and in a prompt."""
    yield _absolute("")
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if script is not None:
        yield os.path.dirname(_absolute(script))  # noqa: PTH120


def _is_within(place: str, folder: str) -> bool:
    is_inside = place.startswith(folder.rstrip(os.sep) + os.sep)
    # A virtual environment often lies inside the project, and so may an unpacked Python.
    is_installed = "site-packages" in place or "dist-packages" in place
    return is_inside and not is_installed and not place.startswith(_absolute(sys.base_prefix))


def _absolute(place: str) -> str:
    try:
        return os.path.realpath(place or os.curdir)
    except OSError:
        return place  # the working folder is gone


def _is_dependency(name: str) -> bool:
    """Tell whether a name is a dependency of Tunesmith or of a library of estimators."""
    from tunesmith.system.installed_packages import providers

    by_name = providers()
    owners = {_plain(owner) for owner in by_name.get(name, ())}
    roots = {owner for root in OPTIONAL for owner in by_name.get(root, ())}
    return not owners.isdisjoint(_closure({*roots, OWN}))


def _plain(distribution: str) -> str:
    import re

    return re.sub(r"[-_.]+", "-", distribution).lower()


def _closure(roots: Iterable[str]) -> set[str]:
    """Return distributions and all that they require, by their normalised names."""
    import re
    from importlib.metadata import PackageNotFoundError, requires

    names, waiting = set[str](), list(roots)
    while waiting:
        name = _plain(waiting.pop())
        if name in names:
            continue
        names.add(name)
        try:
            wanted = requires(name) or []
        except PackageNotFoundError:
            continue
        # Extras of others, and our development tools, would lead to everything.
        tools = ("dev", "tests") if name == OWN else ("extra",)
        waiting += [
            re.split(r"[^\w.-]", text, maxsplit=1)[0]
            for text in wanted
            if not any(tool in text.partition(";")[2] for tool in tools)
        ]
    return names
