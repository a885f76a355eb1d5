"""Evaluations that are made once more for what the first ones did not leave."""

from collections.abc import Sequence

from tunesmith.execute.executor import Executor
from tunesmith.history import FoldResult
from tunesmith.study.loop import results_of
from tunesmith.study.signals import SignalGate
from tunesmith.types import Fit


def evaluate_again(fits: Sequence[Fit], executor: Executor, gate: SignalGate) -> list[FoldResult]:
    """Evaluate single candidates whose scores are known; nothing is recorded.

    Args:
        fits: of one candidate each.
        executor: of the study.
        gate: raises a signal that came.

    Returns:
        Their results, in the same order.

    Raises:
        StopRequested: a signal came.
    """
    futures = [executor.submit(fit) for fit in fits]
    try:
        while not all(future.done() for future in futures):
            with gate.waiting():
                executor.completed(None)
    finally:
        for future in futures:
            future.cancel()
    return [results_of(future, fit)[0] for future, fit in zip(futures, fits, strict=True)]
