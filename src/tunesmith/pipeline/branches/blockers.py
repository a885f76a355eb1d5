"""Blockers: reasons not to apply parameters to a training branch, each with its remedy.

Git shows what has changed since a study was run, the file's own digest whether it was edited,
``dvc.lock`` what the stage was run with, and the committed trials what was found. No code of the
project is run.
"""

import hashlib
import posixpath
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isclose
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.analysis.compare import differences
from tunesmith.config.model import File
from tunesmith.config.source import parse_document
from tunesmith.errors import StorageError, TunesmithError, UsageError
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.rows import as_recorded
from tunesmith.pipeline.branches.commands import repro
from tunesmith.pipeline.committed import (
    CommittedStage,
    CommittedStudy,
    joined,
    pipelines_at,
    space_files,
    trials_at,
)
from tunesmith.pipeline.dvc.agreement import changed_keys
from tunesmith.pipeline.dvc.document import FILE
from tunesmith.pipeline.dvc.lock import read_lock
from tunesmith.pipeline.dvc.sites import Site
from tunesmith.pipeline.dvc.stages import read_stages
from tunesmith.pipeline.parameters import Parameters
from tunesmith.pipeline.repository import Repository
from tunesmith.runs.factory import HOUSEKEEPING
from tunesmith.space import SearchSpace
from tunesmith.system.fingerprint import digest, reached, top_names

if TYPE_CHECKING:
    from tunesmith.ledger.records import StudyRecord

LARGE = b"version https://git-lfs.github.com/spec/"
"""First bytes of a pointer of Git LFS, whose content is kept elsewhere."""
LEGACY = "dos2unix:"
"""Prefix of digests by DVC 2, which turned line ends before: they tell nothing about the bytes."""
AGAIN = "Run the study again there, and commit."


@dataclass(frozen=True)
class Blocker:
    """One reason against, and what to do about it."""

    reason: str
    way: str
    is_firm: bool = False
    """True if ``force`` does not overrule it."""


def committed_record(there: CommittedStudy) -> "StudyRecord | None":
    """Trials that were committed with the study; ``None`` if they cannot be read."""
    try:
        return trials_at(there)[0]
    except StorageError:
        raise  # Git could not be asked: that says nothing about the trials
    except TunesmithError:
        return None


# -- edited --------------------------------------------------------------------------------------


def modified(
    there: CommittedStudy, parameters: Parameters, record: "StudyRecord | None"
) -> Iterator[Blocker]:
    """Yield a blocker if the best-parameters file was modified after the study wrote it.

    Args:
        there: the study on the tuning branch.
        parameters: its file.
        record: the trials that were committed with it.
    """
    if not parameters.meta:
        yield from _other_than_chosen(there, parameters, record)
        return
    if parameters.is_edited:
        yield Blocker(
            f"{there.found} on `{there.branch}` was edited after it was written by the study.",
            "`tunesmith run` there puts back what was found, evaluating nothing; commit that.",
        )
        return
    if record is None:
        return
    where = there.outputs.history or there.outputs.trials
    number = parameters.meta.get("trial")
    if not isinstance(number, int) or not 0 <= number < record.history.n_completed:
        yield Blocker(f"{where} holds no trial {number}, which {there.found} names.", AGAIN)
        return
    trial, metric = record.history[number], record.objectives[0].name
    if digest(dict(trial.params)) != parameters.digest:
        changes = ", ".join(differences(trial.params, parameters.params))
        yield Blocker(
            f"{there.found} on `{there.branch}` says other parameters of trial {number} than"
            f" {where} there ({changes}).",
            AGAIN,
        )
    elif not isclose(trial.mean(metric), parameters.meta.get("mean", trial.mean(metric))):
        yield Blocker(
            f"{there.found} on `{there.branch}` says another {metric} of trial {number} than"
            f" {where} there ({parameters.meta['mean']:.6g} instead of {trial.mean(metric):.6g}).",
            AGAIN,
        )


def _other_than_chosen(
    there: CommittedStudy, parameters: Parameters, record: "StudyRecord | None"
) -> Iterator[Blocker]:
    """Do the same for a file that does not name its trial: the committed trials tell."""
    from tunesmith.analysis.chosen import chosen_trial

    if record is None:
        yield Blocker(
            f"{there.found} on `{there.branch}` does not say which trial it holds, and no history"
            " is committed there that could be compared.",
            "Add `outputs: {history: outputs/history.jsonl}`, run the study again, and commit.",
        )
        return
    best = chosen_trial(record.history, record.head.recorded, record.metrics)
    if best is None or digest(dict(best.params)) != parameters.digest:
        yield Blocker(
            f"{there.found} on `{there.branch}` holds other parameters than the study chose.",
            "`tunesmith run` there puts back what was found, evaluating nothing; commit that.",
        )


