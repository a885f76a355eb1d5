"""Targets for ``dvc repro`` with which training runs and tuning does not."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from tunesmith.pipeline.dvc.stages import Stage


def training_targets(stages: Mapping[str, Stage], best: str, tuning: str | None) -> list[str]:
    """The last stages of those that train with best parameters, in the order of the file.

    DVC runs a stage with all that it depends on: the last ones are enough.

    Args:
        stages: of a ``dvc.yaml``.
        best: path of the best-parameters file, relative to it.
        tuning: the stage that tunes.

    >>> from tunesmith.pipeline.dvc.stages import read_stages
    >>> train = "train: {params: [{best.yaml: [params]}], outs: [model]}"
    >>> stages = read_stages(f"stages: {{{train}, test: {{deps: [model]}}}}")
    >>> training_targets(stages, "best.yaml", None)
    ['test']
    """
    others = {name: stage for name, stage in stages.items() if name != tuning}
    behind = downstream(others, {best})
    read = {name: _read(stage) for name, stage in others.items()}
    made = {name: set(map(PurePosixPath, stage.outs)) for name, stage in others.items()}
    return [name for name in others if name in behind and not _is_used(name, behind, read, made)]


def downstream(stages: Mapping[str, Stage], paths: Iterable[str]) -> set[str]:
    """Return the stages that read one of some files, directly or through other stages.

    Args:
        stages: of a ``dvc.yaml``.
        paths: of the files, relative to the same folder.
    """
    wanted, names = {PurePosixPath(path) for path in paths}, set[str]()
    while new := {n for n, s in stages.items() if n not in names and _is_hit(_read(s), wanted)}:
        names |= new
        wanted |= {PurePosixPath(path) for name in new for path in stages[name].outs}
    return names


def upstream(stages: Mapping[str, Stage], paths: Iterable[str]) -> set[str]:
    """Return the stages that make one of some files, directly or through other stages.

    Args:
        stages: of a ``dvc.yaml``.
        paths: of the files, relative to the same folder.
    """
    made = {name: {PurePosixPath(out) for out in stage.outs} for name, stage in stages.items()}
    wanted, names = {PurePosixPath(path) for path in paths}, set[str]()
    while new := {n for n, outs in made.items() if n not in names and _is_hit(outs, wanted)}:
        names |= new
        wanted = wanted.union(*(_read(stages[name]) for name in new))
    return names


def _is_hit(read: set[PurePosixPath], wanted: set[PurePosixPath]) -> bool:
    return any(path == w or path in w.parents or w in path.parents for path in read for w in wanted)


def _read(stage: Stage) -> set[PurePosixPath]:
    return {PurePosixPath(path) for path in (*stage.deps, *stage.params)}


def _is_used(
    name: str,
    behind: set[str],
    read: Mapping[str, set[PurePosixPath]],
    made: Mapping[str, set[PurePosixPath]],
) -> bool:
    return any(_is_hit(read[other], made[name]) for other in behind if other != name)
