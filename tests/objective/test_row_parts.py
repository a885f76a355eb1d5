"""Parts of the rows in scores: of each metric, and as objectives record them."""

import gc
import random
import warnings
from typing import Any
from weakref import ref

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris, make_classification
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import get_scorer
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from tunesmith.data.row_blocks import N_BLOCKS, blocks_of, from_text
from tunesmith.history import FoldResult
from tunesmith.objective.quick_scores import QuickScorers
from tunesmith.objective.row_parts import INFLUENCES, PartsNoter, text_of
from tunesmith.types import Fit

TWO = make_classification(400, 6, flip_y=0.2, random_state=0)
THREE = load_iris(return_X_y=True)
NUMBERS = load_diabetes(return_X_y=True)
CASES = {
    "accuracy": (KNeighborsClassifier(7), TWO),
    "balanced_accuracy": (RidgeClassifier(), TWO),
    "neg_log_loss": (LogisticRegression(max_iter=1000), TWO),
    "neg_brier_score": (LogisticRegression(max_iter=1000), TWO),
    "roc_auc": (KNeighborsClassifier(7), TWO),
    "f1": (RidgeClassifier(), TWO),
    "f1_macro": (KNeighborsClassifier(25), THREE),
    "r2": (KNeighborsRegressor(7), NUMBERS),
    "neg_mean_squared_error": (KNeighborsRegressor(7), NUMBERS),
    "neg_root_mean_squared_error": (KNeighborsRegressor(7), NUMBERS),
    "neg_mean_absolute_error": (KNeighborsRegressor(7), NUMBERS),
    "neg_mean_absolute_percentage_error": (KNeighborsRegressor(7), NUMBERS),
}


