"""The score of the winner on the hold-out rows: computed once, when the search has ended."""

from tunesmith.execute.executor import Executor
from tunesmith.history import HOLDOUT, Trial
from tunesmith.objective.objective import Objective
from tunesmith.study.loop import results_of
from tunesmith.study.recorder import LedgerRecorder
from tunesmith.study.signals import SignalGate
from tunesmith.types import Fit


def score_holdout(
    objective: Objective,
    executor: Executor,
    recorder: LedgerRecorder,
    gate: SignalGate,
    winner: Trial | None,
) -> None:
    """Train the winner on all rows that the search saw, and score it on the held-out rows.

    Known results are not evaluated again. The outcome decides nothing.

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
