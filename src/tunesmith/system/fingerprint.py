"""Digests of a result's dependencies. Code is read as text, never imported."""

import ast
import hashlib
import json
import platform
import sys
import warnings
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.errors import DataError
from tunesmith.system.installed_packages import providers
from tunesmith.system.shadows import FINDER

if TYPE_CHECKING:
    import numpy as np

DIGEST_BYTES = 16
COMPUTING = ("numpy", "scipy", "scikit-learn", "pandas")
IMPORTED_AS_NAMED = {"numpy", "scipy", "sklearn", "pandas"}
"""Modules whose versions always count."""


def digest(content: object) -> str:
    """Digest of a JSON-like value; equal values, equal digests, in any process.

    >>> digest({"a": 1, "b": [None]}) == digest({"b": [None], "a": 1})
    True
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).hexdigest()


def array_digest(*arrays: "np.ndarray") -> str:
    """Digest of arrays: their types, shapes and bytes."""
    hasher = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for array in arrays:
        hasher.update(f"{array.dtype.str}{array.shape}".encode())
        # The bytes of an array of objects are their addresses.
        if array.dtype.hasobject:
            hasher.update(json.dumps(array.tolist(), default=repr).encode())
        else:
            hasher.update(array.ravel().view("u1").data)  # no copy where the memory is in order
    return hasher.hexdigest()


def file_digest(paths: Iterable[Path]) -> str:
    """Digest of the files' contents, in order.

    Raises:
        DataError: one of them is no regular file, such as a device or a pipe.
    """
    hasher = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for path in paths:
        if path.exists() and not path.is_file():
            raise DataError(f"data.path: {path} is a device, a pipe or a folder; name a file")
        with path.open("rb") as file:
            # One digest a file, all of one length: otherwise moving bytes from one file to the next
            # would give the same digest.
            hasher.update(hashlib.file_digest(file, "blake2b").digest())
    return hasher.hexdigest()


def code_digest(import_paths: Sequence[str], root: Path) -> str:
    """Digest of the project's source files behind import paths; ``""`` if there are none.

    A top-level module or package in the project counts with all its files, whatever the import path
    names in it, and so does every other one that it imports. Installed packages are represented by
    their version (``versions``).
    """
    sources, _ = reached(top_names(import_paths), root)
    if not sources:
        return ""
    names = [source.relative_to(root).as_posix() for source in sources]
    return digest([names, file_digest(sources)])


def top_names(import_paths: Iterable[str]) -> set[str]:
    """Return the top-level modules of import paths.

    >>> sorted(top_names(["sklearn.svm.SVC", "train:build"]))
    ['sklearn', 'train']
    """
    return {path.replace(":", ".").split(".")[0] for path in import_paths}


def reached(tops: Iterable[str], root: Path) -> tuple[list[Path], set[str]]:
    """Find the files that top-level modules lead to, by their ``import`` statements.

    Returns:
        The project's source files, sorted, and the names of modules from elsewhere.
    """
    sources: set[Path] = set()
    elsewhere: set[str] = set()
    seen: set[str] = set()
    waiting = set(tops)
    while waiting:
        seen |= waiting
        by_top = {top: project_sources(root, top) for top in waiting}
        elsewhere |= {top for top, files in by_top.items() if not files}
        files = {file for own in by_top.values() for file in own}
        sources |= files
        waiting = {top for file in files for top in imported(file)} - seen
    return sorted(sources), elsewhere


def imported(source: Path) -> set[str]:
    """List the top-level modules that a file imports; relative imports stay in its package."""
    try:
        return set(_imported(source.read_bytes()))
    except (SyntaxError, ValueError, OSError, RecursionError, MemoryError):
        return set()  # importing it will say so, with the line


# A search in a large project asks several times, and parsing is nearly all that it takes. The
# content is the key, so that a file that has changed is read anew.
@lru_cache(maxsize=4096)
def _imported(content: bytes) -> frozenset[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(content)
    names = set()
    # Everywhere in the file: an import inside of a function counts as well.
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return frozenset(top_names(names))


def project_sources(root: Path, top: str) -> list[Path]:
    """List the Python files of a top-level module of the project, in its folder or in ``src``.

    As Python does, a package goes before a module, and both before a folder without
    ``__init__.py``. A file named like a module of Python or of a needed library is never imported
    under that name (``shadows``).
    """
    folders = (root, root / "src")
    if not any((folder / f"{top}{end}").exists() for folder in folders for end in ("", ".py")):
        return []
    if FINDER.means_another(top, list(map(str, folders))):
        return []
    for folder in folders:
        single, package = folder / f"{top}.py", folder / top
        if (package / "__init__.py").is_file():
            return list(package.rglob("*.py"))
        if single.is_file():
            return [single]
    return [file for folder in folders for file in (folder / top).rglob("*.py")]


def versions(import_paths: Sequence[str], root: Path | None = None) -> dict[str, str]:
    """Return versions that scores depend on: Python, numeric libraries, estimators' packages.

    Given the project folder, packages that its code imports count as well.
    """
    tops = top_names(import_paths)
    outside = reached(tops, root)[1] if root else tops
    names = {*COMPUTING}
    if wanted := outside - IMPORTED_AS_NAMED - sys.stdlib_module_names:
        names |= {name for top in wanted for name in providers().get(top, ())}
    by_name = {name: _version(name) for name in sorted(names)}
    # Without the patch level, so that a bug fix of Python does not discard every score.
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    # Floating-point results may differ between architectures.
    return {"python": python, "machine": platform.machine()} | {
        k: v for k, v in by_name.items() if v
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
