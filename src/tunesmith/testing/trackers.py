"""The contract of trackers: whatever is sent again changes nothing.

Subclass ``TrackerContract`` and override its fixture and ``seen``.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from tunesmith.history import FoldResult, Metric, Trial
from tunesmith.runs.tracking.seam import Tracker, tracked_trial
from tunesmith.runs.tracking.send import send
from tunesmith.testing.records import make_record
from tunesmith.types import State

METRICS = (Metric("accuracy"), Metric("loss", "minimize"))
PARAMS: list[Mapping[str, Any]] = [
    {"x": 0.1, "kind": "a"},
    {"x": 1 / 3, "kind": None},
    {"x": 5, "kind": 'it\'s 50% "odd"'},
    {"x": 7, "kind": [1, {"a": "b" * 600}]},
]
SCORES: list[list[float] | str] = [[0.25, 0.75], "boom", [0.5, 1.0], [0.125, 0.25]]


class SeenTrial(NamedTuple):
    """A trial as a tracker shows it."""

    state: State
    accuracy: float | None
    """Mean; ``None`` if the trial has none."""
    x: float


class TrackerContract:
    """Every tracker keeps to this."""

    @pytest.fixture
    def make(self) -> Callable[[], Tracker]:
        """Function that makes a tracker; all that it makes show the same place."""
        raise NotImplementedError

    def seen(self, tracker: Tracker, study: str) -> dict[int, SeenTrial]:
        """Read all trials of a study back from the tool itself, by number."""
        raise NotImplementedError

    def test_trials_are_shown_as_they_are(self, make: Callable[[], Tracker]) -> None:
        record = make_record(PARAMS, SCORES, metrics=METRICS, study="one")
        sent = send(record, make())
        assert (sent.n_sent, sent.n_lacking, sent.problem) == (4, 0, "")
        assert self.seen(make(), "one") == {
            0: SeenTrial(State.COMPLETE, 0.5, 0.1),
            1: SeenTrial(State.FAILED, None, 1 / 3),
            2: SeenTrial(State.COMPLETE, 0.75, 5),
            3: SeenTrial(State.COMPLETE, 0.1875, 7),
        }

    def test_what_is_sent_again_changes_nothing(self, make: Callable[[], Tracker]) -> None:
        for n in (2, 2, 4, 4):
            record = make_record(PARAMS[:n], SCORES[:n], metrics=METRICS, study="two")
            assert send(record, make(), {"report.md": "# Report\n"}).problem == ""
            assert self.seen(make(), "two").keys() == set(range(n))
        assert send(record, make()).n_sent == 0

    def test_studies_stay_apart(self, make: Callable[[], Tracker]) -> None:
        tracker = make()
        for name in ("three", "four"):
            send(make_record(PARAMS[:1], SCORES[:1], metrics=METRICS, study=name), tracker)
        assert [len(self.seen(make(), name)) for name in ("three", "four")] == [1, 1]

    def test_a_sending_that_is_cut_off_is_completed(self, make: Callable[[], Tracker]) -> None:
        record = make_record(PARAMS, SCORES, metrics=METRICS, study="five")
        tracker = _CutOff(make(), 2)
        sent = send(record, tracker)
        assert (sent.n_sent, sent.n_lacking) == (2, 2)
        assert "is away" in sent.problem
        assert "hunter2" not in sent.problem
        assert send(record, make()).n_sent == 2
        assert self.seen(make(), "five").keys() == {0, 1, 2, 3}

    def test_a_pruned_trial_is_shown(self, make: Callable[[], Tracker]) -> None:
        record = make_record(PARAMS[:1], SCORES[:1], metrics=METRICS, study="six")
        half = Trial(1, {"x": 2, "kind": "a"}, key="k", origin="tpe")
        folds = [FoldResult(0, {"accuracy": 0.5, "loss": 0.5}, stopped_at=3)]
        pruned = half.completed(folds)
        tracker = make()
        send(record, tracker)
        tracker.trial(tracked_trial(pruned, METRICS))
        assert self.seen(make(), "six")[1] == SeenTrial(State.PRUNED, None, 2)


class _CutOff:
    """A tracker that goes away after some trials."""

    def __init__(self, tracker: Tracker, n: int) -> None:
        self.begin, self.numbers, self.finish = tracker.begin, tracker.numbers, tracker.finish
        self._tracker, self._left = tracker, n

    def trial(self, trial: Any) -> None:
        if not self._left:
            raise ConnectionError("https://me:hunter2@host is away")
        self._left -= 1
        self._tracker.trial(trial)
