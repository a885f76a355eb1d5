"""Search without the parameters that every fit answers for all values.

A forest of 500 trees holds those of 50, 100, … trees, so a study reads the best number of trees off
each fit. The sampler then proposes the other parameters only: a proposal that repeated them with
another number of trees would be a fit for nothing.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from tunesmith.history import History, Trial, TrialLog
from tunesmith.objective.objective import Objective, ReadOffObjective
from tunesmith.search.sampler import is_exhaustive
from tunesmith.space import Box, SearchSpace
from tunesmith.space.grid import count_points
from tunesmith.space.parameter import canonical_json
from tunesmith.study.seeds import trial_rng
from tunesmith.study.strategy import NoPruning, SamplerStrategy
from tunesmith.types import Params, Value

N_PROBES = 8
"""Number of random points of a box that must agree on the parameter that is read off."""

Ask = Callable[[Params, SearchSpace], tuple[str, Value] | None]


@dataclass(frozen=True)
class ReadOff:
    """A space, and in each of its boxes the parameter that is read off, if any."""

    space: SearchSpace
    values: tuple[tuple[str, Value] | None, ...]
    """For each box, the name of the parameter and the value to fit with."""

    @cached_property
    def searched(self) -> SearchSpace:
        """The space without the parameters that are read off."""
        boxes = [_without(box, one) for box, one in zip(self.space, self.values, strict=True)]
        return SearchSpace(tuple(boxes), self.space.constraints)

    def shortened(self, params: Params) -> Params:
        """Point of the searched space that a point of the space lies on."""
        one = self.values[self.space.locate(params)[0]]
        return {k: v for k, v in params.items() if one is None or k != one[0]}

    def completed(self, params: Params) -> Params:
        """Point of the space whose fits answer for all values, from one of the searched space."""
        number = self.searched.locate(params)[0]
        one, box = self.values[number], self.space.boxes[number]
        if one is None or not box.is_active(one[0], params):
            return params
        return dict(sorted({**params, one[0]: one[1]}.items()))

    def proposed(self, params: Params) -> Params:
        """Point of the space like this one, whose fits answer for all values."""
        return self.completed(self.shortened(params))

    def is_whole(self, params: Params) -> bool:
        """True if the fits of a point of the space answer for all values."""
        return self.space.key(self.proposed(params)) == self.space.key(params)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters that are read off."""
        return tuple(dict.fromkeys(one[0] for one in self.values if one is not None))


def _without(box: Box, one: tuple[str, Value] | None) -> Box:
    if one is None:
        return box
    parameters = {name: p for name, p in box.parameters.items() if name != one[0]}
    conditions = {name: c for name, c in box.conditions.items() if name != one[0]}
    return Box(parameters, conditions)


def read_off_of(space: SearchSpace, objective: Objective) -> ReadOff | None:
    """Find the parameters of a space that need not be searched; ``None`` if there are none."""
    if not isinstance(objective, ReadOffObjective):
        return None
    ask = objective.read_off
    found = ReadOff(space, tuple(_of_box(space, number, ask) for number in range(len(space.boxes))))
    if not any(found.values):
        return None
    # Two boxes that differ in nothing else would become one.
    texts = Counter(canonical_json(box.to_json()) for box in found.searched)
    return found if max(texts.values()) == 1 else None


def _of_box(space: SearchSpace, number: int, ask: Ask) -> tuple[str, Value] | None:
    """The parameter of a box that all examined points agree on, if it can be left out."""
    box = space.boxes[number]
    answers = [ask(params, space) for params in _probes(space, number)]
    found = [answer for answer in answers if answer is not None]
    names = {canonical_json(list(answer)) for answer in found}
    if len(names) != 1:
        return None
    name = found[0][0]
    parents = {c.parent for conditions in box.conditions.values() for c in conditions}
    if name in parents or any(name in constraint.names for constraint in space.constraints):
        return None
    if len(box.parameters) == 1:
        return None
    # An answer may be missing only if the parameter plays no part at that point.
    probes = _probes(space, number)
    is_certain = all(
        answer is not None or name not in params
        for answer, params in zip(answers, probes, strict=True)
    )
    return found[0] if is_certain else None


