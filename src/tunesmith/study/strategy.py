"""Strategies that propose trials: everything that fixes the sequence of a study."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final, Literal, Protocol, TypeAlias, runtime_checkable

from tunesmith.history import History, Trial, TrialLog
from tunesmith.objective.objective import Objective
from tunesmith.search.sampler import Sampler, is_exhaustive, looks_back
from tunesmith.space import SearchSpace
from tunesmith.space.grid import count_points
from tunesmith.space.parameter import canonical_json
from tunesmith.study.seeds import trial_rng
from tunesmith.types import Params, State


class _Later(Enum):
    LATER = "later"


Later: TypeAlias = Literal[_Later.LATER]
LATER: Final = _Later.LATER
"""Answer of a strategy that has nothing to propose until more trials are completed."""
StopRule: TypeAlias = Callable[[Sequence[float]], bool]
"""Tells from a trial's gains on its first folds, in fold order, if it stops before the others."""
EARLIER = "earlier"
"""Origin of starting points that were good in earlier studies."""
BEFORE = ("defaults", "current")
"""Origins of starting points with which those of earlier studies are compared."""
NO_THRESHOLDS: Mapping[int, float] = MappingProxyType({})


class Strategy(Protocol):
    """Proposes trials, one after the other."""

    @property
    def window(self) -> int:
        """Look-ahead: trial k is proposed when exactly trials 0 to k - ``window`` are completed."""

    @property
    def looks_back(self) -> bool:
        """True if results change the next proposals."""

    @property
    def n_points(self) -> int | None:
        """Number of trials after which there are no more; ``None`` if it is unknown."""

    @property
    def races(self) -> bool:
        """True if trials may stop before their last fold."""

    def propose(self, log: TrialLog) -> tuple[str, Params] | Later | None:
        """Origin and params of the next trial; ``None`` if there are no more."""

    def key(self, params: Params) -> str:
        """Key of params; equal keys mean equal points."""

    def points(self, trial: Trial, objective: Objective) -> Sequence[Params]:
        """The trial's params and its submodel candidates; the best of them is recorded."""

    def thresholds(self, log: TrialLog, trial: Trial, fold: int) -> Mapping[int, float]:
        """Pruning thresholds: step -> least gain (score times the metric's sign) to continue."""

    def stop_rule(self, log: TrialLog, trial: Trial) -> StopRule | None:
        """Rule that may stop the trial before its last fold; ``None`` if it runs to its end."""

    def judged(self, trial: Trial) -> Trial:
        """Set the final state of a trial that is about to be completed."""


@runtime_checkable
class FinishingStrategy(Protocol):
    """A strategy that uses the end of a study to finish what is under way."""

    def n_kept(self, n_trials: int) -> int:
        """Number of last trials, out of so many, that are kept for it."""

    def finish(self, log: TrialLog, first: int) -> tuple[str, Params] | Later | None:
        """Origin and params of the next trial, in place of ``propose``.

        Args:
            log: of the study.
            first: number of the first trial that is kept for it.
        """


class NoPruning:
    """Common part of strategies that let every trial run to its end."""

    races = False

    def thresholds(self, log: TrialLog, trial: Trial, fold: int) -> Mapping[int, float]:  # noqa: ARG002
        """No thresholds."""
        return NO_THRESHOLDS

    def stop_rule(self, log: TrialLog, trial: Trial) -> StopRule | None:  # noqa: ARG002
        """No rule."""
        return None

    def judged(self, trial: Trial) -> Trial:
        """Leave the state as it is."""
        return trial


@dataclass(frozen=True)
class SamplerStrategy(NoPruning):
    """A sampler over a space, after starting points."""

    space: SearchSpace
    sampler: Sampler
    _: KW_ONLY
    name: str
    """Name that is recorded as the origin of the sampler's proposals."""
    seed: int
    window: int = 8
    start: tuple[tuple[str, Params], ...] = ()
    """(origin, canonical params) to try first, in order, without repeats."""
    curves: bool = True
    """True if a trial is recorded as the best of its submodel candidates."""

    @property
    def looks_back(self) -> bool:
        """True if the sampler reads results."""
        return looks_back(self.sampler)

    @property
    def n_points(self) -> int | None:
        """Number of points of the space, if it is finite."""
        return count_points(self.space)

    def propose(self, log: TrialLog) -> tuple[str, Params] | None:
        """Next starting point, or suggestion of the sampler."""
        if (first := self.next_start(log)) is not None:
            return first
        number, history = len(log.trials), log.view(self.n_completed(log))
        suggested = self.sampler.suggest(self.space, history, 1, trial_rng(self.seed, number))
        return (self.name, suggested[0]) if suggested else None

    def next_start(self, log: TrialLog) -> tuple[str, Params] | None:
        """Next starting point; ``None`` if none is left.

        Points of earlier studies are dropped if the first of them was no better than what there
        was before, so that data on which they are misleading costs one trial or a few.
        """
        n = len(log.trials)
        # Once the sampler has proposed a trial, the beginning is over.
        if n >= len(self.start) or any(trial.origin == self.name for trial in log.trials):
            return None
        keys = [self.key(params) for _, params in self.start]
        place = keys.index(log.trials[-1].key) + 1 if n else 0
        left = self.start[place:]
        if _misleads(log.view(self.n_completed(log))):
            left = tuple(one for one in left if one[0] != EARLIER)
        return left[0] if left else None

    def n_completed(self, log: TrialLog) -> int:
        """Number of completed trials from which the next one is proposed."""
        # Never more, however many are completed by now: that would depend on the workers.
        n = max(0, len(log.trials) - self.window + 1)
        return min(n, len(log.completed)) if self.looks_back else 0

    def key(self, params: Params) -> str:
        """Key in the space."""
        return self.space.key(params)

    def points(self, trial: Trial, objective: Objective) -> Sequence[Params]:
        """The proposal with its submodel candidates; without them if several metrics decide.

        Starting points are scored as they are, since the others are compared with them.
        """
        is_start = trial.number < len(self.start)
        is_single = len(objective.objectives) == 1
        if not self.curves or is_start or not is_single or is_exhaustive(self.sampler):
            return (trial.params,)
        return objective.submodel_candidates(trial.params, self.space)


def _misleads(history: History) -> bool:
    """True if the first point of earlier studies is worse than the defaults or current ones."""
    metric = history.objectives[0]
    completed = list(history.completed)
    first = next((trial for trial in completed if trial.origin == EARLIER), None)
    known = [t for t in completed if t.origin in BEFORE and t.state is State.COMPLETE]
    if first is None or not known:
        return False
    best = max(metric.sign * trial.mean(metric.name) for trial in known)
    # Written with `not`, because a failed trial has no mean, and all comparisons with it are false.
    return not metric.sign * first.mean(metric.name) >= best


@dataclass(frozen=True)
class FixedList(NoPruning):
    """Candidates that are known beforehand, in order; repeats are trials of their own."""

    candidates: Sequence[Params]
    name: str
    window: int = 8
    looks_back = False

    @property
    def n_points(self) -> int:
        """Number of candidates."""
        return len(self.candidates)

    def propose(self, log: TrialLog) -> tuple[str, Params] | None:
        """Next candidate."""
        number = len(log.trials)
        return (self.name, self.candidates[number]) if number < len(self.candidates) else None

    def key(self, params: Params) -> str:
        """Text of the params."""
        return canonical_json(dict(params))

    def points(self, trial: Trial, objective: Objective) -> Sequence[Params]:  # noqa: ARG002
        """The trial's params only."""
        return (trial.params,)
