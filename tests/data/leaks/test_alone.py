import numpy as np
import pandas as pd
import pytest

from tunesmith.data.leaks.alone import N_COLUMNS, is_suspicious, skill_of, telling_features

RNG = np.random.default_rng(0)


def test_the_skill_is_the_share_of_the_error_that_is_taken_away() -> None:
    y = RNG.integers(0, 2, size=2000)
    wrong = np.where(RNG.random(2000) < 0.1, 1 - y, y)
    # Guessing is wrong half of the time, the feature a tenth of it.
    found = skill_of(pd.Series(wrong), y, is_classification=True)
    assert found == pytest.approx(0.8, abs=0.05)
    assert skill_of(pd.Series(RNG.normal(size=2000)), y, is_classification=True) < 0.1


@pytest.mark.parametrize(
    ("skill", "next_best", "expected"),
    [(0.99, 0.97, True), (0.92, 0.4, True), (0.92, 0.6, False), (0.7, 0.0, False)],
)
def test_little_error_or_a_long_lead_is_suspicious(
    skill: float, next_best: float, expected: bool
) -> None:
    assert is_suspicious(skill, next_best) is expected
    assert not is_suspicious(skill, None)


def test_of_many_features_the_closest_are_looked_at() -> None:
    y = RNG.normal(size=300)
    frame = pd.DataFrame(RNG.normal(size=(300, N_COLUMNS + 50))).add_prefix("x")
    frame["leak"] = 3 * y + 1
    (sign,) = telling_features(frame, y, is_classification=False)
    assert (sign.kind, sign.name) in (("disguise", "leak"), ("alone", "leak"))


@pytest.mark.parametrize("value", [1e40, -1e100, 1.7e308, np.inf])
def test_numbers_beyond_32_bits_are_looked_at(value: float) -> None:
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, 200)
    column = pd.Series(rng.normal(size=200))
    column[7] = value
    assert skill_of(column, target, is_classification=True) < 0.5
