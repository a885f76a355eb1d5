"""Digests of files and folders as ``dvc.lock`` holds them."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from tunesmith.pipeline.dvc.lock import file_md5

IGNORED = {".git", ".hg", ".dvc"}
CACHES = "__pycache__"


def path_md5(path: Path, *, without_caches: bool = False) -> str | None:
    """Return the digest that ``dvc.lock`` holds for a file or a folder; ``None`` if there is none.

    Args:
        path: of the file or folder.
        without_caches: leave out Python's caches, as ``.dvcignore`` says.
    """
    if not path.is_dir():
        return file_md5(path)
    left_out = IGNORED | ({CACHES} if without_caches else set())
    files = {file.relative_to(path).as_posix(): file for file in _files(path, left_out)}
    tree = [{"md5": file_md5(files[name]), "relpath": name} for name in sorted(files)]
    # DVC hashes this list in this very form: another separator would give another digest.
    text = json.dumps(tree, sort_keys=True)
    return f"{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}.dir"


def _files(folder: Path, left_out: set[str]) -> Iterator[Path]:
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if name not in left_out]
        yield from (Path(place) / name for name in names if name not in left_out)


def ignores(text: str) -> set[str]:
    """The patterns of a ``.dvcignore``."""
    lines = (line.strip() for line in text.splitlines())
    return {line.rstrip("/") for line in lines if line and not line.startswith("#")}
