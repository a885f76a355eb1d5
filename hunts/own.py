"""Estimators and scorers of a user's own, with the manners that shared fits must withstand."""

from typing import Any, Self

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    RegressorMixin,
    TransformerMixin,
    clone,
    is_classifier,
)
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.metrics import accuracy_score
from sklearn.neighbors import KNeighborsRegressor


class Scaled(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Changes its targets in place."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def fit(self, X: Any, y: Any) -> Self:
        """Fit."""
        if isinstance(y, list):
            mean = sum(y) / len(y)
            for place, value in enumerate(y):
                y[place] = (value - mean) / 2
        else:
            y -= y.mean()
            y /= 2
        self.inner_ = Ridge(alpha=self.alpha).fit(X, y)
        return self

    def predict(self, X: Any) -> Any:
        """Predict."""
        return self.inner_.predict(X)


class Wrapped(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """Passes on all it gets, and then changes one of them in place."""

    def __init__(self, inner: Any = None, touch: str = "") -> None:
        self.inner, self.touch = inner, touch

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit."""
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        self.inner_ = clone(self.inner).fit(X, y, **weights)
        if hasattr(self.inner_, "classes_"):
            self.classes_ = self.inner_.classes_
        changed = {"X": X, "y": y, "w": sample_weight}.get(self.touch)
        if isinstance(changed, list):
            changed.reverse()
        elif hasattr(changed, "iloc"):
            changed.iloc[:] = changed.iloc[::-1].to_numpy()
        elif isinstance(changed, np.ndarray):
            changed[:] = changed[::-1].copy()
        return self

    def __sklearn_tags__(self) -> Any:
        """Those of what is inside."""
        tags = super().__sklearn_tags__()
        if is_classifier(self.inner):
            tags.estimator_type = "classifier"
        return tags

    def predict(self, X: Any) -> Any:
        """Predict."""
        return self.inner_.predict(X)

    def score(self, X: Any, y: Any) -> float:
        """Score."""
        return float(self.inner_.score(X, y))


class Doubling(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer that works in place on the rows that it gets."""

    def __init__(self, factor: float = 2.0) -> None:
        self.factor = factor

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit."""
        self.n_features_in_ = np.shape(X)[1]
        return self

    def transform(self, X: Any) -> Any:
        """Transform."""
        X *= self.factor
        return X


class Forest(RandomForestClassifier):  # type: ignore[misc]
    """A forest that counts how often it is fitted with some depth."""

    def predict_proba(self, X: Any) -> Any:
        """Probabilities that depend on the forest's size."""
        found = super().predict_proba(X)
        return found if self.n_estimators < 5 else found[:, ::-1]


class Boosting(GradientBoostingRegressor):  # type: ignore[misc]
    """Learns more slowly the more rounds there are."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None, monitor: Any = None) -> Self:
        """Fit."""
        self.learning_rate = 1.0 / self.n_estimators
        super().fit(X, y, sample_weight, monitor)
        return self


class Majority(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Fails where its training rows lack a class, and for some sizes."""

    def __init__(self, n_estimators: int = 1, at: int = 99) -> None:
        self.n_estimators, self.at = n_estimators, at

    def fit(self, X: Any, y: Any) -> Self:
        """Fit."""
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2 or self.n_estimators == self.at:
            raise ValueError("no")
        return self

    def predict(self, X: Any) -> Any:
        """Predict."""
        return np.full(len(X), self.classes_[self.n_estimators % 2])


def stop_after(n: int) -> Any:
    """A ``monitor`` of gradient boosting that ends the fit after some rounds."""

    def monitor(round_: int, _model: Any, _locals: Any) -> bool:
        return bool(round_ >= n - 1)

    return monitor


def stop_halfway(round_: int, model: Any, _locals: Any) -> bool:
    """A ``monitor`` of gradient boosting that ends the fit by the length of the run."""
    return bool(2 * round_ >= model.n_estimators)


def falling_rate(env: Any) -> None:
    """A callback of LightGBM's that lowers the learning rate by the run's length."""
    if env.iteration == env.end_iteration - 1:
        env.model.reset_parameter({"learning_rate": 0.01})


falling_rate.before_iteration = True  # type: ignore[attr-defined]


def distances(found: Any) -> Any:
    """Weights of neighbours."""
    return 1.0 / (found + 1.0)


def squared(y_true: Any, y_pred: Any) -> Any:
    """An objective of the user's for boosting: (gradients, curvatures)."""
    return y_pred - y_true, np.ones(len(y_true))


# -- scorers -------------------------------------------------------------------------------------


def plain(model: Any, X: Any, y: Any) -> float:
    """A scorer of one's own."""
    return float(np.mean(np.asarray(model.predict(X)) == np.asarray(y)))


def several(model: Any, X: Any, y: Any) -> dict[str, float]:
    """A scorer of one's own with two metrics."""
    found = model.predict(X)
    return {"accuracy": accuracy_score(y, found), "first": float(found[0] == np.asarray(y)[0])}


def error(model: Any, X: Any, y: Any) -> float:
    """A scorer of one's own for numbers."""
    return -float(np.abs(np.asarray(model.predict(X)) - np.asarray(y)).sum())


def sized(model: Any, X: Any, y: Any) -> float:
    """Looks into the model: its parameters and its size."""
    trees = getattr(model, "estimators_", getattr(model, "_predictors", ()))
    given = sorted(model.get_params(deep=False).items(), key=str)
    return float(model.score(X, y)) + len(trees) + sum(len(repr(pair)) for pair in given)


def touching(model: Any, X: Any, y: Any) -> float:
    """Changes the rows that it scores on."""
    found = float(np.mean(np.asarray(model.predict(X)) == np.asarray(y)))
    if isinstance(X, np.ndarray) and X.flags.writeable:
        X[:, 0] = X[::-1, 0].copy()
    return found


def picky(model: Any, X: Any, y: Any) -> float:
    """Fails for some models."""
    found = np.asarray(model.predict(X))
    if found[0] == np.asarray(y)[0]:
        raise ValueError("the first row is right")
    return float(np.mean(found == np.asarray(y)))


def nothing(model: Any, X: Any, y: Any) -> float:
    """Gives NaN for some models."""
    found = np.asarray(model.predict(X))
    return float("nan") if found[0] == np.asarray(y)[0] else float(np.mean(found == np.asarray(y)))


class Nearest(KNeighborsRegressor):  # type: ignore[misc]
    """Neighbours, shifted by their number."""

    def predict(self, X: Any) -> Any:
        """Predict."""
        return super().predict(X) + self.n_neighbors
