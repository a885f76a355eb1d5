"""A metric of one's own."""

from typing import Any

import numpy as np


def within_a_quarter(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Share of patients whose progression is predicted to within 25 %."""
    return float(np.mean(np.abs(y_pred - y_true) <= 0.25 * y_true))


def n_rounds(estimator: Any, X: Any, y: Any) -> float:
    """How many trees answer a question: what the model costs where it runs."""
    return float(estimator[-1].n_iter_)
