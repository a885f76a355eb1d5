"""Ranges and ticks: nice numbers on linear axes, powers of ten on logarithmic ones."""

import math
from collections.abc import Sequence

import numpy as np

from tunesmith.history import Metric
from tunesmith.reporting.drawing.chart import Axis

N_TICKS = 5
PAD = 0.05
NEAR = 1e-9
"""A range whose ends differ by a smaller share is drawn around one number."""
FENCE = 3.0
"""Scores worse than a quartile by so many interquartile ranges are off the scale."""
MIN_FENCED = 8
MAX_CATEGORIES = 12
MAX_LABEL = 24
HUGE = 1e300


def nice_ticks(low: float, high: float, n: int = N_TICKS) -> list[float]:
    """About ``n`` round numbers within a range: Heckbert, Nice numbers for graph labels (1990).

    >>> nice_ticks(0.0, 1.0), nice_ticks(0.93, 0.99)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.94, 0.96, 0.98])
    """
    if not high > low:
        return [low]
    step = _nice_step((high - low) / n)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    # Whole multiples keep 0.3 from becoming 0.30000000000000004.
    digits = max(0, 1 - math.floor(math.log10(step)))
    return [round(index * step, digits) + 0.0 for index in range(first, last + 1)]


def _nice_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    fraction = rough / power
    # Rounding may have put the fraction a hair above a nice number.
    return power * next(nice for nice in (1, 2, 2.5, 5, 10) if fraction <= nice * 1.0001)


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten within a range, thinned over many decades, with 2 and 5 over few.

    >>> log_ticks(1e-4, 0.1), log_ticks(1, 20)
    ([0.0001, 0.001, 0.01, 0.1], [1.0, 2.0, 5.0, 10.0, 20.0])
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    stride = max(1, math.ceil((last - first) / 7))
    between = (1, 2, 5) if last - first <= 2 else (1,)
    ticks = [
        # By its text: powers may differ in the last bit from machine to machine.
        float(f"{factor}e{power}")
        for power in range(first, last + 1, stride)
        for factor in between
    ]
    within = [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
    return within if len(within) > 1 else nice_ticks(low, high, 3)


def tick_text(number: float) -> str:
    """A tick's label, short.

    >>> [tick_text(tick) for tick in (0.0, 0.25, 1e-05, 1500.0, 2000000.0)]
    ['0', '0.25', '1e-5', '1,500', '2e6']
    """
    if number and not 1e-4 <= abs(number) < 1e6:
        mantissa, _, exponent = f"{number:.3e}".partition("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{number:,.6g}" if abs(number) >= 1000 else f"{number:.6g}"


def shortened(text: str, n: int = MAX_LABEL) -> str:
    """A label of at most ``n`` characters."""
    return text if len(text) <= n else f"{text[: n - 1]}…"


def linear_axis(label: str, low: float, high: float, pad: float = PAD) -> Axis:
    """A linear axis around a range, a little wider than it; wider still if it is a single point."""
    # Huge ends would overflow when they are subtracted or widened.
    low, high = max(low, -HUGE), min(high, HUGE)
    margin = (high - low) * pad if high > low else abs(high) * 0.1 or 0.5
    low, high = low - margin, high + margin
    # Floats do not tell such ends apart, and shares are divided by their distance.
    if not high - low > abs(high) * 1e-12:
        low, high = low - abs(low) * 1e-9, high + abs(high) * 1e-9
    return Axis(label, "linear", low, high, _labelled(nice_ticks(low, high)))


def log_axis(label: str, low: float, high: float) -> Axis:
    """A logarithmic axis around a positive range."""
    # Numbers that differ in their last digits only would be one place of the axis.
    is_range = high / low > 1 + NEAR
    margin = (high / low) ** PAD if is_range else 1.5
    ticks = log_ticks(low, high) if is_range else [low]
    return Axis(label, "log", low / margin, high * margin, _labelled(ticks))


def category_axis(label: str, names: Sequence[str], n_most: int = MAX_CATEGORIES) -> Axis:
    """Positions 0, 1, … with their names; of more than ``n_most`` only some are written."""
    # An axis may have no names at all.
    stride = math.ceil(len(names) / n_most) or 1
    ticks = [(float(i), shortened(name)) for i, name in enumerate(names) if i % stride == 0]
    return Axis(label, "category", -0.5, max(len(names), 1) - 0.5, tuple(ticks))


def count_axis(label: str, n: int) -> Axis:
    """From 0 to ``n - 1`` in whole numbers."""
    last = max(n - 1, 1)
    # There is no trial 2.5.
    ticks = [tick for tick in nice_ticks(0, last) if tick == round(tick)]
    margin = last * 0.02
    return Axis(label, "linear", -margin, last + margin, _labelled(ticks))


def score_axis(scores: Sequence[float], metric: Metric, label: str = "") -> Axis:
    """The axis of a metric, labelled with its name and the direction in which it improves.

    Far outliers on the worse side are left off the scale (they are drawn at its end): one score
    of 1e6 must not flatten all others.
    """
    finite = np.array([score for score in scores if math.isfinite(score)])
    text = label or directed(metric)
    if not len(finite):
        return linear_axis(text, 0.0, 1.0)
    low, high = fenced(finite, metric)
    return linear_axis(text, low, high)


def fenced(scores: np.ndarray, metric: Metric) -> tuple[float, float]:
    """The range of finite scores, without those that are far worse than the rest."""
    # Differences of huge numbers would overflow.
    scores = scores.clip(-HUGE, HUGE)
    low, high = float(scores.min()), float(scores.max())
    if len(scores) < MIN_FENCED:
        return low, high
    first, third = np.quantile(scores, (0.25, 0.75))
    reach = FENCE * float(third - first)
    # Half of the scores are equal, and any other one would be off the scale.
    if reach <= 0 or not math.isfinite(reach):
        return low, high
    if metric.sign > 0:
        return max(low, float(first) - reach), high
    return low, min(high, float(third) + reach)


def directed(metric: Metric) -> str:
    """A metric's name with the direction in which it improves.

    >>> directed(Metric("log_loss", "minimize"))
    'log_loss (lower is better)'
    """
    better = "higher" if metric.sign > 0 else "lower"
    return f"{shortened(metric.name, 40)} ({better} is better)"


def share(axis: Axis, value: float) -> float:
    """Return the position of a value on an axis: 0 at its low end, 1 at its high end, never beyond.

    >>> share(log_axis("rate", 1e-4, 1e-2), 1e-3)
    0.5
    """
    low, high, at = axis.low, axis.high, value
    if axis.scale == "log":
        # Zero and negative numbers have no logarithm.
        low, high, at = math.log(low), math.log(high), math.log(max(value, axis.low))
    return min(max((at - low) / (high - low), 0.0), 1.0)


def _labelled(ticks: Sequence[float]) -> tuple[tuple[float, str], ...]:
    return tuple((tick, tick_text(tick)) for tick in ticks)
