import numpy as np
import pytest

from tunesmith.analysis.importance.surrogate import Surrogate, _spread


def surrogate(n: int, noise: float, signal: float = 1.0) -> tuple[Surrogate, np.ndarray]:
    rng = np.random.default_rng(0)
    features = rng.random((n, 2))
    values = signal * np.sin(5 * features[:, 0]) + rng.normal(0, noise, n)
    standard = (values - values.mean()) / values.std()
    return Surrogate(features, standard, np.arange(2), np.random.default_rng(1)), standard


def test_functions_go_through_the_trials_and_differ_far_from_them() -> None:
    model, values = surrogate(40, 0.0)
    near, far = model.at(model.features), model.at(model.features + 3)
    assert np.abs(near.mean(axis=0) - values).max() < 0.1
    assert near.std(axis=0).max() < 0.15
    assert far.std(axis=0).min() > 5 * near.std(axis=0).max()
    assert model.explained > 0.95


def test_nothing_is_foretold_of_noise() -> None:
    assert surrogate(60, 1.0, signal=0.0)[0].explained < 0.1


def test_functions_are_the_same_wherever_they_are_asked() -> None:
    model, _ = surrogate(30, 0.1)
    together = model.at(model.features)
    assert model.at(model.features[:5]) == pytest.approx(together[:, :5], abs=1e-4)


def test_of_many_trials_some_are_far_from_each_other() -> None:
    rng = np.random.default_rng(0)
    crowd = np.vstack([rng.normal(0.5, 0.01, (500, 2)), [[0, 0], [0, 1], [1, 0], [1, 1]]])
    rows = _spread(crowd, 40, rng)
    assert len(rows) == 40
    assert {500, 501, 502, 503} <= set(rows.tolist())
    assert len(set(rows.tolist())) == 40
