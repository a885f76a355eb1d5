import numpy as np

from tunesmith.analysis.statistics.leakage import too_good
from tunesmith.testing.fold_scores import simulate

SIZES = np.linspace(0, 1, 20)


def test_perfect_scores_are_named() -> None:
    gains = np.vstack([np.full(5, 0.7), np.ones(5)])
    assert too_good(gains, "accuracy", np.zeros(2)) == "the best trial is perfect on every fold"
    assert too_good(gains - 1, "neg_log_loss", np.zeros(2))
    assert not too_good(gains, "profit", np.zeros(2))


def test_simple_models_that_are_nearly_perfect_are_named() -> None:
    rng = np.random.default_rng(0)
    gains = simulate(np.full(20, 0.9985), 5, rng, noise=1e-4, fold=0)
    assert too_good(gains, "roc_auc", SIZES) == "even the simplest models are nearly perfect"
    assert not too_good(gains - SIZES[::-1, None] / 10, "roc_auc", SIZES)
    assert not too_good(gains, "roc_auc", np.zeros(20))


def test_usual_scores_are_not() -> None:
    gains = simulate(np.full(20, 0.9), 5, np.random.default_rng(0))
    assert not too_good(gains, "accuracy", SIZES)
    assert not too_good(gains[:0], "accuracy", SIZES[:0])


def test_a_nearly_perfect_score_is_named() -> None:
    """As with tomorrow's rain among the features, where no fold is perfect."""
    gains = np.array([[0.9998, 0.9996, 0.9997], [0.9, 0.91, 0.92]])
    assert too_good(gains, "roc_auc", np.zeros(2)) == "the best score is nearly perfect"
    assert too_good(gains - 0.001, "roc_auc", np.zeros(2)) == ""
    assert too_good(gains - 1, "neg_log_loss", np.zeros(2)) == ""
