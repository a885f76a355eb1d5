"""Mermaid charts, which forges draw in files and comments."""

import math
from collections.abc import Sequence

from tunesmith.report.sparkline import thinned

MAX_POINTS = 50


def history_chart(best_so_far: Sequence[float], scores: Sequence[float], label: str) -> str:
    """Scores as bars, the best so far as a line.

    Args:
        best_so_far: one number a trial; NaN before the first complete one.
        scores: one number a trial; NaN where it failed.
        label: name of the axis; letters, digits, blanks and underscores are kept.

    Returns:
        The lines of a ``mermaid`` block; empty where there is nothing to draw.
    """
    first = next((i for i, number in enumerate(best_so_far) if math.isfinite(number)), None)
    if first is None or len(best_so_far) - first < 2:
        return ""
    line = thinned(best_so_far[first:], MAX_POINTS)
    dots = thinned(scores[first:], MAX_POINTS)
    finite = [number for number in (*line, *dots) if math.isfinite(number)]
    low, high = min(finite), max(finite)
    pad = (high - low) * 0.05 or 0.5
    # Mermaid has no missing values: a failed trial is drawn at the bottom.
    drawn = [number if math.isfinite(number) else low - pad for number in dots]
    safe = "".join(c for c in label if c.isalnum() or c in " _")
    return "\n".join(
        [
            "```mermaid",
            "xychart-beta",
            f'    x-axis "trial" {first} --> {len(best_so_far) - 1}',
            f'    y-axis "{safe}" {fixed(low - pad)} --> {fixed(high + pad)}',
            f"    bar [{', '.join(map(fixed, drawn))}]",
            f"    line [{', '.join(map(fixed, line))}]",
            "```",
        ]
    )


def fixed(number: float) -> str:
    """Fixed-point notation: Mermaid does not read ``1e-05``.

    >>> fixed(1e-05), fixed(0.5)
    ('0.00001', '0.5')
    """
    text = f"{number:.6f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text
