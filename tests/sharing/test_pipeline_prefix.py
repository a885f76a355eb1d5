"""Pipelines taken apart: the same fits, fewer of them, in bounded memory."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from tunesmith.sharing.pipeline_prefix import (
    PrefixCache,
    answering_pipeline,
    flat_steps,
    is_plain_pipeline,
    rebuilt,
)
from tunesmith.sharing.submodels.family import CannotShareError
from tunesmith.sharing.subtransformers.pca import Components
from tunesmith.sharing.subtransformers.selection import Best

X, Y = make_classification(120, 8, n_informative=5, random_state=0)
NESTED = Pipeline(
    [
        ("front", Pipeline([("scale", StandardScaler()), ("pca", PCA(3))])),
        ("none", "passthrough"),
        (
            "columns",
            ColumnTransformer([("some", StandardScaler(), [0, 1])], remainder="passthrough"),
        ),
        ("best", SelectKBest(k=2)),
        ("model", LogisticRegression()),
    ]
)


FAMILIES = (Components(), Best())


def through(
    cache: PrefixCache,
    pipeline: Any,
    params: dict[str, Any],
    place: Any = (0,),
    families: Any = (),
) -> Any:
    pipeline = clone(pipeline).set_params(**params)
    *front, (name, last) = flat_steps(pipeline)
    begun = cache.transformed(place, front, params, (X[:80], Y[:80], X[80:]), families)
    last.fit(begun.X_train, Y[:80])
    whole = rebuilt(pipeline, {**begun.steps, name: last})
    return answering_pipeline(whole, last, X, begun.X_test), whole


def commons(cache: PrefixCache) -> list[Any]:
    """The families whose members have something in common that is kept."""
    places: list[Any] = list(cache._kept)
    return [place[0][-1] for place in places if len(place) == 1]


def test_steps_are_found_through_nested_pipelines() -> None:
    names = [name for name, _ in flat_steps(NESTED)]
    assert names == ["front__scale", "front__pca", "none", "columns", "best", "model"]


@pytest.mark.parametrize("families", [(), FAMILIES], ids=["steps", "families"])
@pytest.mark.parametrize(
    "params",
    [{}, {"front__pca__n_components": 4, "best__k": 1}, {"front__scale": "passthrough"}],
    ids=["as it is", "other sizes", "another step"],
)
def test_the_pipeline_is_that_of_a_whole_fit(params: dict[str, Any], families: Any) -> None:
    cache = PrefixCache()
    for _ in range(2):
        quick, whole = through(cache, NESTED, params, families=families)
        expected = clone(NESTED).set_params(**params).fit(X[:80], Y[:80])
        for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
            wanted = getattr(expected, method)(X[80:])
            # The stand-in knows these rows by the object `X`; the whole computes them.
            np.testing.assert_array_equal(getattr(quick, method)(X), wanted)
            np.testing.assert_array_equal(getattr(whole, method)(X[80:]), wanted)
        np.testing.assert_array_equal(quick.predict(X[:9]), expected.predict(X[:9]))


def test_candidates_share_the_steps_that_they_agree_in() -> None:
    cache = PrefixCache()
    for n, k in ((3, 1), (3, 2), (4, 1), (4, 2)):
        through(cache, NESTED, {"front__pca__n_components": n, "best__k": k})
    names = [place[-2] for place in cache._kept]
    counts = {name: names.count(name) for name in names}
    assert counts == {"front__scale": 1, "front__pca": 2, "columns": 2, "best": 4}


def test_families_of_transformers_share_more() -> None:
    cache = PrefixCache()
    for n, k in ((3, 1), (3, 2), (4, 1), (4, 2)):
        params = {"front__pca__n_components": n, "best__k": k}
        through(cache, NESTED, params, families=FAMILIES)
    assert Counter(commons(cache)) == {Components: 1, Best: 2}
    cache.clear()
    # What is not searched along is fitted as it is.
    through(cache, NESTED, {"best__k": 2}, families=FAMILIES)
    assert commons(cache) == [Best]


def test_folds_and_prototypes_share_nothing() -> None:
    cache = PrefixCache()
    for place in ((0, ""), (1, ""), (0, "other")):
        through(cache, NESTED, {}, place)
    assert len(cache._kept) == 3 * 4


def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    one = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())])
    size = X.nbytes
    cache = PrefixCache(limit=2 * size)
    for fold in (0, 1, 0, 2):
        through(cache, one, {}, (fold,))
    assert [place[0] for place in cache._kept] == [0, 2]
    assert cache._n_bytes == 2 * size
    cache.clear()
    assert (cache._n_bytes, len(cache._kept)) == (0, 0)
    tiny = PrefixCache(limit=10)
    through(tiny, one, {})
    assert not tiny._kept


def test_steps_whose_rows_leave_them_to_chance_are_not_shared() -> None:
    wide = np.random.default_rng(0).normal(size=(600, 100))
    rows = wide, np.zeros(600), wide
    for seed in (0, None):
        steps = [("pca", PCA(3, random_state=seed))]
        if seed is None:
            with pytest.raises(CannotShareError, match="PCA draws random numbers without a seed"):
                PrefixCache().transformed((0,), steps, {}, rows)
        else:
            assert PrefixCache().transformed((0,), steps, {}, rows).X_test.shape == (600, 3)


def test_what_is_shared_cannot_be_written_to() -> None:
    cache = PrefixCache()
    through(cache, NESTED, {})
    with pytest.raises(ValueError, match="read-only"):
        next(iter(cache._kept.values())).X_train[0, 0] = 1.0


def test_pipelines_that_do_more_are_left_whole() -> None:
    class Other(Pipeline):  # type: ignore[misc]
        pass

    assert is_plain_pipeline(NESTED)
    assert not is_plain_pipeline(Other(NESTED.steps))
    assert not is_plain_pipeline(Pipeline(NESTED.steps, memory="cache"))
    assert not is_plain_pipeline(StandardScaler())
