from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tunesmith.analysis.statistics.predicted import predicted
from tunesmith.reporting.drawing.chart import Band, Bars, Cells, Chart, Line, Panel
from tunesmith.reporting.figures.predictions import KIND
from tunesmith.testing.figures import HOSTILE as WORST
from tunesmith.testing.figures import FigureContract, view_of_study

# Tables cannot hold half a character.
HOSTILE = WORST.replace("\ud800", "")
CLASSES = pd.DataFrame(
    {
        "trial": 0,
        "row": range(40),
        "target": [HOSTILE, "b"] * 20,
        "prediction": [HOSTILE] * 30 + ["b"] * 10,
        f"probability_{HOSTILE}": np.linspace(0.9, 0.1, 40),
        "probability_b": np.linspace(0.1, 0.9, 40),
        HOSTILE: [HOSTILE, "x"] * 20,
    }
)
NUMBERS = pd.DataFrame(
    {"trial": 0, "row": range(40), "target": np.arange(40.0), "prediction": np.arange(40.0) + 0.5}
)
ALONE = NUMBERS.head(1).assign(group="a")


def chart(table: pd.DataFrame) -> Chart:
    view = view_of_study("many")
    return KIND(replace(view, summary=replace(view.summary, predicted=predicted(table))))


def marks(found: Chart, place: int) -> list[type]:
    panel = found.panels[place]
    assert isinstance(panel, Panel)
    return [type(mark) for mark in panel.marks]


@pytest.mark.parametrize("table", [CLASSES, NUMBERS, ALONE], ids=["classes", "numbers", "one"])
class TestPredictions(FigureContract):
    kind = KIND

    @pytest.fixture
    def view(self, table: pd.DataFrame) -> object:
        view = view_of_study("many")
        return replace(view, summary=replace(view.summary, predicted=predicted(table)))


def test_classes_have_a_matrix_a_calibration_and_groups() -> None:
    found = chart(CLASSES)
    assert next(getattr(panel, "title", "") for panel in found.panels) == "Confusion"
    assert Cells in marks(found, 0)
    assert Line in marks(found, 1)
    assert marks(found, 2) == [Bars]
    cells = found.panels[0].marks[0]  # type: ignore[union-attr]
    assert isinstance(cells, Cells)
    # Only empty cells have no colour.
    assert [level >= 0 for level in cells.levels] == [True, True, True, True]
    assert cells.texts[1] == f"{HOSTILE} predicted as b: 5"


def test_numbers_have_residuals() -> None:
    found = chart(NUMBERS)
    assert len(found.panels) == 1
    assert Band in marks(found, 0)


def test_without_predictions_the_figure_says_how_to_get_them() -> None:
    found = KIND(view_of_study("many"))
    assert not found.panels
    assert "outputs: {predictions" in found.note
