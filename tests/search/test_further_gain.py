"""The forecast of further trials, where the truth is known, and the criterion that uses it."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tunesmith.config.stop import StopSection
from tunesmith.errors import UsageError
from tunesmith.history import FoldResult, History, Metric, TrialLog
from tunesmith.search.further_gain import FurtherGain, outlook
from tunesmith.search.random import RandomSampler
from tunesmith.search.stopping import AllOf, AnyOf, Criterion, build
from tunesmith.space import Box, Float, Int, SearchSpace
from tunesmith.study.seeds import trial_rng
from tunesmith.testing.stopping import StoppingContract, history_of
from tunesmith.types import Params, Value

METRIC = Metric("score")
SPACE = SearchSpace((Box({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}),))
N_FOLDS = 4


def number(value: Value) -> float:
    assert isinstance(value, int | float)
    return float(value)


def hill(params: Params) -> float:
    return -((number(params["x"]) - 0.6) ** 2) - (number(params["y"]) - 0.3) ** 2


def played(
    truth: Callable[[Params], float], n: int, *, noise: float, seed: int, space: SearchSpace = SPACE
) -> History:
    """History of ``n`` random trials with independent noise in every fold."""
    rng, log = np.random.default_rng(seed), TrialLog((METRIC,))
    for number in range(n):
        (params,) = RandomSampler().suggest(space, log.view(), 1, trial_rng(seed, number))
        trial = log.ask(params, space.key(params), "random")
        scores = truth(params) + noise * rng.normal(size=N_FOLDS)
        log.tell(
            trial.completed([FoldResult(f, {"score": float(s)}) for f, s in enumerate(scores)])
        )
    return log.view()


class TestFurtherGain(StoppingContract):
    def make(self) -> Criterion:
        return FurtherGain(1.0, space=SearchSpace((Box({"n": Int(0, 99)}),)))

    def spent(self) -> Sequence[Sequence[float]]:
        return [[0.5, 0.5 + 0.001 * n, 0.5] for n in range(20)]

    def going(self) -> Sequence[Sequence[float]]:
        return self.spent()[:19]


def test_the_forecast_falls_and_lies_near_what_random_points_can_reach() -> None:
    early = [outlook(SPACE, played(hill, 20, noise=0.0, seed=s)) for s in range(4)]
    late = [outlook(SPACE, played(hill, 80, noise=0.0, seed=s)) for s in range(4)]
    left = [-max(hill(t.params) for t in played(hill, 20, noise=0.0, seed=s)) for s in range(4)]
    gains = [one.gain for one in early if one]
    assert len(gains) == 4
    # Nothing beats the top of the hill, and the model sees most of what is left.
    assert 0.3 * np.mean(left) < np.mean(gains) < 1.7 * np.mean(left)
    assert np.mean([one.gain for one in late if one]) < np.mean(gains)


@pytest.mark.parametrize("seed", range(2))
def test_noise_is_that_of_a_difference_of_two_trials(seed: int) -> None:
    found = outlook(SPACE, played(hill, 60, noise=0.1, seed=seed))
    assert found is not None
    assert found.noise == pytest.approx(0.1 * np.sqrt(2 / N_FOLDS), rel=0.25)


def test_equal_histories_give_equal_forecasts() -> None:
    one, other = (outlook(SPACE, played(hill, 30, noise=0.05, seed=1)) for _ in range(2))
    assert one == other


def test_nothing_is_left_in_a_space_that_was_tried_in_full() -> None:
    space = SearchSpace((Box({"n": Int(1, 24)}),))
    history = played(lambda p: -abs(number(p["n"]) - 7), 24, noise=0.0, seed=0, space=space)
    found = outlook(space, history)
    assert found is not None
    assert found.gain == 0.0


def test_equal_scores_promise_nothing() -> None:
    found = outlook(SPACE, played(lambda _: 0.5, 20, noise=0.0, seed=0))
    assert found is not None
    assert found.gain == 0.0
    assert found.noise == pytest.approx(0.0, abs=1e-12)


def test_there_is_no_forecast_from_few_trials() -> None:
    assert outlook(SPACE, played(hill, 19, noise=0.0, seed=0)) is None


def test_it_ends_once_the_folds_cannot_tell_what_is_left() -> None:
    criterion = FurtherGain().in_space(SPACE)
    loud, quiet = (played(hill, 40, noise=noise, seed=3) for noise in (1.0, 1e-6))
    reason = criterion.is_spent(loud, 0.0)
    assert reason is not None
    assert reason.startswith("the expected gain of 20 further trials, ")
    assert reason.endswith("is below the folds' noise")
    assert criterion.is_spent(quiet, 0.0) is None
    # It looks after every fifth trial only.
    assert criterion.is_spent(played(hill, 41, noise=1.0, seed=3), 0.0) is None


def test_it_needs_a_space_and_noise() -> None:
    single = history_of([[0.1 * n] for n in range(20)])
    with pytest.raises(UsageError, match="needs a search space"):
        FurtherGain().is_spent(single, 0.0)
    space = SearchSpace((Box({"n": Int(0, 99)}),))
    with pytest.raises(UsageError, match="a single fold has no noise"):
        FurtherGain(space=space).is_spent(single, 0.0)


def test_a_configuration_names_it_anywhere() -> None:
    stop = StopSection.model_validate(
        {"further_gain": 0.01, "all": [{"further_gain": {"trials": 5}}, {"trials": 50}]}
    )
    criterion = build(stop, SPACE)
    assert isinstance(criterion, AnyOf)
    assert criterion.criteria[0] == FurtherGain(0.01, 20, SPACE)
    group = criterion.criteria[1]
    assert isinstance(group, AllOf)
    assert group.criteria[0] == FurtherGain("noise", 5, SPACE)


def test_budgets_and_points_outside_the_space_do_not_disturb_it() -> None:
    log = TrialLog((METRIC,))
    for trial in played(hill, 30, noise=0.05, seed=1):
        params = {**trial.params, "epochs": 9} if trial.number else {"x": 7.0, "y": 0.5}
        log.tell(log.ask(params, trial.key, "random").completed(trial.folds))
    found = outlook(SPACE, log.view())
    assert found is not None
    assert 0 < found.gain < 1
