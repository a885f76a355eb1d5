"""Quick metrics give scikit-learn's bits, or leave the word to it."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics
from sklearn.metrics import get_scorer

from tunesmith.objective.quick_metrics import Truth, quick_metric

OF_LABELS = [
    "accuracy",
    "balanced_accuracy",
    "matthews_corrcoef",
    *(
        name + average
        for name in ("precision", "recall", "f1", "jaccard")
        for average in ("", "_macro", "_micro", "_weighted")
    ),
]
OF_PROBABILITIES = [
    "neg_log_loss",
    "neg_brier_score",
    "roc_auc",
    "average_precision",
    "roc_auc_ovr",
    "roc_auc_ovr_weighted",
]
OF_NUMBERS = [
    "r2",
    "explained_variance",
    "neg_mean_squared_error",
    "neg_root_mean_squared_error",
    "neg_mean_absolute_error",
    "neg_median_absolute_error",
    "neg_mean_absolute_percentage_error",
    "neg_max_error",
]
KINDS: dict[str, list[Any]] = {
    "from 0": [0, 1, 2, 3, 4],
    "from -1": [-1, 0, 1, 2, 3],
    "with gaps": [-7, 1, 2, 40, 41],
    "text": ["1", "a", "b", "bb", "c"],
    "bool": [False, True],
    "float": [-1.0, 0.0, 1.0, 2.0, 5.0],
}


def pair(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    scorer = get_scorer(name)
    quick = quick_metric(scorer._score_func, scorer._kwargs)
    assert quick is not None, name

    def own(y: Any, answers: Any) -> Any:
        return scorer._score_func(y, answers, **scorer._kwargs)

    return quick, own


def assert_same(name: str, y: Any, answers: Any) -> bool:
    """Whether the metric was quick; if so, with scikit-learn's bits and without its warnings."""
    quick, own = pair(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = quick(Truth(y), answers)
        if found is None:
            return False
        expected = own(y, answers)
    assert type(found) is type(expected) is float
    assert repr(found) == repr(expected), name
    return True


@st.composite
def labels(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """A truth and predictions: classes may be missing in either, or be strangers to the other."""
    known = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    known = known[: draw(st.integers(1, len(known)))]
    dtype = draw(st.sampled_from([object, None])) if isinstance(known[0], str) else None
    n = draw(st.integers(1, 200))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    in_truth = draw(st.lists(st.sampled_from(known), min_size=1, unique=True))
    y = np.array(known, dtype=dtype)[rng.choice([known.index(x) for x in in_truth], size=n)]
    noise = np.array(known, dtype=dtype)[rng.integers(len(known), size=n)]
    return y, np.where(rng.random(n) < draw(st.floats(0, 1)), y, noise)


@given(labels())
def test_scores_of_labels_have_the_same_bits(given: tuple[np.ndarray, np.ndarray]) -> None:
    for name in OF_LABELS:
        assert_same(name, *given)


@st.composite
def probabilities(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """A truth and probabilities, rounded or not, as a column of a table for two classes."""
    known = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    n_classes = draw(st.integers(2, len(known)))
    n = draw(st.integers(1, 200))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    y = np.array(known[:n_classes])[rng.integers(n_classes, size=n)]
    weights = rng.exponential(size=(n, n_classes)) ** draw(st.sampled_from([0.1, 1.0, 40.0]))
    table = weights / weights.sum(axis=1, keepdims=True)
    if n_trees := draw(st.sampled_from([0, 1, 3, 100])):
        votes = [
            np.bincount(rng.choice(n_classes, n_trees, p=p), minlength=n_classes) for p in table
        ]
        table = np.array(votes) / n_trees
    table = table.astype(draw(st.sampled_from([np.float64, np.float32])))
    return y, (table[:, 1] if n_classes == 2 else table)


@given(probabilities())
def test_scores_of_probabilities_have_the_same_bits(given: tuple[np.ndarray, np.ndarray]) -> None:
    for name in OF_PROBABILITIES:
        assert_same(name, *given)


@st.composite
def numbers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """A truth and predictions of all magnitudes, equal here and there."""
    n = draw(st.integers(1, 200))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = 10.0 ** draw(st.integers(-140, 140))
    y = rng.normal(loc=draw(st.sampled_from([0.0, 1e6])), size=n) * scale
    if draw(st.booleans()):
        y = np.round(rng.normal(size=n) * 10).astype(draw(st.sampled_from([int, float])))
        scale = 1.0
    found = np.where(rng.random(n) < draw(st.floats(0, 1)), y, y + rng.normal(size=n) * scale)
    return y, found.astype(float)


@given(numbers())
def test_scores_of_numbers_have_the_same_bits(given: tuple[np.ndarray, np.ndarray]) -> None:
    for name in OF_NUMBERS:
        assert_same(name, *given)


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(hnp.arrays(float, st.integers(2, 30), elements=FINITE), st.data())
@settings(max_examples=50)
def test_numbers_at_the_edges_of_floats(y: np.ndarray, data: st.DataObject) -> None:
    found = data.draw(hnp.arrays(float, len(y), elements=FINITE))
    for name in OF_NUMBERS:
        quick, own = pair(name)
        with np.errstate(all="ignore"):
            score = quick(Truth(y), found)
            assert score is None or repr(score) == repr(own(y, found))


# -- what is plain is quick, what is not is left alone -------------------------------------------

TWO = np.array([0, 1, 1, 0, 1, 0, 0, 1])
THREE = np.array([0, 1, 2, 0, 1, 2, 2, 1, 0])


@pytest.mark.parametrize("name", OF_LABELS)
def test_plain_labels_are_quick(name: str) -> None:
    assert assert_same(name, TWO, TWO[::-1].copy())
    is_binary = name in ("precision", "recall", "f1", "jaccard")
    assert assert_same(name, THREE, np.roll(THREE, 4)) is not is_binary


@pytest.mark.parametrize("name", OF_PROBABILITIES)
def test_plain_probabilities_are_quick(name: str) -> None:
    assert assert_same(name, TWO, np.linspace(0.1, 0.9, 8))
    if name not in ("roc_auc", "average_precision"):
        table = np.random.default_rng(0).dirichlet([1, 1, 1], size=9)
        assert assert_same(name, THREE, table)


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_plain_numbers_are_quick(name: str) -> None:
    assert assert_same(name, np.arange(5), np.arange(5) * 0.75)
    assert assert_same(name, np.arange(5.0), np.linspace(0, 3, 5, dtype=np.float32))


@pytest.mark.parametrize(
    ("name", "y", "answers"),
    [
        ("recall_macro", TWO, np.zeros(8, dtype=int) + 2),
        ("precision", TWO, np.zeros(8, dtype=int)),
        ("accuracy", TWO, TWO.astype(float)),
        ("accuracy", TWO, list(TWO)),
        ("accuracy", TWO, TWO[:, None]),
        ("accuracy", TWO + 0.5, TWO + 0.5),
        ("accuracy", np.arange(8), np.arange(8)),
        ("accuracy", np.array(["a", "b", None, "a"], dtype=object), np.array(list("abba"))),
        (
            "accuracy",
            np.array(list("abba"), dtype=object),
            np.array(["a", 1, 1, "a"], dtype=object),
        ),
        ("f1", np.array(list("abba")), np.array(list("abab"))),
        ("balanced_accuracy", np.zeros(8, dtype=int), np.zeros(8, dtype=int)),
        ("roc_auc", np.zeros(8, dtype=int), np.linspace(0, 1, 8)),
        ("roc_auc", TWO, np.where(TWO, np.nan, 0.5)),
        ("roc_auc", TWO, np.where(TWO, np.inf, 0.5)),
        ("average_precision", TWO - 1, np.linspace(0, 1, 8)),
        ("neg_log_loss", TWO, np.linspace(0, 1.1, 8)),
        ("neg_log_loss", TWO, np.where(TWO, np.nan, 0.5)),
        ("neg_log_loss", THREE, np.full((9, 3), 0.3)),
        ("neg_log_loss", THREE, np.full((9, 4), 0.25)),
        ("neg_brier_score", np.array(list("abba")), np.linspace(0, 1, 4)),
        ("r2", np.ones(4), np.arange(4.0)),
        ("r2", np.arange(1.0), np.arange(1.0)),
        ("r2", np.arange(4.0), np.arange(4.0)),
        ("r2", np.arange(4.0), np.array([0, 1, 2, np.nan])),
        ("r2", np.arange(4), np.arange(4, dtype=np.float32)),
        ("r2", np.arange(4.0), np.arange(4.0)[:, None]),
    ],
)
def test_the_unusual_is_left_to_scikit_learn(name: str, y: Any, answers: Any) -> None:
    assert not assert_same(name, y, answers)


def own_accuracy(y: Any, answers: Any) -> float:
    return 0.5


own_accuracy.__name__ = "accuracy_score"


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (own_accuracy, {}),
        (metrics.accuracy_score, {"normalize": False}),
        (metrics.f1_score, {"average": "macro", "zero_division": 1}),
        (metrics.f1_score, {"average": "samples"}),
        (metrics.f1_score, {"average": "macro", "pos_label": 0}),
        (metrics.roc_auc_score, {"max_fpr": 0.5}),
        (metrics.roc_auc_score, {"multi_class": "ovo"}),
        (metrics.roc_auc_score, {"multi_class": "ovr", "average": "micro"}),
        (metrics.hamming_loss, {}),
    ],
)
def test_only_known_metrics_with_known_options_are_quick(function: Any, options: Any) -> None:
    assert quick_metric(function, options) is None


def test_the_positive_label_may_be_named() -> None:
    y, found = np.array(list("abbaab")), np.array(list("abaabb"))
    for label in "ab":
        quick = quick_metric(metrics.recall_score, {"pos_label": label})
        assert quick is not None
        assert quick(Truth(y), found) == metrics.recall_score(y, found, pos_label=label)
