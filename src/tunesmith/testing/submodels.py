"""The contract of families of submodels: scores of a shared fit equal those of fresh fits.

Estimators are also drawn from the family's own list of parameters (``proved``): its entries have
been compared with fresh fits, and a list that claims too much fails here.

Subclass ``FamilyContract`` in a test module; pytest collects it from there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.datasets import make_classification, make_regression
from sklearn.metrics import check_scoring
from sklearn.utils import get_tags

from tunesmith.registry import import_path
from tunesmith.sharing.proved import Proved
from tunesmith.sharing.randomness import is_certainly_random
from tunesmith.sharing.submodels.family import (
    CannotShareError,
    Family,
    blocker,
    border_of,
    fitted_for,
    proved_of,
)

CLASS_SCORERS = ("accuracy", "neg_log_loss", "roc_auc_ovr", "f1_macro", "balanced_accuracy")
ERROR_SCORERS = ("r2", "neg_mean_absolute_error", "neg_mean_squared_error")
ASKED = ("predict", "predict_proba", "predict_log_proba", "decision_function")


class FamilyContract:
    """Tests of one family: override ``family``, ``estimators`` and ``values``."""

    family: Family
    values: Sequence[Any]
    """At least three different values of the parameter, in no order."""
    refused: Sequence[Any] = (0, -1, "3", None, 2.5, True)
    """Values that the family leaves to the estimator to refuse."""
    given: Mapping[str, Any] = {}
    """Parameters that every estimator drawn from the family's list has."""

    def estimators(self) -> list[Any]:
        """Estimators that can share, in many configurations."""
        raise NotImplementedError

    def drawn(self, rng: np.random.Generator) -> Any:
        """A random estimator that can share; by default one of ``estimators``."""
        estimators = self.estimators()
        return estimators[rng.integers(len(estimators))]

    def blocker(self, estimator: Any, values: Sequence[Any] = (), **fit_params: Any) -> str:
        """Reason for which these may share no fit; empty if they may."""
        return blocker(self.family, estimator, values, fit_params)

    def unshareable(self) -> list[Any]:
        """Estimators that the family knows but must not share."""
        return []

    @pytest.mark.parametrize("seed", [0, 1, 2])
    @np.errstate(divide="ignore")  # the logarithm of a leaf without the class
    def test_submodels_are_fresh_fits(self, seed: int) -> None:
        for estimator in self.estimators():
            X, y, weights = table(estimator, seed)
            half = len(y) // 2
            fit_params = (
                {}
                if seed != 2 or not takes_weights(estimator)
                else {"sample_weight": weights[:half]}
            )
            by_value = self.shared(estimator, X, y, half, fit_params)
            for value, (scores, answers) in by_value.items():
                fresh = self.with_value(estimator, value).fit(X[:half], y[:half], **fit_params)
                title = f"{estimator} {value}"
                assert scores == scorer_of(estimator)(fresh, X[half:], y[half:]), title
                for name, answer in answers.items():
                    expected = getattr(fresh, name)(X[half:])
                    # Bit by bit: nearly equal answers may still be ranked otherwise.
                    np.testing.assert_array_equal(answer, expected, err_msg=f"{title} {name}")

    @pytest.mark.parametrize("seed", range(6))
    @np.errstate(divide="ignore", invalid="ignore")
    def test_submodels_of_random_estimators_are_fresh_fits(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        estimator = self.drawn(rng)
        X, y, X_test, fit_params = random_table(estimator, rng)
        values = self.family.in_order(self.values)
        fitted = self.widest_fit(estimator, values, X, y, **fit_params)
        assert not self.blocker(estimator, values, **fit_params), estimator
        self.compare(estimator, fitted, X, y=y, X_test=X_test, fit_params=fit_params)

    @pytest.mark.parametrize("seed", range(6))
    @pytest.mark.filterwarnings("ignore")  # odd parameters, and rows of a handful
    @np.errstate(all="ignore")
    def test_whatever_is_listed_keeps_it(self, seed: int) -> None:
        rng, proved = np.random.default_rng(100 + seed), proved_of(self.family)
        assert proved is not None, "a family without a list shares nothing"
        # Many draws are of values that exclude each other.
        for _ in range(20):
            estimator = drawn_from(proved, rng, self.given)
            assert not self.blocker(estimator, self.values), estimator
            values = self.family.in_order(self.values)
            try:
                X, y, X_test, fit_params = random_table(estimator, rng)
                fit_params = fit_params if not self.blocker(estimator, **fit_params) else {}
                fitted = self.widest_fit(estimator, values, X, y, **fit_params)
            except Exception:  # noqa: BLE001, S112 - values that do not go together
                continue
            self.compare(estimator, fitted, X, y=y, X_test=X_test, fit_params=fit_params)
            return
        pytest.fail("no estimator of the list could be fitted")

    def compare(
        self,
        estimator: Any,
        fitted: Any,
        X: Any,
        *,
        y: Any,
        X_test: Any,
        fit_params: dict[str, Any],
    ) -> None:
        """Every submodel of a fit answers as a fresh fit does."""
        values = self.family.in_order(self.values)
        try:
            answers = self.answers(fitted, values, X_test)
        except CannotShareError as error:
            pytest.skip(str(error))
        for value, own_answers in zip(values, answers, strict=True):
            fresh = self.with_value(estimator, value).fit(X, y, **fit_params)
            assert own_answers.keys() == {name for name in ASKED if hasattr(fresh, name)}
            for name, answer in own_answers.items():
                expected = getattr(fresh, name)(X_test)
                np.testing.assert_array_equal(answer, expected, err_msg=f"{fresh} {name}")

    def test_what_is_not_listed_is_not_shared(self) -> None:
        good = self.estimators()[0]
        assert not self.blocker(good, self.values)
        assert "callbacks" in self.blocker(good, self.values, callbacks=[print])
        assert "eval_set" in self.blocker(good, self.values, eval_set=[([[0.0]], [0])])
        # A subclass may override anything, so the list does not speak for it.
        derived = type("Derived", (type(good),), {})
        assert "Derived" in self.blocker(derived(), self.values)

    def test_other_rows_are_answered_too(self) -> None:
        estimator = self.estimators()[0]
        X, y, _ = table(estimator, 5)
        ordered = self.family.in_order(self.values)
        fitted = self.widest_fit(estimator, ordered, X, y)
        for value, model in zip(
            ordered, self.family.submodels(fitted, ordered, X[:30]), strict=True
        ):
            fresh = self.with_value(estimator, value).fit(X, y)
            np.testing.assert_array_equal(model.predict(X[30:60]), fresh.predict(X[30:60]))
            assert model.get_params()[self.family.parameter] == value

    def test_what_cannot_be_shared_is_not(self) -> None:
        from sklearn.linear_model import LogisticRegression

        good = self.estimators()[0]
        assert not self.blocker(good, self.values)
        for estimator in [*self.unshareable(), LogisticRegression()]:
            assert self.blocker(estimator, self.values), estimator
        for value in self.refused:
            assert self.blocker(good, [*self.values, value]), value

    def test_unseeded_estimators_are_not_shared(self) -> None:
        for estimator in self.estimators():
            if "random_state" in estimator.get_params():
                unseeded = clone(estimator).set_params(random_state=None)
                is_luck = is_certainly_random(unseeded)
                assert not is_luck or self.blocker(unseeded, self.values)

    # -- helpers -----------------------------------------------------------------------------

    def with_value(self, estimator: Any, value: Any) -> Any:
        """A fresh estimator with one value of the parameter."""
        return clone(estimator).set_params(**{self.family.parameter: value})

    def widest_fit(
        self, estimator: Any, values: Sequence[Any], X: Any, y: Any, **params: Any
    ) -> Any:
        """Return the widest fit, from which the family makes its submodels."""
        widest = self.with_value(estimator, self.family.widest(values))
        return fitted_for(self.family, widest, X, y, **params)

    def shared(
        self, estimator: Any, X: Any, y: Any, half: int, fit_params: dict[str, Any]
    ) -> dict[Any, tuple[Any, dict[str, Any]]]:
        """Scores and answers by value, from one fit."""
        assert not self.blocker(estimator, self.values, **fit_params), estimator
        assert len({border_of(self.family, estimator, v, half) for v in self.values}) == 1
        ordered = self.family.in_order(self.values)
        assert sorted(ordered) == sorted(self.values)
        fitted = self.widest_fit(estimator, ordered, X[:half], y[:half], **fit_params)
        X_test, by_value = X[half:], {}
        for value, model in zip(
            ordered, self.family.submodels(fitted, ordered, X_test), strict=True
        ):
            scores = scorer_of(estimator)(model, X_test, y[half:])
            by_value[value] = scores, asked(model, X_test)
        return by_value

    def answers(self, fitted: Any, values: Sequence[Any], X: Any) -> list[dict[str, Any]]:
        """Return the answers of each submodel, method by method."""
        return [asked(model, X) for model in self.family.submodels(fitted, values, X)]


def drawn_from(
    proved: Proved, rng: np.random.Generator, given: Mapping[str, Any], share: float = 0.25
) -> Any:
    """An estimator of one of the listed classes, some of its listed parameters set.

    Args:
        proved: a family's list.
        rng: draws.
        given: parameters that are always set.
        share: of the parameters that are drawn.
    """
    path = proved.classes[rng.integers(len(proved.classes))]
    # The libraries of boosting are extras.
    pytest.importorskip(path.partition(".")[0])
    estimator = import_path(path)()
    # Other libraries take parameters that no signature names.
    known = estimator.get_params() if path.startswith("sklearn") else proved.params
    drawn = {
        name: values.examples[rng.integers(len(values.examples))]
        for name, values in proved.params.items()
        if name in known and values.examples and rng.random() < share
    }
    if "random_state" in known:
        drawn["random_state"] = int(rng.integers(99))
    fixed = {name: value for name, value in given.items() if name in known}
    return estimator.set_params(**{**drawn, **fixed})


def asked(model: Any, X: Any) -> dict[str, Any]:
    """Return all answers of a model."""
    return {name: getattr(model, name)(X) for name in ASKED if hasattr(model, name)}


def scorer_of(estimator: Any) -> Any:
    """Several scorers at once, as a study uses them."""
    names: tuple[str, ...] = CLASS_SCORERS if is_classifier(estimator) else ERROR_SCORERS
    if not hasattr(estimator, "predict_proba"):
        names = ("accuracy", "f1_macro") if is_classifier(estimator) else names
    return check_scoring(estimator, scoring=list(names))


def takes_weights(estimator: Any) -> bool:
    """Tell whether `fit` takes sample weights."""
    from sklearn.utils.validation import has_fit_parameter

    return bool(has_fit_parameter(estimator, "sample_weight"))


def table(estimator: Any, seed: int) -> tuple[Any, Any, Any]:
    """Rows for a classifier (2 or 3 classes by the seed) or a regressor, and weights."""
    weights = np.random.default_rng(seed).uniform(0.2, 3, size=160)
    if is_classifier(estimator):
        X, y = make_classification(
            160, 8, n_informative=5, n_classes=2 + seed % 2, flip_y=0.2, random_state=seed
        )
    else:
        X, y = make_regression(160, 8, noise=20, random_state=seed)
    return X, y, weights


def random_table(estimator: Any, rng: np.random.Generator) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Training rows, targets, test rows and fit params, with all that may trouble an estimator.

    Rounded numbers and doubled rows make ties; gaps, weights and frames are used if the estimator
    takes them.
    """
    n, n_columns = int(rng.integers(60, 200)), int(rng.integers(1, 20))
    X = np.round(rng.normal(size=(n, n_columns)), rng.choice([0, 1, 12]))
    X[: n // 8] = X[n // 8 : 2 * (n // 8)]
    if get_tags(estimator).input_tags.allow_nan and rng.random() < 0.5:
        X[rng.random(X.shape) < 0.1] = np.nan
    y: Any = np.nan_to_num(X[:, 0]) + rng.normal(size=n)
    if is_classifier(estimator):
        y = np.digitize(y, np.quantile(y, np.linspace(0, 1, rng.integers(3, 6))[1:-1]))
    is_weighted = takes_weights(estimator) and rng.random() < 0.5
    n_train = 2 * n // 3
    weights = rng.integers(1, 5, size=n_train) * rng.choice([1.0, 0.3])
    made: Any = pd.DataFrame(X).add_prefix("x") if rng.random() < 0.5 else X
    fit_params = {"sample_weight": weights} if is_weighted else {}
    return made[:n_train], y[:n_train], made[n_train:], fit_params
