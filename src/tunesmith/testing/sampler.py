"""The contract of samplers: subclass ``SamplerContract`` to test your own.

The suite plays short studies over small spaces of every kind; those that it does not support are
left out. Nothing is timed.
"""

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from zlib import crc32

import numpy as np
from numpy.random import Generator

from tunesmith.history import Failure, FoldResult, Metric, Trial, TrialLog
from tunesmith.search.sampler import Sampler
from tunesmith.space import Box, Categorical, Condition, Float, Grid, Int, SearchSpace
from tunesmith.space.expression import Expression
from tunesmith.types import Params

ONE = (Metric("score"),)
TWO = (Metric("score"), Metric("loss", "minimize"))
WINDOW = 4
KNOWN = 12
"""Number of trials of a random history; every finite space has a few more points."""

FLAT = SearchSpace.of(
    {
        "x": Float(-1, 1),
        "rate": Float(1e-5, 1, log=True),
        "ratio": Float(0, 1, step=0.25),
        "depth": Int(1, 30),
        "leaves": Int(2, 4096, log=True),
        "trees": Int(50, 500, step=50),
        "features": Categorical(("sqrt", None, 0.5, True, 1)),
    }
)
CONDITIONAL = SearchSpace(
    (
        Box(
            {
                "kernel": Categorical(("linear", "poly", "rbf")),
                "c": Float(1e-3, 1e3, log=True),
                "gamma": Float(1e-4, 1, log=True),
                "degree": Int(2, 5),
            },
            {
                "gamma": (Condition("kernel", ("poly", "rbf")),),
                "degree": (Condition("kernel", ("poly",)),),
            },
        ),
    )
)
UNION = SearchSpace.of(
    {"kind": Categorical(("tree",)), "depth": Int(1, 20)},
    {"kind": Categorical(("linear",)), "alpha": Float(0, 1), "l1": Float(0, 1)},
)
CONSTRAINED = SearchSpace(
    (Box({"a": Float(0, 1), "b": Float(0, 1), "n": Int(1, 9)}),), (Expression("a < b"),)
)
FINITE = SearchSpace.of({"n": Int(1, 4), "m": Int(10, 30, step=10), "k": Categorical(("a", None))})
FINITE_CONDITIONAL = SearchSpace(
    (
        Box(
            {"kind": Categorical(("a", "b")), "n": Int(1, 6), "m": Int(1, 3)},
            {"m": (Condition("kind", ("b",)),)},
        ),
    ),
    (Expression("n != 2"),),
)
FINITE_UNION = SearchSpace.of(
    {"n": Categorical((1, 2, 3, 4, 5)), "k": Categorical(("a", "b"))},
    {"n": Categorical((4, 5, 6, 7, 8)), "k": Categorical(("b", True))},
)
SPACES: Mapping[str, SearchSpace] = {
    "flat": FLAT,
    "conditional": CONDITIONAL,
    "union": UNION,
    "constrained": CONSTRAINED,
    "finite": FINITE,
    "finite conditional": FINITE_CONDITIONAL,
    "finite union": FINITE_UNION,
}
FINITE_SPACES = {name: space for name, space in SPACES.items() if name.startswith("finite")}


_PLAYED: dict[tuple[type["SamplerContract"], str], TrialLog] = {}


