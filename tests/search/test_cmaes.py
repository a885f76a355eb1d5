"""CMA-ES: state from the history, generation by generation."""

import sys

import pytest

from tunesmith.errors import UsageError
from tunesmith.history import FoldResult, TrialLog
from tunesmith.search.cmaes import CMAESSampler
from tunesmith.space import Categorical, Float, Int, SearchSpace
from tunesmith.testing.sampler import CONDITIONAL, FLAT, TWO, UNION, random_log, stream

pytest.importorskip("cmaes")


def test_it_says_what_it_cannot_search() -> None:
    sampler = CMAESSampler()
    for space in (CONDITIONAL, UNION, SearchSpace.of({"k": Categorical(("a", "b"))})):
        reason = sampler.blocker(space)
        assert reason is not None
        assert "tpe" in reason
    assert sampler.blocker(FLAT) is None
    assert sampler.blocker(SearchSpace.of({"n": Int(1, 9)})) is None


def test_several_objectives_are_refused() -> None:
    with pytest.raises(UsageError, match="tpe"):
        CMAESSampler().suggest(FLAT, TrialLog(TWO).view(), 1, stream(0, 0))


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cmaes", None)
    with pytest.raises(UsageError, match=r"pip install 'tunesmith\[cmaes\]'"):
        CMAESSampler().blocker(FLAT)


def test_a_generation_counts_when_all_its_trials_are_told() -> None:
    space = SearchSpace.of({"x": Float(0, 1), "y": Float(0, 1)})
    log = random_log(space, 12, 12)
    sampler = CMAESSampler(population=5)
    answers = [sampler.suggest(space, log.view(n), 1, stream(0, 0)) for n in range(11)]
    for earlier, later in ((0, 4), (5, 9)):
        assert answers[earlier] == answers[later]
    assert answers[4] != answers[5]
    assert answers[9] != answers[10]


def test_it_moves_towards_better_points() -> None:
    """On a slope the mean rises; fixed seeds, so the outcome cannot vary."""
    space = SearchSpace.of({"x": Float(0, 1), "y": Float(0, 1), "k": Categorical(("a", None))})
    log, sampler = TrialLog(random_log(space, 1, 0).objectives), CMAESSampler(seed=1)
    for number in range(80):
        params = sampler.suggest(space, log.view(), 1, stream(1, number))[0]
        trial = log.ask(params, space.key(params), "test")
        score = float(params["x"])  # type: ignore[arg-type]
        log.tell(trial.completed([FoldResult(0, {"score": score})]))
    early = [float(trial.params["x"]) for trial in log.trials[:10]]  # type: ignore[arg-type]
    late = [float(trial.params["x"]) for trial in log.trials[-10:]]  # type: ignore[arg-type]
    assert sum(late) / 10 > 0.9 > sum(early) / 10
    assert {trial.params["k"] for trial in log.trials[-20:]} == {"a", None}