def _probes(space: SearchSpace, number: int) -> list[Params]:
    """Some random points of a box, the same ones each time."""
    box, rng = space.boxes[number], trial_rng(0, number)
    found: list[Params] = []
    for _ in range(4 * N_PROBES):
        units = dict(zip(box.order, rng.random(len(box.order)).tolist(), strict=True))
        params = dict(sorted(box.point(units).items()))
        # If boxes overlap, the first one owns the point.
        if params in space and space.locate(params)[0] == number:
            found.append(params)
        if len(found) == N_PROBES:
            break
    return found


@dataclass
class _SearchedLog:
    """A log of the searched space that follows a log of the space, trial by trial."""

    source: TrialLog
    read_off: ReadOff
    log: TrialLog = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.source.emptied()

    def view(self, n_completed: int) -> History:
        """History of the searched space when so many trials were completed."""
        space = self.read_off.searched
        for trial in self.source.trials[len(self.log.trials) :]:
            params = self.read_off.shortened(trial.params)
            # A starting point is scored as it is; its fit is not known for all values, so that its
            # other parameters may be proposed again.
            is_whole = self.read_off.is_whole(trial.params)
            key = space.key(params) if is_whole else self.read_off.space.key(trial.params)
            self.log.ask(params, key, trial.origin)
        for trial in self.source.completed[len(self.log.completed) :]:
            pending = self.log.trials[trial.number]
            self.log.tell(replace(trial, params=pending.params, key=pending.key, proposed=None))
        return self.log.view(n_completed)


@dataclass(frozen=True)
class ReadOffStrategy(NoPruning):
    """A sampling strategy that searches the parameters that are not read off."""

    sampling: SamplerStrategy
    read_off: ReadOff
    _logs: list[_SearchedLog] = field(default_factory=list, repr=False, compare=False)
    """The mirror of the last log, which spares building it for every proposal."""

    @property
    def window(self) -> int:
        """The sampler's look-ahead."""
        return self.sampling.window

    @property
    def looks_back(self) -> bool:
        """True if the sampler reads results."""
        return self.sampling.looks_back

    @property
    def n_points(self) -> int | None:
        """Number of points of the searched space, and of starting points that are scored alone."""
        n = count_points(self.read_off.searched)
        alone = sum(not self.read_off.is_whole(params) for _, params in self.sampling.start)
        return None if n is None else n + alone

    def propose(self, log: TrialLog) -> tuple[str, Params] | None:
        """Next starting point, or the sampler's suggestion with the value that holds the others."""
        sampling, number = self.sampling, len(log.trials)
        if (first := sampling.next_start(log)) is not None:
            return first
        history = self._searched_log(log).view(sampling.n_completed(log))
        rng = trial_rng(sampling.seed, number)
        found = sampling.sampler.suggest(self.read_off.searched, history, 1, rng)
        return (sampling.name, self.read_off.completed(found[0])) if found else None

    def _searched_log(self, log: TrialLog) -> _SearchedLog:
        if not self._logs or self._logs[0].source is not log:
            self._logs[:] = [_SearchedLog(log, self.read_off)]
        return self._logs[0]

    def key(self, params: Params) -> str:
        """Key in the space."""
        return self.sampling.key(params)

    def points(self, trial: Trial, objective: Objective) -> Sequence[Params]:
        """The proposal with its submodel candidates."""
        return self.sampling.points(trial, objective)


def with_read_off(
    sampling: SamplerStrategy, objective: Objective
) -> "SamplerStrategy | ReadOffStrategy":
    """Leave out of the search what every fit answers; only if the sampler reads results.

    A search that draws points without looking at results keeps its distribution.
    """
    is_read = sampling.looks_back and sampling.curves and not is_exhaustive(sampling.sampler)
    if not is_read or len(objective.objectives) > 1:
        return sampling
    found = read_off_of(sampling.space, objective)
    if found is None or sampling.sampler.blocker(found.searched):
        return sampling
    return ReadOffStrategy(sampling, found)
