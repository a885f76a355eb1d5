import numpy as np
from scipy import stats

from tunesmith.analysis.statistics.distributions import chi2_ppf, f_isf, t_isf, t_sf

SHARES = [1e-6, 1e-3, 0.025, 0.05, 0.3, 0.5, 0.9]
DFS = [1, 2, 2.5, 4, 9, 30, 1000]


def test_quantiles_are_those_of_scipy_stats_bit_for_bit() -> None:
    for df in [*DFS, np.inf]:
        assert [t_isf(p, df) for p in SHARES] == [float(stats.t.isf(p, df)) for p in SHARES]
        points = np.linspace(-5, 9, 31)
        np.testing.assert_array_equal(t_sf(points, df), stats.t.sf(points, df))
    for df in DFS:
        shares = np.array(SHARES)
        np.testing.assert_array_equal(chi2_ppf(shares, df), stats.chi2.ppf(shares, df))
        # Of the upper tail, scipy rounds once more.
        found, expected = [f_isf(p, df, df) for p in SHARES], stats.f.isf(shares, df, df)
        np.testing.assert_allclose(found, expected, rtol=1e-9)
