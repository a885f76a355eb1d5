"""Parameters in Optuna's words, and back.

Optuna knows one distribution for each name in a study. Here, a name may have other ranges in
another box, and a choice may be any JSON value. So ranges of one name are joined, and choices that
Optuna cannot tell apart or cannot store are written as JSON.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunesmith.space import Categorical, Float, Int, Parameter, SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params, Value

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

PLAIN = (type(None), bool, int, float, str)
"""Types of choices that Optuna can store."""
MIN_IN_BOX = 5
"""Trials in each box from which a choice may be taken for the one that decides between them."""


@dataclass(frozen=True)
class Told:
    """A parameter as Optuna is told of it."""

    distribution: "BaseDistribution"
    is_json: bool = False
    """True if its values are written as JSON texts."""

    def value(self, value: Value) -> Any:
        """Return a value in Optuna's form."""
        return canonical_json(value) if self.is_json else value


def told(space: SearchSpace, points: Iterable[Params]) -> dict[str, Told]:
    """Return the distribution of every name that any of the points has.

    Args:
        space: of the study.
        points: params of its trials; a name that the space lacks, such as a budget, gets the range
            of its values.
    """
    values: dict[str, list[Value]] = {}
    for point in points:
        for name, value in point.items():
            values.setdefault(name, []).append(value)
    declared = {
        name: [b.parameters[name] for b in space if name in b.parameters] for name in values
    }
    return {name: _told(declared[name], values[name]) for name in sorted(values)}


def _told(parameters: Sequence[Parameter], values: Sequence[Value]) -> Told:
    numbers = [one for one in parameters if isinstance(one, Float | Int)]
    if len(numbers) < len(parameters) or not all(map(_is_number, values)):
        choices = [c for one in parameters if isinstance(one, Categorical) for c in one.choices]
        # What a frozen distribution of scipy's has drawn, and values of a name with several kinds.
        return _chosen([*choices, *values])
    if numbers:
        joined = _joined(numbers)
        if all(joined._contains(joined.to_internal_repr(value)) for value in values):
            return Told(joined)
    # A starting point may lie off the ladder, and a budget is in no space.
    is_whole = all(isinstance(value, int) for value in values)
    seen = (Int if is_whole else Float)(min(values), max(values))  # type: ignore[type-var, arg-type]
    return Told(_joined([*numbers, seen]))


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _chosen(choices: Sequence[Value]) -> Told:
    from optuna.distributions import CategoricalDistribution

    by_text = {canonical_json(value): value for value in choices}
    # Optuna compares with `==`, by which 1, 1.0 and True are one choice.
    plain = [value for value in by_text.values() if isinstance(value, PLAIN)]
    if len(plain) == len(by_text) == len(set(plain)):
        return Told(CategoricalDistribution(tuple(plain)))
    return Told(CategoricalDistribution(tuple(by_text)), is_json=True)


def _joined(numbers: Sequence[Float | Int]) -> "BaseDistribution":
    """Return the smallest range of Optuna's that holds several."""
    from optuna.distributions import FloatDistribution, IntDistribution

    low, high = min(one.low for one in numbers), max(one.high for one in numbers)
    is_log = all(one.log for one in numbers) and low > 0
    steps = {one.step for one in numbers}
    ends = {(one.low, one.high) for one in numbers}
    # Ladders that begin elsewhere have no common one, and Optuna has none on a log scale.
    step = steps.pop() if len(steps) == len(ends) == 1 and not is_log else None
    with warnings.catch_warnings():
        # It moves the upper end onto the ladder, which changes no value.
        warnings.simplefilter("ignore", UserWarning)
        if all(isinstance(one, Int) for one in numbers):
            return IntDistribution(int(low), int(high), log=is_log, step=int(step or 1))
        return FloatDistribution(low, high, log=is_log, step=step)


def read(distribution: "BaseDistribution") -> dict[str, Any] | list[Value]:
    """Return a distribution of Optuna's as a configuration writes it."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    if not isinstance(distribution, FloatDistribution | IntDistribution):
        raise TypeError(f"a distribution of an unknown kind: {type(distribution).__name__}")
    if distribution.single():
        return [distribution.low]
    is_int = isinstance(distribution, IntDistribution)
    options: dict[str, Any] = {"log": True} if distribution.log else {}
    # A step of 1 is every whole number, but few of the others.
    if distribution.step is not None and not (is_int and distribution.step == 1):
        options["step"] = distribution.step
    return {"int" if is_int else "float": [distribution.low, distribution.high], **options}


def boxes(
    spaces: Sequence[Mapping[str, "BaseDistribution"]], points: Sequence[Params] = ()
) -> list[dict[str, Any]]:
    """Return the boxes of a space: one for each set of names that trials have.

    Args:
        spaces: the distributions of each trial.
        points: params of each trial; a choice that decides which names there are has only those
            values in a box that it has there.
    """
    by_names: dict[tuple[str, ...], dict[str, list[BaseDistribution]]] = {}
    for one in spaces:
        names = tuple(sorted(one))
        box = by_names.setdefault(names, {name: [] for name in names})
        for name in names:
            if one[name] not in box[name]:
                box[name].append(one[name])
    own = _deciding(spaces, points)
    return [
        {
            name: own[name, names] if (name, names) in own else read(_spanning(several))
            for name, several in box.items()
        }
        for names, box in by_names.items()
        if names
    ]


def _deciding(
    spaces: Sequence[Mapping[str, "BaseDistribution"]], points: Sequence[Params]
) -> dict[tuple[str, tuple[str, ...]], list[Value]]:
    """Return choices by name and names of a box, if they tell some boxes from others.

    Optuna does not record conditions. In branches, a choice has the same values in two boxes, or
    none in common. If trials are few, that may be luck, and it keeps all of its values.
    """
    from optuna.distributions import CategoricalDistribution

    seen: dict[str, dict[tuple[str, ...], list[str]]] = {}
    choices: dict[str, dict[str, Value]] = {}
    for space, point in zip(spaces, points, strict=False):
        for name, one in space.items():
            if isinstance(one, CategoricalDistribution):
                by_box = seen.setdefault(name, {})
                by_box.setdefault(tuple(sorted(space)), []).append(canonical_json(point[name]))
                choices.setdefault(name, {canonical_json(c): c for c in one.choices})
    own = {}
    for name, by_box in seen.items():
        sets = [frozenset(texts) for texts in by_box.values()]
        is_enough = min(len(texts) for texts in by_box.values()) >= MIN_IN_BOX
        are_apart = all(a == b or not a & b for a in sets for b in sets)
        if is_enough and are_apart and len(set(sets)) > 1:
            for names, texts in by_box.items():
                own[name, names] = [c for text, c in choices[name].items() if text in texts]
    return own


def _spanning(several: "Sequence[BaseDistribution]") -> "BaseDistribution":
    """Return the smallest range that holds several: Optuna lets each trial have its own."""
    from optuna.distributions import FloatDistribution, IntDistribution

    first = several[0]
    if len(several) == 1 or not isinstance(first, FloatDistribution | IntDistribution):
        return first
    # It lets a name have one kind only.
    ranges: Any = several
    low, high = min(one.low for one in ranges), max(one.high for one in ranges)
    is_log = all(one.log for one in ranges)
    is_ladder = {(one.low, one.step) for one in ranges} == {(low, first.step)}
    if isinstance(first, IntDistribution):
        return IntDistribution(low, high, log=is_log, step=first.step if is_ladder else 1)
    return FloatDistribution(low, high, log=is_log, step=first.step if is_ladder else None)
