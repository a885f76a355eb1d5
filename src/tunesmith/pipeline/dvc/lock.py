"""``dvc.lock``: the digests and parameters with which DVC's stages ran last."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tunesmith.errors import UsageError
from tunesmith.formats.yaml_text import yaml_text
from tunesmith.pipeline.dvc.document import LOCK, document, stages_in
from tunesmith.pipeline.dvc.sites import Site

CHUNK = 1 << 20


@dataclass(frozen=True)
class LockedStage:
    """A stage as it was run last, its paths relative to the folder of its commands."""

    name: str
    commands: tuple[str, ...]
    deps: Mapping[str, str]
    """Digest by path; a folder's ends with ``.dir``."""
    params: Mapping[str, Mapping[str, Any]]
    """Values by key, by file."""
    outs: Mapping[str, str]

    def placed(self, site: Site) -> "LockedStage":
        """Return the same with paths relative to another folder.

        Args:
            site: of the stage.
        """
        moved = [{site.seen(p): v for p, v in d.items()} for d in (self.deps, self.outs)]
        params = {site.seen(path): values for path, values in self.params.items()}
        return replace(self, deps=moved[0], outs=moved[1], params=params)


def read_lock(text: str, name: str = LOCK) -> dict[str, LockedStage]:
    """The stages of a ``dvc.lock``, by name.

    Raises:
        UsageError: it is no YAML, or not of DVC's shape.
    """
    found: dict[str, LockedStage] = {}
    for key, content in stages_in(text, name).items():
        try:
            found[key] = _stage(key, content)
        except TypeError:
            raise UsageError(
                f"{name}: stage `{key}`: not as DVC writes it; remove the file, and `dvc repro`"
                " writes it anew."
            ) from None
    return found


def _stage(name: str, content: Mapping[str, Any]) -> LockedStage:
    command = content.get("cmd")
    params = _mapping(content.get("params"))
    return LockedStage(
        name,
        (command,) if isinstance(command, str) else tuple(map(str, _list(command))),
        _digests(content.get("deps")),
        {path: _mapping(values) for path, values in params.items()},
        _digests(content.get("outs")),
    )


def _digests(listed: Any) -> dict[str, str]:
    rows = [_mapping(row) for row in _list(listed)]
    # Dependencies on a remote have an `etag` instead of an `md5`.
    return {str(row["path"]): str(row.get("md5", "")) for row in rows if "path" in row}


def _list(value: Any) -> list[Any]:
    """Return a list, empty if there is nothing.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, list | None):
        raise TypeError
    return value or []


def _mapping(value: Any) -> dict[str, Any]:
    """Return a mapping, empty if there is nothing.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, dict | None):
        raise TypeError
    return value or {}


def file_md5(path: Path) -> str | None:
    """Return the digest that ``dvc.lock`` holds for a file; ``None`` if there is no such file."""
    if not path.is_file():
        return None
    # DVC takes MD5, which a Python in FIPS mode refuses for security.
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def with_stage_of(text: str, other: str, stage: str) -> str:
    """Return a ``dvc.lock`` with one stage's block taken from another; the rest stays as it is.

    Args:
        text: may be empty.
        other: that has the stage.
        stage: its name.

    Raises:
        UsageError: one of them is not of DVC's shape, or the other lacks the stage.
    """
    if stage not in stages_in(other, LOCK):
        raise UsageError(f"{LOCK}: there is no stage `{stage}` in it.")
    text, other = in_blocks(text), in_blocks(other)
    blocks, given = blocks_of(text), blocks_of(other)
    head = head_of(text) if text.strip() else head_of(other)
    merged = blocks | {stage: given.get(stage, "")}
    spliced = f"{head}stages:\n" + "".join(merged.values())
    check_spliced(spliced, stages_in(text, LOCK) | {stage: stages_in(other, LOCK)[stage]})
    return spliced


def check_spliced(text: str, wanted: Mapping[str, Any]) -> None:
    """Refuse a text that was put together from blocks, and holds other stages than it should.

    Raises:
        UsageError: it does.
    """
    if stages_in(text, LOCK) != wanted:
        raise UsageError(
            f"{LOCK}: not as DVC writes it; remove the file, and `dvc repro` writes it anew."
        )


def in_blocks(text: str) -> str:
    """Return a ``dvc.lock`` in DVC's own layout, which ``blocks_of`` can cut.

    A text that somebody has formatted otherwise is written anew; DVC would keep its layout.
    """
    stages, blocks = stages_in(text, LOCK), blocks_of(text)
    together = "stages:\n" + "".join(blocks.values())
    if blocks.keys() == stages.keys() and stages_in(together, LOCK) == stages:
        return text
    return yaml_text({**document(text, LOCK), "stages": stages})


def head_of(text: str) -> str:
    """Return the text above the stages."""
    return text.partition("stages:\n")[0]


def blocks_of(text: str) -> dict[str, str]:
    """Return the text of every stage, by its name: DVC writes them two spaces deep."""
    by_stage: dict[str, str] = {}
    name = ""
    for line in text.partition("stages:\n")[2].splitlines():
        if line.startswith("  ") and line[2:3] not in (" ", "-", ""):
            # DVC quotes names that YAML would read as something else than text.
            name = line.strip().removesuffix(":").strip("'\"")
        by_stage[name] = by_stage.get(name, "") + f"{line}\n"
    return by_stage