def fitted(name: str) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return a model fitted on half of the rows, and the other rows."""
    model, (X, y) = CASES[name]
    order = np.random.default_rng(0).permutation(len(y))
    train, test = order[::2], order[1::2]
    return model.fit(X[train], y[train]), X[test], y[test]


def parts(name: str, model: Any, X: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    scorer = get_scorer(name)
    blocks = blocks_of(np.arange(len(y)), len(y))
    return from_text(text_of(scorer, model, X, y, score=scorer(model, X, y), blocks=blocks))


@pytest.mark.parametrize("name", CASES)
def test_the_parts_tell_the_luck_of_the_rows(name: str) -> None:
    """The sum of their squares is the variance of the score over samples of rows (bootstrap)."""
    model, X, y = fitted(name)
    scorer, rng, n = get_scorer(name), np.random.default_rng(0), len(y)
    found = parts(name, model, X, y)
    assert found is not None
    drawn = (rng.integers(0, n, n) for _ in range(400))
    spread = np.var([scorer(model, X[rows], y[rows]) for rows in drawn])
    assert np.sum(found**2) * N_BLOCKS / (N_BLOCKS - 1) == pytest.approx(spread, rel=0.45)
    # What a row adds is what is lost without it: the signs are those of the score.
    half = np.arange(n) < n // 2
    alone = [scorer(model, X[rows], y[rows]) for rows in (half, ~half)]
    assert (found[: N_BLOCKS // 2].sum() > 0) == (alone[0] > alone[1])


def test_every_metric_with_parts_is_tried() -> None:
    named = {get_scorer(name)._score_func.__name__ for name in CASES}
    assert named == set(INFLUENCES)


@pytest.mark.parametrize("name", ["roc_auc_ovr", "average_precision", "neg_max_error"])
def test_other_metrics_have_no_parts(name: str) -> None:
    model, X, y = fitted("r2" if name == "neg_max_error" else "roc_auc")
    assert parts(name, model, X, y) is None


def test_special_cases_have_no_parts() -> None:
    model, X, y = fitted("roc_auc")
    scorer, blocks = get_scorer("roc_auc"), blocks_of(np.arange(len(y)), len(y))
    # Another score than the metric's own: weights, or a model that answers in another way now.
    assert text_of(scorer, model, X, y, score=0.5, blocks=blocks) == ""
    assert text_of(None, model, X, y, score=0.5, blocks=blocks) == ""
    single = DummyClassifier(strategy="constant", constant=0).fit(X, y)
    assert text_of(get_scorer("accuracy"), single, X[:1], y[:1], score=1.0, blocks=blocks[:1]) == ""
    own = lambda model, X, y: 0.5  # noqa: E731
    assert text_of(own, model, X, y, score=0.5, blocks=blocks) == ""


def test_failures_leave_a_result_as_it_is() -> None:
    noter, fit = PartsNoter(), Fit(0, ({"a": 1}, {"a": 2}))

    def failing() -> Any:
        raise RuntimeError

    model, X, y = fitted("accuracy")
    scorer, blocks = get_scorer("accuracy"), blocks_of(np.arange(len(y)), len(y))
    noter.note({"a": 1}, 0.5, failing)
    noter.note({"a": 2}, scorer(model, X, y), lambda: (scorer, model, X, y, blocks))
    from tunesmith.history import FoldResult

    results = [FoldResult(0, {"accuracy": 0.5}), FoldResult(0, {"accuracy": 0.6})]
    first, second = noter.attached(fit, results)
    assert first == results[0]
    assert from_text(second.parts) is not None
    assert noter.attached(fit, results) == results


class Talkative(KNeighborsClassifier):  # type: ignore[misc]
    """A model that draws, prints and warns when it is asked."""

    def predict(self, X: Any) -> Any:
        print("asked")
        warnings.warn("asked", stacklevel=2)
        np.random.random()
        random.random()
        return super().predict(X)


def test_asking_once_more_leaves_no_trace(capsys: pytest.CaptureFixture[str]) -> None:
    X, y = TWO
    model, noter = Talkative(7).fit(X, y), PartsNoter()
    score = KNeighborsClassifier(7).fit(X, y).score(X, y)
    before = random.getstate(), str(np.random.get_state())
    blocks = blocks_of(np.arange(len(y)), len(y))
    noter.note({"a": 1}, score, lambda: (get_scorer("accuracy"), model, X, y, blocks))
    (result,) = noter.attached(Fit(0, ({"a": 1},)), [FoldResult(0, {"accuracy": score})])
    assert result.parts
    assert (random.getstate(), str(np.random.get_state())) == before
    assert capsys.readouterr().out == ""


class Counting(KNeighborsClassifier):  # type: ignore[misc]
    """A model that counts how often it is asked."""

    n_asked = 0

    def predict_proba(self, X: Any) -> Any:
        self.n_asked += 1
        return super().predict_proba(X)


def read_only(y: np.ndarray) -> np.ndarray:
    y = y.copy()
    y.flags.writeable = False
    return y


@pytest.mark.parametrize("name", ["roc_auc", "neg_log_loss", "neg_brier_score"])
def test_a_model_that_was_just_scored_is_not_asked_again(name: str) -> None:
    X, y = TWO[0], read_only(TWO[1])
    model, scorer = Counting(7).fit(X, y), get_scorer(name)
    blocks = blocks_of(np.arange(len(y)), len(y))
    alone = text_of(scorer, model, X, y, score=scorer(model, X, y), blocks=blocks)
    for also in ({}, {"accuracy": get_scorer("accuracy")}):
        quick = QuickScorers({"it": scorer, **also})
        for _ in range(2):  # the first time compares, the second does not
            score = quick(model, X, y)["it"]
            model.n_asked = 0
            assert text_of(scorer, model, X, y, score=score, blocks=blocks) == alone != ""
            assert model.n_asked == 0
    # Once taken, they are gone.
    assert text_of(scorer, model, X, y, score=score, blocks=blocks) == alone
    assert model.n_asked == 1


def test_other_answers_than_those_of_this_model_and_score_are_never_taken() -> None:
    X, y = TWO[0], read_only(TWO[1])
    scorer, blocks = get_scorer("roc_auc"), blocks_of(np.arange(len(y)), len(y))
    quick = QuickScorers({"it": scorer})

    def own(model: Any, X: Any, y: Any) -> float:
        return float(scorer(model, X, y))

    model, other = KNeighborsClassifier(7).fit(X, y), KNeighborsClassifier(3).fit(X, y)
    expected = text_of(scorer, model, X, y, score=scorer(model, X, y), blocks=blocks)

    def found() -> str:
        return text_of(scorer, model, X, y, score=scorer(model, X, y), blocks=blocks)

    quick(other, X, y)
    assert found() == expected != ""
    quick(model, X + 1, y)
    assert found() == expected
    # A score by another way, after which the model may be another one.
    quick(model, X, y)
    model.set_params(n_neighbors=3)
    QuickScorers({"it": own})(model, X, y)
    assert found() == text_of(scorer, other, X, y, score=scorer(other, X, y), blocks=blocks) != ""


def test_what_was_asked_keeps_no_model() -> None:
    X, y = TWO[0], read_only(TWO[1])
    model = KNeighborsClassifier(7).fit(X, y)
    QuickScorers({"it": get_scorer("roc_auc")})(model, X, y)
    there = ref(model)
    del model
    gc.collect()
    assert there() is None
