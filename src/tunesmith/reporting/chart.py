"""Mermaid charts, which Git hosts draw in files and comments."""

import math
from collections.abc import Sequence

from tunesmith.reporting.sparkline import thinned

MAX_POINTS = 50
MAX_LABEL = 60


def history_chart(best_so_far: Sequence[float], scores: Sequence[float], label: str) -> str:
    """Draw scores as bars, and the best so far as a line.

    Args:
        best_so_far: one number a trial; NaN before the first complete one.
        scores: one number a trial; NaN if it failed.
        label: name of the axis; letters, digits, blanks and underscores are kept.

    Returns:
        The lines of a ``mermaid`` block; empty if there is nothing to draw.
    """
    first = next((i for i, number in enumerate(best_so_far) if math.isfinite(number)), None)
    if first is None or len(best_so_far) - first < 2:
        return ""
    line = thinned(best_so_far[first:], MAX_POINTS)
    dots = thinned(scores[first:], MAX_POINTS)
    finite = [number for number in (*line, *dots) if math.isfinite(number)]
    low, high = min(finite), max(finite)
    pad = (high - low) * 0.05 or abs(high) * 0.05 or 0.5
    digits = decimals(high - low or pad)
    # Mermaid has no missing values: a failed trial is drawn at the bottom.
    drawn = [number if math.isfinite(number) else low - pad for number in dots]
    # A quote or a line break would end the label in Mermaid's grammar.
    safe = "".join(c for c in label[:MAX_LABEL] if c.isalnum() or c in " _")

    def listed(numbers: Sequence[float]) -> str:
        return ", ".join(fixed(number, digits) for number in numbers)

    return "\n".join(
        [
            "```mermaid",
            "xychart-beta",
            f'    x-axis "trial" {first} --> {len(best_so_far) - 1}',
            f'    y-axis "{safe}" {fixed(low - pad, digits)} --> {fixed(high + pad, digits)}',
            f"    bar [{listed(drawn)}]",
            f"    line [{listed(line)}]",
            "```",
        ]
    )


def decimals(spread: float) -> int:
    """Number of decimals that show a spread in a thousand steps; at least 6, at most 15.

    >>> decimals(0.3), decimals(1e-7)
    (6, 10)
    """
    if spread <= 0 or not math.isfinite(spread):
        return 6
    return min(max(3 - math.floor(math.log10(spread)), 6), 15)


def fixed(number: float, digits: int = 6) -> str:
    """Fixed-point notation: Mermaid does not read ``1e-05``.

    >>> fixed(1e-05), fixed(0.5), fixed(2.5e-9, 10)
    ('0.00001', '0.5', '0.0000000025')
    """
    text = f"{number:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{number:.0f}"
    # A tiny negative number is rounded to `-0`.
    return "0" if text in ("", "-0") else text
