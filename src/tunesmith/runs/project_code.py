"""The project's own code: its place on the path, its errors, and import paths that lead to it."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tunesmith.errors import TunesmithError, UsageError
from tunesmith.system import shadows
from tunesmith.system.shadows import FINDER


@contextmanager
def project_on_path(root: Path) -> Iterator[None]:
    """Make the project's own modules importable, as ``python`` does for a script's folder.

    They lie in the project folder, or in ``src``. Names of Python's own modules and of the
    libraries lead to those, whatever the names of the project's files are.
    """
    places = [root.resolve(), root.resolve() / "src"]
    entries = [str(place) for place in places if place == places[0] or place.is_dir()]
    # Before the folders are on the path: no import may find a file of the project in place of a
    # library.
    shadows.keep_out(entries)
    sys.path[:0] = entries
    try:
        yield
    finally:
        shadows.let_in(entries)
        for entry in entries:
            sys.path.remove(entry)


@contextmanager
def blaming_the_project(root: Path) -> Iterator[None]:
    """Turn errors of the project's own code into usage errors: they are no defect of ours.

    Raises:
        UsageError: the code raised an error; with its frames.
    """
    try:
        yield
    except TunesmithError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        # Without a frame of the project it is a defect of ours, which must show its traceback.
        if not any(_is_projects(frame.filename, root) for frame in frames):
            raise
        from tunesmith.system.importing import user_frames

        listed = "".join(f"\n  {frame}" for frame in user_frames(error))
        text = f"objective: the project's code raised {type(error).__name__}: {error}{listed}"
        raise UsageError(text) from None


def _is_projects(file: str, root: Path) -> bool:
    return Path(file).is_relative_to(root.resolve()) and "site-packages" not in file


def leads_into(root: Path, import_path: str) -> bool:
    """True if a path's top-level module lies in the project (found by name, never imported)."""
    top = import_path.replace(":", ".").split(".")[0]
    folders = (root, root / "src")
    if any((folder / top).is_dir() or (folder / f"{top}.py").is_file() for folder in folders):
        # A project's `random.py` is not what others mean by `random`.
        return not FINDER.means_another(top, list(map(str, folders)))
    try:
        # Of a dotted name, `find_spec` would import the packages above; a top-level name has none.
        spec = find_spec(top)
    except (ImportError, ValueError):
        return False
    origin = spec.origin if spec else None
    return origin is not None and _within(Path(origin), root)


def _within(origin: Path, root: Path) -> bool:
    # A virtual environment often lies inside the project; what is installed there is no project
    # code.
    resolved = origin.resolve()
    return resolved.is_relative_to(root.resolve()) and "site-packages" not in resolved.parts
