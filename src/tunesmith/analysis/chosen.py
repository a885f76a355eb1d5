"""Choice of the trial to write, without statistics if the usual rules choose it."""

from collections.abc import Sequence

from tunesmith.analysis.choice.policy import Policy
from tunesmith.history import History, Metric, Trial
from tunesmith.ledger.recorded_study import RecordedStudy


def chosen_trial(
    history: History, recorded: RecordedStudy, metrics: Sequence[Metric]
) -> Trial | None:
    """Return the complete trial that the configuration's ``selection`` picks.

    Args:
        history: of the study.
        recorded: definition of the study.
        metrics: what was recorded.
    """
    if Policy.of(recorded).is_usual:
        return history.best()
    # The usual rules need no statistics, whose libraries and computations cost time.
    from tunesmith.analysis.decision import best_by_statistics

    return best_by_statistics(history, recorded, metrics)
