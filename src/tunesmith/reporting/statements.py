"""Sentences of the report, the same in every format; each format writes names its own way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tunesmith.analysis import numbers
from tunesmith.analysis.decision import GateVerdict, ReferenceComparison
from tunesmith.analysis.failure_groups import FailureGroup, n_trials
from tunesmith.analysis.nested import Nested
from tunesmith.analysis.ranking import Ranked
from tunesmith.analysis.summary import Summary
from tunesmith.analysis.unchanged import Unchanged
from tunesmith.analysis.warnings import ScoreWarnings
from tunesmith.reporting.cells import name_cell, score_cell, shortened
from tunesmith.reporting.escape import one_line

MAX_LISTED = 30
WINNERS = {
    "best": "the best",
    "one_se": "the simplest within one standard error of the best",
    "simplest": "the simplest of those that cannot be told from the best",
    "fastest": "the fastest of those that cannot be told from the best",
}
VERDICTS = {
    "adopt": "Adopt trial {number}.",
    "keep": "Keep the current parameters.",
    "indistinguishable": "Not distinguishable from the current parameters.",
    "unknown": "Not compared with the current parameters.",
}

KEPT = (
    "Someone edited the best-parameters file before this search began, so it was left unchanged."
    " Run `tunesmith adopt` to use the winner."
)


@dataclass(frozen=True)
class Words:
    """A format's markup for names from the user's files and for emphasis."""

    name: Callable[[str], str]
    strong: Callable[[str], str]


PLAIN = Words(lambda text: one_line(shortened(text)), str)
MARKDOWN = Words(name_cell, lambda text: f"**{text}**")


def verdict(summary: Summary, words: Words) -> list[str]:
    """Return every sentence that a reviewer needs, the most important first."""
    chosen = summary.chosen
    if chosen is None:
        return [f"{words.strong('No usable result.')} {_count(summary, words)}"]
    lines = [_same(summary, words), *_weighed(summary, words), _winner(summary, chosen, words)]
    lines += [_worth(summary), _ties(summary)]
    if summary.holdout is not None:
        lines.append(_on_holdout(summary.holdout, words))
    if summary.nested is not None:
        lines.append(_nested(summary.nested, words))
    lines += [_against_defaults(c, words) for c in summary.comparisons if c.name == "defaults"]
    return [line for line in [*lines, _count(summary, words)] if line]


def _same(summary: Summary, words: Words) -> str:
    text = same(summary.unchanged, is_program=summary.is_program)
    head, _, rest = text.partition(". ")
    return f"{words.strong(f'{head}.')} {rest}" if rest else words.strong(head) if head else ""


def same(unchanged: Unchanged, *, is_program: bool) -> str:
    """Return the sentence for trials that all scored the same; empty if they did not.

    Args:
        unchanged: of the study.
        is_program: true if a program is scored.
    """
    if not unchanged.n_same:
        return ""
    text = (
        f"All {unchanged.n_same} complete trials scored the same to the last digit: none of these"
        " parameters changed the result."
    )
    hint = " See that the program uses the values that it is given: `tunesmith check`, `logs`."
    return f"{text}{hint}" if is_program else text


def _idle(unchanged: Unchanged, words: Words) -> list[str]:
    return [
        f"{words.name(name)} changed nothing: {n} trials differ from others in it alone, and scored"
        " the same to the last digit."
        for name, n in unchanged.alone.items()
    ]


def _weighed(summary: Summary, words: Words) -> list[str]:
    """Sentences on the gate; none without current parameters."""
    gate, chosen = summary.gate, summary.chosen
    if gate is None or chosen is None or summary.incumbent is None:
        return []
    line = words.strong(VERDICTS[gate.verdict].format(number=chosen.number))
    current = next((c for c in summary.comparisons if c.name == "current"), None)
    reason = one_line(gate.reason)
    line += f" {reason[0].upper()}{reason[1:]}{_gain(current)}."
    if gate.min_improvement:
        line += f" Asked for is a gain of {numbers.plain(gate.min_improvement)}."
    return [f"{line}{_written(gate)}"]


def _written(gate: GateVerdict) -> str:
    if gate.is_open or gate.holds_back:
        return " The best-parameters file keeps them." if gate.holds_back else ""
    return " The winner was written all the same: no gate holds it back."


def _gain(comparison: ReferenceComparison | None) -> str:
    # A gain of 0 ± 0, as of the current parameters over themselves, says nothing.
    if comparison is None or comparison.gain == comparison.error == 0:
        return ""
    gain = numbers.with_error(comparison.gain, comparison.error)
    return f": {gain}, {_between(comparison.low, comparison.high, comparison.error)}"


def _between(low: float, high: float, error: float) -> str:
    if not low > -float("inf"):
        return "of a single fold, which says nothing about chance"
    digits = numbers.digits_for(error or 1)
    return f"between {low:.{digits}f} and {high:.{digits}f}"


def _winner(summary: Summary, chosen: Ranked, words: Words) -> str:
    name, best = summary.metric.name, summary.best
    head = "Best" if summary.selection == "best" else "Chosen"
    line = words.strong(f"{head} {words.name(name)}: {score_cell(chosen, name)}")
    over = f"mean ± standard error over {summary.n_folds} folds, {summary.metric.direction}d"
    line += f" ({over}), trial {chosen.number}"
    if summary.selection == "best" or best is None:
        return f"{line}."
    line += f": {WINNERS[summary.selection]}"
    return f"{line}, which is trial {best.number} with {score_cell(best, name)}."


def _worth(summary: Summary) -> str:
    """Sentences on selection bias: the best of many scores looks better than it is."""
    optimism, best = summary.optimism, summary.best
    if optimism is None or best is None:
        return ""
    digits = numbers.digits_for(best.error(summary.metric.name) or optimism.bias or 1)
    return (
        f"Being the best of {len(summary.ranking)} trials flatters: corrected for the choice, the"
        f" best score is about {optimism.score:.{digits}f} (95 % interval {optimism.low:.{digits}f}"
        f" to {optimism.high:.{digits}f})."
    )


def _ties(summary: Summary) -> str:
    n, level = len(summary.ties.numbers), f"{1 - summary.ties.alpha:.0%}"
    if not n:
        return f"Which trials are ties is not known: {summary.ties.reason}."
    if n == 1:
        return f"No other trial can be taken for the best (at {level})."
    return (
        f"{n} trials may be the truly best one (≈, at {level}); the simplest of them"
        f" is trial {summary.choices['simplest']}."
    )


def _nested(nested: Nested, words: Words) -> str:
    listed = ", ".join(
        f"{words.name(name)} {numbers.with_error(mean, nested.errors[name])}"
        for name, mean in nested.means.items()
    )
    n = len(next(iter(nested.scores.values())))
    return f"The whole search, repeated without each of {n} outer folds and scored on it: {listed}."


def _on_holdout(scores: Mapping[str, float], words: Words) -> str:
    if not scores:
        return "On the held-out rows the winner could not be scored."
    listed = ", ".join(f"{words.name(name)} {numbers.plain(s)}" for name, s in scores.items())
    return f"On the held-out rows, which the search never saw: {listed}."


def _against_defaults(comparison: ReferenceComparison, words: Words) -> str:
    if comparison.gain == 0:
        return "No better than the estimator's defaults."
    verdict = (
        "a clear gain" if comparison.is_clear else words.strong("within the noise of the folds")
    )
    gain = numbers.with_error(comparison.gain, comparison.error)
    return f"Against the estimator's defaults, on the same folds: {gain}, {verdict}."


def _count(summary: Summary, words: Words) -> str:
    n_failed = n_trials(summary.failures)
    failed = f", {n_failed} of them failed" if n_failed else ""
    reason = f" Ended by: {words.name(summary.stopped_by)}." if summary.stopped_by else ""
    counted = f"{summary.n_trials} trials of {summary.n_folds} folds{failed}."
    return f"{counted}{_shared(summary)}{reason}"


def _shared(summary: Summary) -> str:
    """Sentence on the extra candidates that fits scored."""
    sentences = ""
    if summary.n_points > summary.n_trials:
        sentences += f" Each is the best of all that its fits score: {summary.n_points:,} points."
    if summary.n_spared:
        sentences += f" Shared fits spared {summary.n_spared:,} others."
    return sentences


def notes(summary: Summary, words: Words) -> list[str]:
    """Return the warnings for a reviewer of the winner.

    They cover ends of ranges, odd folds, signs of a leak, failures, and warnings of the code.
    """
    n = summary.n_trials
    lines = [
        f"The chosen {words.name(edge.name)} ({numbers.plain(edge.value)}) lies at the {edge.side}"
        " end of its range: a wider range may hold something better."
        for edge in summary.edges
    ]
    if summary.is_kept:
        lines.append(KEPT)
    lines += _idle(summary.unchanged, words)
    lines += _doubts(summary.doubts)
    lines += _listed([_alike("failed with", group, n, words) for group in summary.failures])
    return lines + _listed([_alike("warned of", group, n, words) for group in summary.warnings])


def _doubts(doubts: ScoreWarnings) -> list[str]:
    lines = []
    if doubts.leak:
        lines.append(f"Too good to be true? {doubts.leak.capitalize()}: look for a leak.")
    if doubts.shifted_folds:
        lines.append(f"{_folds(doubts.shifted_folds)}: most trials score far from the others.")
    if doubts.discordant_folds:
        lines.append(f"{_folds(doubts.discordant_folds)}: trials rank otherwise than elsewhere.")
    return lines


def _folds(folds: Sequence[int]) -> str:
    return f"On fold{'s' if len(folds) > 1 else ''} {', '.join(map(str, folds))}"


def _alike(what: str, group: FailureGroup, n_trials: int, words: Words) -> str:
    n = len(group.numbers)
    trials = "1 trial" if n == 1 else f"{n} trials"
    reason = f"{words.name(group.kind)}: {words.name(group.message)}"
    return f"{trials} of {n_trials} {what} {reason} (first: trial {group.numbers[0]})."


def _listed(lines: list[str]) -> list[str]:
    more = len(lines) - MAX_LISTED
    return [*lines[:MAX_LISTED], f"And {more} other kinds."] if more > 0 else lines
