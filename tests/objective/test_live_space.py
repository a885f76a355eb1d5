"""What is read as a space, and that everything else is refused in words."""

import re
import warnings
from collections import deque
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna import create_study, distributions
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

from tunesmith import Categorical, Float, Int
from tunesmith.objective.live_space import space_of
from tunesmith.objective.objects import Objects
from tunesmith.sklearn import BayesSearchCV, GridSearchCV, RandomizedSearchCV

X, Y = np.arange(24.0).reshape(12, 2) % 7, np.tile([0, 1], 6)
PAIRS: Any = ((1, 1), (1, 2))
RAW = re.compile(r"has no attribute|object is not|not JSON|unsupported operand|got an unexpected")


def choices(*values: Any) -> Any:
    """Optuna's distribution over any objects, of which it warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return distributions.CategoricalDistribution(values)


def read(values: Any) -> Any:
    """What a parameter is read as, objects in the place of their tokens."""
    objects = Objects()
    parameter = space_of({"a": values}, objects).boxes[0].parameters["a"]
    if isinstance(parameter, Categorical):
        return [objects.decode(choice) for choice in parameter.choices]
    return parameter


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1, 32), Int(1, 32)),
        ((np.int64(1), 32), Int(1, 32)),
        ((1, 32.0), Float(1, 32)),
        ((0.5, 2), Float(0.5, 2)),
        ((1e-3, 1e3, "log-uniform"), Float(1e-3, 1e3, log=True)),
        ((1e-3, 1e3, "log-uniform", 10), Float(1e-3, 1e3, log=True)),
        ((1, 100, "log-uniform"), Int(1, 100, log=True)),
        ((1.0, 9.0, "uniform"), Float(1, 9)),
        ((True, False), [True, False]),
        (("rbf", "linear"), ["rbf", "linear"]),
        ((1, 2, 3), [1, 2, 3]),
        ((1, 2, 3, 4, 5), [1, 2, 3, 4, 5]),
        ((3,), [3]),
        ((1, None), [1, None]),
        ([1, 32], [1, 32]),
        ([1e-3, 1e3, "log-uniform"], [1e-3, 1e3, "log-uniform"]),
        (np.array([1, 32]), [1, 32]),
        (range(2, 4), [2, 3]),
        (pd.Series([1, 2]), [1, 2]),
        ([(1, 1), (1, 2)], [(1, 1), (1, 2)]),
        (Categorical(PAIRS), [(1, 1), (1, 2)]),
        (choices((1, 1), (1, 2)), [(1, 1), (1, 2)]),
        ({"values": [(1, 1), (1, 2)]}, [(1, 1), (1, 2)]),
        (stats.loguniform(1e-3, 10), Float(1e-3, 10, log=True)),
    ],
)
def test_what_is_read(values: Any, expected: Any) -> None:
    found = read(values)
    assert repr(found) == repr(expected)


def test_dimensions_of_scikit_optimize_mean_what_they_mean_there() -> None:
    space = pytest.importorskip("skopt.space")
    assert read(space.Real(1e-3, 1, "log-uniform")) == Float(1e-3, 1, log=True)
    assert read(space.Real(0, 1)) == Float(0, 1)
    assert read(space.Integer(1, 9)) == Int(1, 9)
    assert read(space.Integer(1, 9, "log-uniform")) == Int(1, 9, log=True)
    assert read(space.Categorical([(1, 1), "x"])) == [(1, 1), "x"]
    with pytest.warns(UserWarning, match="every choice counts alike"):
        assert read(space.Categorical(["a", "b"], prior=[0.2, 0.8])) == ["a", "b"]
    with pytest.raises(ValueError, match="expected Real, Integer or Categorical"):
        read(space.Space([(1, 2)]))


@given(
    st.tuples(
        st.one_of(st.integers(-5, 5), st.floats(-5, 5), st.booleans(), st.text(max_size=2)),
        st.one_of(st.integers(-5, 5), st.floats(-5, 5), st.none()),
    )
)
@settings(deadline=None, max_examples=60)
def test_a_pair_of_numbers_is_a_range_and_no_other_pair_is(pair: tuple[Any, Any]) -> None:
    is_range = all(type(v) in (int, float) for v in pair)
    if not is_range:
        assert isinstance(read(pair), list)
    elif pair[0] > pair[1]:
        with pytest.raises(ValueError, match="is read as a range: low must not exceed high"):
            read(pair)
    else:
        assert isinstance(read(pair), Int if type(pair[0]) is type(pair[1]) is int else Float)


class Drawn:
    """Can be drawn from, and nothing else."""

    def rvs(self, random_state: Any = None) -> float:
        return 1.0


class Mute:
    """Cannot even be printed."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


class Colour(Enum):
    RED = 1


