"""Trials -> the fits that are left to do."""

from collections.abc import Container, Iterable
from dataclasses import dataclass

from tunesmith.history import Trial
from tunesmith.objective.objective import Fit


@dataclass(frozen=True, slots=True)
class PlannedFit:
    """A fit, and the trial and fold that its result belongs to."""

    number: int
    fold: int
    fit: Fit


def plan(
    trials: Iterable[Trial], n_folds: int, known: Container[tuple[int, int]] = ()
) -> list[PlannedFit]:
    """The fits that trials need, minus what is known, by trial and fold.

    Args:
        trials: what to evaluate.
        n_folds: folds a trial.
        known: (trial number, fold) of results that are there already.
    """
    return [
        PlannedFit(trial.number, fold, Fit(fold, (trial.params,)))
        for trial in trials
        for fold in range(n_folds)
        if (trial.number, fold) not in known
    ]