# -- stale ---------------------------------------------------------------------------------------


def stale(there: CommittedStudy, record: "StudyRecord | None") -> Iterator[Blocker]:
    """Yield what has changed on the tuning branch since the study was run there.

    Args:
        there: the study on the tuning branch.
        record: the trials that were committed with it.
    """
    if record is not None and there.outputs.history is not None:
        yield from _other_head(there, record)
    last = there.repository.last_change(there.commit, *there.results)
    if last is None or last == there.commit:
        return
    then = replace(there, commit=last)
    changed = set(there.repository.changed_since(last, there.commit))
    if there.config in changed or _space_of(there) & changed:
        yield from _other_configuration(then, there)
    files = _files_used(there, changed)
    if files:
        listed = ", ".join(sorted(files)[:5]) + (" and more" if len(files) > 5 else "")
        has = "has" if len(files) == 1 else "have"
        yield Blocker(
            f"{listed} {has} changed on `{there.branch}` since these parameters were found.", AGAIN
        )


def _other_head(there: CommittedStudy, record: "StudyRecord") -> Iterator[Blocker]:
    """Yield a blocker if the trials began with another configuration than the committed one."""
    # Compared as it is recorded, without secrets.
    then, now = record.head.recorded, as_recorded(there.definition.as_json())
    before, after = _fixed_by(then), _fixed_by(now)
    # Keys that a later version of Tunesmith has added to a configuration are no change.
    keys = [key for key in before if key in after]
    changed = [key for key in keys if before[key] != after[key]]
    if changed:
        yield Blocker(
            f"{there.outputs.history} on `{there.branch}` is of another configuration than"
            f" {there.config} ({', '.join(changed)}).",
            AGAIN,
        )


def _fixed_by(recorded: RecordedStudy) -> dict[str, Any]:
    """Settings that trials depend on; a history without an objective is of another study."""
    if recorded.objective is None:
        return {"space": recorded.space.content, "metric": None}
    return {"space": recorded.space.content, **recorded.objective.without(HOUSEKEEPING)}


def _space_of(there: CommittedStudy) -> set[str]:
    text = there.repository.read(there.commit, there.config) or ""
    paths = {joined(there.folder, name) for name in space_files(text, there.config)}
    return {name for name in paths if name}


def _other_configuration(then: CommittedStudy, now: CommittedStudy) -> Iterator[Blocker]:
    """Yield a blocker if a run would find other trials, or continue."""
    reason = f"{now.config} has changed on `{now.branch}` since these parameters were found"
    try:
        before, after = (_what_matters(d.file, d.space) for d in (then.definition, now.definition))
    except UsageError:
        yield Blocker(f"{reason}, and cannot be read.", AGAIN)
        return
    sections = [name for name in after if before.get(name) != after[name]]
    if sections:
        yield Blocker(f"{reason} ({', '.join(sections)}).", AGAIN)


def _what_matters(file: File, space: SearchSpace) -> dict[str, Any]:
    """Sections that fix the trials, their number, and the winner."""
    wanted = {"study", "objective", "search", "budget", "stop", "outer_folds"}
    wanted |= {"selection", "preference"}
    sections = file.model_dump(mode="json", include=wanted)
    for name in HOUSEKEEPING:
        sections["objective"].pop(name, None)
    return {**sections, "space": space.to_json()}


def _files_used(there: CommittedStudy, changed: set[str]) -> set[str]:
    """Data and code of the study among some files, as far as the configuration tells."""
    section = there.definition.file.objective
    named = list(section.data.path) if section.data else []
    named += list(section.argv) + list(section.depends_on or ())
    paths = {path for name in named if (path := joined(there.folder, name))}
    used = {p for p in changed if any(p == path or p.startswith(f"{path}/") for path in paths)}
    sources = {path for path in changed if path.endswith(".py")}
    if not sources:
        return used
    if section.is_program:
        is_python = any(name.endswith(".py") for name in section.argv)
        # The imports of a program are not known without running it: any source may matter to it.
        is_told = section.depends_on is not None
        return used | (sources if is_python and not is_told else set())
    return used | (sources & _reached(there, section.all_import_paths))


def _reached(there: CommittedStudy, paths: Sequence[str]) -> set[str]:
    """The project's source files behind import paths, read in a folder of their own."""
    # The working tree may stand on another branch, so the sources come from the commit.
    names = [n for n in there.repository.files(there.commit, there.folder) if n.endswith(".py")]
    blobs = there.repository.blobs([(there.commit, name) for name in names])
    texts = there.repository.contents(blob for blob in blobs if blob)
    with tempfile.TemporaryDirectory(prefix="tunesmith-") as folder:
        for name, blob in zip(names, blobs, strict=True):
            if blob is not None:
                place = Path(folder, name)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(texts[blob])
        sources, _ = reached(top_names(paths), Path(folder, there.folder))
        return {path.relative_to(folder).as_posix() for path in sources}


