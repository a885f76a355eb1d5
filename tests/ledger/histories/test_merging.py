"""Histories that people have merged."""

import json
import random
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.history import FURTHER, TrialLog
from tunesmith.ledger.histories.merging import gather, histories, merge
from tunesmith.ledger.histories.portable import HistoryError, read_history, write_history
from tunesmith.ledger.records import RunRecord, StudyHead, StudyRecord
from tunesmith.testing.ledger import METRICS, made, result
from tunesmith.types import StopReason


def record(n: int, identity: str = "i", name: str = "study", shift: float = 0.0) -> StudyRecord:
    log = TrialLog(METRICS[:1])
    for number in range(n):
        trial = log.ask(made(number).params, made(number).key, "tpe")
        log.tell(trial.completed([result(f, 1 / (number + f + 1 + shift)) for f in range(3)]))
    reason = StopReason.of_criterion(f"{n} trials")
    run = RunRecord(
        id=1,
        started="",
        ended=None,
        stopped_by=reason,
        n_evaluated=3 * n,
        n_reused=0,
        n_fits=n,
        provenance={"definition": {}},
    )
    head = StudyHead(
        id=0, name=name, generation=0, identity=identity, context={"data": "d"}, definition={}
    )
    return StudyRecord(head, METRICS, log.view(), (run,))


def text_of(*records: StudyRecord) -> str:
    return write_history(records)


def evaluations(text: str) -> set[tuple[str, str, int, str]]:
    """What a text says of any fold."""
    return {
        (one.head.identity, trial.key, fold.fold, json.dumps(dict(fold.scores)))
        for one in histories(text)[0]
        for trial in one.history.completed
        for fold in trial.folds
    }


def conflict(folder: Path, base: str, ours: str, theirs: str) -> str:
    """What Git leaves in the file."""
    for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
        (folder / name).write_text(text)
    command = ["git", "merge-file", "-p", "ours", "base", "theirs"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout


def test_a_whole_history_is_read_as_ever() -> None:
    text = text_of(record(5), record(2, name="other"))
    found, left_out = histories(text)
    assert left_out == {}
    assert text_of(*found) == text
    assert [one.head.name for one in found] == list(read_history(text))


def test_a_conflict_gives_what_both_sides_have(tmp_path: Path) -> None:
    base, ours, theirs = text_of(record(4)), text_of(record(7)), text_of(record(9))
    text = conflict(tmp_path, base, ours, theirs)
    assert "<<<<<<<" in text
    found, left_out = histories(text)
    assert [one.history.n_completed for one in found] == [9]
    assert set(left_out.values()) == {"a conflict marker of Git"}
    assert len(left_out) == text.count("<<<<<<<") * 3


def test_two_searches_in_conflict_are_two_series(tmp_path: Path) -> None:
    base, ours, theirs = (text_of(record(n, name)) for n, name in ((3, "x"), (6, "y"), (5, "z")))
    found, _ = histories(conflict(tmp_path, base, ours, theirs))
    assert [(one.head.identity, one.history.n_completed) for one in found] == [("y", 6), ("z", 5)]


LINE = json.dumps({"trial": 2})


def with_trial(number: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: [line.replace('"trial": 2,', f'"trial": {number},') for line in lines]


@pytest.mark.parametrize(
    ("damage", "n_completed", "why"),
    [
        (lambda lines: [*lines[:4], lines[4][:37], *lines[5:]], 2, "no whole JSON"),
        (lambda lines: [*lines[:4], "null", *lines[5:]], 2, "expected a JSON object"),
        (lambda lines: [*lines[:4], LINE, *lines[5:]], 2, "Field required"),
        (lambda lines: [*lines[:5], lines[4], *lines[5:]], 6, "it stands there twice"),
        (lambda lines: [*lines[:5], "", "\x00\x00", *lines[5:]], 6, "no whole JSON"),
        (lambda lines: lines[1:], 0, "which study it is of is missing"),
        (lambda lines: [*lines[:2], *reversed(lines[2:])], 6, None),
        (lambda lines: [*lines[1:], lines[0]], 6, None),
        (lambda lines: [line.replace('"trial": 2', '"trial": -2') for line in lines], 2, "0"),
        (
            lambda lines: [
                line.replace('"trial": 2,', '"trial": 2, "trial": 2,') for line in lines
            ],
            2,
            "the key `trial` is given twice",
        ),
    ],
)
def test_every_good_line_counts(damage: object, n_completed: int, why: str | None) -> None:
    whole = text_of(record(6)).splitlines()
    lines: Sequence[str] = damage(whole)  # type: ignore[operator]
    text = "\n".join(lines) + "\n"
    found, left_out = histories(text)
    assert [one.history.n_completed for one in found[:1]] == ([n_completed] if n_completed else [])
    if why is None:
        assert left_out == {}
    else:
        assert len(left_out) == (7 if why.startswith("which") else 1)
        assert all(why in reason for reason in left_out.values())
    if n_completed:
        lost = 0 if n_completed == 6 else 3
        assert len(evaluations(text)) == 18 - lost
        assert evaluations(text) <= evaluations(text_of(record(6)))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6))
def test_no_text_raises_and_no_good_line_is_lost(seed: int) -> None:
    chance = random.Random(seed)
    whole = text_of(record(5), record(3, "j")).splitlines()
    lines = [*whole]
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(1, len(lines))
        if whole[place].startswith('{"kind"'):
            continue
        cut = whole[place][: chance.randrange(len(whole[place]))]
        lines[place] = chance.choice([cut, "null", "[]", "=======", '{"trial": 1e999}', "{" * 99])
    good = [line for line in lines if line.startswith('{"trial": ') and line in whole]
    found = evaluations("\n".join(lines))
    assert len(found) == 3 * len(good)


def test_merging_joins_and_can_be_repeated(tmp_path: Path) -> None:
    ours, theirs = text_of(record(7)), text_of(record(9), record(2, name="other"))
    merged = merge(ours, theirs)
    assert merged == text_of(record(9), record(2, name="other")).replace("9 trials", "7 trials")
    assert merge(merged, ours) == merge(merged, theirs) == merged
    assert evaluations(merged) == evaluations(ours) | evaluations(theirs)


def test_merging_keeps_both_where_they_tell_of_other_trials() -> None:
    for ours, theirs in ((record(4), record(6, "j")), (record(4), record(6, shift=0.5))):
        merged = merge(text_of(ours), text_of(theirs))
        wanted = evaluations(text_of(ours)) | evaluations(text_of(theirs))
        assert evaluations(merged) == wanted
        assert merge(merged, text_of(theirs)) == merged


def test_a_side_that_cannot_be_read_is_left_to_people() -> None:
    with pytest.raises(HistoryError, match="theirs, line 4: no whole JSON"):
        merge(text_of(record(2)), text_of(record(2))[:-30])
    assert gather("").series == []


def test_the_longer_list_of_further_results_counts() -> None:
    def further(n: int) -> str:
        listed = tuple(result(FURTHER - place, place / 8) for place in range(n))
        return text_of(replace(record(2), further={1: listed}))

    assert merge(further(3), further(6)) == merge(further(6), further(3)) == further(6)
    assert merge(text_of(record(2)), further(3)) == further(3).replace(": 3,", ": 1,", 1)
    (read,) = histories(merge(text_of(record(3)), further(3)))[0]
    assert [fold.fold for fold in read.further[1]] == [FURTHER, FURTHER - 1, FURTHER - 2]
