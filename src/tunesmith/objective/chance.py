"""Where an unset ``random_state`` matters, and where an estimator has no use for one.

Many estimators take a ``random_state`` for the sake of some of their solvers. With another solver
their fits repeat without one.
"""

from collections.abc import Mapping
from typing import Any

from tunesmith.objective.subtransformers.pca import EXACT, solver_for

IDLE: Mapping[tuple[str, str], Mapping[str, tuple[Any, ...]]] = {
    # Both libraries have a fixed seed of their own.
    ("xgboost", "XGBClassifier"): {},
    ("xgboost", "XGBRegressor"): {},
    ("lightgbm", "LGBMClassifier"): {},
    ("lightgbm", "LGBMRegressor"): {},
    ("sklearn", "LogisticRegression"): {"solver": ("lbfgs", "newton-cg", "newton-cholesky")},
    ("sklearn", "PCA"): {"svd_solver": ("full", "covariance_eigh")},
    ("sklearn", "Ridge"): {"solver": ("auto", "cholesky", "svd", "lsqr", "sparse_cg", "lbfgs")},
    ("sklearn", "RidgeClassifier"): {"solver": ("auto", "cholesky", "svd", "lsqr", "sparse_cg")},
    ("sklearn", "SVC"): {"probability": (False, "deprecated")},
}
"""By package and class: parameters that decide, with the values that leave nothing to chance."""


def idle_while(estimator: Any) -> Mapping[str, tuple[Any, ...]] | None:
    """What keeps an estimator's ``random_state`` idle.

    Args:
        estimator: of any kind.

    Returns:
        Parameters that must keep their values, each with all values that would do as well;
        ``None`` where chance decides.
    """
    cls = type(estimator)
    deciding = IDLE.get((cls.__module__.partition(".")[0], cls.__name__))
    if deciding is None:
        return None
    is_idle = all(getattr(estimator, name, None) in values for name, values in deciding.items())
    return deciding if is_idle else None


def is_up_to_the_rows(step: Any) -> bool:
    """Whether only the rows tell if a transformer has a use for its ``random_state``."""
    from sklearn.decomposition import PCA

    return type(step) is PCA and step.svd_solver == "auto"


def is_left_to_chance(step: Any, X: Any) -> bool:
    """Whether the rows have told that it has one, and it is unset."""
    if not is_up_to_the_rows(step) or step.random_state is not None:
        return False
    return solver_for(step, X) not in EXACT
