"""Data that training depends on and a program does not name; it matters to tuning as well."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tunesmith.config.objective import ObjectiveSection
from tunesmith.objective.program.observing.dependencies import assumed
from tunesmith.pipeline.dvc.inputs.dependencies import grouped, is_code, is_within
from tunesmith.pipeline.dvc.stages import Stage
from tunesmith.pipeline.dvc.targets import downstream

CODE = (".py", ".ipynb", ".pyx")


def shared_data(
    root: Path, stages: Mapping[str, Stage], trainers: Iterable[str], made: Sequence[str]
) -> dict[str, str]:
    """Return the dependencies of training stages that are no code and exist before tuning.

    Args:
        root: the project folder, absolute.
        stages: of a ``dvc.yaml``, their paths relative to the project folder.
        trainers: those that train with the best parameters.
        made: outs of the tuning stage and of all stages after it.

    Returns:
        Path -> the stage that depends on it.
    """
    trainer_of: dict[str, str] = {}
    for name in trainers:
        for path in stages[name].deps if name in stages else ():
            is_late = any(is_within(path, out) or is_within(out, path) for out in made)
            if not is_late and _is_data(root / path, path):
                trainer_of.setdefault(path, name)
    return trainer_of


def later_outs(outputs: Iterable[str], stages: Mapping[str, Stage], tuning: str) -> list[str]:
    """Outputs of a study, outs of its tuning stage, and of all stages after it."""
    own = stages[tuning].outs if tuning in stages else ()
    named = [*outputs, *own]
    others = {name: stage for name, stage in stages.items() if name != tuning}
    late = downstream(others, named)
    return [*named, *(out for name in late for out in others[name].outs)]


def _is_data(place: Path, path: str) -> bool:
    return not path.endswith(CODE) and not (place.is_dir() and is_code(place))


def depends_on(section: ObjectiveSection, root: Path, data: Iterable[str]) -> tuple[str, ...]:
    """Return the value for ``objective.depends_on``, so that the study itself sees new data.

    Args:
        section: objective of the study of a program.
        root: the project folder, absolute.
        data: that is here.
    """
    present = section.depends_on
    if present is None:
        sources = grouped(assumed(root, section.argv), root, ())
        top = [name for name in sources if "/" not in name and name.endswith(".py")]
        present = (*(["*.py"] if len(top) > 1 else top), *(n for n in sources if n not in top))
    return tuple(dict.fromkeys([*present, *data]))
