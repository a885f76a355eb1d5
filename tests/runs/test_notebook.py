"""A real notebook, executed as a reader executes it."""

from typing import Any

import pytest

CELLS = (
    (
        "import tunesmith\n"
        "from sklearn.datasets import load_iris\n"
        "from sklearn.svm import SVC\n"
        "X, y = load_iris(return_X_y=True)\n"
        "class Mine(SVC):\n"
        "    factor = 1.0\n"
        "    def fit(self, X, y):\n"
        "        return super().fit(X * self.factor, y)\n"
        "threshold = 0.5\n"
        "scorer = lambda model, X, y: model.score(X, y) - threshold"
    ),
    (
        "space = {'C': [0.1, 1.0]}\n"
        "result = tunesmith.tune(Mine(random_state=0), X, y, space=space, search='grid', cv=3,\n"
        "                        metric=scorer, ledger='scores.db', workers=2)"
    ),
    "result",
    "result.figures.history",
    "result.report()",
    (
        "Mine.factor = 2.0\nagain = tunesmith.tune(Mine(random_state=0), X, y, space=space,\n"
        "    search='grid', cv=3, metric=scorer, ledger='scores.db', workers=1, progress=False)\n"
        "print(result.n_evaluated, again.n_evaluated)"
    ),
)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Outputs of each cell."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
    place = {"metadata": {"path": str(tmp_path_factory.mktemp("notebook"))}}
    nbclient.NotebookClient(book, timeout=240, kernel_name="python3", resources=place).execute()
    return [cell.outputs for cell in book.cells]


@pytest.mark.filterwarnings("ignore")
def test_a_notebook_shows_everything(outputs: Any) -> None:
    _, progress, result, figure, report, again = outputs
    # The picture is drawn in place, so that one output is left, and it shows the end.
    assert [one.output_type for one in progress] == ["display_data"]
    assert "2/2 trials" in progress[0].data["text/plain"]
    assert "width:100.0%" in progress[0].data["text/html"]
    assert "tunesmith-card" in result[0].data["text/html"]
    assert result[0].data["text/plain"].startswith("<Result of Mine: 2 trials, score ")
    assert figure[0].data["image/svg+xml"].startswith("<svg")
    assert report[0].data["text/markdown"].startswith("# Tuning results: `Mine`")
    # An attribute of a class in a cell has changed, so nothing is used again.
    assert again[0].text == "6 6\n"
