"""Whether ``dvc.lock`` agrees with the files, for the stage that tunes.

That it does proves nothing by itself: ``dvc commit -f`` and frozen stages write the digests of
whatever is there. It is one of several witnesses.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.config.model import Definition
from tunesmith.config.source import read_document
from tunesmith.errors import UsageError
from tunesmith.pipeline.dvc.digests import CACHES, ignores, path_md5
from tunesmith.pipeline.dvc.document import FILE, LOCK
from tunesmith.pipeline.dvc.lock import LockedStage, read_lock
from tunesmith.pipeline.dvc.stages import Coupling, Stage, coupling, read_stages, tuning_stage
from tunesmith.pipeline.findings import Finding, note
from tunesmith.space.parameter import canonical_json


@dataclass(frozen=True)
class Tuning:
    """The stage that tunes, and what DVC believes that it has run with."""

    folder: Path
    """Where ``dvc.yaml`` lies."""
    stage: Stage
    locked: LockedStage | None
    """``None`` where it has not run yet."""
    coupling: Coupling

    @property
    def again(self) -> str:
        """The way out."""
        return f"`dvc repro {self.stage.name}` runs the stage, which evaluates only what is new."


def tuning(definition: Definition) -> Tuning | None:
    """The stage of a ``dvc.yaml``, in the project folder or above, that runs the study.

    Raises:
        UsageError: one of DVC's files cannot be read.
    """
    folder = _folder(definition.root.resolve())
    if folder is None or definition.source is None:
        return None
    config = _below(folder, definition.source)
    stage = tuning_stage(read_stages(_text(folder / FILE)), config)
    if stage is None:
        return None
    locked = read_lock(_text(folder / LOCK)).get(stage.name)
    best = _below(folder, definition.root / definition.file.outputs.best.path)
    return Tuning(folder, stage, locked, coupling(stage, best))


def _folder(root: Path) -> Path | None:
    """The nearest folder with a ``dvc.yaml``, up to the top of the repository."""
    for folder in (root, *root.parents):
        if (folder / FILE).is_file():
            return folder
        if (folder / ".git").exists():
            return None
    return None


def _below(folder: Path, path: Path) -> str:
    found = path.resolve()
    return found.relative_to(folder).as_posix() if found.is_relative_to(folder) else str(found)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig") if path.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} cannot be read: {error}") from None


def disagreements(found: Tuning) -> Iterator[Finding]:
    """What of the stage's block in ``dvc.lock`` does not agree with the files."""
    locked, stage = found.locked, found.stage
    if locked is None:
        yield note(LOCK, f"stage `{stage.name}` has not been run by DVC yet", found.again)
        return
    ran = [locked.command]
    if "${" not in stage.commands[0] and len(stage.commands) == 1 and ran != [*stage.commands]:
        yield Finding(LOCK, f"stage `{stage.name}` ran another command", stage.commands[0])
    base = found.folder / str(stage.content.get("wdir", "."))
    for path, md5 in locked.deps.items():
        yield from _changed(found, base, path, md5, "a dependency of")
    for path, md5 in locked.outs.items():
        yield from _changed(found, base, path, md5, "an out of")
    for name in sorted({*stage.outs} - {*locked.outs}):
        yield Finding(LOCK, f"{name} is not in it", "every out of the stage", found.again)
    for name, values in locked.params.items():
        yield from _other_params(found, base, name, values)


def _changed(found: Tuning, base: Path, path: str, md5: str, role: str) -> Iterator[Finding]:
    patterns = ignores(_text(found.folder / ".dvcignore"))
    try:
        now = path_md5(base / path, without_caches=CACHES in patterns)
    except OSError as error:
        yield note(path, f"cannot be read ({error.strerror}), so it is not compared with {LOCK}")
        return
    if now == md5:
        return
    if now is None and role.startswith("a dep"):
        yield note(
            path, f"is not here, so it is not compared with {LOCK}", "`dvc pull` fetches it."
        )
    elif (base / path).is_dir() and patterns - {CACHES}:
        yield note(path, f"is not compared with {LOCK}, as .dvcignore leaves files out of it")
    else:
        state = "is missing" if now is None else f"has changed since {LOCK} was written"
        expected = f"{role} stage `{found.stage.name}`, md5 {md5}"
        yield Finding(path, state, expected, found.again)


def _other_params(
    found: Tuning, base: Path, name: str, values: Mapping[str, Any]
) -> Iterator[Finding]:
    """Values in the lock file that are others in the file that they are from."""
    try:
        data = read_document(base / name).data
    except (UsageError, OSError) as error:
        yield note(name, f"is not compared with {LOCK}: {str(error).splitlines()[0]}")
        return
    changed = changed_keys(found.stage, name, data, values)
    if changed:
        listed = ", ".join(f"`{key}`" for key in changed)
        state = f"{listed} changed since {LOCK} was written"
        yield Finding(name, state, f"what stage `{found.stage.name}` ran with", found.again)


def changed_keys(stage: Stage, name: str, data: Any, values: Mapping[str, Any]) -> list[str]:
    """The keys of a file of parameters that are others than in ``dvc.lock``.

    Args:
        stage: that depends on it.
        name: of the file, as the stage names it.
        data: what it holds.
        values: what ``dvc.lock`` says.
    """
    there = data if isinstance(data, dict) else {}
    changed = [key for key, value in values.items() if not _same(_value(there, key), value)]
    is_whole = _is_whole(stage, name)
    return changed + [key for key in there if is_whole and key not in values]


def _is_whole(stage: Stage, name: str) -> bool:
    """Whether the stage depends on all keys of a file."""
    listed = stage.content.get("params")
    entries = (
        [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    )
    return any(name in entry and not entry[name] for entry in entries)


MISSING = object()


def _value(data: Any, key: str) -> Any:
    """A value by its key, or by keys with dots between them."""
    if isinstance(data, dict) and key in data:
        return data[key]
    for step in key.split("."):
        data = data.get(step, MISSING) if isinstance(data, dict) else MISSING
    return data


def _same(one: Any, other: Any) -> bool:
    if one is MISSING:
        return False
    try:
        return canonical_json(one) == canonical_json(other)
    except (TypeError, ValueError):
        return bool(one == other)