SPACE = {"C": [1.0]}
SPACES: dict[str, Any] = {
    "nothing": None,
    "a number": 3,
    "a text": "C",
    "a pair": (SPACE, 2),
    "pairs": [(SPACE, 2), SPACE],
    "a list of texts": ["C"],
    "a list of lists": [[SPACE]],
    "an empty list": [],
    "an empty dict": {},
    "an empty dict in a list": [{}],
    "a frame": pd.DataFrame(SPACE),
    "a study": create_study(),
    "a function": lambda trial: SPACE,
    "an iterator": iter([SPACE]),
    "a class": dict,
    "a name that is none": {3: [1.0]},
    "an object": Mute(),
}
VALUES: dict[str, Any] = {
    "nothing": None,
    "a number": 3,
    "NumPy's number": np.float64(3),
    "an array without axes": np.array(3),
    "an array of two axes": np.ones((2, 2)),
    "a text": "rbf",
    "bytes": b"rbf",
    "a set": {1.0, 2.0},
    "an iterator": iter([1.0]),
    "a generator": (c for c in [1.0]),
    "a view": {"a": 1}.values(),
    "a class": float,
    "a function": abs,
    "an object": object(),
    "a mute object": Mute(),
    "an enumeration": Colour,
    "a distribution without arguments": stats.uniform,
    "a frozen one of arrays": stats.uniform([0, 1], [1, 2]),
    "a distribution of several": stats.multivariate_normal([0, 0]),
    "scipy's new ones": getattr(stats, "Normal", stats.uniform)(),
    "what can only be drawn": Drawn(),
    "an empty list": [],
    "an empty tuple": (),
    "repeats": [1.0, 1.0],
    "a falling range": (3, 1),
    "an endless range": (0.0, float("inf")),
    "no number": (0.0, float("nan")),
    "a log range from zero": (0, 1, "log-uniform"),
    "an unknown prior": (1, 10, "log"),
    "a frame": pd.DataFrame(SPACE),
    "an unknown key": {"floats": [0, 1]},
    "an odd dict": {1: 2},
    "odd bounds": {"float": ["a", None]},
    "odd conditions": {"values": [1.0], "when": 3},
    "a trial": create_study().ask(),
    "complex": 1j,
}


def said_of(search: Any) -> str:
    try:
        search.fit(X, Y)
    except Exception as error:  # noqa: BLE001
        return str(error)
    return ""


@pytest.mark.parametrize("kind", SPACES)
def test_foreign_spaces_are_refused_in_words(kind: str) -> None:
    with pytest.raises(ValueError, match="param_distributions: ") as caught:
        BayesSearchCV(SVC(), SPACES[kind], n_iter=1, cv=2).fit(X, Y)
    assert not RAW.search(str(caught.value)), str(caught.value)
    for search in (GridSearchCV, RandomizedSearchCV):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # In whatever class scikit-learn has; some it takes.
            told = said_of(search(SVC(), SPACES[kind], cv=2))
            assert not RAW.search(told), f"{search.__name__}: {told}"


@pytest.mark.parametrize("kind", VALUES)
def test_foreign_values_are_refused_in_words(kind: str) -> None:
    with pytest.raises(ValueError, match="param_distributions: ") as caught:
        BayesSearchCV(SVC(), {"C": VALUES[kind]}, n_iter=1, cv=2).fit(X, Y)
    assert not RAW.search(str(caught.value)), str(caught.value)


def test_all_that_is_foreign_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="param_distributions") as caught:
        BayesSearchCV(SVC(), [{"C": 3, "tol": {1, 2}}, (SPACE, 2)]).fit(X, Y)
    first, second, third = str(caught.value).splitlines()
    assert first.startswith("param_distributions: expected a list, an array or a distribution;")
    assert first.endswith("found 3. A single value stands in a list: [3]. (`C` of space 0)")
    assert "their order must stay" in second
    assert "as scikit-optimize takes it" in third


def test_tuples_reach_the_estimator_as_tuples() -> None:
    layers = choices((2,), (2, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLPClassifier(max_iter=2, random_state=0)
        found = BayesSearchCV(model, {"hidden_layer_sizes": layers}, n_iter=2, cv=2).fit(X, Y)
    tried = [params["hidden_layer_sizes"] for params in found.cv_results_["params"]]
    assert sorted(tried) == [(2,), (2, 2)]
    words = Pipeline([("words", CountVectorizer()), ("model", LogisticRegression())])
    ranges = Categorical(PAIRS)
    texts = [f"some text {number % 3}" for number in range(12)]
    search = BayesSearchCV(words, {"words__ngram_range": ranges}, n_iter=2, cv=2).fit(texts, Y)
    assert sorted(p["words__ngram_range"] for p in search.cv_results_["params"]) == [
        (1, 1),
        (1, 2),
    ]


def test_a_choice_of_estimators_works_or_says_why_not() -> None:
    models = [SVC(), LogisticRegression()]
    pipe = Pipeline([("model", SVC())])
    for values in (models, tuple(models), choices(*models)):
        found = BayesSearchCV(pipe, {"model": values}, n_iter=2, cv=2).fit(X, Y)
        assert {type(p["model"]) for p in found.cv_results_["params"]} == {SVC, LogisticRegression}
    with pytest.raises(ValueError, match="BayesSearchCV takes a plain list of any objects"):
        Categorical(tuple(models))


class Any_(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # noqa: N801
    """Takes anything."""

    def __init__(self, value: Any = None) -> None:
        self.value = value

    def fit(self, X: Any, y: Any) -> "Any_":
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X))


@pytest.mark.parametrize("search", [GridSearchCV, RandomizedSearchCV, BayesSearchCV])
def test_a_list_may_hold_any_objects(search: Any) -> None:
    values = [
        *(abs, Colour.RED, {1, 2}, {"a": (1, 2)}, b"x", 1j, float("nan"), np.array([1, 2]), Mute()),
        *(deque([1]), np.float32(0.1), 10**30, "\ud800", type, None, pd.Timestamp("2026-11-28")),
    ]
    options = {} if search is GridSearchCV else {"n_iter": len(values), "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = search(Any_(), {"value": values}, cv=2, refit=False, **options).fit(X, Y)
    assert len(found.cv_results_["params"]) == len(values)
    tried = [params["value"] for params in found.cv_results_["params"]]
    assert {id(value) for value in values[:9]} <= {id(value) for value in tried}
