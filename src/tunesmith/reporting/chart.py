"""Mermaid charts, which Git hosts draw in files and comments."""

import math
from collections.abc import Sequence
from itertools import pairwise

MAX_BARS = 20
"""Most bars whose trial numbers are not written over each other."""
MAX_LABEL = 60


def history_chart(
    best_so_far: Sequence[float],
    scores: Sequence[float],
    label: str,
    current: float | None = None,
) -> str:
    """Draw scores of complete trials as bars, and the best so far as a line.

    Mermaid has no missing values, and makes bars over an axis of numbers so wide that they hide
    each other. So the axis lists trials: only those with a score, and not more than fit.

    Args:
        best_so_far: one number a trial; NaN before the first complete one.
        scores: one number a trial; NaN if it was stopped or failed.
        label: name of the axis; letters, digits, blanks and underscores are kept.
        current: score of the current parameters, a level line.

    Returns:
        The lines of a ``mermaid`` block; empty if there is nothing to draw.
    """
    trials = shown_trials(best_so_far, scores)
    if len(trials) < 2:
        return ""
    bars, line = [scores[i] for i in trials], [best_so_far[i] for i in trials]
    lines = [line] if current is None else [line, [current] * len(trials)]
    every = [*bars, *(number for one in lines for number in one)]
    low, high = min(every), max(every)
    pad = (high - low) * 0.05 or abs(high) * 0.05 or 0.5
    digits = decimals(high - low or pad)
    ends = fixed(low - pad, digits), fixed(high + pad, digits)

    def listed(numbers: Sequence[float]) -> str:
        return ", ".join(fixed(number, digits) for number in numbers)

    return "\n".join(
        [
            "```mermaid",
            "xychart-beta",
            f'    x-axis "trial" [{", ".join(map(str, trials))}]',
            f'    y-axis "{safe(label)}" {" --> ".join(ends)}',
            f"    bar [{listed(bars)}]",
            *(f"    line [{listed(one)}]" for one in lines),
            "```",
        ]
    )


def safe(label: str) -> str:
    """A short label without what would end it in Mermaid's grammar, as quotes and line breaks do.

    >>> safe('a "b"')
    'a b'
    """
    return "".join(c for c in label[:MAX_LABEL] if c.isalnum() or c in " _")


def shown_trials(best_so_far: Sequence[float], scores: Sequence[float]) -> list[int]:
    """Return the trials that get a bar: the first, those that were the best yet, and others evenly.

    >>> shown_trials([0.5, 0.5, 0.7], [0.5, math.nan, 0.7])
    [0, 2]
    """
    able = zip(scores, best_so_far, strict=True)
    complete = [i for i, pair in enumerate(able) if all(map(math.isfinite, pair))]
    if len(complete) <= MAX_BARS:
        return complete
    ends = {complete[0], complete[-1]}
    # Of many records the last ones count.
    records = [b for a, b in pairwise(complete) if best_so_far[b] != best_so_far[a]]
    kept = ends | set(records[-MAX_BARS // 2 :])
    others = [i for i in complete if i not in kept]
    n = MAX_BARS - len(kept)
    return sorted([*kept, *(others[(2 * k + 1) * len(others) // (2 * n)] for k in range(n))])


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
