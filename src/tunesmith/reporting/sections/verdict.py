"""The heading, the verdict and its evidence."""

from tunesmith.analysis.ranking import Ranked
from tunesmith.analysis.summary import Summary
from tunesmith.reporting.cells import name_cell, score_cell, table, value_cell
from tunesmith.reporting.statements import MARKDOWN, verdict
from tunesmith.types import Params


def title(summary: Summary) -> str:
    """Heading and verdict."""
    heading = f"# Tuning results: {name_cell(summary.study)}"
    return "\n\n".join([heading, *verdict(summary, MARKDOWN)])


def parameters(summary: Summary) -> str:
    """Return the current, the proposed and, if they were tried, the default parameters."""
    chosen = summary.chosen
    if chosen is None:
        return ""
    tried = {comparison.name: comparison.reference for comparison in summary.comparisons}
    columns: dict[str, tuple[Params, Ranked | None]] = {
        name: (trial.params, trial) for name, trial in tried.items() if trial != chosen
    }
    if summary.incumbent is not None and "current" not in tried:
        columns = {"current": (summary.incumbent, None), **columns}
    current = columns.get("current")
    names = sorted({*chosen.params, *(n for params, _ in columns.values() for n in params)})
    header = ["parameter", *columns, "proposed"]
    rows = []
    for name in names:
        new = value_cell(chosen.params, name)
        # By what is shown: two cells that read alike must not look like a change.
        is_new = current is None or new != value_cell(current[0], name)
        others = [value_cell(params, name) for params, _ in columns.values()]
        rows.append([name_cell(name), *others, f"**{new}**" if is_new else new])
    score = summary.metric.name
    scores = [score_cell(t, score) if t else "not evaluated" for _, t in columns.values()]
    rows.append([name_cell(score), *scores, f"**{score_cell(chosen, score)}**"])
    heading = "Best parameters" if current is None else "Current → proposed"
    return f"## {heading}\n\n{table(header, rows)}"
