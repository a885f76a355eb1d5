"""Parts of JSON documents that several commands print."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.ledger.records import StudyRecord


def best_content(record: "StudyRecord") -> dict[str, Any] | None:
    """Return the winner as JSON content, or ``None``."""
    from tunesmith.analysis.chosen import chosen_trial

    best = chosen_trial(record.history, record.recorded, record.metrics)
    if best is None:
        return None
    scores = {m.name: {"mean": best.mean(m.name), "std": best.std(m.name)} for m in record.metrics}
    content = {"trial": best.number, "params": dict(best.params), "scores": scores}
    holdout = record.holdout.get(best.number)
    return content if holdout is None else {**content, "holdout": dict(holdout.scores)}
