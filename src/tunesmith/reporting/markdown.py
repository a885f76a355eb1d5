"""The Markdown report: the verdict first, everything else below it.

Nothing in it depends on the clock or on how fast the machine was: the same history gives the same
bytes, so that a re-run changes no committed file. (``selection: fastest`` chooses by the clock.)
"""

from collections.abc import Callable
from dataclasses import dataclass

from tunesmith.analysis.summary import Summary
from tunesmith.reporting.sections.failures import failures
from tunesmith.reporting.sections.influence import history, importance, trends
from tunesmith.reporting.sections.origin import origin
from tunesmith.reporting.sections.trials import every_trial, pareto, top
from tunesmith.reporting.sections.verdict import parameters, title
from tunesmith.reporting.sections.warnings import noise, warnings

MAX_BYTES = 1_000_000
"""Of a step summary: 1 MiB, and some room."""
MAX_CHARACTERS = 60_000
"""Of a comment: Git hosts take 65,536, and some of them are the workflow's own."""


@dataclass(frozen=True)
class ReportSection:
    """A section of the report."""

    name: str
    """Its name in the note on sections left out."""
    render: Callable[[Summary], str]
    leaves: int
    """Order of leaving if the report is too long: the largest number first; 0 stays."""


SECTIONS = (
    ReportSection("verdict", title, 0),
    ReportSection("parameters", parameters, 1),
    ReportSection("warnings", warnings, 2),
    ReportSection("failures", failures, 8),
    ReportSection("Pareto front", pareto, 5),
    ReportSection("top trials", top, 3),
    ReportSection("history", history, 6),
    ReportSection("importance", importance, 4),
    ReportSection("trends", trends, 10),
    ReportSection("noise", noise, 7),
    ReportSection("all trials", every_trial, 11),
    ReportSection("reproduce", origin, 9),
)


def render(summary: Summary) -> str:
    """Return the whole report, at most 1 MB of it."""
    return fitted(summary, lambda text: len(text.encode()) <= MAX_BYTES)


def render_comment(summary: Summary, limit: int = MAX_CHARACTERS) -> str:
    """Return the report for a comment on a pull request.

    Args:
        summary: of the study.
        limit: characters; at least 10,000, which the verdict alone never needs.
    """
    return fitted(summary, lambda text: len(text) <= limit)


def fitted(summary: Summary, fits: Callable[[str], bool]) -> str:
    """Return the sections that fit, whole ones; those left out are named at the end."""
    # Each is drawn once, however many have to leave.
    made = {section: section.render(summary) for section in SECTIONS}
    kept = [section for section in SECTIONS if made[section]]
    left_out: list[str] = []
    while True:
        parts = [made[section] for section in kept]
        if left_out:
            named = ", ".join(reversed(left_out))
            parts.append(f"_Left out because of their size: {named}. See `tunesmith trials`._")
        text = "\n\n".join(parts) + "\n"
        # Whole sections leave: a table that is cut in the middle would mislead.
        largest = max(kept, key=lambda section: section.leaves)
        if fits(text) or largest.leaves == 0:
            return text
        kept.remove(largest)
        left_out.append(largest.name)
