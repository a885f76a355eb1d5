"""Warnings of the report for a reviewer of the winner."""

from collections.abc import Sequence

from tunesmith.analysis import numbers
from tunesmith.analysis.failure_groups import FailureGroup
from tunesmith.analysis.summary import Summary
from tunesmith.analysis.unchanged import Unchanged
from tunesmith.analysis.warnings import ScoreWarnings
from tunesmith.reporting.wording.trade_off import unrepeatable
from tunesmith.reporting.wording.words import Words

MAX_LISTED = 30
KEPT = (
    "Someone edited the best-parameters file before this search began, so it was left unchanged."
    " Run `tunesmith adopt` to use the winner."
)


def notes(summary: Summary, words: Words) -> list[str]:
    """Return the warnings for a reviewer of the winner.

    They cover ends of ranges, odd folds, signs of a leak, failures, and warnings of the code.
    """
    n = summary.n_trials
    lines = _leaks(summary.doubts, words)
    lines += [
        f"The chosen {words.name(edge.name)} ({numbers.plain(edge.value)}) lies at the {edge.side}"
        " end of its range: a wider range may hold something better."
        for edge in summary.edges
        # More of what changed no score would change none either, as far as these trials show.
        if edge.name not in summary.unchanged.alone
    ]
    if summary.is_kept:
        lines.append(KEPT)
    lines += unrepeatable(summary, words.name)
    lines += _idle(summary.unchanged, words)
    lines += _doubts(summary.doubts)
    lines += _listed([_alike("failed with", group, n, words) for group in summary.failures])
    return lines + _listed([_alike("warned of", group, n, words) for group in summary.warnings])


def _idle(unchanged: Unchanged, words: Words) -> list[str]:
    return [
        f"{words.name(name)} changed nothing: {numbers.counted(n, 'trial')} differ from others in"
        " it alone, and scored the same to the last digit."
        for name, n in unchanged.alone.items()
    ]


def _leaks(doubts: ScoreWarnings, words: Words) -> list[str]:
    """Signs of a leak, before all other warnings: they make every other statement void."""
    leak = words.term("leak")
    lines = []
    if doubts.leak:
        lines.append(f"Too good to be true? {doubts.leak.capitalize()}: look for a {leak}.")
    return lines + [f"Sign of a {leak}: {sign.text(words.name)}." for sign in doubts.data]


def _doubts(doubts: ScoreWarnings) -> list[str]:
    lines = []
    if doubts.shifted_folds:
        lines.append(f"{_folds(doubts.shifted_folds)}: most trials score far from the others.")
    if doubts.discordant_folds:
        folds = _folds(doubts.discordant_folds)
        lines.append(f"{folds}: trials rank differently than on the other folds. Look at its rows.")
    return lines


def _folds(folds: Sequence[int]) -> str:
    return f"On fold{'s' if len(folds) > 1 else ''} {', '.join(map(str, folds))}"


def _alike(what: str, group: FailureGroup, n_trials: int, words: Words) -> str:
    n = len(group.numbers)
    trials = numbers.counted(n, "trial")
    reason = f"{words.name(group.kind)}: {words.name(group.message)}"
    return f"{trials} of {n_trials} {what} {reason} (first: trial {group.numbers[0]})."


def _listed(lines: list[str]) -> list[str]:
    more = len(lines) - MAX_LISTED
    return [*lines[:MAX_LISTED], f"And {more} other kinds."] if more > 0 else lines
