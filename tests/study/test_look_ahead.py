import pytest

from tunesmith.study.look_ahead import BUSY_FITS, MOST_TRIALS, default_window, window_for


@pytest.mark.parametrize("n_folds", range(1, 40))
def test_the_default_allows_eight_fits_within_its_limits(n_folds: int) -> None:
    window = default_window(n_folds)
    assert 1 <= window <= MOST_TRIALS
    assert window * n_folds >= BUSY_FITS or window == MOST_TRIALS
    # No larger than needed.
    assert window == 1 or (window - 1) * n_folds < BUSY_FITS


@pytest.mark.parametrize("n_workers", [1, 5, 8, 17])
@pytest.mark.parametrize("n_folds", [1, 3, 10])
def test_no_smaller_window_keeps_all_workers_busy(n_workers: int, n_folds: int) -> None:
    window = window_for(n_workers, n_folds)
    assert window * n_folds >= n_workers
    assert window == 1 or (window - 1) * n_folds < n_workers
