"""Principal components: one complete decomposition holds every number of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from tunesmith.sharing.proved import SCIKIT_LEARN, SEED, Proved, among
from tunesmith.sharing.randomness import components_solver
from tunesmith.sharing.submodels.family import resized
from tunesmith.sharing.subtransformers.family import is_count

EXACT = ("full", "covariance_eigh")
"""Solvers that compute all components, whatever number is wanted."""


class Components:
    """``PCA`` along ``n_components`` and ``whiten``."""

    parameters: tuple[str, ...] = ("n_components", "whiten")
    another: Mapping[str, Any] = MappingProxyType({"n_components": 1, "whiten": False})
    proved = Proved(
        ("sklearn.decomposition.PCA",),
        SCIKIT_LEARN,
        {"svd_solver": among("auto", *EXACT), "random_state": SEED},
    )

    def can_share(self, step: Any, X: Any) -> bool:
        """True for the solvers that compute all components; the rows decide what ``auto`` means."""
        if not is_count(step.n_components) or not isinstance(step.whiten, bool):
            return False
        solver = solver_for(step, X)
        if solver not in EXACT or step.n_components > min(X.shape):
            return False
        # If rows are wide, an estimator keeps too few eigenvalues to tell the noise behind the
        # others.
        return solver == "full" or X.shape[0] >= X.shape[1]

    def common(self, step: Any, X: Any, y: Any) -> "_Decomposition":  # noqa: ARG002
        """Compute the complete decomposition."""
        step._validate_params()
        solver = solver_for(step, X)
        # The solver is fixed: with all components wanted, ``auto`` could choose another one.
        whole = resized(step, n_components=None, whiten=False, svd_solver=solver)
        U, S, *_ = whole._fit(X)
        return _Decomposition(whole, U, S)

    def finished(self, common: "_Decomposition", step: Any, X: Any) -> tuple[Any, Any]:
        """Return the first components."""
        transformer, n = common.first(step), step.n_components
        if common.U is None:
            return transformer, transformer.transform(X)
        # The estimator's own last steps change the arrays of its decomposition in place.
        left = common.U[:, :n].copy(order="K")
        transformer._fit = lambda X: (left, common.S, None, X, False, None)
        rows = transformer.fit_transform(X)
        del transformer._fit
        return transformer, rows


@dataclass(frozen=True, eq=False)
class _Decomposition:
    """A decomposition of centred rows."""

    whole: Any
    """The estimator with all its components."""
    U: np.ndarray | None
    """Left vectors, if the solver computes them."""
    S: np.ndarray

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        return int(self.whole.components_.nbytes) + (0 if self.U is None else self.U.nbytes)

    def first(self, step: Any) -> Any:
        """Return the estimator with as many components as a step wants."""
        n, whole = step.n_components, self.whole
        variance = whole.explained_variance_
        return resized(
            whole,
            **step.get_params(deep=False),
            n_components_=n,
            noise_variance_=self._noise(n),
            # Copies, since products with a part of a larger array round in another way.
            components_=whole.components_[:n].copy(order="K"),
            explained_variance_=variance[:n].copy(),
            explained_variance_ratio_=whole.explained_variance_ratio_[:n].copy(),
            singular_values_=whole.singular_values_[:n].copy(),
        )

    def _noise(self, n: int) -> Any:
        """Mean variance of the directions beyond ``n`` components."""
        variance = self.whole.explained_variance_
        if n == len(variance):
            return 0.0
        if self.U is None:
            # Eigenvalues are computed rising and then reversed; sums follow their place in memory.
            variance = variance[::-1].copy()[::-1]
        return np.mean(variance[n:])


def solver_for(step: Any, X: Any) -> str | None:
    """Name the solver that scikit-learn takes for some rows; ``None`` if they are not dense."""
    import pandas as pd

    if not isinstance(X, np.ndarray | pd.DataFrame) or X.ndim != 2:
        return None
    return components_solver(step, X.shape)
