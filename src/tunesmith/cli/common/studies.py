"""The configurations in and below a folder."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ENDINGS = (".yaml", ".yml", ".json", ".toml")
DEPTH = 3
"""Folders below this one that are looked into, one within the other."""
MAX_STUDIES = 50
MAX_BYTES = 200_000
"""Larger files are data."""
PASSED_OVER = ("node_modules", "site-packages", "venv", "env", "build", "dist", "outputs")


def configurations(folder: Path) -> list[Path]:
    """List the configurations in and below a folder: files with a study and a search space.

    Hidden folders, environments and the outputs of studies are left out.
    """
    return [path for path in _files(folder, DEPTH) if _is_configuration(path)][:MAX_STUDIES]


def _files(folder: Path, depth: int) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    yield from (path for path in entries if path.suffix in ENDINGS and path.is_file())
    for path in entries if depth else ():
        is_own = not path.name.startswith(".") and path.name not in PASSED_OVER
        # Links may lead round in a circle.
        if is_own and path.is_dir() and not path.is_symlink():
            yield from _files(path, depth - 1)


def _is_configuration(path: Path) -> bool:
    try:
        if path.stat().st_size > MAX_BYTES:
            return False
        content = _read(path.read_text(encoding="utf-8"), path.suffix)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return False
    return isinstance(content, dict) and {"study", "space", "objective"} <= content.keys()


def _read(text: str, suffix: str) -> Any:
    if "study" not in text:
        return None
    if suffix == ".toml":
        return tomllib.loads(text)
    return json.loads(text) if suffix == ".json" else yaml.safe_load(text)
