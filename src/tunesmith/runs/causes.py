"""Causes of a new series of trials, in words."""

from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.records import StudyHead
from tunesmith.objective.objective import Objective, changed_files
from tunesmith.reporting.reading import named
from tunesmith.runs.proposing import is_renewed

RENEWED = (
    "this version of Tunesmith proposes other trials than the one that began the study: a new"
    " series of trials begins, known evaluations are reused"
)
BLAME = {
    "data": "the data changed",
    "code": "the project's code changed",
    "versions": "library versions changed",
    "objective": "the objective changed",
}


def blamed(before: StudyHead, objective: Objective) -> str:
    """Name the dependencies of the scores that have changed; empty if none has."""
    context = objective.context
    found = [text for part, text in BLAME.items() if before.context.get(part) != context.get(part)]
    return ", ".join([*found, *read_files_changed(before, objective)])


def read_files_changed(before: StudyHead, objective: object) -> list[str]:
    """Report the files of a series' programs that have changed since they were read."""
    names = changed_files(objective, before.reading)
    if not names:
        return []
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return [f"{named(names[0], before.reading.get(names[0], ''))}{more} changed"]


def what_changed(before: StudyHead, now: RecordedStudy, objective: Objective) -> str:
    """Tell why a new series of trials begins, and what becomes of earlier results.

    Args:
        before: head of the earlier series.
        now: present definition, as it would be recorded.
        objective: the present one.
    """
    reasons = blamed(before, objective)
    if not reasons and is_renewed(before.recorded, now):
        return RENEWED
    if not reasons:
        return "the search changed: a new series of trials begins, known evaluations are reused"
    return f"{reasons}: a new series of trials begins; earlier results are kept, but not mixed in"
