"""Rules that tell which estimators draw random numbers if they have no seed.

Most estimators of scikit-learn have a ``random_state``, and many never use it in the given
configuration: a logistic regression solved by L-BFGS, a principal component analysis of all
components. Their fits repeat bit for bit without a seed. Every estimator without a rule here counts
as random.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Rule = Callable[[Any, tuple[int, int]], bool]
"""(unfitted estimator, shape of its rows) -> true if its fit draws random numbers."""

SEEDING_THEMSELVES = ("xgboost", "lightgbm", "catboost")
"""Packages that use a fixed seed of their own if none is given."""
MAX_BINNED = 200_000
"""Number of rows above which histograms are made from a random part."""
MAX_UNSTOPPED = 10_000
"""Number of rows above which early stopping, left to itself, holds some out."""


def _by(name: str, *random: Any) -> Rule:
    return lambda estimator, _shape: getattr(estimator, name, random[0]) in random


def _histograms(estimator: Any, shape: tuple[int, int]) -> bool:
    stops = estimator.early_stopping
    stops_early = shape[0] > MAX_UNSTOPPED if stops == "auto" else stops
    return bool(stops_early) or estimator.max_features < 1.0 or shape[0] > MAX_BINNED


def _subsample(estimator: Any, shape: tuple[int, int]) -> bool:
    return estimator.subsample is not None and shape[0] > estimator.subsample


def components_solver(estimator: Any, shape: tuple[int, int]) -> str:
    """Name the solver that a ``PCA`` of dense rows takes, also if it is ``auto``."""
    solver, n = str(estimator.svd_solver), estimator.n_components
    if solver != "auto":
        return solver
    # From here on as in scikit-learn's `PCA._fit`, for the versions that are shared.
    if shape[1] <= 1000 and shape[0] >= 10 * shape[1]:
        return "covariance_eigh"
    is_part = isinstance(n, int) and 1 <= n < 0.8 * min(shape)
    return "randomized" if is_part and max(shape) > 500 else "full"


def _components(estimator: Any, shape: tuple[int, int]) -> bool:
    return components_solver(estimator, shape) in ("randomized", "arpack")


RULES: dict[str, Rule] = {
    "ElasticNet": _by("selection", "random"),
    "HistGradientBoostingClassifier": _histograms,
    "HistGradientBoostingRegressor": _histograms,
    "KBinsDiscretizer": _subsample,
    "Lasso": _by("selection", "random"),
    "LinearSVC": _by("dual", True, "auto"),
    "LinearSVR": _by("dual", True, "auto"),
    "LogisticRegression": _by("solver", "liblinear", "sag", "saga"),
    "MultiTaskElasticNet": _by("selection", "random"),
    "MultiTaskLasso": _by("selection", "random"),
    "NuSVC": _by("probability", True),
    "PCA": _components,
    "QuantileTransformer": _subsample,
    "Ridge": _by("solver", "sag", "saga"),
    "RidgeClassifier": _by("solver", "sag", "saga"),
    "SVC": _by("probability", True),
}
"""Class of scikit-learn -> its rule."""
SMALL, LARGE = (1, 1), (2**31, 2**31)


def is_certainly_random(estimator: Any) -> bool:
    """True if an estimator draws unseeded random numbers, whatever the rows are."""
    return _draws(estimator, SMALL)


def is_random(estimator: Any, X: Any) -> bool:
    """True if a fit draws unseeded random numbers.

    Args:
        estimator: unfitted. Estimators within it see rows of other shapes, so any count for them.
        X: the training rows.
    """
    # Sparse rows have other solvers, so their shape says nothing; the largest is assumed.
    shape: Sequence[int] = () if hasattr(X, "tocsr") else getattr(X, "shape", ())
    return _draws(estimator, (shape[0], shape[1]) if len(shape) == 2 else LARGE)


def _draws(estimator: Any, shape: tuple[int, int]) -> bool:
    if not hasattr(estimator, "get_params"):
        return False
    deep = {"": estimator, **estimator.get_params(deep=True)}
    unset = [name for name, value in deep.items() if value is None and _is_seed(name)]
    owners = [name.rpartition("__")[0] for name in unset if not _is_seeded_above(name, deep)]
    # Parts see rows of other shapes (subsamples, selected columns): the largest is assumed.
    return any(_draws_itself(deep[owner], LARGE if owner else shape) for owner in owners)


def _is_seed(name: str) -> bool:
    return name.rpartition("__")[2] == "random_state"


def _is_seeded_above(name: str, deep: Mapping[str, Any]) -> bool:
    """True if a part belongs to an ensemble with a seed, which seeds its members."""
    from sklearn.ensemble import BaseEnsemble

    above, place = [], name.rpartition("__")[0]
    while place:
        place = place.rpartition("__")[0]
        above.append(deep[place])
    seeds = (getattr(e, "random_state", None) for e in above if isinstance(e, BaseEnsemble))
    return any(seed is not None for seed in seeds)


def _draws_itself(estimator: Any, shape: tuple[int, int]) -> bool:
    package = type(estimator).__module__.partition(".")[0]
    if package in SEEDING_THEMSELVES:
        return False
    # A class of the user's may have the name of one of scikit-learn's.
    rule = RULES.get(type(estimator).__name__) if package == "sklearn" else None
    try:
        return rule is None or rule(estimator, shape)
    except Exception:  # noqa: BLE001 - values that the estimator will refuse
        return True


def has_seed_object(estimator: Any) -> bool:
    """True if an estimator or a part of it holds a random generator as its seed.

    Some libraries draw from it when they are asked for their parameters, so this function looks at
    attributes instead.
    """
    if isinstance(estimator, np.random.RandomState | np.random.Generator):
        return True
    if isinstance(estimator, list | tuple):
        return any(map(has_seed_object, estimator))
    is_part = hasattr(estimator, "get_params") and not isinstance(estimator, type)
    return is_part and any(map(has_seed_object, vars(estimator).values()))
