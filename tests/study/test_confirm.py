"""Further evaluations of two trials, repeat by repeat."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tunesmith.execute.processes import ProcessExecutor
from tunesmith.execute.serial import SerialExecutor
from tunesmith.history import FURTHER, FoldResult
from tunesmith.ledger.ledger import Ledger
from tunesmith.study.confirm import Confirmation
from tunesmith.study.recorder import LedgerRecorder
from tunesmith.study.signals import SignalGate, StopRequested
from tunesmith.testing.functions import FunctionObjective
from tunesmith.testing.ledger import begin, made, tell
from tunesmith.types import Params

N_FOLDS = 3


@dataclass
class Counted:
    """Score function that notes its calls, and may be interrupted."""

    calls: list[tuple[object, int]] = field(default_factory=list)
    interrupted_at: int | None = None

    def __call__(self, params: Params, fold: int) -> float:
        self.calls.append((params["n"], fold))
        if len(self.calls) == self.interrupted_at:
            signal.raise_signal(signal.SIGTERM)
        if params["n"] == 13:
            raise ValueError("unlucky")
        return score(params, fold)


def score(params: Params, fold: int) -> float:
    return float(params["n"]) * 10 - fold  # type: ignore[arg-type]


def confirmed(
    path: Path,
    objective: FunctionObjective,
    n_repeats: int = 2,
    numbers: tuple[int, int] = (1, 0),
    executor: str = "serial",
) -> dict[int, tuple[FoldResult, ...]]:
    def is_decided(first: Sequence[FoldResult], second: Sequence[FoldResult]) -> bool:
        assert [result.fold for result in first] == [result.fold for result in second]
        return len(first) >= n_repeats * N_FOLDS or any(result.failure for result in first)

    kind = SerialExecutor if executor == "serial" else ProcessExecutor
    with (
        Ledger.open(path) as ledger,
        SignalGate() as gate,
        kind(objective.evaluate, n_workers=2) as executing,
    ):
        head, run = begin(ledger)
        for number in numbers:
            tell(ledger, head, run, number)
        recorder = LedgerRecorder(ledger, head.id, run)
        trials = made(numbers[0]), made(numbers[1])
        try:
            Confirmation(objective, executing, recorder, gate, trials).run(is_decided)
        finally:
            record = ledger.load(head.name)
    return dict(record.further)


def test_both_are_scored_on_the_same_splits_and_once(tmp_path: Path) -> None:
    counted = Counted()
    objective = FunctionObjective(counted, n_folds=N_FOLDS)
    first = confirmed(tmp_path / "l.db", objective)
    assert {n: [r.scores["score"] for r in results] for n, results in first.items()} == {
        n: [score({"n": n}, FURTHER - place) for place in range(2 * N_FOLDS)] for n in (0, 1)
    }
    assert len(counted.calls) == len(set(counted.calls)) == 4 * N_FOLDS
    # A longer one goes on, and repeats nothing.
    assert confirmed(tmp_path / "l.db", objective, 3)[1][: 2 * N_FOLDS] == first[1]
    assert len(counted.calls) == len(set(counted.calls)) == 6 * N_FOLDS


def test_what_an_interruption_leaves_is_not_evaluated_again(tmp_path: Path) -> None:
    counted = Counted(interrupted_at=9)
    objective = FunctionObjective(counted, n_folds=N_FOLDS)
    with pytest.raises(StopRequested):
        confirmed(tmp_path / "l.db", objective)
    found = confirmed(tmp_path / "l.db", objective)
    # The fit that was in hand when the signal came is lost.
    assert (len(counted.calls), len(set(counted.calls))) == (4 * N_FOLDS + 1, 4 * N_FOLDS)
    whole = confirmed(tmp_path / "other.db", FunctionObjective(Counted(), n_folds=N_FOLDS))
    assert [r.scores for r in found[1]] == [r.scores for r in whole[1]]


def test_a_failure_is_a_result(tmp_path: Path) -> None:
    objective = FunctionObjective(Counted(), n_folds=N_FOLDS)
    found = confirmed(tmp_path / "l.db", objective, numbers=(13, 0))
    assert [result.failure is not None for result in found[13]] == [True] * N_FOLDS
    assert len(found[0]) == N_FOLDS


def test_one_fit_may_score_both(tmp_path: Path) -> None:
    objective = FunctionObjective(Counted(), n_folds=N_FOLDS, shared="n")
    found = confirmed(tmp_path / "l.db", objective)
    assert {result.n_sharing for results in found.values() for result in results} == {2}


@pytest.mark.slow
def test_the_same_in_other_processes(tmp_path: Path) -> None:
    objective = FunctionObjective(score, n_folds=N_FOLDS)
    serial = confirmed(tmp_path / "l.db", objective)
    found = confirmed(tmp_path / "other.db", objective, executor="processes")
    assert {n: [r.scores for r in results] for n, results in found.items()} == {
        n: [r.scores for r in results] for n, results in serial.items()
    }
