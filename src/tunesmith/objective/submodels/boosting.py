"""Scikit-learn's boosting: the first rounds of a long run are a short one."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tunesmith.objective.submodels.family import (
    Counted,
    Staged,
    answering,
    are_counts,
    is_repeatable,
    resized,
)


class GradientBoosting(Counted):
    """``GradientBoostingClassifier`` and ``Regressor``; early stopping stops the same, too."""

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """Any loss; an initial estimator of the user's is left alone."""
        from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

        is_known = type(estimator) in (GradientBoostingClassifier, GradientBoostingRegressor)
        if not is_known or estimator.init not in (None, "zero"):
            return False
        return is_repeatable(estimator) and are_counts(values)

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:
        """Runs cut off; each round predicts once."""
        is_classifier = hasattr(fitted, "classes_")
        method = "decision_function" if is_classifier else "predict"
        stages = Staged(getattr(fitted, f"staged_{method}")(X))
        for n in values:
            n_rounds = min(n, fitted.n_estimators_)
            smaller = resized(
                fitted,
                n_estimators=n,
                n_estimators_=n_rounds,
                estimators_=fitted.estimators_[:n_rounds],
                train_score_=fitted.train_score_[:n_rounds],
            )

            def answer(n: int = n_rounds) -> Any:
                return _flat(stages.at(n))

            yield answering(smaller, X, {method: answer})


class HistGradientBoosting(Counted):
    """``HistGradientBoostingClassifier`` and ``Regressor`` along ``max_iter``."""

    parameter = "max_iter"

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """Not with early stopping by a scorer, which draws rows anew in every round."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        kinds = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
        if type(estimator) not in kinds:
            return False
        stops_by_loss = estimator.early_stopping is False or estimator.scoring == "loss"
        return stops_by_loss and is_repeatable(estimator) and are_counts(values)

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:
        """Runs cut off; each round predicts once."""
        # All methods rest on this one; there is no public way in.
        stages = Staged(fitted._staged_raw_predict(X))
        for n in values:
            n_rounds = min(n, fitted.n_iter_)
            smaller = resized(
                fitted,
                max_iter=n,
                _predictors=fitted._predictors[:n_rounds],
                train_score_=fitted.train_score_[: n_rounds + 1],
                validation_score_=fitted.validation_score_[: n_rounds + 1],
            )

            def answer(*_threads: Any, n: int = n_rounds, **_more: Any) -> Any:
                return stages.at(n)

            yield answering(smaller, X, {"_raw_predict": answer})


class AdaBoost(Counted):
    """``AdaBoostClassifier`` and ``Regressor``; a perfect fit ends both runs alike."""

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """With scikit-learn's own trees underneath, or any estimator that is seeded by it."""
        from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor

        is_known = type(estimator) in (AdaBoostClassifier, AdaBoostRegressor)
        return is_known and is_repeatable(estimator) and are_counts(values)

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:
        """Runs cut off; each round predicts once."""
        is_classifier = hasattr(fitted, "classes_")
        method = "decision_function" if is_classifier else "predict"
        stages = Staged(_votes(fitted, X) if is_classifier else fitted.staged_predict(X))
        for n in values:
            n_rounds = min(n, len(fitted.estimators_))
            smaller = resized(
                fitted,
                n_estimators=n,
                estimators_=fitted.estimators_[:n_rounds],
                estimator_weights_=fitted.estimator_weights_[:n_rounds],
                estimator_errors_=fitted.estimator_errors_[:n_rounds],
            )

            def answer(n: int = n_rounds, *, model: Any = smaller) -> Any:
                return _decision(model, stages.at(n)) if is_classifier else stages.at(n)

            yield answering(smaller, X, {method: answer})


def _votes(fitted: Any, X: Any) -> Iterator[np.ndarray]:
    """``(n_classes, n)`` weighted votes after each round.

    ``staged_decision_function`` adds up the weights in another order than ``decision_function``,
    which shows in the last bit.
    """
    rows = fitted._check_X(X)
    classes, n_classes = fitted.classes_[:, np.newaxis], fitted.n_classes_
    total: Any = 0
    for member, weight in zip(fitted.estimators_, fitted.estimator_weights_, strict=False):
        is_voted = (member.predict(rows) == classes).T
        total = total + np.where(is_voted, weight, -1 / (n_classes - 1) * weight)
        yield total


def _decision(fitted: Any, votes: np.ndarray) -> np.ndarray:
    found = votes / fitted.estimator_weights_.sum()
    if fitted.n_classes_ > 2:
        return found
    found[:, 0] *= -1
    return found.sum(axis=1)


def _flat(stage: np.ndarray) -> np.ndarray:
    # `decision_function` drops the axis of a single column, its staged form keeps it.
    return stage.ravel() if stage.ndim == 2 and stage.shape[1] == 1 else stage
