from pathlib import Path

from tunesmith.config.load import load_definition
from tunesmith.runs.plan.predicting import plan_predictions
from tunesmith.testing.projects import TUNING, make_project


def text_of(folder: Path, more: str, n_folds: int | None = 3) -> str:
    config = make_project(folder, text=f"{TUNING}{more}")
    return plan_predictions(load_definition(config), n_folds)


def test_the_plan_tells_what_is_kept_and_what_may_be_fitted_again(tmp_path: Path) -> None:
    assert text_of(tmp_path, "") == ""
    assert text_of(tmp_path, "outputs: {predictions: oof.csv}\n") == (
        "oof.csv, of the winner; the answers of the best 10 trials are kept meanwhile, and what"
        " is missing is fitted again after the search (at most 3 times)"
    )
    many = "outputs: {predictions: {path: oof.csv, trials: 30}}\nmodels: {keep: 5}\n"
    assert "the best 30 trials" in text_of(tmp_path, many)
    assert "at most 90 times" in text_of(tmp_path, many)
    assert "at most" not in text_of(tmp_path, many, None)
