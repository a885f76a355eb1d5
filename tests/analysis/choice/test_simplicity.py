"""Which candidate is the simplest."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tunesmith.analysis.choice.simplicity import complexity, complexity_of_ranking
from tunesmith.analysis.ranking import RankedColumns
from tunesmith.history import FoldResult, Metric, Trial
from tunesmith.ledger.columns import columns_of
from tunesmith.space.parameter import canonical_json


def test_larger_models_are_more_complex() -> None:
    assert complexity([{"n_estimators": n} for n in (100, 10, 1000)]).tolist() == [0.5, 0.0, 1.0]


def test_stronger_penalties_are_simpler() -> None:
    assert complexity([{"alpha": a} for a in (0.1, 10.0, 1.0)]).tolist() == [1.0, 0.0, 0.5]


def test_no_limit_is_the_most_complex() -> None:
    assert complexity([{"max_depth": d} for d in (None, 3)]).tolist() == [1.0, 0.0]


def test_steps_of_pipelines_are_known_by_their_last_name() -> None:
    assert complexity([{"clf__svc__C": c} for c in (1, 2)]).tolist() == [0.0, 1.0]


def test_parameters_count_alike() -> None:
    params = [{"C": c, "degree": d} for c in (1.0, 10.0) for d in (2, 3)]
    assert complexity(params).tolist() == [0.0, 0.5, 0.5, 1.0]


def test_what_says_nothing_does_not_count() -> None:
    assert complexity(
        [{"kernel": "rbf", "C": True}, {"kernel": "linear", "C": False}]
    ).tolist() == [
        0.0,
        0.0,
    ]
    assert complexity([{"max_features": "sqrt"}, {"max_features": 3}]).tolist() == [0.0, 0.0]


def test_numpy_numbers_and_missing_parameters() -> None:
    found = complexity([{"C": np.float64(2.0)}, {}, {"C": np.int64(1)}])
    assert found.tolist() == [1.0, 0.0, 0.5]


@pytest.mark.parametrize("places", [range(6), [5, 1, 3], [0, 2]])
def test_a_ranking_of_columns_is_as_complex_as_its_params(places: Sequence[int]) -> None:
    params: list[dict[str, Any]] = [
        {"C": 2.0, "kernel": "rbf"},
        {"C": 1, "max_features": "sqrt"},
        {"degree": None, "max_depth": True},
        {"C": 7, "alpha": 0.5},
        {},
        {"clf__alpha": 3, "degree": 4},
    ]
    made = [
        Trial(n, own, key=canonical_json(own), origin="a").completed([FoldResult(0, {"s": -n})])
        for n, own in enumerate(params)
    ]
    metrics = [Metric("s")]
    ranking = RankedColumns.of(columns_of(made, ["s"]), metrics, metrics).take(places)
    wanted = complexity([params[place] for place in places])
    assert complexity_of_ranking(ranking).tolist() == wanted.tolist()
    assert complexity_of_ranking(list(ranking)).tolist() == wanted.tolist()
