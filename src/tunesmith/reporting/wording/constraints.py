"""Sentences on constraints on outcomes."""

from collections.abc import Callable, Sequence

from tunesmith.analysis.outcomes import ConstrainedOutcome, Outcomes, ViolatingTrial, described

Markup = Callable[[str], str]


def met(outcomes: Outcomes, n_complete: int, name: Markup) -> str:
    """Return the sentences on the winner's outcomes; empty without constraints.

    Args:
        outcomes: of the study.
        n_complete: number of complete trials.
        name: markup for names from the user's files.
    """
    if not outcomes.chosen:
        return ""
    text = f"It meets {_listed([name(described(one)) for one in outcomes.chosen])}."
    for one in outcomes.chosen:
        if one.is_close:
            text += (
                f" {name(one.metric)} is nearer to its bound than its standard error"
                f" ({one.error:.2g}): on other rows it may violate it."
            )
    n = len(outcomes.violating)
    if not n:
        return f"{text} So do all complete trials."
    return f"{text} {n:,} of {n_complete:,} complete trials do not, and cannot win."


def unmet(outcomes: Outcomes, name: Markup, strong: Markup) -> str:
    """Return the sentences if no complete trial meets the constraints; empty if there is none.

    Args:
        outcomes: of the study, which has no winner.
        name: markup for names from the user's files.
        strong: markup for emphasis.
    """
    if not outcomes.violating:
        return ""
    head = strong(f"No trial meets {_listed([name(one) for one in outcomes.constraints])}.")
    rest = "The best-parameters file stays as it was."
    return f"{head} {closest(outcomes.violating[0], name)} {rest}"


def closest(violation: ViolatingTrial, name: Markup) -> str:
    """Return the sentence that names the trial that is closest to meeting the constraints."""
    missed = [name(described(one)) for one in violation.outcomes if not one.is_met]
    return f"The closest is trial {violation.trial.number}, which misses {_listed(missed)}."


def outcome_lines(chosen: Sequence[ConstrainedOutcome]) -> list[str]:
    """Return a line on the winner's outcomes; none without constraints."""
    return [f"meets: {', '.join(map(described, chosen))}"] if chosen else []


def _listed(items: Sequence[str]) -> str:
    *some, last = items
    return f"{', '.join(some)} and {last}" if some else last
