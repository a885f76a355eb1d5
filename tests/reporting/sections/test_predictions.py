from dataclasses import replace

import pandas as pd
from syrupy.assertion import SnapshotAssertion

from tunesmith.analysis.statistics.predicted import predicted
from tunesmith.analysis.summary import summarise
from tunesmith.reporting.sections.predictions import predictions
from tunesmith.testing.records import make_record

SUMMARY = summarise(make_record([{"a": 1}, {"a": 2}], [[0.5, 0.6], [0.7, 0.8]]))
CLASSES = pd.DataFrame(
    {
        "trial": 1,
        "row": range(12),
        "target": ["no"] * 7 + ["|yes|"] * 5,
        "prediction": ["no"] * 6 + ["|yes|"] * 5 + ["no"],
        "probability_no": [0.9, 0.8, 0.7, 0.9, 0.6, 0.8, 0.4, 0.2, 0.1, 0.3, 0.2, 0.7],
        "<b>": ["x", "y"] * 6,
    }
)
CLASSES["probability_|yes|"] = 1 - CLASSES["probability_no"]


def drawn(table: pd.DataFrame) -> str:
    return predictions(replace(SUMMARY, predicted=predicted(table)))


def test_classes(snapshot: SnapshotAssertion) -> None:
    text = drawn(CLASSES)
    assert text == snapshot
    # Names from data are code, and never markup.
    assert "`<b>`" in text


def test_numbers(snapshot: SnapshotAssertion) -> None:
    truth = [float(n * n) for n in range(12)]
    answers = [value + (-1) ** n * n / 3 for n, value in enumerate(truth)]
    table = pd.DataFrame({"trial": 1, "row": [*range(6)] * 2, "target": truth})
    assert drawn(table.assign(prediction=answers, fold=0)) == snapshot


def test_without_predictions_there_is_no_section() -> None:
    assert predictions(SUMMARY) == ""
