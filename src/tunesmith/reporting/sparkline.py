"""Small pictures made of letters."""

import math
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(numbers: Sequence[float], width: int = 40) -> str:
    """A line of blocks, lowest to highest; longer series are thinned to ``width``.

    >>> sparkline([1, 2, 3])
    '▁▅█'
    """
    finite = [number for number in numbers if math.isfinite(number)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    return "".join(_block(number, low, high) for number in thinned(numbers, width))


def _block(number: float, low: float, high: float) -> str:
    if not math.isfinite(number):
        return " "
    share = (number - low) / (high - low) if high > low else 0.5
    # Python rounds halves to even numbers, so that equal steps would look unequal.
    return BLOCKS[min(round(share * (len(BLOCKS) - 1) + 1e-9), len(BLOCKS) - 1)]


def bar(share: float, width: int = 20) -> str:
    """A bar for a share between 0 and 1.

    >>> bar(0.5, 4)
    '██░░'
    """
    filled = round(min(max(share, 0.0), 1.0) * width)
    return "█" * filled + "░" * (width - filled)


def thinned(numbers: Sequence[float], width: int) -> list[float]:
    """At most ``width`` of the numbers, evenly, the last one always among them."""
    if len(numbers) <= width:
        return list(numbers)
    step = (len(numbers) - 1) / (width - 1)
    return [numbers[round(index * step)] for index in range(width)]
