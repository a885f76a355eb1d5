"""The space of a study as it was declared, or what its trials tell of it."""

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

from tunesmith.history import Trial
from tunesmith.ledger.recorded_study import RecordedSpace
from tunesmith.space import Box, Categorical, Float, Int, Parameter, SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.space.parse import parse_space
from tunesmith.types import Params


def declared_space(recorded: RecordedSpace, trials: Iterable[Trial]) -> tuple[SearchSpace, bool]:
    """Return the space, and whether it is the declared one.

    A space that is not recorded, or cannot be read, is made of the trials' values: a box for each
    set of names, with ranges of numbers and lists of other values. If the trials are all
    combinations of few values, these are lists, too.

    Args:
        recorded: the space as it is stored.
        trials: at least one.
    """
    if recorded.content is not None and recorded.boxes:
        written = {
            "parameters": recorded.content.get("boxes"),
            "constraints": list(recorded.constraints),
        }
        space, _ = parse_space(written)
        if space is not None:
            return space, True
    kinds: dict[tuple[str, ...], list[Params]] = {}
    for trial in trials:
        kinds.setdefault(tuple(sorted(trial.params)), []).append(trial.params)
    return SearchSpace(tuple(_box(points) for names, points in kinds.items() if names)), False


def points_of(space: SearchSpace, trials: Sequence[Trial]) -> list[tuple[Trial, Params]]:
    """Trials that lie in the space, with their canonical params.

    Parameters that the space does not have, such as a budget, are left out.
    """
    names = set(space.names)
    found: list[tuple[Trial, Params]] = []
    for trial in trials:
        try:
            point = space.canonical({n: v for n, v in trial.params.items() if n in names})
        except ValueError:
            continue
        found.append((trial, point))
    return found


def _box(points: Sequence[Params]) -> Box:
    columns = {name: [point[name] for point in points] for name in points[0]}
    distinct = {name: len(set(map(canonical_json, v))) for name, v in columns.items()}
    n_different = len({canonical_json(dict(point)) for point in points})
    is_grid = prod(distinct.values()) == n_different
    return Box({name: _parameter(v, as_list=is_grid) for name, v in columns.items()})


def _parameter(values: Sequence[Any], *, as_list: bool) -> Parameter:
    is_number = [isinstance(v, int | float) and not isinstance(v, bool) for v in values]
    if as_list or not all(is_number):
        texts = {canonical_json(value): value for value in values}
        return Categorical(tuple(texts[text] for text in sorted(texts)))
    if all(isinstance(value, int) for value in values):
        return Int(min(values), max(values))
    return Float(min(values), max(values))
