"""Result of the race over the folds: trials that it stopped, and what that may have cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np

from tunesmith.history import History
from tunesmith.study.race import N_NEAR, lead, noise_around


@dataclass(frozen=True, kw_only=True)
class RaceResult:
    """Trials that were stopped before their last fold."""

    n_stopped: int
    fewest_folds: int
    """Fewest folds of a stopped trial."""
    most_folds: int
    """Most folds of a stopped trial."""
    share_left_out: float
    """Share of the evaluations (trial times fold) that were not needed, from 0 to 1."""
    n_expected_to_pass: float | None
    """Sum of the stopped trials' chances that their full mean would have passed the best.

    It is an estimate, which takes their differences to the best trial to vary between folds as
    those of the best complete trials do. ``None`` if these do not show it.
    """


def race_result(history: History) -> RaceResult | None:
    """Return the result of the race; ``None`` if it stopped no trial."""
    stopped = [trial for trial in history.completed if trial.is_raced]
    if not stopped:
        return None
    metric = history.objectives[0]
    complete = sorted(
        history.admissible,
        key=lambda trial: (-metric.sign * trial.mean(metric.name), trial.number),
    )[:N_NEAR]
    return race_from(
        n_left_out=[trial.n_left_out for trial in stopped],
        stopped=[(metric.sign * trial.scores(metric.name)).tolist() for trial in stopped],
        leaders=[metric.sign * trial.scores(metric.name) for trial in complete],
        n_evaluations=history.n_evaluations,
    )


def race_from(
    *,
    n_left_out: Sequence[int],
    stopped: Sequence[Sequence[float]],
    leaders: "Sequence[np.ndarray] | np.ndarray",
    n_evaluations: int,
) -> RaceResult | None:
    """Return the result of a race; ``None`` if it stopped no trial.

    Args:
        n_left_out: folds that each stopped trial lacks.
        stopped: gains of each on the folds that it has.
        leaders: gains of the best complete trials, the best one first.
        n_evaluations: of the study.
    """
    if not stopped:
        return None
    n_lacking, n_folds = sum(n_left_out), [len(gains) for gains in stopped]
    return RaceResult(
        n_stopped=len(stopped),
        fewest_folds=min(n_folds),
        most_folds=max(n_folds),
        share_left_out=n_lacking / (n_lacking + n_evaluations),
        n_expected_to_pass=_expected_to_pass(stopped, leaders),
    )


def _expected_to_pass(
    stopped: Sequence[Sequence[float]], leaders: "Sequence[np.ndarray] | np.ndarray"
) -> float | None:
    if not len(leaders):
        return None
    best, *others = leaders
    noise = noise_around(best, np.array(others).reshape(len(others), len(best)))
    if noise == 0:
        return None
    leads = [lead(gains, best.tolist(), noise) for gains in stopped]
    return sum(0.5 * erfc(-ahead / deviation / sqrt(2)) for ahead, deviation in leads)
