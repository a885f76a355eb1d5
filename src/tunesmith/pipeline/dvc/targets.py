"""What to name to ``dvc repro`` so that training runs and tuning does not."""

from collections.abc import Mapping
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
    read = {name: _read(stage) for name, stage in others.items()}
    made = {name: set(map(PurePosixPath, stage.outs)) for name, stage in others.items()}
    wanted, found = {PurePosixPath(best)}, set[str]()
    while new := {name for name in others if name not in found and read[name] & wanted}:
        found |= new
        wanted |= {path for name in new for path in made[name]}
    return [name for name in others if name in found and not _is_used(name, found, read, made)]


def _read(stage: Stage) -> set[PurePosixPath]:
    listed = stage.content.get("params")
    params = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    files = [str(path) for item in params for path in item]
    return {PurePosixPath(path) for path in (*stage.deps, *files)}


def _is_used(
    name: str,
    found: set[str],
    read: Mapping[str, set[PurePosixPath]],
    made: Mapping[str, set[PurePosixPath]],
) -> bool:
    return any(read[other] & made[name] for other in found if other != name)
