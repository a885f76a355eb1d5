"""Complete trials that violate a constraint on outcomes, in a table."""

from tunesmith.analysis.outcomes import ConstrainedOutcome
from tunesmith.analysis.summary import Summary
from tunesmith.reporting.cells import details, name_cell, params_cell, score_cell, table

MOST = 20


def violating(summary: Summary) -> str:
    """Return the trials that cannot win, the closest first, with their outcomes."""
    found = summary.outcomes.violating
    if not found:
        return ""
    names = [metric.name for metric in summary.objectives]
    header = ["trial", *map(name_cell, summary.outcomes.constraints), *map(name_cell, names)]
    rows = [
        [
            str(one.trial.number),
            *map(_cell, one.outcomes),
            *(score_cell(one.trial, name) for name in names),
            params_cell(one.trial),
        ]
        for one in found[:MOST]
    ]
    more = len(found) - MOST
    note = f"\n\nAnd {more:,} more." if more > 0 else ""
    n = f"{len(found):,} complete trial{'s' if len(found) > 1 else ''}"
    head = f"{n} that violate{'' if len(found) > 1 else 's'} a constraint, the closest first"
    return details(head, table([*header, "parameters"], rows) + note)


def _cell(outcome: ConstrainedOutcome) -> str:
    return outcome.text if outcome.is_met else f"**{outcome.text}**"
