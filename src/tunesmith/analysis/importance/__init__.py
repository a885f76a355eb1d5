"""Importance of parameters: shares of the variance of the score over the declared space.

The estimand is the same everywhere. The score varies over the space as random search draws it. A
parameter's share is the variance of the score if it alone varies, on average over the others,
divided by the variance over the whole space. So a parameter of a branch counts by the branch's
weight, and the parameter that chooses the branch counts for the differences between branches.

A complete grid is split exactly (``grid``); any other study is asked through a model
(``surrogate``) at points of the whole space (``measure``, ``variance``); ``claims`` says what
follows.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tunesmith.analysis.importance.claims import Importance, Interaction, claims
from tunesmith.analysis.importance.declared import declared_space, points_of
from tunesmith.analysis.importance.grid import complete_grid
from tunesmith.analysis.importance.measure import Measure
from tunesmith.analysis.importance.variance import Decomposition, SparseSpaceError
from tunesmith.analysis.statistics.noise import decompose
from tunesmith.history import History, Metric
from tunesmith.ledger.recorded_study import RecordedSpace
from tunesmith.study.race import with_estimates
from tunesmith.system.threads import small_matrices
from tunesmith.types import Params

__all__ = ["Importance", "Interaction", "importance"]

MIN_TRIALS = 25
"""Trials of a study that is not a complete grid; with fewer, nothing is claimed."""
MAX_PARAMETERS = 40
MAX_CHOICES = 100
"""Values of a parameter that have no order; a model needs a feature for each."""
LEAST_EXPLAINED = 0.1
"""Share of the spread of trials that a model must foretell from the others."""
MOST = 1e100
"""Larger numbers count as this one: their squares would not be numbers."""


def importance(history: History, space: RecordedSpace, metric: Metric) -> Importance:
    """Measure the share of each parameter in the variance of a score.

    Trials that failed or were pruned take no part: they have no full scores. Those that a race
    stopped count with the scores that it estimates for their missing folds.

    Args:
        history: of the study.
        space: as it is recorded.
        metric: the score to explain.
    """
    trials = [trial for trial in with_estimates(history).successful if trial.params]
    if not trials:
        return Importance(reason="there is no complete trial")
    declared, is_declared = declared_space(space, trials)
    found = points_of(declared, trials)
    points = [point for _, point in found]
    scores = [np.clip(trial.scores(metric.name), -MOST, MOST) for trial, _ in found]
    measure = Measure(declared)
    if len(measure.names) < 2:
        return Importance(reason="needs two parameters that vary")
    if len({float(row.mean()) for row in scores}) < 2:
        return Importance(reason="all trials have the same score")
    stopped = {trial.number for trial in history.completed if trial.is_raced}
    n_estimated = sum(trial.number in stopped for trial, _ in found)
    # An analysis of variance is exact, and estimates are not.
    grid = None if n_estimated else complete_grid(declared, points, scores)
    if grid is not None:
        if not grid.differs:
            return Importance(
                reason="the points of the grid differ no more than chance would make them"
            )
        return claims(grid.draws(np.random.default_rng(0)), _of_grid(grid.residual is not None))
    with small_matrices():
        known = _modelled(measure, points, scores, is_declared)
    if not n_estimated or not known.basis:
        return known
    counted = f" {n_estimated} of them were stopped by the race and count with estimated scores."
    return replace(known, basis=known.basis + counted)


def _of_grid(knows_noise: bool) -> str:
    noise = (
        "the noise of the folds is taken out"
        if knows_noise
        else "with one fold, the noise is not known and the errors allow for it"
    )
    return f"Analysis of variance of the complete grid; {noise}."


def _modelled(
    measure: Measure, points: Sequence[Params], scores: Sequence[np.ndarray], is_declared: bool
) -> Importance:
    if len(points) < MIN_TRIALS:
        return Importance(
            reason=f"needs {MIN_TRIALS} complete trials in the space (found {len(points)}),"
            " or every point of a grid without conditions"
        )
    if len(measure.names) > MAX_PARAMETERS:
        return Importance(reason=f"there are more than {MAX_PARAMETERS} parameters")
    if any(
        not axis.is_ordered and (axis.parameter.n_levels or 0) > MAX_CHOICES
        for axis in measure.coordinates.axes
    ):
        return Importance(reason=f"a parameter has more than {MAX_CHOICES} values without order")
    # A fixed stream: the same trials give the same report.
    rng = np.random.default_rng(0)
    means = np.array([row.mean() for row in scores])
    # Late, because SciPy is behind it, which a run needs at its end only.
    from tunesmith.analysis.importance.surrogate import Surrogate

    surrogate = Surrogate(*_lessons(measure, points, means), rng)
    explained = surrogate.explained
    if explained < LEAST_EXPLAINED:
        return Importance(reason="a model of the trials predicts none of them from the others")
    try:
        draws = Decomposition(measure, surrogate, rng).draws()
    except SparseSpaceError:
        return Importance(reason="the constraints leave hardly a point of the space")
    over = "the declared space" if is_declared else "the ranges of the trials"
    misfit = float(np.clip(1.0 - explained - _noise_share(scores, means), 0.0, 1.0))
    return claims(
        replace(draws, misfit=misfit),
        f"A Gaussian process over {over} predicted {explained:.0%} of the differences between"
        f" {len(points)} trials, when each was left out.",
    )


def _noise_share(scores: Sequence[np.ndarray], means: np.ndarray) -> float:
    """Share of the variance of the means that is noise; 0 if the folds do not tell."""
    if len({len(row) for row in scores}) > 1:
        return 0.0
    noise = decompose(np.array(scores))
    spread = float(means.var())
    return 0.0 if noise is None or not spread else noise.residual**2 / len(scores[0]) / spread


def _lessons(
    measure: Measure, points: Sequence[Params], scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, standardised scores and groups of features."""
    coordinates = measure.coordinates
    rows = np.array([coordinates.encode(point) for point in points])
    scaled = scores / np.abs(scores).max()
    centred = scaled - scaled.mean()
    return coordinates.features(rows), centred / centred.std(), coordinates.groups
