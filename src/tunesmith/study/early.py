"""Trials that stream their progress: who is not good enough on the way is stopped there.

How good is good enough is settled when a trial is asked for, from the trials that are told by
then. So nobody has to wait, and the same study stops the same trials at the same steps whatever
the number of workers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tunesmith.history import FoldResult, Metric, Trial, TrialLog, score_at
from tunesmith.objective.objective import Objective
from tunesmith.search.budget import Budgets
from tunesmith.study.strategy import AllTheWay, Later, Sampling
from tunesmith.types import Params


@dataclass(frozen=True)
class Stopping(AllTheWay):
    """A sampling whose weaker trials are stopped early."""

    sampling: Sampling
    budgets: Budgets

    @property
    def window(self) -> int:
        """The sampler's own."""
        return self.sampling.window

    @property
    def looks_back(self) -> bool:
        """Results decide who is stopped."""
        return True

    @property
    def n_points(self) -> int | None:
        """Points of the space, where it is finite."""
        return self.sampling.n_points

    def propose(self, log: TrialLog) -> tuple[str, Params] | Later | None:
        """What the sampling proposes."""
        return self.sampling.propose(log)

    def key(self, params: Params) -> str:
        """The sampling's own."""
        return self.sampling.key(params)

    def points(self, trial: Trial, objective: Objective) -> Sequence[Params]:  # noqa: ARG002
        """Its params alone."""
        return (trial.params,)

    def bounds(self, log: TrialLog, trial: Trial, fold: int) -> Mapping[int, float]:
        """From what the told trials had at the same steps of the same fold.

        Starting points run to their end: they are what the others are held against.
        """
        if trial.number < len(self.sampling.start):
            return {}
        n_told = min(max(0, trial.number - self.window + 1), len(log.told))
        first = self.budgets.bracket_of(trial.number)
        steps = self.budgets.ladder[first:-1]
        metric = log.objectives[0]
        found = {}
        for step in steps:
            gains = [
                gain for other in log.told[:n_told] for gain in _gains(other, fold, step, metric)
            ]
            if self.budgets.n_going_on(len(gains)):
                found[step] = self.budgets.bound(gains)
        return found


def _gains(trial: Trial, fold: int, step: int, metric: Metric) -> list[float]:
    """A trial's gain at a step of a fold, if it came so far."""
    progress = next((result.progress for result in trial.folds if result.fold == fold), ())
    has_come = bool(progress) and progress[-1][0] >= step
    return [metric.sign * score_at(progress, step)] if has_come else []


def held_against(
    result: FoldResult, bounds: Mapping[int, float], metric: Metric
) -> FoldResult | None:
    """A known result as it would be with these bounds.

    Returns:
        The result, cut off where it falls short; ``None`` if it was cut off before that is known.
    """
    progress = result.progress
    if not progress or result.failure is not None:
        return result
    for step in sorted(bounds):
        if step <= progress[-1][0] and metric.sign * score_at(progress, step) < bounds[step]:
            return _cut_off(result, step, metric)
    return result if result.stopped_at is None else None


def _cut_off(result: FoldResult, step: int, metric: Metric) -> FoldResult:
    score = score_at(result.progress, step)
    until = tuple(point for point in result.progress if point[0] <= step)
    return replace(
        result, scores={metric.name: score}, progress=until or result.progress[:1], stopped_at=step
    )
