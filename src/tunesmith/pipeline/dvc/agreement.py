"""Comparison of ``dvc.lock`` with the files, for the stage that tunes.

Agreement proves nothing by itself: ``dvc commit -f`` and frozen stages write the digests of
whatever is there. It is one piece of evidence among several.
"""

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from tunesmith.config.model import Definition
from tunesmith.config.source import read_text
from tunesmith.errors import UsageError
from tunesmith.parameters.content import content_of
from tunesmith.pipeline.dvc.digests import CACHES, ignores, path_md5
from tunesmith.pipeline.dvc.document import LOCK
from tunesmith.pipeline.dvc.lock import LockedStage, read_lock
from tunesmith.pipeline.dvc.places import (
    StageOfStudy,
    Wanted,
    above,
    everywhere,
    find,
    only_of,
    top_of,
)
from tunesmith.pipeline.dvc.stages import Coupling, Stage, coupling, reader, text_of
from tunesmith.pipeline.findings import Finding, note
from tunesmith.space.parameter import canonical_json
from tunesmith.system import git


@dataclass(frozen=True)
class Tuning:
    """The stage that tunes, and the files that DVC recorded for its last run."""

    root: Path
    """The project folder, which all paths are relative to."""
    folder: Path
    """Folder of ``dvc.yaml``."""
    stage: Stage
    locked: LockedStage | None
    """``None`` if it has not run yet."""
    coupling: Coupling

    @property
    def again(self) -> str:
        """The remedy."""
        again, name = repro(self.folder, [self.stage.name]), self.stage.name
        if self.stage.content.get("frozen"):
            thaw = shlex.join([*dvc_in(self.folder), "unfreeze", name])
            return f"`{thaw} && {again}` runs the stage, which is frozen."
        return f"`{again}` runs the stage, which evaluates only what is new."


def tuning(definition: Definition) -> Tuning | None:
    """The stage of a ``dvc.yaml``, anywhere in the repository, that runs the study.

    Raises:
        UsageError: one of DVC's files cannot be read.
    """
    stage, folder = study_stage(definition)
    if stage is None:
        return None
    locked = read_lock(text_of(folder / LOCK) or "").get(stage.stage.name)
    return Tuning(
        definition.root.resolve(),
        folder,
        stage.stage,
        None if locked is None else locked.placed(stage.stage.site),
        coupling(stage.stage, definition.file.outputs.best.path),
    )


def study_stage(definition: Definition) -> tuple[StageOfStudy | None, Path]:
    """The stage that runs a study, its paths relative to the project folder, and its folder.

    Raises:
        UsageError: a ``dvc.yaml`` cannot be read.
    """
    root = definition.root.resolve()
    top = top_of(root)
    if definition.source is None:
        return None, root
    folder = "" if root == top else root.relative_to(top).as_posix()
    config = Path(os.path.relpath(definition.source.resolve(), root)).as_posix()
    wanted = Wanted(folder, config, only_of(definition.file.outputs))
    stage = find(chain(above(folder), everywhere(top)), wanted, reader(top))
    return stage, top / (stage.folder if stage else folder)


def repro(folder: Path, names: Sequence[str]) -> str:
    """The command that runs stages, as one would type it here.

    Args:
        folder: of their ``dvc.yaml``.
        names: of the stages.
    """
    return shlex.join([*dvc_in(folder), "repro", *names])


def dvc_in(folder: Path) -> list[str]:
    """Command that calls DVC so that it works in a folder."""
    there, here = folder.resolve(), Path.cwd()
    # DVC knows a stage by its bare name only in the folder of its file.
    near = os.path.relpath(there, here)
    return ["dvc", *([] if there == here else ["--cd", min(near, str(there), key=len)])]


def disagreements(tuned: Tuning) -> Iterator[Finding]:
    """Yield the entries of the stage's block in ``dvc.lock`` that differ from the files."""
    locked, stage = tuned.locked, tuned.stage
    if locked is None and _was_locked(tuned):
        back = shlex.quote(os.path.relpath(tuned.folder / LOCK, Path.cwd()))
        fix = f"`git checkout HEAD -- {back}` brings it back."
        yield Finding(LOCK, f"lacks stage `{stage.name}`", "the stage's block, as committed", fix)
        return
    if locked is None:
        yield note(LOCK, f"stage `{stage.name}` has not been run by DVC yet", tuned.again)
        return
    if locked.commands != stage.commands:
        expected = "; ".join(stage.commands)
        yield Finding(LOCK, f"stage `{stage.name}` ran another command", expected, tuned.again)
    for path, md5 in locked.deps.items():
        yield from _changed(tuned, path, md5, is_input=True)
    for path, md5 in locked.outs.items():
        yield from _changed(tuned, path, md5, is_input=False)
    yield from _not_locked(tuned, locked)
    for name, values in locked.params.items():
        yield from _other_params(tuned, name, values)