class SamplerContract:
    """Tests of one sampler: override ``make``."""

    n_trials = 20
    """Length of the studies that are played: beyond any start-up phase of the sampler."""
    takes_several_objectives = True
    tried: Collection[str] = SPACES.keys()
    """Names of the spaces that are searched."""

    def make(self) -> Sampler:
        """A fresh sampler, with the same options each time."""
        raise NotImplementedError

    def searchable(self, spaces: Mapping[str, SearchSpace]) -> dict[str, SearchSpace]:
        """Return the spaces that the sampler supports."""
        tried = {name: space for name, space in spaces.items() if name in self.tried}
        return {name: space for name, space in tried.items() if not self.make().blocker(space)}

    def played(self, name: str, space: SearchSpace) -> TrialLog:
        """The study that a fresh sampler plays over a space; several tests look at the same one."""
        key = (type(self), name)
        if key not in _PLAYED:
            _PLAYED[key] = play(self.make(), space, self.n_trials)
        return _PLAYED[key]

    def test_it_searches_something_and_says_why_not_the_rest(self) -> None:
        assert self.searchable(SPACES)
        for space in SPACES.values():
            reason = self.make().blocker(space)
            assert reason is None or reason.strip()

    def test_suggestions_are_canonical_points_of_the_space(self) -> None:
        for name, space in self.searchable(SPACES).items():
            for trial in self.played(name, space).view():
                canonical = space.canonical(trial.params)
                assert list(canonical) == list(trial.params), name
                if len(space.boxes) == 1:
                    assert space.key(canonical) == trial.key, name
                    kinds = [type(value) for value in trial.params.values()]
                    assert kinds == [type(value) for value in canonical.values()], name

    def test_never_the_same_point_twice(self) -> None:
        for name, space in self.searchable(SPACES).items():
            keys = [trial.key for trial in self.played(name, space).view()]
            assert len(keys) == len(set(keys)), name

    def test_a_finite_space_is_used_up_exactly(self) -> None:
        for name, space in self.searchable(FINITE_SPACES).items():
            everything = {space.key(params) for params in Grid(space).after(-1)}
            keys = [t.key for t in play(self.make(), space, len(everything) + 5).view()]
            assert len(keys) == len(set(keys)), name
            assert set(keys) == everything, name

    def test_batches_are_full_until_the_space_is_used_up(self) -> None:
        for name, space in self.searchable(FINITE_SPACES).items():
            n_points = len({space.key(params) for params in Grid(space).after(-1)})
            sampler, log = self.make(), TrialLog(ONE)
            sizes = []
            while points := sampler.suggest(space, log.view(), 7, stream(0, len(log.trials))):
                sizes.append(len(points))
                for params in points:
                    tell(log, space, log.ask(params, space.key(params), "test"))
            assert sum(sizes) == n_points == len({trial.key for trial in log.completed}), name
            assert sizes[:-1] == [7] * (len(sizes) - 1), name

    def test_as_many_as_asked_for_in_every_phase(self) -> None:
        for name, space in self.searchable(SPACES).items():
            for n_proposed, n_completed in ((0, 0), (4, 0), (KNOWN, KNOWN)):
                log = random_log(space, n_proposed, n_completed)
                for n in (1, 4):
                    points = self.make().suggest(space, log.view(), n, stream(1, n))
                    keys = {space.key(params) for params in points}
                    assert len(points) == len(keys) == n, (name, n_proposed, n_completed)
                    assert not any(log.view().has(key) for key in keys), (
                        name,
                        n_proposed,
                        n_completed,
                    )

    def test_a_fresh_instance_answers_alike_at_every_moment(self) -> None:
        for name, space in self.searchable(SPACES).items():
            log = self.played(name, space)
            for trial in log.trials:
                n_completed = completed_before(trial.number)
                moment = copied(log, trial.number, n_completed).view()
                rng = stream(0, trial.number)
                assert self.make().suggest(space, moment, 1, rng) == [trial.params], name

    def test_what_it_saw_before_does_not_matter(self) -> None:
        for name, space in self.searchable(SPACES).items():
            first = random_log(space, KNOWN, KNOWN)
            # As long as the first, with other scores: a cache that looks at lengths alone fails.
            other = copied(first, KNOWN, KNOWN, turn=-1)
            seasoned = self.make()
            seasoned.suggest(space, first.view(), 1, stream(0, 0))
            for log in (other, first):
                for n_completed in (KNOWN, KNOWN // 2):
                    expected = self.make().suggest(space, log.view(n_completed), 2, stream(3, 3))
                    given = seasoned.suggest(space, log.view(n_completed), 2, stream(3, 3))
                    assert given == expected, name

    def test_trials_may_be_completed_with_other_params_than_proposed(self) -> None:
        for name, space in self.searchable(SPACES).items():
            seasoned = self.make()
            log = play(seasoned, space, self.n_trials, finds=turned(space))
            for trial in log.trials:
                moment = copied(log, trial.number, completed_before(trial.number)).view()
                rng = stream(0, trial.number)
                assert self.make().suggest(space, moment, 1, rng) == [trial.params], name

    def test_it_touches_neither_the_history_nor_global_randomness(self) -> None:
        for name, space in self.searchable(SPACES).items():
            log = random_log(space, KNOWN, KNOWN - 2)
            before = repr((log.trials, log.completed))
            # The user's own code may have seeded these.
            chance = random.getstate(), str(np.random.get_state())
            sampler, history = self.make(), log.view()
            first = sampler.suggest(space, history, 2, stream(0, 0))
            # The answer is the caller's: a sampler must not hand out what it keeps.
            first[0].clear() if isinstance(first[0], dict) else None
            assert sampler.suggest(space, history, 2, stream(0, 0))[0], name
            assert repr((log.trials, log.completed)) == before, name
            assert chance == (random.getstate(), str(np.random.get_state())), name

    def test_failures_alone_are_survived(self) -> None:
        for name, space in self.searchable(SPACES).items():
            log = random_log(space, KNOWN, KNOWN, failing=1)
            assert len(self.make().suggest(space, log.view(), 2, stream(0, 0))) == 2, name

    def test_equal_scores_are_survived(self) -> None:
        for name, space in self.searchable(SPACES).items():
            # Without any spread, a standardised score would be divided by zero.
            log = random_log(space, KNOWN, KNOWN, turn=0)
            assert len(self.make().suggest(space, log.view(), 2, stream(0, 0))) == 2, name

    def test_enormous_scores_are_survived(self) -> None:
        for name, space in self.searchable(SPACES).items():
            # The squares of such scores are infinite.
            log = random_log(space, KNOWN, KNOWN, turn=1e300)
            assert len(self.make().suggest(space, log.view(), 2, stream(0, 0))) == 2, name

    def test_several_objectives(self) -> None:
        if not self.takes_several_objectives:
            return
        for name, space in self.searchable(SPACES).items():
            n_trials = min(self.n_trials, KNOWN)
            log = play(self.make(), space, n_trials, objectives=TWO)
            assert len({trial.key for trial in log.trials}) == n_trials, name


# -- small studies ----------------------------------------------------------------------------


def play(
    sampler: Sampler,
    space: SearchSpace,
    n_trials: int,
    objectives: tuple[Metric, ...] = ONE,
    finds: Callable[[Params], Params] = lambda params: params,
) -> TrialLog:
    """Play a study of up to ``n_trials`` trials, up to ``WINDOW - 1`` of them pending.

    ``finds`` gives the params with which a trial is completed.
    """
    log = TrialLog(objectives)
    for number in range(n_trials):
        while len(log.completed) < completed_before(number):
            pending = log.trials[len(log.completed)]
            completed = finds(pending.params)
            tell(log, space, replace(pending, params=completed, key=space.key(completed)))
        suggested = sampler.suggest(space, log.view(), 1, stream(0, number))
        if not suggested:
            break
        log.ask(suggested[0], space.key(suggested[0]), "test")
    return log


def turned(space: SearchSpace) -> Callable[[Params], Params]:
    """Another point of the space for every third point or so, the same one each time."""

    def find(params: Params) -> Params:
        # Not `hash`, which differs from process to process for texts.
        luck = crc32(space.key(params).encode())
        return params if luck % 3 else space.sample(stream(8, luck))

    return find


def completed_before(number: int) -> int:
    """Return the number of trials with results when a trial is proposed."""
    return max(0, number - WINDOW + 1)


def random_log(
    space: SearchSpace, n_proposed: int, n_completed: int, *, failing: int = 6, turn: float = 1.0
) -> TrialLog:
    """Different random points, the first ``n_completed`` with results."""
    log, rng = TrialLog(ONE), stream(9, 9)
    while len(log.trials) < n_proposed:
        params = space.sample(rng)
        if not log.view().has(space.key(params)):
            log.ask(params, space.key(params), "test")
    for trial in log.trials[:n_completed]:
        tell(log, space, trial, failing=failing, turn=turn)
    return log


def copied(log: TrialLog, n_proposed: int, n_completed: int, *, turn: float = 1.0) -> TrialLog:
    """The beginning of a log, as a resumed study would have it; scores times ``turn``."""
    copy = TrialLog(log.objectives)
    for trial in log.trials[:n_proposed]:
        copy.ask(dict(trial.params), trial.key, trial.origin)
    for trial in log.completed[:n_completed]:
        folds = [
            FoldResult(f.fold, {k: turn * v for k, v in f.scores.items()}, failure=f.failure)
            for f in trial.folds
        ]
        copy.tell(replace(trial, folds=()).completed(folds))
    return copy


def tell(
    log: TrialLog, space: SearchSpace, trial: Trial, *, failing: int = 6, turn: float = 1.0
) -> None:
    """Results of two folds; every ``failing``-th trial fails."""
    if trial.number % failing == failing - 1:
        folds = [FoldResult(fold, {}, failure=Failure("ValueError", "bad")) for fold in (0, 1)]
    else:
        gain = turn * height(space, trial.params)
        folds = [FoldResult(fold, {"score": gain + fold / 100, "loss": -gain}) for fold in (0, 1)]
    log.tell(trial.completed(folds))


def height(space: SearchSpace, params: Params) -> float:
    """A smooth hill over the numbers of a space, a step for every box and category."""
    index, point = space.locate(params)
    parameters = space.boxes[index].parameters
    total = index / 10
    for name, value in point.items():
        if isinstance(parameters[name], Categorical):
            total += crc32(space.key({name: value}).encode()) % 100 / 1000
        else:
            total -= (parameters[name].unit(value) - 0.4) ** 2
    return total


def stream(seed: int, number: int) -> Generator:
    """A generator of its own for every trial."""
    return np.random.default_rng([seed, number])
