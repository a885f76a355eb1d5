"""A function as an objective."""

from typing import Any

import numpy as np
import pytest

from tunesmith.errors import UsageError
from tunesmith.history import Metric
from tunesmith.objective.function import CalledObjective, metrics_of, takes_fold
from tunesmith.objective.objects import Objects
from tunesmith.types import Fit


def objective(function: Any, n_folds: int = 1, **options: Any) -> CalledObjective:
    given: dict[str, Any] = {"metrics": (Metric("score"),), "n_deciding": 1} | options
    return CalledObjective(
        function=function,
        takes_fold=takes_fold(function),
        n_folds=n_folds,
        objects=Objects(),
        **given,
    )


def results(one: CalledObjective, **params: Any) -> list[Any]:
    return [one.evaluate(Fit(fold, (params,)))[0] for fold in range(one.n_folds)]


def test_a_number_is_the_score_of_one_fold() -> None:
    assert results(objective(lambda params: params["x"] + 1), x=2)[0].scores == {"score": 3.0}


def test_all_folds_come_from_one_call() -> None:
    calls = []

    def function(params: Any) -> Any:
        calls.append(params)
        return np.array([1.0, 2.0, 3.0])

    one = objective(function, 3)
    assert [r.scores["score"] for r in results(one, x=1)] == [1, 2, 3]
    assert (len(calls), one.answers) == (1, {})


def test_a_function_may_ask_for_the_fold() -> None:
    one = objective(lambda params, fold: params["x"] * fold, 3)
    assert [r.scores["score"] for r in results(one, x=2)] == [0, 2, 4]


def test_several_metrics_come_in_a_dict() -> None:
    metrics = metrics_of(["auc", {"name": "loss", "direction": "minimize"}])
    one = objective(lambda params: {"auc": 0.9, "loss": 0.1}, metrics=metrics, n_deciding=2)
    assert results(one, x=1)[0].scores == {"auc": 0.9, "loss": 0.1}
    assert [m.sign for m in one.objectives] == [1, -1]


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (float("nan"), "nan", "not a number"),
        ("good", "type", "instead of a number"),
        (None, "type", "instead of a number"),
        (True, "type", "instead of a number"),
        ([1.0, 2.0], "folds", "2 scores for 1 fold"),
        ({"loss": 1.0}, "type", "no `score`"),
    ],
)
def test_what_is_no_score_fails_in_words(answer: Any, kind: str, words: str) -> None:
    failure = results(objective(lambda params: answer), x=1)[0].failure
    assert failure.kind == kind
    assert words in failure.message


def test_what_it_raises_is_a_failure_and_what_it_warns_is_noted() -> None:
    def function(params: Any) -> Any:
        import warnings

        warnings.warn("careful", stacklevel=1)
        raise KeyError("x")

    result = results(objective(function), x=1)[0]
    assert (result.failure.kind, result.warning) == ("KeyError", "UserWarning: careful")


def test_a_function_may_change_its_params() -> None:
    one = objective(lambda params: params.pop("x"))
    params = {"x": 1}
    one.evaluate(Fit(0, (params,)))
    assert params == {"x": 1}


@pytest.mark.parametrize("function", [lambda: 1, lambda C, gamma: 1, lambda params, *, data: 1])
def test_another_signature_is_refused_in_words(function: Any) -> None:
    with pytest.raises(UsageError, match="takes `params`, a dict"):
        takes_fold(function)


def test_another_metric_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="is no metric of a function"):
        metrics_of({"name": "loss", "direction": "down"})
