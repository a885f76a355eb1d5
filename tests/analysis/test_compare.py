from dataclasses import replace
from typing import Any

import pytest

from tunesmith.analysis.compare import as_json, compare
from tunesmith.errors import UsageError
from tunesmith.history import Metric
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.comparison_text import markdown, plain
from tunesmith.testing.records import make_record

LABELS = ("old", "new")
SPACE = {"boxes": [{"depth": {"int": [1, 9]}}], "constraints": []}
WIDER = {"boxes": [{"depth": {"int": [1, 20]}, "lr": [0.1]}], "constraints": []}


def record(
    scores: list[list[float]],
    params: list[dict[str, Any]] | None = None,
    space: Any = None,
    **context: str,
) -> StudyRecord:
    made = make_record(
        params or [{"depth": i} for i in range(len(scores))], scores, space=space or SPACE
    )
    return replace(made, head=replace(made.head, context={**made.head.context, **context}))


def test_the_bests_are_weighed_on_common_folds() -> None:
    before = record([[0.70, 0.71, 0.72, 0.70, 0.71], [0.6] * 5])
    after = record([[0.90, 0.92, 0.91, 0.91, 0.92]], [{"depth": 7}])
    found = compare(before, after, LABELS)
    assert found.weighed is not None
    assert found.weighed.verdict == "adopt"
    assert found.weighed.gain == pytest.approx(0.204)
    assert [(c.what, c.before, c.after) for c in found.moved] == [("depth", "0", "7")]
    assert "On the same folds new is better" in plain(found)


def test_noise_is_called_noise() -> None:
    before = record([[0.70, 0.90, 0.60, 0.80, 0.75]])
    after = record([[0.72, 0.85, 0.66, 0.79, 0.74]])
    found = compare(before, after, LABELS)
    assert found.weighed is not None
    assert found.weighed.verdict == "indistinguishable"


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (record([[0.9] * 3], data="x" * 32), "the data are not the same"),
        (record([[0.9] * 4]), "their folds are not the same"),
    ],
)
def test_other_folds_are_not_weighed(other: StudyRecord, reason: str) -> None:
    found = compare(record([[0.8] * 3]), other, LABELS)
    assert (found.weighed, found.reason) == (None, reason)
    assert f"Not weighed against each other: {reason}." in plain(found)


def test_what_changed_is_listed() -> None:
    before = record([[0.8] * 3], code="c" * 32)
    after = record([[0.8] * 3], space=WIDER, code="d" * 32)
    found = compare(before, after, LABELS)
    assert [change.what for change in found.depends_on] == ["the code"]
    assert [(c.what, c.before) for c in found.space] == [
        ("depth", '{"int":[1,9]}'),
        ("lr", None),
    ]
    text = markdown(found)
    assert "| `the code` | `cccccccccccc` | `dddddddddddd` |" in text
    assert "| `lr` | – | `[0.1]` |" in text


def test_nothing_to_compare_is_an_answer_or_an_error() -> None:
    empty = make_record([])
    found = compare(empty, record([[0.8] * 3]), LABELS)
    assert found.reason == "one of them has no complete trial"
    assert as_json(found)["sides"][0]["best"] is None
    other = make_record([{"a": 1}], [[0.5]], metrics=(Metric("loss", "minimize"),))
    with pytest.raises(UsageError, match=r"new was not scored by `loss` \(minimized\), as old is"):
        compare(record([[0.8] * 3]), other, ("new", "old"))


def test_hostile_names_stay_inert() -> None:
    params = [{"a|b`c\n<img>": 1}]
    found = compare(
        record([[0.1] * 3], params), record([[0.2] * 3]), ("x|y", "`z`\n# title\x1b[31m")
    )
    text = markdown(found)
    assert "<img>" not in text.replace("`", "").split("a")[0]
    assert "\n# title" not in text
    assert "\x1b" not in plain(found)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all("\n" not in row for row in rows)
