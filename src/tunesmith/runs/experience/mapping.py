"""Mapping of configurations from elsewhere onto the space of a study."""

from collections.abc import Mapping
from math import log

from tunesmith.search.coordinates import Coordinate
from tunesmith.space import Box, Categorical, Distribution, Float, Parameter, SearchSpace
from tunesmith.types import Params, Value

LEAST_SHARE = 0.5
"""Share of the parameters that have to be mapped."""


def mapped(space: SearchSpace, wanted: Params, defaults: Params) -> Params | None:
    """Return the point of a space that is nearest to a configuration.

    Numbers are moved to the nearest value within the bounds, and numeric choices to the nearest
    choice. A parameter that the configuration lacks, or whose value is no choice, gets its default
    if the space has it, or else the middle of its range.

    Args:
        space: of the study.
        wanted: the configuration; names that the space lacks do not matter.
        defaults: values for parameters that cannot be mapped.

    Returns:
        A canonical point; ``None`` if fewer than half of its parameters are mapped, or if it
        breaks a constraint.
    """
    found = [_in_box(box, number, wanted, defaults) for number, box in enumerate(space)]
    share, params = max(found, key=lambda item: item[0])
    if share < LEAST_SHARE:
        return None
    try:
        return space.canonical(params)
    except ValueError:
        return None


def _in_box(box: Box, number: int, wanted: Params, defaults: Params) -> tuple[float, Params]:
    """Share of the active parameters that are mapped, and the point."""
    params: dict[str, Value] = {}
    n_mapped = 0
    for name in box.order:
        if not box.is_active(name, params):
            continue
        parameter = box.parameters[name]
        values = _nearest(parameter, wanted, name)
        n_mapped += len(values)
        values += _as_it_is(parameter, defaults, name)
        params[name] = values[0] if values else Coordinate(number, name, parameter).value(0.5)
    return n_mapped / max(len(params), 1), params


def _nearest(parameter: Parameter, wanted: Mapping[str, Value], name: str) -> list[Value]:
    """The nearest value of a parameter, if there is one."""
    exact = _as_it_is(parameter, wanted, name)
    value = wanted.get(name)
    if exact or isinstance(value, bool) or not isinstance(value, int | float):
        return exact
    match parameter:
        case Categorical():
            numbers = [c for c in parameter.choices if _is_number(c)]
            return [min(numbers, key=lambda choice: _distance(choice, value))] if numbers else []
        case Distribution():
            return []
    inside = min(max(value, parameter.low), parameter.high)
    if isinstance(parameter, Float) and parameter.step is None:
        return [parameter.canonical(inside)]
    # The nearest step; a range ends at its last one.
    place = round((inside - parameter.low) / (parameter.step or 1))
    return [parameter.level(min(place, (parameter.n_levels or 1) - 1))]


def _as_it_is(parameter: Parameter, values: Mapping[str, Value], name: str) -> list[Value]:
    if name not in values:
        return []
    try:
        return [parameter.canonical(values[name])]
    except ValueError:
        return []


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _distance(choice: Value, value: float) -> float:
    """Distance of two numbers, by orders of magnitude if both are positive."""
    number = float(str(choice))
    return abs(log(number / value)) if number > 0 and value > 0 else abs(number - value)
