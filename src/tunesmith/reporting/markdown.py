"""The Markdown report: what was done first, the change, and everything else below it.

Nothing in it depends on the clock or on how fast the machine was: the same history gives the same
bytes, so that a re-run changes no committed file. (``selection: fastest`` chooses by the clock.)
"""

from collections.abc import Callable
from dataclasses import dataclass

from tunesmith.analysis.summary import Summary
from tunesmith.reporting.sections.failures import failures
from tunesmith.reporting.sections.influence import history, importance, trends
from tunesmith.reporting.sections.notes import trial_notes
from tunesmith.reporting.sections.origin import origin
from tunesmith.reporting.sections.outcomes import violating
from tunesmith.reporting.sections.predictions import predictions
from tunesmith.reporting.sections.trials import every_trial, least_of_every_trial, pareto, top
from tunesmith.reporting.sections.verdict import grounds, parameters, title
from tunesmith.reporting.sections.warnings import noise, warnings
from tunesmith.reporting.wording.terms import explained, unlinked

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
    least: Callable[[Summary], int] = lambda _summary: 0
    """Number of characters that it has in any case, told without drawing it."""


SECTIONS = (
    ReportSection("verdict", title, 0),
    ReportSection("parameters", parameters, 1),
    ReportSection("warnings", warnings, 3),
    ReportSection("evidence", grounds, 2),
    ReportSection("failures", failures, 9),
    ReportSection("Pareto front", pareto, 6),
    ReportSection("top trials", top, 4),
    ReportSection("notes", trial_notes, 4),
    ReportSection("predictions", predictions, 8),
    ReportSection("violating trials", violating, 9),
    ReportSection("history", history, 7),
    ReportSection("importance", importance, 5),
    ReportSection("trends", trends, 11),
    ReportSection("noise", noise, 8),
    ReportSection("all trials", every_trial, 12, least_of_every_trial),
    ReportSection("reproduce", origin, 10),
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
    return unlinked(fitted(summary, lambda text: len(text) <= limit))


def fitted(summary: Summary, fits: Callable[[str], bool]) -> str:
    """Return the sections that fit, whole ones; those left out are named at the end."""
    # A section that is too long by itself is not drawn: it would be the first to leave.
    long = max(SECTIONS, key=lambda section: section.leaves)
    left_out = [] if fits(" " * long.least(summary)) else [long.name]
    drawn = [section for section in SECTIONS if section.name not in left_out]
    # Each is drawn once, however many have to leave.
    made = {section: section.render(summary) for section in drawn}
    kept = [section for section in drawn if made[section]]
    while True:
        parts = [made[section] for section in kept]
        parts.append(explained("\n\n".join(parts)))
        if left_out:
            named = ", ".join(reversed(left_out))
            parts.append(f"_Left out because of their size: {named}. See `tunesmith trials`._")
        text = "\n\n".join(filter(None, parts)) + "\n"
        # Whole sections leave: a table that is cut in the middle would mislead.
        largest = max(kept, key=lambda section: section.leaves)
        if fits(text) or largest.leaves == 0:
            return text
        kept.remove(largest)
        left_out.append(largest.name)
