"""One study of a live page."""

import json

import pytest

from tunesmith.errors import UsageError
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.page.study import LivePage
from tunesmith.testing.figures import points
from tunesmith.testing.records import make_record


def test_a_study_waits_until_it_was_run() -> None:
    there: list[StudyRecord] = []

    def load() -> StudyRecord:
        if not there:
            raise UsageError("study `x` has not been run yet.")
        return there[0]

    page = LivePage(load, lambda: len(there), "x")
    assert json.loads(page.data()[0])["waiting"] == "study `x` has not been run yet."
    assert page.overview()["study"] == "x"
    assert page.trial(0) is None
    there.append(make_record(points(3)))
    assert "waiting" not in page.content()
    overview = page.overview()
    assert overview["best"].startswith("best score 0.")
    # Without actions there is no state to tell, and nothing to be asked for.
    assert (overview["words"], overview["can_stop"], overview["can_note"]) == ("", False, False)
    assert page.trial(2) is not None
    assert page.trial(3) is page.trial(-1) is None


def test_a_large_study_is_not_read_for_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    now, loaded, takes = [100.0], [], [4.0]

    def load() -> StudyRecord:
        loaded.append(now[0])
        now[0] += takes[0]
        return make_record(points(3))

    monkeypatch.setattr("tunesmith.reporting.page.study.time.monotonic", lambda: now[0])
    # A run records something between any two looks.
    page = LivePage(load, object, "x")
    for _ in range(100):
        page.data()
        now[0] += 1.0
    assert loaded == [100.0, 144.0, 188.0]
    # One that is read at once is always up to date.
    takes[0], now[0] = 0.1, 300.0
    for _ in range(5):
        page.data()
    assert len(loaded) == 3 + 5
