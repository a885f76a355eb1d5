"""The Gaussian process, held against scikit-learn's and against finite differences."""

import math

import numpy as np
import pytest
from scipy.optimize import check_grad
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from tunesmith.search import gaussian_process
from tunesmith.search.gaussian_process import (
    JITTER,
    GaussianProcess,
    Hyperparameters,
    LogPosterior,
    Priors,
    fit,
    matern,
    matern_and_slope,
)

RNG = np.random.default_rng(0)
X, X_NEW = RNG.random((25, 3)), RNG.random((40, 3))
Y = np.sin(5 * X[:, 0]) + X[:, 1] ** 2
GROUPS = np.arange(3)
HYPER = Hyperparameters(np.array([4.0, 1.0, 0.25]), 1.7, 0.01)


def peer() -> GaussianProcessRegressor:
    kernel = ConstantKernel(HYPER.signal) * Matern(1 / np.sqrt(HYPER.weights), nu=2.5)
    kernel += WhiteKernel(HYPER.noise + JITTER)
    return GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None).fit(X, Y)


def test_the_posterior_is_scikit_learns() -> None:
    means, deviations = GaussianProcess(X, Y, GROUPS, HYPER).posterior(X_NEW)
    expected, with_noise = peer().predict(X_NEW, return_std=True)
    np.testing.assert_allclose(means, expected, rtol=1e-8, atol=1e-10)
    without = np.sqrt(with_noise**2 - HYPER.noise - JITTER)
    np.testing.assert_allclose(deviations, without, rtol=1e-6)
    np.testing.assert_allclose(GaussianProcess(X, Y, GROUPS, HYPER).mean(X_NEW), means)


