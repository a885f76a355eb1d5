import numpy as np
import pytest

from tunesmith.analysis.statistics.effects import MAX_POINTS, Effects, ParameterColumn


def effects(n: int = 150) -> Effects:
    """Of a truth with a square, an interaction, a category and a parameter without effect."""
    rng = np.random.default_rng(0)
    a, b, c, idle = rng.random((4, n))
    kind = rng.integers(3, size=n).astype(float)
    scores = a**2 + 4 * (b - 0.5) * (c - 0.5) + np.array([0.0, 0.3, 0.1])[kind.astype(int)]
    numbers = {"a": a, "b": b, "c": c, "idle": idle}
    columns = [ParameterColumn(name, values, is_category=False) for name, values in numbers.items()]
    columns.append(ParameterColumn("kind", kind, is_category=True))
    return Effects(columns, scores + rng.normal(0, 0.03, n))


@pytest.fixture(scope="module")
def found() -> Effects:
    return effects()


def test_the_trend_is_the_truth(found: Effects) -> None:
    trend = found.trend("a")
    expected, truth = trend.expected - trend.expected.mean(), trend.points**2
    assert np.corrcoef(expected, truth)[0, 1] > 0.95
    assert (np.abs(expected - truth + truth.mean()) <= 3 * trend.error).mean() > 0.8
    assert len(trend.points) == MAX_POINTS


def test_a_parameter_without_effect_has_a_flat_trend(found: Effects) -> None:
    assert np.ptp(found.trend("idle").expected) < 0.2 * np.ptp(found.trend("a").expected)


def test_categories_have_levels(found: Effects) -> None:
    trend = found.trend("kind")
    assert trend.points.tolist() == [0, 1, 2]
    assert np.argmax(trend.expected) == 1


def test_the_same_trials_give_the_same_effects(found: Effects) -> None:
    assert np.array_equal(effects().trend("b").expected, found.trend("b").expected)


def test_conditional_parameters_are_judged_where_they_are() -> None:
    rng = np.random.default_rng(0)
    kind = rng.integers(2, size=80).astype(float)
    deep = np.where(kind == 1, rng.random(80), np.nan)
    scores = np.where(kind == 1, deep, 0.2)
    columns = [
        ParameterColumn("kind", kind, is_category=True),
        ParameterColumn("deep", deep, is_category=False),
    ]
    trend = Effects(columns, scores).trend("deep")
    assert trend.expected[-1] - trend.expected[0] > 0.5
