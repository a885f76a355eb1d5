"""Trials -> the fits that are left to do."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from tunesmith.history import Trial
from tunesmith.objective.objective import Fit
from tunesmith.types import Params

Grouping = Callable[[Sequence[Params]], Sequence[tuple[int, ...]]]


@dataclass(frozen=True, slots=True)
class PlannedFit:
    """A fit, and the trials that its results belong to, candidate by candidate."""

    numbers: tuple[int, ...]
    fit: Fit

    def alone(self) -> "list[PlannedFit]":
        """A fit for every candidate."""
        pairs = zip(self.numbers, self.fit.candidates, strict=True)
        return [PlannedFit((n,), Fit(self.fit.fold, (params,))) for n, params in pairs]


def plan(
    trials: Sequence[Trial],
    n_folds: int,
    known: Container[tuple[int, int]] = (),
    groups: Grouping | None = None,
) -> list[PlannedFit]:
    """The fits that trials need, minus what is known.

    Args:
        trials: what to evaluate.
        n_folds: folds a trial.
        known: (trial number, fold) of results that are there already.
        groups: which candidates can share a fit; by default none.

    Returns:
        By the number of their first trial, then by fold, so that early trials are told early.
    """
    planned = []
    for fold in range(n_folds):
        left = [trial for trial in trials if (trial.number, fold) not in known]
        params = [trial.params for trial in left]
        together = groups(params) if groups else [(index,) for index in range(len(left))]
        for group in together:
            numbers = tuple(left[index].number for index in group)
            planned.append(PlannedFit(numbers, Fit(fold, tuple(params[i] for i in group))))
    return sorted(planned, key=lambda item: (item.numbers[0], item.fit.fold))
