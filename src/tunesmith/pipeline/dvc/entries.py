"""Entries of a stage: as they stand in its file, and as paths of the project folder."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tunesmith.pipeline.dvc.sites import Site
from tunesmith.pipeline.dvc.stages import LISTS, Stage
from tunesmith.pipeline.dvc.wanted import Content, literal, path_in


class StageEntry(NamedTuple):
    """One path of a stage."""

    path: str
    """Relative to the project folder; a bare key of ``params.yaml`` as it is."""
    flags: Any
    """Without templates; ``None`` if there are none."""
    raw: Any
    """The item that it stands in: a path, or a mapping from paths to flags."""
    name: Any
    """Name of the entry in the file."""


def entries(key: str, stage: Stage, raw: Mapping[str, Any]) -> list[StageEntry]:
    """Return the entries of a stage under a key.

    Args:
        key: ``deps``, ``outs``, …
        stage: as DVC resolves it, its paths relative to the project folder.
        raw: as it stands in the file.
    """
    pairs = zip(raw.get(key) or (), stage.content.get(key) or (), strict=True)
    return [
        entry for item, resolved in pairs for entry in _of_item(key, stage.site, item, resolved)
    ]


def _of_item(key: str, site: Site, raw: Any, resolved: Any) -> Iterator[StageEntry]:
    if isinstance(resolved, dict):
        for name, (path, flags) in zip(raw, resolved.items(), strict=True):
            yield StageEntry(site.seen(str(path)), flags, raw, name)
    else:
        is_key = key == "params"
        yield StageEntry(str(resolved) if is_key else site.seen(str(resolved)), None, raw, raw)


def view(stage: Stage, raw: Mapping[str, Any]) -> Content:
    """A stage's content with all paths relative to the project folder, one path an entry."""
    shown = dict(stage.content)
    for key in LISTS:
        if key in raw:
            listed = entries(key, stage, raw)
            shown[key] = [_item(entry.path, entry.flags, entry.raw) for entry in listed]
    return shown


def _item(path: str, flags: Any, raw: Any) -> Any:
    return {path: flags} if isinstance(raw, dict) else path


def written(key: str, stage: Stage, raw: Mapping[str, Any], wanted: Sequence[Any]) -> list[Any]:
    """Entries as they have to stand in the file; what is there already stays as it is.

    Args:
        key: ``deps``, ``outs``, …
        stage: as DVC resolves it, its paths relative to the project folder.
        raw: as it stands in the file.
        wanted: entries with paths relative to the project folder.
    """
    present = {entry.path: entry for entry in entries(key, stage, raw)}
    done: set[int] = set()
    items: list[Any] = []
    for item in wanted:
        path = path_in(item)
        entry = present.get(path) or present.get(str(item))
        if entry is None:
            items.append(_placed_item(item, stage.site))
        # One mapping may hold several paths, and is written once.
        elif id(entry.raw) not in done or isinstance(entry.raw, str):
            done.add(id(entry.raw))
            items.append(_changed(entry, item))
    return items


def _placed_item(item: Any, site: Site) -> Any:
    path = literal(site.named(path_in(item)))
    return {path: next(iter(item.values()))} if isinstance(item, dict) else path


def _changed(entry: StageEntry, item: Any) -> Any:
    flags = next(iter(item.values())) if isinstance(item, dict) else None
    if flags == entry.flags:
        return entry.raw
    others = entry.raw if isinstance(entry.raw, dict) else {}
    return {**others, entry.name: flags}