def _was_locked(tuned: Tuning) -> bool:
    """Tell whether the commit that is checked out has a record of the stage's last run."""
    commit = git.commit(tuned.folder, "HEAD")
    text = None if commit is None else git.content(tuned.folder, commit, LOCK)
    try:
        return tuned.stage.name in read_lock(text or "")
    except UsageError:
        return False


def _not_locked(tuned: Tuning, locked: LockedStage) -> Iterator[Finding]:
    """Yield the entries that the stage has got since it ran."""
    stage = tuned.stage
    kinds = (("out", stage.outs, locked.outs), ("dependency", stage.deps, locked.deps))
    for kind, named, known in (*kinds, ("file of parameters", stage.params, locked.params)):
        for name in sorted({*named} - {*known}):
            yield Finding(LOCK, f"{name} is not in it", f"every {kind} of the stage", tuned.again)


def _changed(tuned: Tuning, path: str, md5: str, *, is_input: bool) -> Iterator[Finding]:
    base = tuned.root
    # DVC leaves ignored files out of a folder's digest.
    patterns = {line for text in _ignore_files(base / path) for line in ignores(text)}
    try:
        now = path_md5(base / path, without_caches=CACHES in patterns)
    except OSError as error:
        yield note(path, f"cannot be read ({error.strerror}), so it is not compared with {LOCK}")
        return
    if now == md5:
        return
    # Data that was not pulled proves nothing about the run.
    if now is None and is_input:
        yield note(path, f"is not here, so it is not compared with {LOCK}", _fetching(base / path))
    # We know one pattern, and the language of `.dvcignore` is DVC's: not compared, and said so.
    elif (base / path).is_dir() and patterns - {CACHES}:
        yield note(path, f"is not compared with {LOCK}, as .dvcignore leaves files out of it")
    else:
        state = "is missing" if now is None else f"has changed since {LOCK} was written"
        role = "a dependency of" if is_input else "an out of"
        expected = f"{role} stage `{tuned.stage.name}`, md5 {md5}"
        yield Finding(path, state, expected, tuned.again)


def _ignore_files(path: Path) -> Iterator[str]:
    """Yield the texts of ``.dvcignore`` files above a path, up to the repository's top."""
    for folder in path.parents:
        yield text_of(folder / ".dvcignore") or ""
        if (folder / ".git").exists():
            return


def _fetching(path: Path) -> str:
    """Command that gets a missing dependency; empty if nobody keeps it."""
    shown = shlex.quote(os.path.relpath(path, Path.cwd()))
    if path.with_name(f"{path.name}.dvc").is_file():
        return f"`dvc pull {shown}.dvc` fetches it."
    folder = next((f for f in path.parents if f.is_dir()), path.parent)
    is_kept = git.paths(folder, "ls-files", "-z", "--", str(path))
    return f"`git restore {shown}` brings it back." if is_kept else ""


def _other_params(tuned: Tuning, name: str, values: Mapping[str, Any]) -> Iterator[Finding]:
    """Values in the lock file that are others in the file that they are from."""
    try:
        data = content_of(read_text(tuned.root / name), tuned.root / name)
    except (UsageError, OSError) as error:
        yield note(name, f"is not compared with {LOCK}: {str(error).splitlines()[0]}")
        return
    changed = changed_keys(tuned.stage, name, data, values)
    if changed:
        listed = ", ".join(f"`{key}`" for key in changed)
        state = f"{listed} changed since {LOCK} was written"
        yield Finding(name, state, f"what stage `{tuned.stage.name}` ran with", tuned.again)


def changed_keys(stage: Stage, name: str, data: Any, values: Mapping[str, Any]) -> list[str]:
    """The keys of a file of parameters that are others than in ``dvc.lock``.

    Args:
        stage: that depends on it.
        name: of the file, relative to the same folder as the stage's paths.
        data: what it holds.
        values: what ``dvc.lock`` says.
    """
    there = data if isinstance(data, dict) else {}
    changed = [key for key, value in values.items() if not _same(_value(there, key), value)]
    is_whole = _is_whole(stage, name)
    return changed + [key for key in there if is_whole and key not in values]


def _is_whole(stage: Stage, name: str) -> bool:
    """Tell whether the stage depends on all keys of a file."""
    return stage.params.get(name) == []


MISSING = object()


def _value(data: Any, key: str) -> Any:
    """A value by its key, or by keys with dots between them."""
    # A key may hold dots itself.
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
        # YAML has values that JSON lacks, such as dates.
        return bool(one == other)
