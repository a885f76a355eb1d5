import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.search.warping import half_rank, shrunk, standardised

VALUES = st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=30).map(np.array)


@given(VALUES)
def test_the_order_is_kept(values: np.ndarray) -> None:
    warped = half_rank(shrunk(values))
    assert np.isfinite(warped).all()
    for i in range(len(values)):
        assert ((warped > warped[i]) <= (values >= values[i])).all()


@given(VALUES)
def test_standardised_values_have_mean_0_and_deviation_1(values: np.ndarray) -> None:
    found = standardised(shrunk(values))
    assert abs(found.mean()) < 1e-6
    assert found.std() < 1 + 1e-6


def test_a_disaster_does_not_flatten_the_others() -> None:
    gains = np.array([0.90, 0.91, 0.92, 0.93, 0.94, 0.95, -1e6])
    found = standardised(half_rank(gains))
    assert found[5] - found[3] > 0.5
