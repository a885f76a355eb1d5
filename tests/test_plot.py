"""Figures from Python."""

from pathlib import Path

import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier

import tunesmith
from tunesmith import plot, registry
from tunesmith.errors import UsageError
from tunesmith.testing.figures import records
from tunesmith.testing.projects import make_project


def test_every_kind_is_a_function_of_the_module() -> None:
    assert set(registry.names("figures")) < set(dir(plot))
    figure = tunesmith.plot.history(records()["many"], metric="loss")
    assert figure.data.metric.name == "loss"
    assert figure._repr_svg_().startswith("<svg")
    with pytest.raises(AttributeError, match="no attribute 'histogram'"):
        plot.histogram  # noqa: B018


def test_figures_are_saved_by_their_names(tmp_path: Path) -> None:
    figure = plot.slice(records()["many"], params=["depth"])
    figure.save(tmp_path / "depth.svg", theme="dark")
    assert "var(" not in (tmp_path / "depth.svg").read_text()
    pytest.importorskip("resvg_py")
    figure.save(tmp_path / "depth.PNG")
    assert (tmp_path / "depth.PNG").read_bytes() == figure.png()


def test_without_the_extra_png_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)
    with pytest.raises(UsageError, match=r"pip install 'tunesmith\[png\]'"):
        plot.history(records()["one"]).png()


def test_a_study_is_found_by_its_configuration_its_ledger_or_its_result(tmp_path: Path) -> None:
    config = make_project(tmp_path, trials=4)
    result = tunesmith.tune(config)
    drawings = {
        plot.history(source).svg()
        for source in (config, str(config), tmp_path / ".tunesmith/ledger.db", result)
    }
    assert len(drawings) == 1


def test_a_fitted_search_of_scikit_learn_is_a_study_too() -> None:
    grid = {"max_depth": [1, 2, 0], "criterion": ["gini", "entropy"], "splitter": [None, "best"]}
    search = GridSearchCV(DecisionTreeClassifier(random_state=0), grid, cv=3, error_score=0.0)
    with pytest.raises(UsageError, match="cannot be made of a GridSearchCV"):
        plot.history(search)
    with pytest.warns(FitFailedWarning, match="fits failed"):
        search.fit(*load_iris(return_X_y=True))
    data = plot.history(search).data
    assert list(data.scores) == pytest.approx(list(search.cv_results_["mean_test_score"]))
    assert plot.parallel(search).data.columns[0].positions


def test_anything_else_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be made of a int"):
        plot.history(3)
