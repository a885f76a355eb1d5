"""Estimators that answer from prepared arrays, for scorers."""

from collections.abc import Callable
from typing import Any

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.metaestimators import available_if

from tunesmith.models.answers import FoldAnswers


def _has(method: str) -> Callable[[Any], bool]:
    return lambda self: method in self.answers.values


class Prepared(BaseEstimator):  # type: ignore[misc]
    """A fitted estimator whose answers for some rows are known; it looks at no rows."""

    def __init__(self, answers: FoldAnswers) -> None:
        self.answers = answers
        # Scorers look for it to find the column of the positive class.
        if answers.classes is not None:
            self.classes_ = answers.classes

    def fit(self, X: Any, y: Any = None) -> "Prepared":  # noqa: ARG002
        """Return the estimator: it is fitted."""
        return self

    def predict(self, X: Any) -> Any:  # noqa: ARG002
        """Return the predictions."""
        return self.answers.values["predict"]

    @available_if(_has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:  # noqa: ARG002
        """Return the probabilities."""
        return self.answers.values["predict_proba"]

    @available_if(_has("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Any:  # noqa: ARG002
        """Return the decision values."""
        return self.answers.values["decision_function"]

    def __sklearn_is_fitted__(self) -> bool:
        return True


class PreparedClassifier(ClassifierMixin, Prepared):  # type: ignore[misc]
    """A classifier whose answers are known."""


class PreparedRegressor(RegressorMixin, Prepared):  # type: ignore[misc]
    """A regressor whose answers are known."""


def prepared(answers: FoldAnswers) -> Prepared:
    """Return an estimator that has these answers ready, so that any scorer can score them.

    Args:
        answers: for the rows that the scorer will ask about; the rows themselves are not looked at.
    """
    kind = PreparedRegressor if answers.classes is None else PreparedClassifier
    return kind(answers)
