"""Scikit-learn's boosting: the first rounds of a long run are a short one."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tunesmith.sharing.proved import (
    CLASS_WEIGHT,
    FLAG,
    QUIET,
    SCIKIT_LEARN,
    SEED,
    SIGNS,
    Proved,
    Values,
    among,
    any_of,
    either,
    fraction,
    number,
    whole,
)
from tunesmith.sharing.submodels.family import (
    CannotShareError,
    Counted,
    Staged,
    answering,
    are_counts,
    is_repeatable,
    resized,
)
from tunesmith.sharing.submodels.forest import MEMBER
from tunesmith.sharing.submodels.trees import GROWTH, WEIGHTED

INF = float("inf")
STOPPING: dict[str, Values] = {
    "validation_fraction": Values("0 to 1", lambda v: isinstance(v, float) and 0 < v < 1, (0.2,)),
    "n_iter_no_change": either(among(None), whole(1, 2)),
    "tol": number(0, INF, 1e-3),
    "verbose": QUIET,
}


class GradientBoosting(Counted):
    """``GradientBoostingClassifier`` and ``Regressor``; early stopping ends both runs alike.

    Fits with an initial estimator of the user's or with a ``monitor`` are not shared.
    """

    proved = Proved(
        (
            "sklearn.ensemble.GradientBoostingClassifier",
            "sklearn.ensemble.GradientBoostingRegressor",
        ),
        SCIKIT_LEARN,
        {
            **GROWTH,
            **STOPPING,
            "max_depth": either(among(None), whole(1, 2, 5)),
            "max_leaf_nodes": whole(2, 5),
            "ccp_alpha": number(0, INF, 0.01),
            "loss": among(
                *("log_loss", "exponential"),
                *("squared_error", "absolute_error", "huber", "quantile"),
            ),
            "alpha": number(0, 1, 0.7),
            "learning_rate": number(0, INF, 0.3, 1.0),
            "subsample": fraction(0.5),
            "init": among(None, "zero"),
        },
        WEIGHTED,
    )

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """True for numbers of rounds."""
        return is_repeatable(estimator) and are_counts(values)

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:
        """Yield runs cut off after fewer rounds; each round predicts once."""
        # All other methods rest on this one, so its answers serve them, too.
        is_classifier = hasattr(fitted, "classes_")
        method = "decision_function" if is_classifier else "predict"
        stages = Staged(getattr(fitted, f"staged_{method}")(X))
        for n in values:
            # Early stopping may have ended the run before: then both runs end there.
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
    proved = Proved(
        (
            "sklearn.ensemble.HistGradientBoostingClassifier",
            "sklearn.ensemble.HistGradientBoostingRegressor",
        ),
        SCIKIT_LEARN,
        {
            **STOPPING,
            "n_iter_no_change": whole(1, 2),
            "loss": among(
                *("log_loss", "squared_error", "absolute_error"),
                *("gamma", "poisson", "quantile"),
            ),
            "quantile": number(0, 1, 0.3),
            "learning_rate": number(0, INF, 0.3, 1.0),
            "max_leaf_nodes": either(among(None), whole(2, 5)),
            "max_depth": whole(1, 2),
            "min_samples_leaf": whole(1, 3),
            "l2_regularization": number(0, INF, 1.0),
            "max_features": fraction(0.5),
            "max_bins": whole(2, 16),
            "categorical_features": either(
                among(None), any_of("columns", list, tuple, examples=())
            ),
            "monotonic_cst": SIGNS,
            "interaction_cst": among("pairwise", "no_interactions"),
            "early_stopping": FLAG,
            "scoring": any_of("names of scorers, without early stopping", str, examples=()),
            "random_state": SEED,
            "class_weight": CLASS_WEIGHT,
        },
        WEIGHTED,
    )

    def why_not(self, estimator: Any) -> str:
        """Refuse early stopping by a scorer."""
        if estimator.early_stopping is False or estimator.scoring == "loss":
            return ""
        return "early stopping by a scorer draws rows anew in every round"

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """True for numbers of rounds."""
        return is_repeatable(estimator) and are_counts(values)

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:
        """Yield runs cut off after fewer rounds; each round predicts once."""
        # All methods rest on this one; there is no public way in.
        stages = Staged(fitted._staged_raw_predict(X))
        for n in values:
            n_rounds = min(n, fitted.n_iter_)
            smaller = resized(
                fitted,
                max_iter=n,
                _predictors=fitted._predictors[:n_rounds],
                # One score more than rounds: the first one is that of the baseline.
                train_score_=fitted.train_score_[: n_rounds + 1],
                validation_score_=fitted.validation_score_[: n_rounds + 1],
            )

            def answer(*_threads: Any, n: int = n_rounds, **_more: Any) -> Any:
                return stages.at(n)

            yield answering(smaller, X, {"_raw_predict": answer})


class AdaBoost(Counted):
    """``AdaBoostClassifier`` and ``Regressor``; a perfect fit ends both runs alike."""

    proved = Proved(
        ("sklearn.ensemble.AdaBoostClassifier", "sklearn.ensemble.AdaBoostRegressor"),
        SCIKIT_LEARN,
        {
            "estimator": MEMBER,
            "learning_rate": number(0, INF, 0.3),
            "loss": among("linear", "square", "exponential"),
            "random_state": SEED,
        },
        WEIGHTED,
    )

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """True for numbers of rounds."""
        return is_repeatable(estimator) and are_counts(values)

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:
        """Yield runs cut off after fewer rounds; each round predicts once.

        Raises:
            CannotShareError: there is only one class, so there are no votes.
        """
        is_classifier = hasattr(fitted, "classes_")
        if is_classifier and fitted.n_classes_ < 2:
            raise CannotShareError("there is but one class")
        method = "decision_function" if is_classifier else "predict"
        stages = Staged(_votes(fitted, X) if is_classifier else fitted.staged_predict(X))
        for n in values:
            n_rounds = min(n, len(fitted.estimators_))
            smaller = resized(
                fitted,
                n_estimators=n,
                estimators_=fitted.estimators_[:n_rounds],
                # As long as the run was asked to be, though it ended sooner: the length of an
                # array decides the order in which its numbers are added up.
                estimator_weights_=fitted.estimator_weights_[:n],
                estimator_errors_=fitted.estimator_errors_[:n],
            )

            def answer(n: int = n_rounds, *, model: Any = smaller) -> Any:
                return _decision(model, stages.at(n)) if is_classifier else stages.at(n)

            yield answering(smaller, X, {method: answer})


def _votes(fitted: Any, X: Any) -> Iterator[np.ndarray]:
    """Yield ``(n_classes, n)`` weighted votes after each round.

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
    # Divided only now, like `decision_function`: dividing each vote would round in another way.
    decision = votes / fitted.estimator_weights_.sum()
    if fitted.n_classes_ > 2:
        return decision
    decision[:, 0] *= -1
    return decision.sum(axis=1)


def _flat(stage: np.ndarray) -> np.ndarray:
    # `decision_function` drops the axis of a single column, its staged form keeps it.
    return stage.ravel() if stage.ndim == 2 and stage.shape[1] == 1 else stage
