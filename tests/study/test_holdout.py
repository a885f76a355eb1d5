"""The winner on rows that the search never saw."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tunesmith.execute.processes import ProcessExecutor
from tunesmith.execute.serial import SerialExecutor
from tunesmith.history import HOLDOUT
from tunesmith.ledger.ledger import Ledger
from tunesmith.study.holdout import score_holdout
from tunesmith.study.recorder import LedgerRecorder
from tunesmith.study.signals import SignalGate
from tunesmith.testing.functions import FunctionObjective
from tunesmith.testing.ledger import begin, made, tell
from tunesmith.types import Params


@dataclass
class Counted:
    """Score function that notes its calls."""

    calls: list[tuple[object, int]] = field(default_factory=list)

    def __call__(self, params: Params, fold: int) -> float:
        self.calls.append((params["n"], fold))
        if params["n"] == 13:
            raise ValueError("unlucky")
        return float(fold)


def scored(
    path: Path, objective: FunctionObjective, number: int = 0
) -> dict[int, dict[str, float]]:
    with Ledger.open(path) as ledger, SerialExecutor(objective.evaluate) as executor:
        head, run = begin(ledger)
        tell(ledger, head, run, number)
        recorder = LedgerRecorder(ledger, head.id, run)
        score_holdout(objective, executor, recorder, SignalGate(), made(number))
        record = ledger.load(head.name)
    return {n: dict(result.scores) for n, result in record.holdout.items()}


def test_the_winner_is_scored_once(tmp_path: Path) -> None:
    counted = Counted()
    objective = FunctionObjective(counted, has_holdout=True)
    for _ in range(2):
        assert scored(tmp_path / "l.db", objective) == {0: {"score": -1.0}}
    assert counted.calls == [(0, HOLDOUT)]


def test_without_a_holdout_or_a_winner_nothing_happens(tmp_path: Path) -> None:
    counted = Counted()
    assert scored(tmp_path / "l.db", FunctionObjective(counted)) == {}
    assert counted.calls == []


def test_a_failure_is_recorded(tmp_path: Path) -> None:
    objective = FunctionObjective(Counted(), has_holdout=True)
    assert scored(tmp_path / "l.db", objective, number=13) == {13: {}}


@pytest.mark.slow
def test_in_another_process(tmp_path: Path) -> None:
    objective = FunctionObjective(Counted(), has_holdout=True)
    with (
        Ledger.open(tmp_path / "l.db") as ledger,
        ProcessExecutor(objective.evaluate, n_workers=2) as executor,
    ):
        head, run = begin(ledger)
        tell(ledger, head, run, 0)
        score_holdout(
            objective, executor, LedgerRecorder(ledger, head.id, run), SignalGate(), made(0)
        )
        assert ledger.load(head.name).holdout[0].scores == {"score": -1.0}
