"""Sending: from the ledger, in a process of its own, as often as need be."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tunesmith.runs.tracking.seam import TrackedEnd, TrackedStudy, TrackedTrial, Tracker
from tunesmith.runs.tracking.send import follow, send
from tunesmith.testing.records import make_record
from tunesmith.testing.trackers import METRICS, PARAMS, SCORES, SeenTrial, TrackerContract
from tunesmith.types import State


class FileTracker:
    """Keeps a folder for each study, and a file for each trial."""

    def __init__(self, root: Path) -> None:
        self.root = self.folder = root

    def begin(self, study: TrackedStudy) -> None:
        self.folder = self.root / study.name
        self.folder.mkdir(exist_ok=True)

    def numbers(self) -> set[int]:
        return {int(path.name) for path in self.folder.iterdir() if path.name.isdigit()}

    def trial(self, trial: TrackedTrial) -> None:
        seen = [trial.state, trial.means.get("accuracy"), trial.params["x"]]
        (self.folder / str(trial.number)).write_text(json.dumps(seen))

    def finish(self, end: TrackedEnd) -> None:
        for name, text in end.texts.items():
            (self.folder / name).write_text(text)


class TestSending(TrackerContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> Callable[[], Tracker]:
        return lambda: FileTracker(tmp_path)

    def seen(self, tracker: Tracker, study: str) -> dict[int, SeenTrial]:
        assert isinstance(tracker, FileTracker)
        files = [path for path in (tracker.root / study).iterdir() if path.name.isdigit()]
        rows = {int(path.name): json.loads(path.read_text()) for path in files}
        return {n: SeenTrial(State(state), *rest) for n, (state, *rest) in rows.items()}


def test_a_run_is_followed_to_its_end(tmp_path: Path) -> None:
    looks = iter([1, 2, 2, 4])
    on = iter([True, True, True, False])
    records = {n: make_record(PARAMS[:n], SCORES[:n], metrics=METRICS) for n in (1, 2, 4)}
    tracker = FileTracker(tmp_path)
    sent = follow(
        lambda: records[next(looks)],
        lambda: next(on),
        tracker,
        lambda record: {"report.md": str(record.history.n_completed)},
        pause_s=0,
    )
    assert (sent.n_sent, sent.n_lacking) == (4, 0)
    assert (tmp_path / "example" / "report.md").read_text() == "4"


def test_a_tracker_that_was_away_gets_all_later(tmp_path: Path) -> None:
    class Away(FileTracker):
        """Answers from the third call on."""

        n_calls = 0

        def begin(self, study: TrackedStudy) -> None:
            self.n_calls += 1
            if self.n_calls < 3:
                raise TimeoutError("no answer")
            super().begin(study)

    record = make_record(PARAMS, SCORES, metrics=METRICS)
    tracker = Away(tmp_path)
    assert send(record, tracker).problem == "TimeoutError: no answer"
    on = iter([True, False])
    sent = follow(lambda: record, lambda: next(on), tracker, lambda _: {}, pause_s=0)
    assert (sent.n_sent, sent.n_lacking, sent.problem) == (4, 0, "")
