"""Test of a proposal against the current parameters."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tunesmith.analysis.statistics.contrasts import contrasts
from tunesmith.analysis.statistics.ties import ALPHA

Verdict = Literal["adopt", "keep", "indistinguishable"]


@dataclass(frozen=True)
class Weighed:
    """A proposal against a reference on the same folds."""

    verdict: Verdict
    gain: float
    """Mean over folds of proposal minus reference, positive if the proposal is better."""
    error: float
    """Its standard error; NaN with a single fold."""
    low: float
    high: float
    """Lower and upper limit of the gain, each with probability 0.95, whichever of the trials
    was picked as the proposal."""


def weigh(
    gains: np.ndarray, proposal: int, reference: int, ratio: float, min_improvement: float = 0.0
) -> Weighed:
    """Weigh a proposal that was picked among all trials against one that was there before.

    The test is that of ``contrasts``, held to as many comparisons as there are other trials: by a
    plain paired test, the best of fifty equal trials beats the current parameters in every third
    study.

    - *adopt*: the gain is at least ``min_improvement``, and above 0 beyond chance;
    - *keep*: the gain is below ``min_improvement`` beyond chance, or both are the same trial;
    - *indistinguishable*: the folds do not say.

    Args:
        gains: ``(n_trials, n_folds)``, larger is better.
        proposal: its row.
        reference: row of the current parameters.
        ratio: test rows per training row of a fold.
        min_improvement: gains below that are not worth a change.
    """
    if proposal == reference:
        return Weighed("keep", 0.0, 0.0, 0.0, 0.0)
    gain = float((gains[proposal] - gains[reference]).mean())
    # A single fold has no spread, so that no gain can be shown to be more than chance.
    if gains.shape[1] < 2:
        return Weighed("indistinguishable", gain, np.nan, -np.inf, np.inf)
    contrast = contrasts(gains, proposal, ratio)
    error, margin = float(contrast.errors[reference]), float(contrast.margins(ALPHA)[reference])
    low, high = gain - margin, gain + margin
    return Weighed(_verdict(gain, low, high, min_improvement), gain, error, low, high)


def _verdict(gain: float, low: float, high: float, min_improvement: float) -> Verdict:
    if low > 0 and gain >= min_improvement:
        return "adopt"
    # Equal scores on every fold are no gain, even if `min_improvement` is 0.
    return "keep" if high < min_improvement or low == high <= 0 else "indistinguishable"
