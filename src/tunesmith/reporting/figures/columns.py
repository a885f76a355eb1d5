"""A parameter's values as positions on an axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from tunesmith.analysis import numbers
from tunesmith.history import Trial
from tunesmith.ledger.recorded_study import RecordedSpace
from tunesmith.reporting.drawing.chart import Axis, Numbers
from tunesmith.reporting.drawing.scales import category_axis, linear_axis, log_axis, share

LOG_SPREAD = 100
"""Listed positive numbers that differ by so much are drawn on a log axis."""
MOST_LISTED = 8
"""Listed numbers that are the ticks of their axis."""
CLOSE = 0.07
"""Ticks that are nearer to each other, as a share of the axis, would be written over each other."""


@dataclass(frozen=True)
class AxisColumn:
    """One parameter over the trials with results."""

    name: str
    axis: Axis
    positions: Numbers
    """By trial; ``None`` if the parameter is not active."""
    names: tuple[str, ...] = ()
    """Names of the positions on a category axis."""

    def place(self, value: Any) -> float | None:
        """Return the position of a value; ``None`` if it is not on this axis."""
        if not self.names:
            return float(value) if is_number(value) else None
        text = numbers.value(value)
        return float(self.names.index(text)) if text in self.names else None


def column(name: str, trials: Sequence[Trial], space: RecordedSpace) -> AxisColumn:
    """Find the axis that suits a parameter, and the position of each trial on it.

    Args:
        name: of the parameter.
        trials: with results.
        space: of the study: ranges and whether they are logarithmic.
    """
    values = [trial.params[name] for trial in trials if name in trial.params]
    if all(is_number(value) for value in values):
        positions = tuple(_position(trial.params.get(name)) for trial in trials)
        axis = _axis(name, values, space)
        if all(isinstance(value, int) for value in values):
            axis = _whole(axis)
        return AxisColumn(name, _listed(axis, values) if _is_list(name, space) else axis, positions)
    texts = sorted({numbers.value(value) for value in values}, key=_order)
    places = {text: float(place) for place, text in enumerate(texts)}
    positions_by_text = [
        places[numbers.value(trial.params[name])] if name in trial.params else None
        for trial in trials
    ]
    return AxisColumn(name, category_axis(name, texts), tuple(positions_by_text), tuple(texts))


def _whole(axis: Axis) -> Axis:
    """Leave out ticks at which there is no value, unless hardly one would be left."""
    ticks = tuple((tick, text) for tick, text in axis.ticks if tick % 1 == 0)
    return replace(axis, ticks=ticks) if len(ticks) > 1 else axis


def _is_list(name: str, space: RecordedSpace) -> bool:
    """Tell whether a parameter is declared as a list of values wherever it is."""
    declared = [box[name] for box in space.boxes if name in box]
    return bool(declared) and all(isinstance(one.content, list) for one in declared)


def _listed(axis: Axis, values: Sequence[Any]) -> Axis:
    """Give an axis the numbers of a short list as its ticks."""
    listed = sorted({float(value) for value in values})
    places = [share(axis, value) for value in listed]
    if len(listed) > MOST_LISTED or any(b - a < CLOSE for a, b in pairwise(places)):
        return axis
    ticks = tuple(
        (value, numbers.value(int(value) if value % 1 == 0 else value)) for value in listed
    )
    return replace(axis, ticks=ticks, values=tuple(listed))


def is_number(value: Any) -> bool:
    """Tell whether a value can be on a numeric axis: neither booleans nor infinite numbers can."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _position(value: Any) -> float | None:
    return None if value is None else float(value)


def _order(text: str) -> tuple[int, float, str]:
    try:
        number = float(text)
    except ValueError:
        return (1, 0.0, text)
    if "_" in text or not text.isascii():
        # Python reads `1_0` and the digits of every script as numbers; readers of a chart do not.
        return (1, 0.0, text)
    return (0, number, text) if math.isfinite(number) else (1, 0.0, text)


def _axis(name: str, values: Sequence[Any], space: RecordedSpace) -> Axis:
    low, high = float(min(values, default=0)), float(max(values, default=1))
    is_log = low > 0 and high > low * LOG_SPREAD
    for box in space.boxes:
        parameter = box.get(name)
        if parameter is not None and parameter.bounds is not None:
            low, high = min(low, parameter.bounds[0]), max(high, parameter.bounds[1])
            is_log = parameter.is_log
    return log_axis(name, low, high) if is_log and low > 0 else linear_axis(name, low, high)
