"""Studies in memory of which every trial fails say why."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

import tunesmith
from tunesmith.errors import NoResultWarning, UsageError


def told(capsys: pytest.CaptureFixture[str], subject: Any, *data: Any, **words: Any) -> str:
    result = tunesmith.tune(subject, *data, workers=1, **words)
    assert result.best_params is None
    text = capsys.readouterr()
    assert "Failures" in result._repr_html_()
    assert "<details open><summary>Failures" in result._repr_html_()
    return text.out + text.err


def test_text_without_an_encoder(capsys: pytest.CaptureFixture[str]) -> None:
    X = pd.DataFrame({"a": ["x", "y"] * 10, "b": range(20)})
    text = told(capsys, DecisionTreeClassifier(), X, [0, 1] * 10, space={"max_depth": [1, 2]}, cv=2)
    assert "no trial has a usable result. In 2 of 2, " in text
    assert "could not convert string to float" in text
    assert "put an encoder and the estimator into one pipeline" in text


def test_a_function_that_raises(capsys: pytest.CaptureFixture[str]) -> None:
    def loss(params: dict[str, Any]) -> float:
        raise RuntimeError(f"no licence for {params['x']}.")

    metric = {"name": "loss", "direction": "minimize"}
    text = told(capsys, loss, space={"x": [1, 2]}, metric=metric, search="grid")
    assert "In 2 of 2, RuntimeError: no licence for 1. `result.report()` has" in text


def test_a_result_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    metric = {"name": "loss", "direction": "minimize"}
    tunesmith.tune(
        lambda params: params["x"],
        space={"x": [1, 2]},
        metric=metric,
        search="grid",
        progress=False,
    )
    assert "usable" not in "".join(capsys.readouterr())


def fails(_params: dict[str, Any]) -> float:
    raise RuntimeError("no licence")


def test_without_progress_a_warning_says_it() -> None:
    with pytest.warns(NoResultWarning, match="In 2 of 2, RuntimeError: no licence") as caught:
        result = tunesmith.tune(fails, space={"x": [1, 2]}, search="grid", progress=False)
    # It points to the line of the caller, not into Tunesmith.
    assert caught[0].filename == __file__
    with pytest.raises(UsageError, match="makes no estimator"):
        result.best_estimator()


def test_a_configured_study_says_it_as_well(tmp_path: Path) -> None:
    made = {
        "study": "bad",
        "objective": {
            "command": ["sh", "-c", "echo {x}; exit 3"],
            "metrics_pattern": "loss=(?P<loss>.*)",
            "metric": {"name": "loss", "direction": "minimize"},
        },
        "space": {"x": [1, 2]},
        "search": {"method": "grid"},
        "ledger": str(tmp_path / "ledger.db"),
    }
    with pytest.warns(NoResultWarning, match=r"usable result\. In 2 of 2, exited with"):
        tunesmith.tune(tunesmith.define(made, root=tmp_path), progress=False)


def test_the_winner_cannot_be_fitted_and_the_reason_is_given() -> None:
    tree, X = DecisionTreeClassifier(), [[0.0], [1.0]] * 10
    with pytest.warns(NoResultWarning, match="max_depth"):
        result = tunesmith.tune(
            tree, X, [0, 1] * 10, space={"max_depth": [-1, -2]}, cv=2, workers=1, progress=False
        )
    with pytest.raises(UsageError, match=r"best_estimator: no trial .*\. In 2 of 2"):
        result.best_estimator()
