from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

import tunesmith
from tunesmith.cli.serve import _Served
from tunesmith.errors import ConfigError, UsageError

X, Y = load_iris(return_X_y=True, as_frame=True)
MODEL = LogisticRegression(max_iter=1000)
GRID: dict[str, Any] = {
    "space": {"C": [0.1, 1.0]},
    "search": "grid",
    "workers": 1,
    "progress": False,
}


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def test_kept_answers_are_in_report_and_page() -> None:
    result = tunesmith.tune(MODEL, X, Y, models={}, **GRID)
    told = result.summary.predicted
    assert told is not None
    assert told.confusion is not None
    assert sum(map(sum, told.confusion.counts)) == 150
    assert "## Predictions" in result.report()
    page = result.serve()
    try:
        assert "Predictions by row" in urlopen(page.url).read().decode()  # noqa: S310 - our own page
    finally:
        page.close()
    assert tunesmith.tune(MODEL, X, Y, **GRID).summary.predicted is None


def test_predictions_are_written_and_told(tmp_path: Path) -> None:
    wanted = {"path": "oof.csv", "trials": 2, "columns": ["sepal width (cm)"]}
    study: dict[str, Any] = {**GRID, "ledger": "l.db", "predictions": wanted}
    result = tunesmith.tune(MODEL, X, Y, **study)
    told = result.summary.predicted
    assert told is not None
    assert [one.column for one in told.slices] == ["sepal width (cm)"]
    table = tunesmith.per_row(tmp_path / "oof.csv")
    assert len(table) == 2 * 150
    assert result.n_fits == 2 * 5
    again = tunesmith.tune(MODEL, X, Y, **study)
    assert (again.n_fits, [one.changed for one in again.written]) == (0, [False])
    assert again.summary.predicted == told
    # The page of the ledger finds the file as well.
    assert "Predictions by row" in str(_Served(tmp_path / "l.db").page().content())


def test_frames_of_other_libraries_have_columns() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.from_pandas(X)
    wanted = {"path": "oof.csv", "columns": ["sepal width (cm)"]}
    result = tunesmith.tune(MODEL, frame, Y, predictions=wanted, **GRID)
    assert result.summary.predicted is not None
    assert result.summary.predicted.slices


def test_what_cannot_be_written_is_refused_before_the_first_fit(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("a,b\n1,2\n")
    for given, reason in (
        ("mine.csv", "mine.csv is there already"),
        ({"path": "a.csv", "columns": ["nope"]}, "no column `nope`"),
    ):
        with pytest.raises(UsageError, match=reason):
            tunesmith.tune(MODEL, X, Y, predictions=given, **GRID)
    for wrong in ("a.txt", 3):
        with pytest.raises(ConfigError, match=r"outputs.predictions"):
            tunesmith.tune(MODEL, X, Y, predictions=wrong, **GRID)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="a function has its own data and models"):
        tunesmith.tune(lambda _params: 1.0, space={"x": [1, 2]}, predictions="a.csv")
    assert (tmp_path / "mine.csv").read_text() == "a,b\n1,2\n"
    assert not (tmp_path / "a.csv").exists()
