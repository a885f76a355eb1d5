import numpy as np
import pytest
from tests.models.test_greedy import TRUTH, blends_of

from tunesmith.models.greedy import greedy
from tunesmith.models.worth import Worth, always, best_alone, worth


def test_a_choice_among_noise_flatters_and_is_corrected() -> None:
    rng = np.random.default_rng(1)
    told = []
    for _ in range(30):
        blends = blends_of(*(TRUTH + rng.normal(0, 1, 12) for _ in range(6)))
        one = worth(blends, best_alone(blends))
        told.append((one.chosen, one.corrected))
    chosen, corrected = np.mean(told, axis=0)
    # The squared error of every candidate is 1 on average: the choice says less.
    assert chosen < 0.8
    assert 0.85 < corrected < 1.15


def test_a_choice_that_looks_at_no_score_needs_no_correction() -> None:
    blends = blends_of(TRUTH + 1, TRUTH)
    one = worth(blends, always((1, 0)))
    assert one.chosen == one.corrected


def test_gains_have_the_direction_of_the_metric() -> None:
    blends = blends_of(TRUTH + 1, TRUTH + 0.1)
    ensemble, default = (
        worth(blends, lambda folds: greedy(blends, folds)),
        worth(blends, always((1, 0))),
    )
    assert ensemble.gain_over(default, -1) > 0.9
    low, high = ensemble.interval_over(default, -1)
    assert low <= ensemble.gain_over(default, -1) <= high


@pytest.mark.parametrize("sign", [1, -1])
def test_a_gain_is_enough_above_a_quarter_of_its_standard_error(sign: int) -> None:
    # Five gains of standard deviation 1: a quarter of the standard error is 0.1118.
    spread = np.array([-1.0, -0.5, 0.0, 0.5, 1.0]) / np.sqrt(0.625)
    default = Worth(0.0, 0.0, (0.0,) * 5)

    def with_gain(gain: float) -> Worth:
        return Worth(0.0, sign * gain, tuple(sign * (gain + spread)))

    assert with_gain(0.12).is_better_than(default, sign)
    assert not with_gain(0.10).is_better_than(default, sign)
    assert not with_gain(-0.12).is_better_than(default, sign)
    assert not default.is_better_than(default, sign)


def test_one_fold_tells_no_worth() -> None:
    blends = blends_of(TRUTH)
    blends.candidates = [[blends.candidates[0][0]]]
    assert np.isnan(worth(blends, always((1,))).corrected)
    assert isinstance(worth(blends, always((1,))), Worth)
