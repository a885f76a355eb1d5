"""How trials are proposed: everything that fixes the sequence of a study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final, Literal, Protocol, TypeAlias

from tunesmith.history import Trial, TrialLog
from tunesmith.objective.objective import Objective
from tunesmith.search.sampler import Sampler, is_exhaustive, looks_back
from tunesmith.space import SearchSpace
from tunesmith.space.grid import count_points
from tunesmith.space.parameter import canonical_json
from tunesmith.study.seeds import trial_rng
from tunesmith.types import Params


class _Later(Enum):
    LATER = "later"


Later: TypeAlias = Literal[_Later.LATER]
LATER: Final = _Later.LATER
"""Nothing to propose until more trials are told."""
NO_BOUNDS: Mapping[int, float] = MappingProxyType({})


class Strategy(Protocol):
    """Proposes trials, one after the other."""

    @property
    def window(self) -> int:
        """Trial k is asked when exactly the trials up to k - window are told."""

    @property
    def looks_back(self) -> bool:
        """Whether results change what is proposed next."""

    @property
    def n_points(self) -> int | None:
        """After so many trials there are no more; ``None`` where that is not known."""

    def propose(self, log: TrialLog) -> tuple[str, Params] | Later | None:
        """The next trial's origin and params; ``None`` when there are no more."""

    def key(self, params: Params) -> str:
        """Equal keys, equal points."""

    def points(self, trial: Trial, objective: Objective) -> Sequence[Params]:
        """The trial's params, and others of which the best is told in their place."""

    def bounds(self, log: TrialLog, trial: Trial, fold: int) -> Mapping[int, float]:
        """How good a fit must be to go on: step -> least gain (score times the metric's sign)."""

    def judged(self, trial: Trial) -> Trial:
        """A trial that is about to be told, with the state that it deserves."""


class AllTheWay:
    """Of a strategy that lets every trial run to its end."""

    def bounds(self, log: TrialLog, trial: Trial, fold: int) -> Mapping[int, float]:  # noqa: ARG002
        """None."""
        return NO_BOUNDS

    def judged(self, trial: Trial) -> Trial:
        """As it is."""
        return trial


@dataclass(frozen=True)
class Sampling(AllTheWay):
    """A sampler over a space, behind starting points."""

    space: SearchSpace
    sampler: Sampler
    name: str
    """Recorded as the origin of what the sampler proposes."""
    seed: int
    window: int = 8
    start: tuple[tuple[str, Params], ...] = ()
    """(origin, canonical params) to try first, in order, without repeats."""
    curves: bool = True
    """Whether trials are told as the best of all that their fits score."""

    @property
    def looks_back(self) -> bool:
        """Whether the sampler reads results."""
        return looks_back(self.sampler)

    @property
    def n_points(self) -> int | None:
        """Points of the space, where it is finite."""
        return count_points(self.space)

    def propose(self, log: TrialLog) -> tuple[str, Params] | None:
        """The next starting point, or what the sampler suggests."""
        number = len(log.asked)
        if number < len(self.start):
            return self.start[number]
        # Never more than this, however many are told by now: that would depend on the workers.
        n_told = min(max(0, number - self.window + 1), len(log.told)) if self.looks_back else 0
        history = log.view(n_told)
        found = self.sampler.suggest(self.space, history, 1, trial_rng(self.seed, number))
        return (self.name, found[0]) if found else None

    def key(self, params: Params) -> str:
        """The space's own."""
        return self.space.key(params)

    def points(self, trial: Trial, objective: Objective) -> Sequence[Params]:
        """The curve of what the sampler proposed; of several objectives none is best.

        Starting points are scored as they are: they are what the others are held against.
        """
        is_start = trial.number < len(self.start)
        is_single = len(objective.objectives) == 1
        if not self.curves or is_start or not is_single or is_exhaustive(self.sampler):
            return (trial.params,)
        return objective.curve(trial.params, self.space)


@dataclass(frozen=True)
class Listing(AllTheWay):
    """Candidates that are known beforehand, in order; repeats are trials of their own."""

    candidates: Sequence[Params]
    name: str
    window: int = 8
    looks_back = False

    @property
    def n_points(self) -> int:
        """How many there are."""
        return len(self.candidates)

    def propose(self, log: TrialLog) -> tuple[str, Params] | None:
        """The next one."""
        number = len(log.asked)
        return (self.name, self.candidates[number]) if number < len(self.candidates) else None

    def key(self, params: Params) -> str:
        """The params as text."""
        return canonical_json(dict(params))

    def points(self, trial: Trial, objective: Objective) -> Sequence[Params]:  # noqa: ARG002
        """Its params alone."""
        return (trial.params,)
