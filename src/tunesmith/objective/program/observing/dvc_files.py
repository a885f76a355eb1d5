"""Paths that DVC tracks in a project: added data, outputs of stages, its cache.

Only the paths that must be left alone are read. Nothing is checked, and files that cannot be read
are skipped.
"""

import configparser
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

FILES = ("dvc.yaml", "dvc.lock")
CACHE = ".dvc/cache"


@dataclass(frozen=True)
class Tracked:
    """Paths relative to the project; absolute ones for paths outside of it."""

    added: frozenset[str] = frozenset()
    """Paths of ``dvc add`` or ``dvc import``, which programs read."""
    outs: frozenset[str] = frozenset()
    """Outputs of stages, which programs may write."""
    caches: tuple[str, ...] = ()
    """Folders of caches."""

    @property
    def names(self) -> frozenset[str]:
        """All paths that DVC tracks."""
        return self.added | self.outs


def tracked(root: Path, files: Iterable[str]) -> Tracked:
    """Find the paths that DVC tracks in a project.

    Args:
        root: the project folder.
        files: its files, relative to it.
    """
    added: set[str] = set()
    outs: set[str] = set()
    for name in files:
        base = name.rpartition("/")[2]
        if base.endswith(".dvc") and base != ".dvc":
            added.update(_outs(root, name, [_read(root / name)]))
        elif base in FILES:
            outs.update(_outs(root, name, _stages(_read(root / name))))
    return Tracked(frozenset(added - outs), frozenset(outs), tuple(_caches(root)))


def _read(path: Path) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, YAMLError):
        return None


def _stages(content: Any) -> Iterator[Any]:
    stages = content.get("stages") if isinstance(content, dict) else None
    for stage in stages.values() if isinstance(stages, dict) else ():
        yield stage
        if isinstance(stage, dict):
            yield stage.get("do")  # of `foreach` and `matrix`; resolved in `dvc.lock`


def _outs(root: Path, name: str, stages: Iterable[Any]) -> Iterator[str]:
    folder = Path(name).parent
    for stage in stages:
        if not isinstance(stage, dict):
            continue
        working = stage.get("wdir", ".")
        for kind in ("outs", "metrics", "plots"):
            items = stage.get(kind)
            for item in items if isinstance(items, list) else ():
                path = _path(item)
                # The paths of a template stand resolved in `dvc.lock`, which is read as well.
                if path and "${" not in path and "${" not in str(working):
                    out = os.path.normpath(root / folder / str(working) / path)
                    yield os.path.relpath(out, root) if _is_in(out, root) else out


def _is_in(path: str, root: Path) -> bool:
    return Path(path).is_relative_to(root)


def _path(item: Any) -> str:
    """Read an output, which is a text, a table with its path, or a table of one key."""
    if isinstance(item, dict):
        return str(item["path"]) if "path" in item else next(map(str, item), "")
    return item if isinstance(item, str) else ""


def _caches(root: Path) -> Iterator[str]:
    home = next((p for p in (root, *root.parents) if (p / ".dvc").is_dir()), None)
    if home is None:
        return
    yield str((home / CACHE).resolve())
    for name in ("config", "config.local"):
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read(home / ".dvc" / name, encoding="utf-8")
            folder = parser.get("cache", "dir", fallback="")
        except (configparser.Error, ValueError):
            continue
        if folder:
            yield str((home / ".dvc" / folder).resolve())
