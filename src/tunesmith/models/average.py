"""Averages of models that were trained on the folds: one scikit-learn estimator each.

``fit`` trains every estimator on every fold and keeps all models; a search hands over those that it
has trained already (``averaged``).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin, clone, is_classifier
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch, get_tags, indexable
from sklearn.utils.metaestimators import _BaseComposition, _safe_split, available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_method_params, check_is_fitted, column_or_1d

from tunesmith.models.answers import (
    all_classes,
    chosen,
    decisions,
    mean_of,
    probabilities,
)
from tunesmith.models.meaning import has_own_rule, is_by_pair

Named = Sequence[tuple[str, Any]]


def _all_have(method: str) -> Callable[[Any], bool]:
    """Tell whether all models of an estimator, or those to be fitted, have a method."""
    return lambda self: all(hasattr(model, method) for model in self._members())


class Averaged(_BaseComposition):  # type: ignore[misc]
    """Mean of the models that some estimators gave on the folds; see its two subclasses."""

    def __init__(
        self, estimators: Named, *, weights: Sequence[float] | None = None, cv: Any = None
    ) -> None:
        self.estimators = estimators
        self.weights = weights
        self.cv = cv

    def fit(self, X: Any, y: Any, **fit_params: Any) -> Self:
        """Train every estimator on the training rows of every fold.

        Args:
            X: ``(n_rows, n_features)``, whatever the estimators take.
            y: ``(n_rows,)`` targets.
            fit_params: for ``fit`` of the estimators; those with one entry per row are cut.

        Returns:
            This estimator, fitted.

        Raises:
            ValueError: there are no estimators, names or weights are wrong, or a fit fails.
        """
        self._check()
        # Rows are cut and not converted: they reach the members as the caller gave them.
        y = self._target(y)
        X, y = indexable(X, y)
        splitter = check_cv(self.cv, y, classifier=is_classifier(self))
        splits = list(splitter.split(X, y))
        models = []
        for _, estimator in self.estimators:
            for train, _test in splits:
                model = clone(estimator)
                rows, target = _safe_split(model, X, y, train)
                given = _check_method_params(X, params=fit_params, indices=train)
                models.append(model.fit(rows, target, **given))
        return self._with_models(models)

    def _check(self) -> None:
        if not self.estimators:
            raise ValueError("estimators: give at least one (name, estimator).")
        names = [name for name, _ in self.estimators]
        self._validate_names(names)
        if self.weights is not None:
            if len(self.weights) != len(names):
                raise ValueError(
                    f"weights: {len(self.weights)} are given for {len(names)} estimators."
                )
            if min(self.weights) < 0 or not sum(self.weights) > 0:
                raise ValueError("weights: they must not be negative, and not all 0.")

    def _target(self, y: Any) -> Any:
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        return y

    def _with_models(self, models: Sequence[Any]) -> Self:
        """Take over fitted models: those of the first estimator by fold, then of the next one."""
        self.models_ = list(models)
        n_folds = len(models) // len(self.estimators)
        # Each estimator's share is divided among its folds.
        given = [1.0] * len(self.estimators) if self.weights is None else list(self.weights)
        self.weights_ = np.repeat(np.asarray(given, dtype=float) / (sum(given) * n_folds), n_folds)
        for name in ("n_features_in_", "feature_names_in_"):
            # Left from an earlier fit on rows of another kind.
            self.__dict__.pop(name, None)
            if hasattr(models[0], name):
                setattr(self, name, getattr(models[0], name))
        return self

    @property
    def named_estimators(self) -> Bunch:
        """The unfitted estimators by name."""
        return Bunch(**dict(self.estimators))

    @property
    def n_models_(self) -> int:
        """Number of models, each of which predicts."""
        return len(self.models_)

    def _members(self) -> list[Any]:
        return getattr(self, "models_", None) or [estimator for _, estimator in self.estimators]

    def _ask(self, method: str, X: Any) -> list[Any]:
        check_is_fitted(self, "models_")
        return [getattr(model, method)(X) for model in self.models_]

    # -- what scikit-learn asks --------------------------------------------------------------

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, with those of the estimators if ``deep``."""
        params: dict[str, Any] = self._get_params("estimators", deep=deep)
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also of the estimators by ``name__parameter``."""
        self._set_params("estimators", **params)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "models_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # What one member cannot take, the average cannot take either.
        inner = [get_tags(estimator) for _, estimator in self.estimators]
        tags.input_tags.sparse = all(one.input_tags.sparse for one in inner)
        tags.input_tags.allow_nan = all(one.input_tags.allow_nan for one in inner)
        tags.input_tags.pairwise = any(one.input_tags.pairwise for one in inner)
        tags.input_tags.string = all(one.input_tags.string for one in inner)
        tags.input_tags.categorical = all(one.input_tags.categorical for one in inner)
        tags.non_deterministic = any(one.non_deterministic for one in inner)
        tags.target_tags.required = True
        tags.target_tags.multi_output = not isinstance(self, ClassifierMixin) and all(
            one.target_tags.multi_output for one in inner
        )
        return tags

    def _sk_visual_block_(self) -> Any:
        # Drawn as scikit-learn draws its own, whatever its version calls the parts.
        return VotingClassifier(self.estimators)._sk_visual_block_()


class AveragedClassifier(ClassifierMixin, Averaged):  # type: ignore[misc]
    """Classifier by the mean probabilities of the models that were trained on the folds.

    Args:
        estimators: (name, unfitted classifier), at least one.
        weights: of the estimators; all count alike by default.
        cv: number of folds, splitter or list of splits; 5 folds by default.

    Attributes:
        models_: fitted classifiers: those of the first estimator by fold, then of the next one.
        weights_: of ``models_``; their sum is 1.
        classes_: ``(n_classes,)`` labels that any model has seen, sorted.

    The class is the one with the highest mean probability. Without probabilities the mean of the
    decision function decides, and without that one the votes. The votes decide, too, if a member
    has a threshold of its own, as ``FixedThresholdClassifier`` has.

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = DecisionTreeClassifier(max_leaf_nodes=4, random_state=0)
    >>> model = AveragedClassifier([("tree", tree)], cv=5).fit(X, y)
    >>> model.n_models_, model.predict_proba(X[:1]).round(2).tolist()
    (5, [[1.0, 0.0, 0.0]])
    """

    def _target(self, y: Any) -> Any:
        super()._target(y)
        check_classification_targets(y)
        return column_or_1d(y, warn=True)

    def _with_models(self, models: Sequence[Any]) -> Self:
        super()._with_models(models)
        self.classes_ = all_classes([model.classes_ for model in models])
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict the classes of rows: ``(n_rows,)``."""
        check_is_fitted(self, "models_")
        values: dict[str, np.ndarray] = {}
        predicted: list[np.ndarray] = []
        # The order is that of `chosen`: a method that is not needed is not asked.
        if any(has_own_rule(model) for model in self.models_):
            predicted = self._ask("predict", X)
        elif hasattr(self, "predict_proba"):
            values["predict_proba"] = self.predict_proba(X)
        elif (decided := self._decided(X)) is not None:
            values["decision_function"] = decided
        else:
            predicted = self._ask("predict", X)
        labels: np.ndarray = self.classes_[
            chosen(values, predicted, self.weights_.tolist(), self.classes_)
        ]
        return labels

    @available_if(_all_have("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return mean probabilities: ``(n_rows, n_classes)``."""
        wide = [
            probabilities(values, model.classes_, self.classes_)
            for model, values in zip(self._members(), self._ask("predict_proba", X), strict=True)
        ]
        return mean_of(wide, self.weights_.tolist())

    @available_if(_all_have("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> np.ndarray:
        """Return mean decision values: ``(n_rows,)`` of two classes, else by class.

        Raises:
            ValueError: a model has a value per pair of classes, or has not seen all classes.
        """
        decided = self._decided(X)
        if decided is None:
            raise ValueError(
                "decision_function: the models' values have no mean, since one has values per pair"
                " of classes or has not seen all classes. Use predict."
            )
        return decided

    def _decided(self, X: Any) -> np.ndarray | None:
        if not all(hasattr(model, "decision_function") for model in self._members()):
            return None
        parts = [
            decisions(values, model.classes_, self.classes_, is_by_pair=is_by_pair(model))
            for model, values in zip(
                self._members(), self._ask("decision_function", X), strict=True
            )
        ]
        known = [part for part in parts if part is not None]
        return mean_of(known, self.weights_.tolist()) if len(known) == len(parts) else None


class AveragedRegressor(RegressorMixin, Averaged):  # type: ignore[misc]
    """Regressor by the mean prediction of the models that were trained on the folds.

    Args:
        estimators: (name, unfitted regressor), at least one.
        weights: of the estimators; all count alike by default.
        cv: number of folds, splitter or list of splits; 5 folds by default.

    Attributes:
        models_: fitted regressors: those of the first estimator by fold, then of the next one.
        weights_: of ``models_``; their sum is 1.

    >>> from sklearn.linear_model import LinearRegression
    >>> X, y = np.arange(10.0)[:, None], 2 * np.arange(10.0)
    >>> model = AveragedRegressor([("line", LinearRegression())], cv=2).fit(X, y)
    >>> model.predict([[3.0]]).round(6).tolist()
    [6.0]
    """

    def predict(self, X: Any) -> np.ndarray:
        """Predict the targets of rows: ``(n_rows,)`` or ``(n_rows, n_outputs)``."""
        return mean_of(self._ask("predict", X), self.weights_.tolist())


def averaged(
    members: Mapping[str, tuple[Any, Sequence[Any]]],
    weights: Sequence[float] | None = None,
    *,
    cv: Any = None,
) -> AveragedClassifier | AveragedRegressor:
    """Build the averaged estimator of models that are fitted already.

    Args:
        members: name -> unfitted estimator, and its fitted model of every fold.
        weights: of the members.
        cv: folds for a later ``fit`` on other rows.
    """
    estimators = [(name, estimator) for name, (estimator, _) in members.items()]
    models = [model for _, fitted in members.values() for model in fitted]
    kind = AveragedClassifier if hasattr(models[0], "classes_") else AveragedRegressor
    average = kind(estimators, weights=None if weights is None else list(weights), cv=cv)
    return average._with_models(models)