def test_the_likelihood_is_scikit_learns() -> None:
    # Priors so wide that they vanish, but for the normal densities' missing constant.
    wide = Priors((0.0, 1e9), (0.0, 1e9), (0.0, 1e9))
    logs = np.log([*HYPER.weights, HYPER.signal, HYPER.noise])
    loss, _ = LogPosterior(X, Y, GROUPS, wide).negative(logs)
    constant = 0.5 * len(Y) * math.log(2 * math.pi)
    assert loss + constant == pytest.approx(-peer().log_marginal_likelihood_value_, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_gradient_is_that_of_the_function(seed: int) -> None:
    groups = np.array([0, 1, 1])
    posterior = LogPosterior(X, Y, groups, Priors())
    start = np.random.default_rng(seed).normal(size=4)
    wrong = check_grad(
        lambda logs: posterior.negative(logs)[0], lambda logs: posterior.negative(logs)[1], start
    )
    assert wrong < 1e-4


def test_the_slope_is_that_of_the_kernel() -> None:
    squared = np.linspace(0.01, 9, 50)
    step = 1e-6
    numeric = (matern(squared + step) - matern(squared - step)) / (2 * step)
    values, slopes = matern_and_slope(squared)
    np.testing.assert_array_equal(values, matern(squared))
    np.testing.assert_allclose(slopes, numeric, rtol=1e-6)
    assert matern(np.zeros(1))[0] == 1.0


def test_fitting_finds_which_inputs_matter() -> None:
    rng = np.random.default_rng(1)
    points = rng.random((60, 3))
    values = np.sin(6 * points[:, 0])
    weights = fit(points, (values - values.mean()) / values.std(), GROUPS).weights
    assert weights[0] > 10 * weights[1]
    assert weights[0] > 10 * weights[2]


def test_fitting_tells_noise_from_signal() -> None:
    rng = np.random.default_rng(2)
    points = rng.random((80, 1))
    signal = np.sin(6 * points[:, 0])
    noisy = signal + rng.normal(scale=signal.std(), size=80)
    quiet, loud = (
        fit(points, (v - v.mean()) / v.std(), np.zeros(1, dtype=int)).noise for v in (signal, noisy)
    )
    assert quiet < 1e-3
    assert 0.2 < loud < 0.9


def test_what_is_believed_moves_no_mean_and_ends_doubt_there() -> None:
    process = GaussianProcess(X, Y, GROUPS, HYPER)
    believing = process.believing(X_NEW[:5])
    np.testing.assert_allclose(believing.mean(X_NEW), process.mean(X_NEW), atol=1e-7)
    before, after = (p.posterior(X_NEW)[1] for p in (process, believing))
    assert (after <= before + 1e-9).all()
    assert (after[:5] < np.sqrt(HYPER.noise) + 1e-9).all()
    assert len(process.values) == len(Y)


@pytest.mark.parametrize(("n", "n_more"), [(60, 5), (200, 9)])
def test_a_fit_that_starts_near_is_as_good_for_less(
    n: int, n_more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(5)
    points = rng.random((n + n_more, 6))
    values = np.sin(5 * points[:, 0]) + points[:, 1] ** 2 + 0.2 * rng.normal(size=len(points))
    values = (values - values.mean()) / values.std()
    groups = np.arange(6)
    near = fit(points[:n], values[:n], groups)
    counts, negative = [0], LogPosterior.negative

    def counted(self: LogPosterior, logs: np.ndarray) -> tuple[float, np.ndarray]:
        # Those of a thinned part cost next to nothing.
        counts[0] += len(self.values) == len(values)
        return negative(self, logs)

    monkeypatch.setattr(LogPosterior, "negative", counted)
    posterior = LogPosterior(points, values, groups, Priors())
    losses, steps = [], []
    monkeypatch.setattr(gaussian_process, "MOST_FROM_AFAR", 1000)
    for start in (None, near):
        counts[0] = 0
        losses.append(negative(posterior, fit(points, values, groups, near=start).logs)[0])
        steps.append(counts[0])
    assert losses[1] < losses[0] + 0.01
    assert steps[1] < 0.6 * steps[0]
    monkeypatch.undo()
    assert negative(posterior, fit(points, values, groups).logs)[0] < losses[0] + 0.01


def test_parameters_survive_their_logarithms() -> None:
    again = Hyperparameters.from_logs(HYPER.logs)
    np.testing.assert_allclose(again.weights, HYPER.weights, rtol=1e-14)
    assert (again.signal, again.noise) == pytest.approx((HYPER.signal, HYPER.noise))


def test_equal_values_and_repeated_points_are_survived() -> None:
    points = np.repeat(X[:3], 4, axis=0)
    hyper = fit(points, np.zeros(12), GROUPS)
    means, deviations = GaussianProcess(points, np.zeros(12), GROUPS, hyper).posterior(X_NEW)
    assert (means == 0).all()
    assert np.isfinite(deviations).all()


def test_choices_are_compared_by_the_hamming_distance() -> None:
    """One weight for all columns of a choice: a different one is that far away, whichever it is."""
    hot = np.sqrt(0.5) * np.eye(3)
    hyper = Hyperparameters(np.array([2.0]), 1.0, 1e-6)
    process = GaussianProcess(hot[:1], np.ones(1), np.zeros(3, dtype=int), hyper)
    same, *others = process.mean(hot)
    assert same == pytest.approx(1.0, abs=1e-5)
    assert others == pytest.approx([matern(np.array([2.0]))[0]] * 2, abs=1e-5)


def test_the_last_bits_of_values_do_not_change_the_fit() -> None:
    values = (Y - Y.mean()) / Y.std()
    first, second = (fit(X, v, GROUPS) for v in (values, values * (1 + 1e-14)))
    np.testing.assert_array_equal(first.weights, second.weights)
    assert (first.signal, first.noise) == (second.signal, second.noise)


def test_many_points_in_many_dimensions_are_survived() -> None:
    rng = np.random.default_rng(3)
    points, values = rng.random((300, 30)), rng.normal(size=300)
    hyper = fit(points, values, np.arange(30))
    process = GaussianProcess(points, values, np.arange(30), hyper)
    means, deviations = process.posterior(rng.random((50, 30)))
    assert np.isfinite(means).all()
    assert (deviations > 0).all()


@pytest.mark.parametrize(("share", "least"), [(0.02, 0.95), (0.25, 0.85), (0.5, 0.7)])
def test_the_mean_is_near_the_truth_behind_noise(share: float, least: float) -> None:
    """Taken for a rough function, a quarter of noise gives .75, and one half .59."""
    found = []
    for seed in range(6):
        rng = np.random.default_rng([4, seed])
        points, turn = rng.random((460, 3)), rng.uniform(0, 3)
        truth = np.sin(5 * points[:, 0]) + np.cos(4 * points[:, 1] + turn)
        truth += 2 * (points[:, 2] - 0.4) ** 2 + points[:, 0] * points[:, 1]
        noise = rng.normal(size=60) * truth.std() * math.sqrt(share / (1 - share))
        values = truth[:60] + noise
        values = (values - values.mean()) / values.std()
        process = GaussianProcess(points[:60], values, GROUPS, fit(points[:60], values, GROUPS))
        found.append(np.corrcoef(process.mean(points[60:]), truth[60:])[0, 1])
    assert np.mean(found) > least
