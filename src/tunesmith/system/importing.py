"""Imports of the user's code, with errors that leave out the frames of the import machinery."""

import traceback
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

from tunesmith.errors import UsageError
from tunesmith.system.interruptions import is_ours
from tunesmith.system.redact import clean
from tunesmith.system.shadows import FINDER
from tunesmith.system.user_output import held

OWN = Path(__file__).parents[1]
MACHINERY = ("<frozen importlib", "importlib/__init__.py")


def load(where: str, path: str) -> Any:
    """Import ``package.module:attribute`` (or with a dot), named at ``where`` in the configuration.

    Raises:
        UsageError: it does not exist, or importing it fails.
    """
    module_name, _, attribute = path.partition(":") if ":" in path else path.rpartition(".")
    try:
        with held():
            module = import_module(module_name)
    except BaseException as error:
        if is_ours(error):
            raise
        raise UsageError(_import_text(where, path, module_name, error)) from None
    if hasattr(module, attribute):
        return getattr(module, attribute)
    near = get_close_matches(attribute, dir(module), n=1, cutoff=0.6)
    hint = f" Did you mean `{module_name}.{near[0]}`?" if near else ""
    own = FINDER.hidden(module_name.partition(".")[0])
    hint += "" if own is None else f"\n  {_hidden_text(own)}"
    raise UsageError(f"{where}: `{module_name}` has no `{attribute}`.{hint}")


def _import_text(where: str, path: str, module_name: str, error: BaseException) -> str:
    text = f"{where}: cannot import `{path}`: {type(error).__name__}: {error}"
    missing = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
    wanted = getattr(error, "name", None) if isinstance(error, ImportError) else None
    own = FINDER.hidden(wanted.partition(".")[0]) if wanted else None
    if own is not None:
        text += f"\n  {_hidden_text(own)}"
    elif missing and (module_name == missing or module_name.startswith(f"{missing}.")):
        text = f"{where}: there is no module `{missing}` (wanted for `{path}`)"
        return f"{text}. Is its package installed, and is the path right?"
    frames = user_frames(error)
    return clean(text + "".join(f"\n  {frame}" for frame in frames))


def _hidden_text(file: str) -> str:
    return (
        f"{short(file)} is named like a module of Python or of a library, which is what this name"
        " means here; rename the file, or put it into a package."
    )


def user_frames(error: BaseException) -> list[str]:
    """List ``file:line in function: source`` of every frame outside our code and the importer."""
    return [
        f"{short(frame.filename)}:{frame.lineno} in {frame.name}: {frame.line}"
        for frame in traceback.extract_tb(error.__traceback__)
        if not _is_ours(frame.filename)
    ]


def _is_ours(filename: str) -> bool:
    return any(mark in filename for mark in MACHINERY) or Path(filename).is_relative_to(OWN)


def short(filename: str) -> str:
    """Shorten a path to the part that is the same on all machines.

    >>> short("/usr/lib/python3/site-packages/sklearn/svm/_base.py")
    'sklearn/svm/_base.py'
    """
    for mark in ("site-packages/", "dist-packages/"):
        if mark in filename:
            return filename.rpartition(mark)[2]
    path = Path(filename)
    if path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    return "/".join(path.parts[-2:])
