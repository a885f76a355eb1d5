"""Reason for which the current parameters have no score."""

from dataclasses import replace
from typing import Any

import pytest

from tunesmith.analysis.current.not_compared import NotCompared, not_compared
from tunesmith.analysis.summary import summarise
from tunesmith.ledger.records import StudyRecord
from tunesmith.testing.records import make_record

POINTS = [{"max_depth": 1}, {"max_depth": 2}, {"max_depth": 3}]
SCORES: list[Any] = [[0.5, 0.6], "no memory", [0.7, 0.8]]
BOX = {
    "max_depth": {"int": [1, 9]},
    "kind": ["a", "b"],
    "x": {"float": [0, 1], "when": {"kind": ["a"]}},
}


def record(boxes: Any = None, current: Any = None, constraints: Any = ()) -> StudyRecord:
    found = make_record(POINTS, SCORES)
    definition: dict[str, Any] = {**found.head.definition, "incumbent": current}
    if boxes is not None:
        definition["space"] = {"boxes": boxes, "constraints": list(constraints)}
    (run,) = found.runs
    provenance = {**run.provenance, "definition": definition}
    return replace(
        found,
        head=replace(found.head, definition=definition),
        runs=(replace(run, provenance=provenance),),
    )


def test_their_trial_failed() -> None:
    found = not_compared(record(), {"max_depth": 2})
    assert (found.kind, found.number) == ("failed", 1)
    assert found.name


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        ({"max_depth": 9, "kind": "a", "x": 0.5}, NotCompared("untried")),
        ({"max_depth": 9, "kind": "b"}, NotCompared("untried")),
        ({"max_depth": 9, "kind": "a"}, NotCompared("lacking", "x")),
        ({"max_depth": 9, "kind": "c"}, NotCompared("value", "kind")),
        ({"max_depth": 99, "kind": "b"}, NotCompared("value", "max_depth")),
        ({"kind": "b", "max_depth": 3, "splitter": "best"}, NotCompared("unknown", "splitter")),
    ],
)
def test_the_space_tells(current: Any, expected: NotCompared) -> None:
    assert not_compared(record([BOX]), current) == expected


def test_several_boxes_and_constraints_give_no_single_parameter() -> None:
    two = record([{"max_depth": [1, 2]}, {"max_depth": [3]}])
    assert not_compared(two, {"max_depth": 7}) == NotCompared("outside")
    tied = record([{"a": [1, 2], "b": [1, 2]}], constraints=["a < b"])
    assert not_compared(tied, {"a": 2, "b": 1}) == NotCompared("outside")


def test_a_summary_has_it_only_without_a_comparison() -> None:
    compared = summarise(record(current={"max_depth": 1}), with_effects=False)
    assert compared.not_compared is None
    failed = summarise(record(current={"max_depth": 2}), with_effects=False)
    assert failed.not_compared is not None
    assert failed.not_compared.kind == "failed"
    assert summarise(record(), with_effects=False).not_compared is None
