"""Nested cross-validation: scores of the search's winners on rows that it never saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.analysis.chosen import chosen_trial
from tunesmith.history import Metric
from tunesmith.ledger.records import StudyRecord


@dataclass(frozen=True)
class Nested:
    """Nested cross-validation (Cawley & Talbot, On over-fitting in model selection, 2010)."""

    scores: Mapping[str, tuple[float, ...]]
    """Scores of each outer fold, by metric."""
    means: Mapping[str, float]
    errors: Mapping[str, float]
    """Standard errors of the means, corrected for overlapping training sets (Nadeau & Bengio)."""


def nested(
    records: Sequence[StudyRecord], n_folds: int | None, metrics: Sequence[Metric]
) -> Nested | None:
    """Return the estimate; ``None`` unless every outer fold has been scored.

    Args:
        records: of the searches on the outer folds.
        n_folds: how many outer folds there are.
        metrics: what was recorded.
    """
    scored = [scores for record in records if (scores := _of_winner(record))]
    if not n_folds or len(scored) < n_folds:
        return None
    table = {m.name: tuple(scores[m.name] for scores in scored) for m in metrics}
    # As in k-fold, an outer fold tests one part and trains on the others: a ratio of 1 / (n - 1).
    factor = np.sqrt(1 / n_folds + 1 / (n_folds - 1))
    return Nested(
        table,
        {name: float(np.mean(scores)) for name, scores in table.items()},
        {name: float(np.std(scores, ddof=1) * factor) for name, scores in table.items()},
    )


def _of_winner(record: StudyRecord) -> Mapping[str, float]:
    winner = chosen_trial(record.history, record.recorded, record.metrics)
    result = None if winner is None else record.holdout.get(winner.number)
    return {} if result is None else result.scores
