"""All results of a study for a training branch, if DVC owns the best parameters.

Best parameters are an out of the tuning stage there. Alone on the training branch they would not
fit to the rest, and ``dvc repro`` would tune again: configuration, outs and the stage's block of
``dvc.lock`` come along.
"""

import posixpath
from collections.abc import Collection, Iterator
from dataclasses import replace

from tunesmith.errors import UsageError
from tunesmith.pipeline.branches.blockers import Blocker, digests_at, is_legacy
from tunesmith.pipeline.committed import CommittedStage, CommittedStudy, joined, space_files
from tunesmith.pipeline.dvc.lock import with_stage_of
from tunesmith.pipeline.dvc.sites import Site
from tunesmith.pipeline.dvc.stages import Stage, read_stages
from tunesmith.pipeline.repository import TreeEntry


def files_of(
    there: CommittedStudy, pipeline: CommittedStage, training: str
) -> dict[str, TreeEntry | None]:
    """Return the files that the training branch has from now on, by path.

    Args:
        there: the study on the tuning branch.
        pipeline: of it.
        training: the commit of the training branch.

    Raises:
        UsageError: a ``dvc.lock`` is not of DVC's shape, or lacks the stage.
    """
    repository = there.repository
    config = repository.read(there.commit, there.config) or ""
    named = [there.config, *map(there.path, space_files(config, there.config)), *there.results]
    named += _files_in(there, pipeline.outs, training)
    entries = repository.entries(there.commit, dict.fromkeys(named))
    # A file that only the training branch has would make an out differ from `dvc.lock`.
    gone = repository.entries(training, [path for path in named if path not in entries])
    lock = repository.read(there.commit, pipeline.lock) or ""
    before = repository.read(training, pipeline.lock) or ""
    merged = with_stage_of(before, lock, pipeline.stage.name)
    mode = repository.entries(training, [pipeline.lock]).get(pipeline.lock, TreeEntry("100644", ""))
    locked = {pipeline.lock: TreeEntry(mode.mode, repository.store(merged))}
    return {**entries, **dict.fromkeys(gone), **locked}


def _files_in(there: CommittedStudy, outs: Collection[str], training: str) -> Iterator[str]:
    """Outs, and in the place of folders the files that either branch has there."""
    repository = there.repository
    files = {*repository.entries(there.commit, outs), *repository.entries(training, outs)}
    yield from files
    for folder in sorted({*outs} - files):
        for commit in (there.commit, training):
            yield from repository.files(commit, folder)


def unlike_there(
    there: CommittedStudy,
    pipeline: CommittedStage,
    training: str,
    branch: str,
    brought: Collection[str],
) -> Iterator[Blocker]:
    """Yield reasons for which DVC would tune again although all results were applied.

    Args:
        there: the study on the tuning branch.
        pipeline: of it.
        training: the commit of the training branch.
        branch: its name.
        brought: the paths that are applied.
    """
    way = f"Merge it: `git switch {branch} && git merge {there.branch}`."
    stage = _stage_later(there, pipeline, training, brought)
    if stage is None or stage.what_runs != pipeline.stage.what_runs:
        what = "has no" if stage is None else "has another"
        yield Blocker(
            f"{pipeline.file} on `{branch}` {what} stage `{pipeline.stage.name}`.",
            way,
            is_firm=True,
        )
    deps = _other_dependencies(there, pipeline, training)
    other = [path for path in deps if path not in brought]
    if other:
        verb = "differs" if len(other) == 1 else "differ"
        yield Blocker(
            f"{', '.join(other)} {verb} on `{branch}`: DVC would tune again there.",
            way,
            is_firm=True,
        )


def _stage_later(
    there: CommittedStudy, pipeline: CommittedStage, training: str, brought: Collection[str]
) -> Stage | None:
    """The stage as the training branch is going to have it."""
    folder = posixpath.dirname(pipeline.file)

    def read(name: str) -> str | None:
        path = joined(folder, name)
        # Templates take values from files, and these will be the ones that are brought.
        commit = there.commit if path in brought else training
        return None if path is None else there.repository.read(commit, path)

    text = there.repository.read(training, pipeline.file) or ""
    stages = read_stages(text, pipeline.file, read, Site(folder))
    return stages.get(pipeline.stage.name)


def _other_dependencies(
    there: CommittedStudy, pipeline: CommittedStage, training: str
) -> list[str]:
    if pipeline.locked is None:
        return []
    repository, others = there.repository, []
    md5_here, md5_there = (digests_at(repository, c, pipeline) for c in (training, there.commit))
    for path, md5 in pipeline.locked.deps.items():
        if joined("", path) is None:
            continue
        commits = (there.commit, training) if md5.endswith(".dir") else ()
        trees = [repository.tree(commit, path) for commit in commits]
        # DVC's digest of a folder is of a list that Git does not have, so trees are compared.
        if any(trees):
            is_other = trees[0] != trees[1]
        else:
            known = md5_here(path)
            is_other = bool(known) and md5 not in known
            if is_legacy(known):
                before = md5_there(path)
                is_other = is_legacy(before) and before != known
        if is_other:
            others.append(path)
    return others


def locked_stage(there: CommittedStudy, commit: str) -> object:
    """Return the block of the tuning stage in ``dvc.lock`` of a commit.

    Raises:
        UsageError: it is not of DVC's shape.
    """
    try:
        other = replace(there, commit=commit).pipeline
    except UsageError:
        return None
    return None if other is None else other.locked
