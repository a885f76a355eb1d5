import numpy as np
import pytest
from scipy import stats

from tunesmith.analysis.statistics.many_to_one import critical_value, exceedance


@pytest.mark.parametrize(
    ("df", "n", "value"),
    # Dunnett (1955), table 1a: one-sided, 5 %.
    [(5, 1, 2.02), (5, 9, 3.30), (20, 3, 2.19), (20, 9, 2.60), (60, 5, 2.28), (np.inf, 9, 2.42)],
)
def test_dunnetts_table_is_found_again(df: float, n: int, value: float) -> None:
    assert critical_value(0.05, df, n) == pytest.approx(value, abs=0.02)


def test_it_is_the_distribution_of_the_largest_difference() -> None:
    rng, n, df = np.random.default_rng(0), 40, 12
    draws = rng.normal(size=(20_000, n + 1))
    scale = np.sqrt(rng.chisquare(df, 20_000) / df)
    largest = ((draws[:, 1:] - draws[:, :1]) / np.sqrt(2) / scale[:, None]).max(axis=1)
    limits = np.array([1.0, 2.0, 3.0])
    found = exceedance(limits, df, n)
    assert found == pytest.approx([(largest > limit).mean() for limit in limits], abs=0.012)


@pytest.mark.parametrize("df", [2.0, 10.0, np.inf])
@pytest.mark.parametrize("n", [1, 2, 1000])
def test_it_lies_between_one_comparison_and_bonferroni(df: float, n: int) -> None:
    found = critical_value(0.05, df, n)
    assert stats.t.isf(0.05, df) <= found <= stats.t.isf(0.05 / n, df)
    assert exceedance(np.array([found]), df, n)[0] == pytest.approx(0.05, abs=1e-4)


def test_the_critical_value_is_that_of_brentq() -> None:
    from scipy.optimize import brentq

    from tunesmith.analysis.statistics.distributions import t_isf

    for alpha, df, n in ((0.05, 4.0, 2), (0.025, 9.5, 9), (0.01, float("inf"), 60)):
        ends = t_isf(alpha, df), t_isf(alpha / n, df)
        expected = brentq(
            lambda t, alpha=alpha, df=df, n=n: float(exceedance(np.array(t), df, n)) - alpha,
            *ends,
            xtol=1e-12,
        )
        assert critical_value(alpha, df, n) == pytest.approx(expected, abs=1e-7)
