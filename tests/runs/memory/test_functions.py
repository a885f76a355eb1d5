"""Studies of functions."""

from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC

import tunesmith
from tunesmith import Float
from tunesmith.errors import UsageError

X, Y = load_iris(return_X_y=True)
X, Y = X[::2], Y[::2]
C = {"C": [0.1, 1.0, 10.0]}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Otherwise all tests would count as the project's code.
    monkeypatch.chdir(tmp_path)


def tune(function: Any, **options: Any) -> Any:
    given: Any = {"progress": False, "search": "grid"} | options
    return tunesmith.tune(function, **given)


def by_trial(result: Any, metric: str) -> list[tuple[dict[str, Any], list[float]]]:
    return [
        (dict(trial.params), [fold.scores[metric] for fold in trial.folds])
        for trial in result.record.history.completed
    ]


def test_a_function_is_tuned() -> None:
    def loss(params: Any) -> float:
        return float((params["x"] - 1) ** 2)

    metric = {"name": "loss", "direction": "minimize"}
    result = tune(loss, space={"x": Float(-5, 5)}, search="bayesian", metric=metric, stop=20)
    assert abs(result.best_params["x"] - 1) < 0.5
    assert result.n_evaluated == 20
    with pytest.raises(UsageError, match="makes no estimator"):
        result.best_estimator()


def test_a_function_shows_how_many_folds_it_has() -> None:
    calls = []

    def scores(params: Any) -> list[float]:
        calls.append(params["C"])
        return cross_val_score(SVC(**params), X, Y, cv=4).tolist()  # type: ignore[no-any-return]

    result = tune(scores, space=C)
    assert sorted(calls) == C["C"]
    for params, found in by_trial(result, "score"):
        assert found == cross_val_score(SVC(**params), X, Y, cv=4).tolist()


def test_a_function_is_taken_up(tmp_path: Path) -> None:
    def scores(params: Any) -> list[float]:
        return [params["x"], params["x"] + 1.0]

    options: dict[str, Any] = {"space": {"x": Float(0, 1)}, "search": "random"}
    place = tmp_path / "scores.db"
    first = tune(scores, stop=3, ledger=place, **options)
    again = tune(scores, stop=5, ledger=place, **options)
    assert (first.n_evaluated, again.n_evaluated, len(again.trials)) == (6, 4, 5)


# -- the gate ------------------------------------------------------------------------------------


def test_a_gate_adopts_nothing_that_it_cannot_confirm() -> None:
    def losses(params: dict[str, float]) -> list[float]:
        return [abs(params["x"] - 2) + fold / 10 for fold in range(5)]

    def judged(**options: object) -> Any:
        call: Any = tunesmith.tune
        loss = {"name": "loss", "direction": "minimize"}
        given = {"space": {"x": [0, 1, 2]}, "search": "grid", "metric": loss, "progress": False}
        return call(losses, **given, gate=True, current={"x": 0}, **options).summary.gate

    gate = judged()
    assert (gate.verdict, gate.holds_back) == ("indistinguishable", True)
    assert "a function in memory makes its own folds" in gate.reason
    assert judged(confirm="off").verdict == "adopt"
