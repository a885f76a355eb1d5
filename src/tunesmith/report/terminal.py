"""The result of a run in a few plain lines."""

from collections.abc import Iterable
from pathlib import Path

from tunesmith.ledger.records import StudyRecord
from tunesmith.report import numbers
from tunesmith.report.escape import terminal
from tunesmith.report.summary import Summary


def best_text(summary: Summary) -> str:
    """The best trial, its scores and its parameters."""
    best = summary.best
    if best is None:
        return "no usable result"
    scores = [
        f"{metric.name} {numbers.with_error(best.means[metric.name], best.error(metric.name))}"
        for metric in summary.metrics
    ]
    lines = [f"best: trial {best.number}, {', '.join(scores)}"]
    lines += [f"  {name} = {numbers.value(value)}" for name, value in sorted(best.params.items())]
    if summary.holdout is not None:
        unseen = [f"{name} {numbers.plain(score)}" for name, score in summary.holdout.items()]
        lines.append(f"on the held-out rows: {', '.join(unseen) or 'no score'}")
    return terminal("\n".join(lines))


def closing_text(summary: Summary, record: StudyRecord, files: Iterable[Path]) -> str:
    """What a run ends with: why it ended, the best, what is new, and where the files are."""
    run, n_pruned = record.runs[-1], record.history.n_pruned
    fits = f"{run.n_fits:,} fits made"
    if run.n_evaluated > run.n_fits:
        fits += f" for {run.n_evaluated:,} scores"
    if run.n_reused:
        fits += f", {run.n_reused:,} scores known before"
    if summary.n_points > summary.n_trials:
        fits += "; each trial is the best of all that its fits score"
    trials = f"{summary.n_trials} trials" + (f", {n_pruned} of them pruned" if n_pruned else "")
    head = f"{summary.study}: {trials}; {fits}. Ended by: {summary.stopped_by}."
    lines = [head, best_text(summary)]
    lines += [f"failed: {len(g.numbers)} x {g.kind}: {g.message[:200]}" for g in summary.failures]
    lines += [f"warned: {len(g.numbers)} x {g.kind}: {g.message[:200]}" for g in summary.warnings]
    lines += [f"  -> {path}" for path in files]
    return terminal("\n".join(lines))
