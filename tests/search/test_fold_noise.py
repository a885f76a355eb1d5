import numpy as np
import pytest

from tunesmith.search.fold_noise import noise_of_means


def scores(
    *, effect: float, shared: float, residual: float, n: int = 400, k: int = 5
) -> np.ndarray:
    rng = np.random.default_rng(0)
    by_trial, by_fold = rng.normal(size=(n, 1)) * effect, rng.normal(size=k) * shared
    return by_trial + by_fold + rng.normal(size=(n, k)) * residual


@pytest.mark.parametrize("effect", [0.0, 1.0, 100.0])
@pytest.mark.parametrize("shared", [0.0, 10.0])
def test_only_the_residual_counts(effect: float, shared: float) -> None:
    found = noise_of_means(scores(effect=effect, shared=shared, residual=0.3))
    assert found == pytest.approx(0.3**2 / 5, rel=0.1)


def test_it_is_unknown_with_one_fold_or_few_trials() -> None:
    assert noise_of_means(scores(effect=1, shared=0, residual=1, k=1)) is None
    assert noise_of_means(scores(effect=1, shared=0, residual=1, n=3)) is None
