"""Ridge regression: one matrix of products serves every penalty.

The steps are those of scikit-learn's Cholesky solver, one by one and with its own functions if it
has them, so that the last bits agree. Solving for all penalties at once would be quicker, but
rounds in another way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, sparse

from tunesmith.sharing.proved import (
    CLASS_WEIGHT,
    FLAG,
    SCIKIT_LEARN,
    SEED,
    Proved,
    among,
    is_number,
    number,
    whole,
)
from tunesmith.sharing.submodels.family import CannotShareError, resized
from tunesmith.sharing.submodels.trees import WEIGHTED


class Ridge:
    """``Ridge`` and ``RidgeClassifier`` along ``alpha``."""

    parameter = "alpha"
    proved = Proved(
        ("sklearn.linear_model.Ridge", "sklearn.linear_model.RidgeClassifier"),
        SCIKIT_LEARN,
        {
            "fit_intercept": FLAG,
            # With the Cholesky solver, which ``auto`` means for dense rows.
            "solver": among("auto", "cholesky"),
            "max_iter": whole(1, 9),
            "tol": number(0, float("inf"), 1e-2),
            "random_state": SEED,
            "class_weight": CLASS_WEIGHT,
        },
        WEIGHTED,
    )

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:  # noqa: ARG002
        """True for finite penalties, one for all targets."""
        return all(is_number(value) and value >= 0 for value in values)

    def in_order(self, values: Sequence[Any]) -> list[Any]:
        """Sort; each is solved by itself."""
        return sorted(values)

    def widest(self, values: Sequence[Any]) -> Any:
        """Choose any: none holds the others."""
        return values[0]

    def fit(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> "_Products":
        """Compute everything that comes before the penalty.

        Raises:
            CannotShareError: the rows are sparse, which another solver serves.
        """
        if sparse.issparse(X):
            raise CannotShareError("sparse rows share no products")
        # `fit` would do this; without it a wrong parameter would pass here and fail in a fresh fit.
        estimator._validate_params()
        return _products(estimator, *_checked(estimator, X, y, sample_weight))

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:  # noqa: ARG002
        """Yield estimators solved for each penalty."""
        for alpha in values:
            yield fitted.solved(alpha)


@dataclass(frozen=True, eq=False)
class _Products:
    """A fit up to its penalty."""

    estimator: Any
    """The estimator without its coefficients."""
    square: np.ndarray
    """X'X, or XX' if there are more columns than rows."""
    y: np.ndarray
    """X'y, or y."""
    offsets: tuple[Any, ...]
    X: np.ndarray | None = None
    """The rows, if there are more columns than rows."""

    def solved(self, alpha: float) -> Any:
        """Solve for one penalty.

        Raises:
            LinAlgError: the matrix is singular; scikit-learn then takes another solver.
        """
        # In the type of the rows, as in scikit-learn.
        penalty = self.square.dtype.type(alpha)
        coef = self._primal(penalty) if self.X is None else self._dual(penalty, self.X)
        model = resized(self.estimator, alpha=alpha, n_iter_=None, solver_="cholesky")
        model.coef_ = coef.ravel() if self.y.shape[1] == 1 else coef
        model._set_intercept(*self.offsets)
        return model

    def _primal(self, penalty: Any) -> np.ndarray:
        # `solve` overwrites the matrix that it gets, and the next penalty needs it as it was.
        square = self.square.copy()
        square.flat[:: len(square) + 1] += penalty
        coef: np.ndarray = linalg.solve(square, self.y, assume_a="pos", overwrite_a=True)
        return coef.T

    def _dual(self, penalty: Any, X: np.ndarray) -> np.ndarray:
        from sklearn.linear_model._ridge import _solve_cholesky_kernel
        from sklearn.utils.extmath import safe_sparse_dot

        dual = _solve_cholesky_kernel(self.square, self.y, np.array([penalty]), copy=True)
        coef: np.ndarray = safe_sparse_dot(X.T, dual, dense_output=True)
        return coef.T


def _checked(estimator: Any, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
    """Prepare rows, targets and weights as the estimator's own ``fit`` does."""
    from sklearn.utils.validation import _check_sample_weight, validate_data

    if hasattr(estimator, "class_weight"):
        X, _, sample_weight, y = estimator._prepare_data(X, y, sample_weight, estimator.solver)
    else:
        X, y = validate_data(
            estimator,
            X,
            y,
            dtype=[np.float64, np.float32],
            force_writeable=True,
            multi_output=True,
            y_numeric=True,
        )
    if sample_weight is not None:
        sample_weight = _check_sample_weight(sample_weight, X, dtype=X.dtype)
    return X, y, sample_weight


def _products(estimator: Any, X: Any, y: Any, sample_weight: Any) -> _Products:
    from sklearn.linear_model._base import _preprocess_data, _rescale_data
    from sklearn.utils.extmath import safe_sparse_dot

    X, y, *offsets, _ = _preprocess_data(
        X,
        y,
        fit_intercept=estimator.fit_intercept,
        sample_weight=sample_weight,
        rescale_with_sw=False,
    )
    y = y.reshape(-1, 1) if y.ndim == 1 else y
    if sample_weight is not None:
        X, y, _ = _rescale_data(X, y, sample_weight)
    # As scikit-learn decides: the smaller of the two matrices is solved.
    if X.shape[1] > X.shape[0]:
        square = safe_sparse_dot(X, X.T, dense_output=True)
        return _Products(estimator, square, y, tuple(offsets), X)
    square = safe_sparse_dot(X.T, X, dense_output=True)
    return _Products(estimator, square, safe_sparse_dot(X.T, y, dense_output=True), tuple(offsets))
