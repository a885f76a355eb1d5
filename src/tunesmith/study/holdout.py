"""The winner on the hold-out rows: scored once, when the search has ended."""

from tunesmith.execute.executor import Executor
from tunesmith.history import HOLDOUT, Trial
from tunesmith.objective.objective import Fit, Objective
from tunesmith.study.loop import results_of
from tunesmith.study.recorder import LedgerRecorder
from tunesmith.study.signals import SignalGate


def score_holdout(
    objective: Objective,
    executor: Executor,
    recorder: LedgerRecorder,
    gate: SignalGate,
    winner: Trial | None,
) -> None:
    """Train the winner on all rows that the search saw, score it on those that it never saw.

    What the ledger knows is not evaluated again. Nothing is chosen by the outcome.

    Raises:
        StopRequested: a signal came.
    """
    if winner is None or not objective.has_holdout:
        return
    key = objective.key(winner.params, HOLDOUT)
    result = recorder.known([key]).get(key)
    if result is None:
        fit = Fit(HOLDOUT, (winner.params,))
        future = executor.submit(fit)
        while not future.done():
            with gate.waiting():
                executor.completed(None)
        (result,) = results_of(future, fit)
    recorder.holdout(winner.number, key, result)