# -- what DVC knows ------------------------------------------------------------------------------


def against_lock(there: CommittedStudy) -> Iterator[Blocker]:
    """Compare ``dvc.lock``, which describes the last run, with the files committed beside it."""
    pipeline = there.pipeline
    if pipeline is None:
        return
    stage, lock = pipeline.stage.name, f"{pipeline.lock} on `{there.branch}`"
    again = repro(there.repository, posixpath.dirname(pipeline.file), [stage])
    way = f"Run `{again}` there, and commit {pipeline.lock}."
    locked = pipeline.locked
    if locked is None:
        if there.is_tight:
            yield Blocker(f"{lock} knows of no run of stage `{stage}`.", way, is_firm=True)
        return
    if locked.commands != pipeline.stage.commands:
        yield Blocker(f"{lock}: stage `{stage}` was run with another command.", way)
    for kind, listed in (("result", locked.outs), ("dependency", locked.deps)):
        for name in _unlike(there, pipeline, listed):
            yield Blocker(f"{name} on `{there.branch}` is not the {kind} in {lock}.", way)
    for file, values in locked.params.items():
        if changes := _other_values(there, pipeline, file, values):
            keys = ", ".join(changes[:3])
            reason = f"{file} on `{there.branch}` has other values than {lock} ({keys})."
            yield Blocker(reason, way)


def _unlike(
    there: CommittedStudy, pipeline: CommittedStage, listed: Mapping[str, str]
) -> list[str]:
    md5_of = digests_at(there.repository, there.commit, pipeline)
    return [
        path
        for path, md5 in listed.items()
        if joined("", path) is not None
        and (known := md5_of(path))
        and md5
        and md5 not in known
        and not is_legacy(known)
    ]


def digests_at(
    repository: Repository, commit: str, pipeline: CommittedStage
) -> Callable[[str], set[str]]:
    """Return a function that gives the MD5 digests that a path may have for DVC at a commit.

    A committed file has that of its bytes, with line ends of either kind, as a checkout may change
    them; others have what an earlier stage or a ``.dvc`` file says. Empty if nothing is known.
    """
    outs = dict(_outs_of_others(repository, commit, pipeline))

    def find(path: str) -> set[str]:
        (blob, tracked) = repository.blobs([(commit, path), (commit, f"{path}.dvc")])
        if blob is not None:
            data = repository.contents([blob])[blob]
            # DVC has digested the content, and a commit has only its pointer.
            if data.startswith(LARGE):
                return set()
            return {_md5(data), _md5(data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))}
        if tracked is not None:
            return _in_dvc_file(repository.contents([tracked])[tracked], path)
        return {outs[path]} if path in outs else set()

    return find


def _outs_of_others(
    repository: Repository, commit: str, pipeline: CommittedStage
) -> Iterator[tuple[str, str]]:
    """Yield the outs of other stages with their digests; files that cannot be read are left out."""
    for file in pipelines_at(repository, commit):
        folder, lock = posixpath.dirname(file), f"{file.removesuffix('.yaml')}.lock"

        # The folder is bound as a default: a closure would look it up when it is called.
        def read(name: str, folder: str = folder) -> str | None:
            path = joined(folder, name)
            return None if path is None else repository.read(commit, path)

        try:
            stages = read_stages(read(FILE) or "", file, read, Site(folder))
            locked = read_lock(repository.read(commit, lock) or "", lock)
        except UsageError:
            continue
        for name in {*stages} & {*locked}:
            if (file, name) != (pipeline.file, pipeline.stage.name):
                yield from locked[name].placed(stages[name].site).outs.items()


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _in_dvc_file(data: bytes, path: str) -> set[str]:
    try:
        # Paths in a `.dvc` file are relative to its own folder.
        content = parse_document(data.decode(errors="replace"), Path("x.yaml")).data
        outs = [out for out in content["outs"] if path.endswith(str(out["path"]))]
        return {f"{'' if 'hash' in out else LEGACY}{out['md5']}" for out in outs}
    except (UsageError, KeyError, TypeError):
        return set()


def is_legacy(digests: Collection[str]) -> bool:
    """Tell whether digests are of DVC 2, and cannot be compared with those of later versions."""
    return any(digest.startswith(LEGACY) for digest in digests)


def _other_values(
    there: CommittedStudy, pipeline: CommittedStage, file: str, values: Mapping[str, Any]
) -> list[str]:
    text = there.repository.read(there.commit, file) if joined("", file) else None
    if text is None:
        return []
    try:
        content = parse_document(text, Path(file)).data
    except UsageError:
        return []
    return changed_keys(pipeline.stage, file, content, values)
