"""Result of the race over the folds: trials that it stopped, and what that may have cost."""

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
    n_left_out = sum(trial.n_left_out for trial in stopped)
    n_folds = [len(trial.folds) for trial in stopped]
    return RaceResult(
        n_stopped=len(stopped),
        fewest_folds=min(n_folds),
        most_folds=max(n_folds),
        share_left_out=n_left_out / (n_left_out + history.n_evaluations),
        n_expected_to_pass=_expected_to_pass(history),
    )


def _expected_to_pass(history: History) -> float | None:
    metric = history.objectives[0]
    complete = sorted(
        history.admissible,
        key=lambda trial: (-metric.sign * trial.mean(metric.name), trial.number),
    )[:N_NEAR]
    if not complete:
        return None
    best, *others = [metric.sign * trial.scores(metric.name) for trial in complete]
    noise = noise_around(best, np.array(others).reshape(len(others), len(best)))
    if noise == 0:
        return None
    leads = [
        lead((metric.sign * trial.scores(metric.name)).tolist(), best.tolist(), noise)
        for trial in history.completed
        if trial.is_raced
    ]
    return sum(0.5 * erfc(-ahead / deviation / sqrt(2)) for ahead, deviation in leads)
