"""Warnings about the scores: odd folds, signs of a leak."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.analysis.choice.simplicity import complexity_of_ranking
from tunesmith.analysis.ranking import Ranked
from tunesmith.analysis.statistics.leakage import too_good
from tunesmith.analysis.statistics.noise import discordant_folds, shifted_folds
from tunesmith.data.leaks.sign import Sign
from tunesmith.history import Metric


@dataclass(frozen=True)
class ScoreWarnings:
    """Signs that the scores may mislead; hints, not proofs."""

    shifted_folds: tuple[int, ...] = ()
    """Folds on which most trials score far from their other scores."""
    discordant_folds: tuple[int, ...] = ()
    """Folds that rank the trials otherwise than the others do."""
    leak: str = ""
    """Reason for which the scores look too good to be true; empty if they do not."""
    data: tuple[Sign, ...] = ()
    """Signs of a leak in the table."""


def score_warnings(
    ranking: Sequence[Ranked], gains: np.ndarray, metric: Metric, data: tuple[Sign, ...] = ()
) -> ScoreWarnings:
    """Look for odd folds and for signs of a leak.

    Args:
        ranking: complete trials.
        gains: their fold scores, ``(n_trials, n_folds)``, larger is better.
        metric: the first objective.
        data: signs of a leak that were found in the table.
    """
    if not ranking:
        return ScoreWarnings(data=data)
    sizes = complexity_of_ranking(ranking)
    return ScoreWarnings(
        shifted_folds(gains), discordant_folds(gains), too_good(gains, metric.name, sizes), data
    )
