"""Which candidate is the simplest."""

import numpy as np

from tunesmith.analysis.choice.simplicity import complexity


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
