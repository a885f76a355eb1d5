"""Sentences on the evaluations on further splits."""

import math

from tunesmith.analysis import numbers
from tunesmith.analysis.confirmation import Confirmed


def gain_text(confirmed: Confirmed) -> str:
    """Return the gain on further splits with its limits; empty if a fit failed.

    Args:
        confirmed: outcome of the further evaluations.
    """
    if not math.isfinite(confirmed.gain):
        return ""
    digits = numbers.digits_for(confirmed.error or 1)
    gain = numbers.with_error(confirmed.gain, confirmed.error)
    # Each end is missed with a probability of about 2 %.
    return f": {gain}, 96 % interval {confirmed.low:.{digits}f} to {confirmed.high:.{digits}f}"


def effort_text(confirmed: Confirmed) -> str:
    """Return the sentence on the number of further evaluations.

    Args:
        confirmed: outcome of the further evaluations.
    """
    n, most = confirmed.n_repeats, confirmed.n_most
    of = "repeat of the folds" if n == 1 else "repeats of the folds"
    least = f"; up to {most} repeats were allowed" if n < most else ""
    return f"For that, both were scored on {n} further {of} ({confirmed.n_scores} scores{least})."
