"""Forests and bagging: the first trees of a large one are a small one."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tunesmith.sharing.proved import (
    FLAG,
    QUIET,
    SCIKIT_LEARN,
    SEED,
    Proved,
    Values,
    blocker_of_parts,
    either,
    fraction,
    whole,
)
from tunesmith.sharing.submodels.family import (
    Counted,
    Staged,
    answering,
    are_counts,
    is_repeatable,
    resized,
)
from tunesmith.sharing.submodels.trees import FOREST_CLASSES, FORESTS, ONE_JOB, WEIGHTED

MEMBER = Values(
    "scikit-learn's own estimators, of plain parameters",
    lambda value: hasattr(value, "fit") and not blocker_of_parts(value),
    (),
)


class Forest(Counted):
    """Random forests and extremely randomised trees along ``n_estimators``.

    Forests with out-of-bag scores are not shared: those are computed for the whole forest only.
    """

    proved = Proved(FOREST_CLASSES, SCIKIT_LEARN, FORESTS, WEIGHTED)

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """True for numbers of trees."""
        return is_repeatable(estimator) and are_counts(values)

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:
        """Yield forests of the first trees; each tree predicts once."""
        method = "predict_proba" if hasattr(fitted, "classes_") else "predict"
        sums = Staged(_sums(fitted, method, X))
        for n in values:
            smaller = resized(fitted, n_estimators=n, estimators_=fitted.estimators_[:n])

            def mean(n: int = n) -> Any:
                # Divided once, after the sum, as in scikit-learn: a running mean rounds otherwise.
                return sums.at(n) / n

            yield answering(smaller, X, {method: mean})


def _sums(fitted: Any, method: str, X: Any) -> Iterator[np.ndarray]:
    """Yield the sum of the trees' answers after each tree, in scikit-learn's order of addition."""
    # The forest prepares X once for all trees, which then check nothing.
    rows = fitted._validate_X_predict(X)
    total: Any = 0.0
    for tree in fitted.estimators_:
        total = total + getattr(tree, method)(rows, check_input=False)
        yield total


class Bagging(Counted):
    """Bagging along ``n_estimators``; out-of-bag scores are not shared."""

    proved = Proved(
        ("sklearn.ensemble.BaggingClassifier", "sklearn.ensemble.BaggingRegressor"),
        SCIKIT_LEARN,
        {
            "estimator": MEMBER,
            "max_samples": either(fraction(0.7), whole(1, 20)),
            "max_features": either(fraction(0.6), whole(1, 1)),
            "bootstrap": FLAG,
            "bootstrap_features": FLAG,
            "n_jobs": ONE_JOB,
            "random_state": SEED,
            "verbose": QUIET,
        },
        WEIGHTED,
    )

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """True for numbers of members."""
        return is_repeatable(estimator) and are_counts(values)

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:
        """Yield ensembles of the first members; each member predicts once per method."""
        is_classifier = hasattr(fitted, "classes_")
        methods = ("predict_proba", "decision_function") if is_classifier else ("predict",)
        sums = {
            name: Staged(_member_sums(fitted, name, X)) for name in methods if hasattr(fitted, name)
        }
        for n in values:
            smaller = _members(fitted, slice(n))
            yield answering(smaller, X, {name: _mean(stages, n) for name, stages in sums.items()})


def _members(fitted: Any, which: slice) -> Any:
    """Copy a bagging ensemble with some of its members only."""
    members = fitted.estimators_[which]
    features = fitted.estimators_features_[which]
    return resized(
        fitted, n_estimators=len(members), estimators_=members, estimators_features_=features
    )


def _member_sums(fitted: Any, method: str, X: Any) -> Iterator[np.ndarray]:
    """Yield the sum of the members' answers after each member."""
    total: Any = 0.0
    for place in range(fitted.n_estimators):
        # An ensemble of one member knows which classes it has seen, and how it votes.
        total = total + getattr(_members(fitted, slice(place, place + 1)), method)(X)
        yield total


def _mean(sums: Staged, n: int) -> Callable[[], Any]:
    return lambda: sums.at(n) / n
