"""The heading, what was done, the parameters before and after, and the evidence."""

from tunesmith.analysis.ranking import Ranked
from tunesmith.analysis.summary import Summary
from tunesmith.reporting.cells import name_cell, score_cell, table, value_cell
from tunesmith.reporting.statements import evidence
from tunesmith.reporting.wording.headline import headline
from tunesmith.reporting.wording.next_step import next_step
from tunesmith.reporting.wording.words import MARKDOWN
from tunesmith.types import Params


def title(summary: Summary) -> str:
    """Heading, the sentence that says what was done and why, and what to do now."""
    heading = f"# Tuning results: {name_cell(summary.study)}"
    sentences = [headline(summary, MARKDOWN), next_step(summary, MARKDOWN)]
    return "\n\n".join([heading, *filter(None, sentences)])


def grounds(summary: Summary) -> str:
    """Return the sentences that say how sure the result is."""
    lines = [f"- {line}" for line in evidence(summary, MARKDOWN)]
    return "## How sure this is\n\n" + "\n".join(lines)


def parameters(summary: Summary) -> str:
    """Return the current, the proposed and, if they were tried, the default parameters."""
    chosen = summary.chosen
    if chosen is None:
        return ""
    tried = {comparison.name: comparison.reference for comparison in summary.comparisons}
    columns: dict[str, tuple[Params, Ranked | None]] = {
        name: (trial.params, trial) for name, trial in tried.items() if trial != chosen
    }
    if summary.current_parameters is not None and "current" not in tried:
        columns = {"current": (summary.current_parameters, _refused(summary)), **columns}
    current = columns.get("current")
    names = sorted({*chosen.params, *(n for params, _ in columns.values() for n in params)})
    is_refused = summary.is_refused
    last = f"trial {chosen.number}" if is_refused else "proposed"
    header = ["parameter", *columns, "current" if summary.is_current else last]
    rows = []
    for name in names:
        new = value_cell(chosen.params, name)
        # By what is shown: two cells that read alike must not look like a change.
        is_new = current is None or new != value_cell(current[0], name)
        others = [value_cell(params, name) for params, _ in columns.values()]
        rows.append([name_cell(name), *others, f"**{new}**" if is_new and not is_refused else new])
    for metric in summary.metrics:
        score = metric.name
        scores = [score_cell(t, score) if t else "not evaluated" for _, t in columns.values()]
        own = score_cell(chosen, score)
        rows.append([name_cell(score), *scores, own if is_refused else f"**{own}**"])
    heading = "Best parameters" if current is None else "Current → proposed"
    if summary.is_current:
        heading = f"Current parameters, as in trial {chosen.number}"
    elif is_refused:
        heading = f"Current parameters, and trial {chosen.number}, which was not taken"
    return f"## {heading}\n\n{table(header, rows)}"


def _refused(summary: Summary) -> Ranked | None:
    """Trial of the current parameters, if they violate a constraint on outcomes."""
    number = None if summary.gate is None else summary.gate.reference
    return next((t for t in summary.outcomes.trials if t.number == number), None)
