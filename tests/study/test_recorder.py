from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tunesmith.history import FoldResult, Metric, TrialLog
from tunesmith.ledger.ledger import Ledger
from tunesmith.study import recorder as module
from tunesmith.study.recorder import LedgerRecorder

METRIC = Metric("score")


class Clock:
    """A monotonic clock that a test moves."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "l.db") as opened:
        yield opened


@pytest.fixture
def recorder(clock: Clock, ledger: Ledger) -> LedgerRecorder:
    head = ledger.begin_study("s", "i", {}, context={}, metrics=[METRIC], objectives=[METRIC])
    run = ledger.begin_run(head.id, {})
    return LedgerRecorder(ledger, head.id, run, _last_commit=clock.now, _last_sync=clock.now)


def test_slow_fits_are_committed_one_by_one(recorder: LedgerRecorder, clock: Clock) -> None:
    for n in range(3):
        recorder.result(f"k{n}", FoldResult(0, {"score": 0.5}))
        clock.now += 1.0
        recorder.commit_when_due()
        assert f"k{n}" in recorder.known([f"k{n}"])


def test_fast_fits_are_grouped_for_a_tenth_of_a_second_at_most(
    recorder: LedgerRecorder, clock: Clock
) -> None:
    recorder.result("k0", FoldResult(0, {"score": 0.5}))
    recorder._delay_s = module.MAX_DELAY_S
    recorder.commit_when_due()
    assert recorder.known(["k0"]) == {}
    clock.now += module.MAX_DELAY_S
    recorder.commit_when_due()
    assert list(recorder.known(["k0"])) == ["k0"]


def test_never_more_than_the_journals_keep_is_held_back(recorder: LedgerRecorder) -> None:
    recorder._delay_s = module.MAX_DELAY_S
    keys = [f"k{n}" for n in range(module.MAX_PENDING)]
    for key in keys:
        recorder.result(key, FoldResult(0, {"score": 0.5}))
        recorder.commit_when_due()
    assert recorder.known(keys).keys() == set(keys)


def test_the_delay_follows_the_cost_of_commits(
    recorder: LedgerRecorder, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow_record(*_args: object, **_kwargs: object) -> None:
        clock.now += 0.004

    monkeypatch.setattr(recorder.ledger, "record", slow_record)
    recorder.result("k0", FoldResult(0, {"score": 0.5}))
    recorder.commit()
    assert recorder._delay_s == pytest.approx(0.04)


def test_the_disk_is_waited_for_within_two_seconds(
    recorder: LedgerRecorder, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[float] = []

    def slow_sync() -> None:
        clock.now += 0.3
        synced.append(clock.now)

    monkeypatch.setattr(recorder.ledger, "sync", slow_sync)
    for n in range(200):
        recorder.result(f"k{n}", FoldResult(0, {"score": 0.5}))
        clock.now += 0.05
        recorder.commit_when_due()
    gaps = [after - before for before, after in pairwise(synced)]
    assert len(synced) > 3
    assert max(gaps) <= module.MAX_UNSYNCED_S + 0.05 + 0.3
    n_before = len(synced)
    for _ in range(100):
        clock.now += 0.5
        recorder.commit_when_due()
    assert len(synced) <= n_before + 1


def test_trials_and_folds_arrive_together(recorder: LedgerRecorder, ledger: Ledger) -> None:
    log = TrialLog((METRIC,))
    trial = log.ask({"n": 1}, '{"n":1}', "grid")
    recorder.pending(trial)
    result = FoldResult(0, {"score": 0.5})
    recorder.result("k0", result)
    recorder.completed(trial.completed([result]), ["k0"])
    recorder.commit()
    history = ledger.load("s").history
    assert [t.mean("score") for t in history] == [0.5]


def test_restart_trusts_only_this_run(ledger: Ledger) -> None:
    head = ledger.begin_study("s", "i", {}, context={}, metrics=[METRIC], objectives=[METRIC])
    old = LedgerRecorder(ledger, head.id, ledger.begin_run(head.id, {}))
    old.result("k0", FoldResult(0, {"score": 0.5}))
    old.commit()
    run_id = ledger.begin_run(head.id, {})
    assert LedgerRecorder(ledger, head.id, run_id).known(["k0"])
    assert not LedgerRecorder(ledger, head.id, run_id, since_run=run_id).known(["k0"])
