"""Strategy for trials that stream their progress: weak ones are pruned on the way.

The pruning thresholds of a trial are fixed when it is proposed, from the trials that are completed
by then. So no worker has to wait, and the same study prunes the same trials at the same steps for
any number of workers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tunesmith.history import FoldResult, Metric, Trial, TrialLog, score_at
from tunesmith.objective.objective import Objective
from tunesmith.search.budget import Budgets
from tunesmith.study.strategy import Later, NoPruning, SamplerStrategy
from tunesmith.types import Params


@dataclass(frozen=True)
class EarlyStopping(NoPruning):
    """A sampling strategy that prunes weak trials early."""

    sampling: SamplerStrategy
    budgets: Budgets

    @property
    def window(self) -> int:
        """The sampler's look-ahead."""
        return self.sampling.window

    @property
    def looks_back(self) -> bool:
        """True: results decide which trials are pruned."""
        return True

    @property
    def n_points(self) -> int | None:
        """Number of points of the space, if it is finite."""
        return self.sampling.n_points

    def propose(self, log: TrialLog) -> tuple[str, Params] | Later | None:
        """Proposal of the sampling strategy."""
        return self.sampling.propose(log)

    def key(self, params: Params) -> str:
        """Key of the sampling strategy."""
        return self.sampling.key(params)

    def points(self, trial: Trial, objective: Objective) -> Sequence[Params]:  # noqa: ARG002
        """The trial's params only."""
        return (trial.params,)

    def thresholds(self, log: TrialLog, trial: Trial, fold: int) -> Mapping[int, float]:
        """Pruning thresholds, from the completed trials at the same steps of the same fold.

        Starting points run to their end, since the others are compared with them.
        """
        if trial.number < len(self.sampling.start):
            return {}
        # Not all completed trials: their number depends on the speed of the workers.
        n_completed = min(max(0, trial.number - self.window + 1), len(log.completed))
        first = self.budgets.bracket_of(trial.number)
        steps = self.budgets.ladder[first:-1]
        metric = log.objectives[0]
        thresholds = {}
        for step in steps:
            gains = [
                gain
                for other in log.completed[:n_completed]
                for gain in _gains(other, fold, step, metric)
            ]
            if self.budgets.n_going_on(len(gains)):
                thresholds[step] = self.budgets.threshold(gains)
        return thresholds


def _gains(trial: Trial, fold: int, step: int, metric: Metric) -> list[float]:
    """Gain of a trial at a step of a fold, if it came so far."""
    progress = next((result.progress for result in trial.folds if result.fold == fold), ())
    has_come = bool(progress) and progress[-1][0] >= step
    return [metric.sign * score_at(progress, step)] if has_come else []


def held_against(
    result: FoldResult, thresholds: Mapping[int, float], metric: Metric
) -> FoldResult | None:
    """Cut a known result as these pruning thresholds would have done.

    Returns:
        The result, cut off at the step that falls short; ``None`` if it was cut off before that
        step.
    """
    progress = result.progress
    if not progress or result.failure is not None:
        return result
    for step in sorted(thresholds):
        if step <= progress[-1][0] and metric.sign * score_at(progress, step) < thresholds[step]:
            return _cut_off(result, step, metric)
    # A result that was cut off earlier does not tell the rest of its course.
    return result if result.stopped_at is None else None


def _cut_off(result: FoldResult, step: int, metric: Metric) -> FoldResult:
    score = score_at(result.progress, step)
    until = tuple(point for point in result.progress if point[0] <= step)
    return replace(
        result, scores={metric.name: score}, progress=until or result.progress[:1], stopped_at=step
    )
