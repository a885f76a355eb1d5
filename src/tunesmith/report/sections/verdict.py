"""The heading, the verdict and what it rests on."""

from collections.abc import Mapping

from tunesmith.report import numbers
from tunesmith.report.cells import name_cell, score_cell, table, value_cell
from tunesmith.report.decision import Comparison, Gate
from tunesmith.report.escape import one_line
from tunesmith.report.ranking import Ranked
from tunesmith.report.summary import Summary
from tunesmith.types import Params

WINNERS = {
    "best": "the best",
    "one_se": "the simplest within one standard error of the best",
    "simplest": "the simplest of those that cannot be told from the best",
    "fastest": "the fastest of those that cannot be told from the best",
}
VERDICTS = {
    "adopt": "**Adopt trial {number}.**",
    "keep": "**Keep the current parameters.**",
    "indistinguishable": "**Not distinguishable from the current parameters.**",
    "unknown": "**Not compared with the current parameters.**",
}


def title(summary: Summary) -> str:
    """Heading, verdict, and every sentence that a reviewer needs."""
    heading = f"# Tuning results: {name_cell(summary.study)}"
    chosen = summary.chosen
    if chosen is None:
        return f"{heading}\n\n**No usable result.** {_count(summary)}"
    lines = [heading, *_verdict(summary), _winner(summary, chosen), _worth(summary), _ties(summary)]
    if summary.holdout is not None:
        lines.append(_on_holdout(summary.holdout))
    lines += [_against_defaults(c) for c in summary.comparisons if c.name == "defaults"]
    return "\n\n".join(line for line in [*lines, _count(summary)] if line)


def _verdict(summary: Summary) -> list[str]:
    """A gate without parameters in force has nothing to say."""
    gate, chosen = summary.gate, summary.chosen
    if gate is None or chosen is None or summary.incumbent is None:
        return []
    line = VERDICTS[gate.verdict].format(number=chosen.number)
    current = next((c for c in summary.comparisons if c.name == "current"), None)
    reason = one_line(gate.reason)
    line += f" {reason[0].upper()}{reason[1:]}{_gain(current)}."
    if gate.min_improvement:
        line += f" Asked for is a gain of {numbers.plain(gate.min_improvement)}."
    return [f"{line}{_written(gate)}"]


def _written(gate: Gate) -> str:
    if gate.is_open or gate.holds_back:
        return " The best-parameters file keeps them." if gate.holds_back else ""
    return " The winner was written all the same: the gate keeps nothing."


def _gain(comparison: Comparison | None) -> str:
    if comparison is None or comparison.gain == comparison.error == 0:
        return ""
    gain = numbers.with_error(comparison.gain, comparison.error)
    return f": {gain}, {_between(comparison.low, comparison.high, comparison.error)}"


def _between(low: float, high: float, error: float) -> str:
    if not low > -float("inf"):
        return "of a single fold, which says nothing about chance"
    digits = numbers.digits_for(error or 1)
    return f"between {low:.{digits}f} and {high:.{digits}f}"


def _winner(summary: Summary, chosen: Ranked) -> str:
    name, best = summary.metric.name, summary.best
    head = "Best" if summary.selection == "best" else "Chosen"
    line = f"**{head} {name_cell(name)}: {score_cell(chosen, name)}** (mean ± standard error over "
    line += f"{summary.n_folds} folds, {summary.metric.direction}d), trial {chosen.number}"
    if summary.selection == "best" or best is None:
        return f"{line}."
    line += f": {WINNERS[summary.selection]}"
    return f"{line}, which is trial {best.number} with {score_cell(best, name)}."


def _worth(summary: Summary) -> str:
    """The best of many scores flatters."""
    found, best = summary.optimism, summary.best
    if found is None or best is None:
        return ""
    digits = numbers.digits_for(best.error(summary.metric.name) or found.bias or 1)
    return (
        f"Being the best of {len(summary.ranking)} trials flatters: corrected for the choice, the"
        f" best score is about {found.score:.{digits}f} (95 % interval {found.low:.{digits}f} to"
        f" {found.high:.{digits}f})."
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


def _on_holdout(scores: Mapping[str, float]) -> str:
    if not scores:
        return "On the held-out rows the winner could not be scored."
    listed = ", ".join(f"{name_cell(name)} {numbers.plain(s)}" for name, s in scores.items())
    return f"On the held-out rows, which the search never saw: {listed}."


def _against_defaults(comparison: Comparison) -> str:
    if comparison.gain == 0:
        return "No better than the estimator's defaults."
    verdict = "a clear gain" if comparison.is_clear else "**within the noise of the folds**"
    gain = numbers.with_error(comparison.gain, comparison.error)
    return f"Against the estimator's defaults, on the same folds: {gain}, {verdict}."


def _count(summary: Summary) -> str:
    n_failed = sum(len(group.numbers) for group in summary.failures)
    failed = f", {n_failed} of them failed" if n_failed else ""
    reason = f" Ended by: {name_cell(summary.stopped_by)}." if summary.stopped_by else ""
    counted = f"{summary.n_trials} trials of {summary.n_folds} folds{failed}."
    return f"{counted}{_shared(summary)}{reason}"


def _shared(summary: Summary) -> str:
    """What fits scored besides what they were made for."""
    found = ""
    if summary.n_points > summary.n_trials:
        found += f" Each is the best of all that its fits score: {summary.n_points:,} points."
    if summary.n_spared:
        found += f" Shared fits spared {summary.n_spared:,} others."
    return found


def parameters(summary: Summary) -> str:
    """What is in force, beside what is proposed, and the defaults where they were tried."""
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
        is_new = current is None or new != value_cell(current[0], name)
        others = [value_cell(params, name) for params, _ in columns.values()]
        rows.append([name_cell(name), *others, f"**{new}**" if is_new else new])
    score = summary.metric.name
    scores = [score_cell(t, score) if t else "not evaluated" for _, t in columns.values()]
    rows.append([name_cell(score), *scores, f"**{score_cell(chosen, score)}**"])
    heading = "Best parameters" if current is None else "Current → proposed"
    return f"## {heading}\n\n{table(header, rows)}"
