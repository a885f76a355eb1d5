import pytest
from tests.study.test_holdout import Counted

from tunesmith.execute.processes import ProcessExecutor
from tunesmith.execute.serial import SerialExecutor
from tunesmith.study.again import evaluate_again
from tunesmith.study.signals import SignalGate
from tunesmith.testing.functions import FunctionObjective
from tunesmith.types import Fit

FITS = [Fit(fold, ({"n": number},)) for number in (1, 13) for fold in (2, 0)]


def scores(executor: SerialExecutor | ProcessExecutor) -> list[dict[str, float]]:
    return [dict(one.scores) for one in evaluate_again(FITS, executor, SignalGate())]


def test_results_come_in_the_order_of_the_fits() -> None:
    counted = Counted()
    with SerialExecutor(FunctionObjective(counted).evaluate) as executor:
        assert scores(executor) == [{"score": 2.0}, {"score": 0.0}, {}, {}]
    assert counted.calls == [(1, 2), (1, 0), (13, 2), (13, 0)]
    with SerialExecutor(FunctionObjective(counted).evaluate) as executor:
        assert evaluate_again([], executor, SignalGate()) == []


@pytest.mark.slow
def test_several_workers_give_the_same() -> None:
    objective = FunctionObjective(Counted())
    with ProcessExecutor(objective.evaluate, n_workers=2) as executor:
        assert scores(executor) == [{"score": 2.0}, {"score": 0.0}, {}, {}]
