"""The result of a run in a few plain lines."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tunesmith.analysis import numbers
from tunesmith.analysis.failure_groups import FailureGroup, n_trials
from tunesmith.analysis.summary import Summary
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.best_text import best_text
from tunesmith.reporting.confirmed import effort_text, gain_text
from tunesmith.reporting.escape import terminal
from tunesmith.reporting.statements import race, same
from tunesmith.reporting.wording.headline import headline
from tunesmith.reporting.wording.words import PLAIN

LAST_LINES, MAX_LINE, MAX_ALIKE = 3, 200, 5
OF_THE_MACHINE = ("timeout", "worker-died")
"""Failures that a longer limit or another machine may not have."""
AGAIN = (
    "  these trials stay failed; if you change the limit or the machine,"
    " `tunesmith run --restart` evaluates everything anew"
)
VERDICTS = {
    "adopt": "adopt",
    "keep": "keep the current parameters",
    "equal": "practically equal to the current parameters",
    "indistinguishable": "not distinguishable",
    "unknown": "not known",
}


def gate_text(summary: Summary) -> str:
    """The verdict in a line."""
    if summary.gate is None:
        return "no verdict: there is no usable result"
    line = f"verdict: {VERDICTS[summary.gate.verdict]}: {summary.gate.reason}"
    further = summary.confirmed
    return line if further is None else f"{line}{gain_text(further)}. {effort_text(further)}"


def _last_lines(summary: Summary, kind: str) -> list[str]:
    """Last lines of the most frequent output of failures of a kind."""
    text = next((said.text for said in summary.said if said.kind == kind), "")
    lines = [line for line in text.splitlines() if line.strip()]
    return [line[:MAX_LINE] for line in lines[-LAST_LINES:]]


def closing_text(summary: Summary, record: StudyRecord, files: Iterable[Path]) -> str:
    """Return the last lines of a run: why it ended, the best, what is new, and the files."""
    run, n_pruned = record.runs[-1], record.history.n_pruned
    fits = f"{run.n_fits:,} fits made"
    if run.n_evaluated > run.n_fits:
        fits += f" for {run.n_evaluated:,} scores"
    if run.n_reused:
        fits += f", {run.n_reused:,} scores of earlier fits"
    if summary.n_points > summary.n_trials:
        fits += "; each trial is the best of all that its fits score"
    trials = numbers.counted(summary.n_trials, "trial")
    trials += f", {n_pruned} of them pruned" if n_pruned else ""
    head = f"{summary.study}: {trials}; {fits}. Ended by: {summary.stopped_by}."
    lines = [head, *filter(None, [race(summary)])]
    if warning := same(summary.unchanged, is_program=summary.is_program):
        lines.append(f"warning: {warning}")
    lines += [headline(summary, PLAIN), best_text(summary)]
    if summary.gate is not None and summary.current_parameters is not None:
        lines.append(gate_text(summary))
    lines += _alike("failed", summary.failures, summary)
    lines += _alike("warned", summary.warnings)
    lines += [f"  -> {path}" for path in files]
    return terminal("\n".join(lines))


def _alike(what: str, groups: Sequence[FailureGroup], summary: Summary | None = None) -> list[str]:
    lines, seen = [], set[str]()
    for group in groups[:MAX_ALIKE]:
        lines.append(f"{what}: {len(group.numbers)} x {group.kind}: {group.message[:200]}")
        # A second group of this kind would show the same lines again.
        if summary is not None and group.kind not in seen:
            lines += [f"  | {line}" for line in _last_lines(summary, group.kind)]
            lines += [AGAIN] if group.kind in OF_THE_MACHINE else []
        seen.add(group.kind)
    more = groups[MAX_ALIKE:]
    return [*lines, f"{what}: {n_trials(more)} in {len(more)} other ways"] if more else lines
