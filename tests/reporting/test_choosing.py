from typing import Any

import pytest

from tunesmith.errors import UsageError
from tunesmith.history import Metric
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.choosing import chosen
from tunesmith.reporting.table import rows_of, to_text
from tunesmith.testing.records import make_record

RECORD = make_record(
    [{"n": 1, "kind": "=x"}, {"n": 2}, {"n": 3, "kind": "b"}], [[0.5, 0.6], "bad|news", [0.8, 0.7]]
)
ODD = make_record(
    [{"model.lr": 0.1}, {"model.lr": 0.2}],
    [[0.5, 0.6], [0.8, 0.7]],
    metrics=[Metric("val-loss", "minimize"), Metric("f1")],
)


def numbers(record: StudyRecord = RECORD, **options: Any) -> list[int]:
    return [row["trial"] for row in chosen(rows_of(record), record.metrics, **options)]


def test_rows_are_sorted_by_rank_and_filtered() -> None:
    assert numbers() == [2, 0, 1]
    assert numbers(where="n < 3") == [0, 1]
    assert numbers(where="state == 'failed'") == [1]
    assert numbers(where="kind == 'b'") == [2]
    assert numbers(by="n", n=2) == [0, 1]
    assert numbers(by="-n") == [2, 1, 0]
    assert numbers(by="score") == [2, 0, 1]


def test_every_heading_that_is_printed_can_be_asked_for() -> None:
    for record in (RECORD, ODD):
        for heading in to_text(rows_of(record), record.metrics).splitlines()[0].split():
            assert len(numbers(record, by=heading)) == len(rows_of(record))
            assert numbers(record, by=heading, n=1) != numbers(record, by=f"-{heading}", n=1) or (
                heading == "state"
            )
            numbers(record, where=f"{heading} == {heading}")


def test_metrics_are_named_as_in_the_list() -> None:
    assert numbers(where="score < 0.6") == [0]
    assert numbers(where="rank <= 1") == [2]
    assert numbers(ODD, where="val-loss < 0.6 and f1 > 0") == [0]
    assert numbers(ODD, where="model.lr > 0.15") == [1]
    assert numbers(where="'n=3' in params") == [2]


def test_losses_are_sorted_with_the_smallest_first() -> None:
    assert numbers(ODD, by="val-loss") == [0, 1]
    assert numbers(ODD, by="f1") == [1, 0]


@pytest.mark.parametrize(
    ("record", "options", "message"),
    [
        (RECORD, {"by": "nn"}, "--sort: no column `nn`"),
        (RECORD, {"where": "scoer < 1"}, "no column `scoer`. Did you mean `score`"),
        (RECORD, {"where": "__import__('os')"}, "--filter: "),
        (ODD, {"where": "model.lrr < 1"}, "no column `model.lrr`. Did you mean `model.lr`"),
        (ODD, {"where": '"f1" > 0.5'}, "names no column. What is in quotes is a text;"),
        (ODD, {"where": "1 < 2"}, "names no column"),
        (ODD, {"where": "model.lr <"}, "`model.lr <` is no condition"),
    ],
)
def test_unknown_columns_and_broken_conditions_are_said(
    record: StudyRecord, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as raised:
        numbers(record, **options)
    assert message in str(raised.value)
