"""Sentences of the report, the same in every format; each format writes names its own way."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tunesmith.analysis import numbers
from tunesmith.analysis.failure_groups import n_trials
from tunesmith.analysis.importance import Importance
from tunesmith.analysis.large.sample import N_SAMPLE
from tunesmith.analysis.near_equal import n_groups
from tunesmith.analysis.nested import Nested
from tunesmith.analysis.ranking import Ranked, means_of
from tunesmith.analysis.score_table import ReferenceComparison
from tunesmith.analysis.summary import Summary
from tunesmith.analysis.unchanged import Unchanged
from tunesmith.reporting.cells import score_cell
from tunesmith.reporting.confirmed import effort_text, gain_text
from tunesmith.reporting.wording.constraints import met, unmet
from tunesmith.reporting.wording.headline import compared_with_current
from tunesmith.reporting.wording.trade_off import trade_off
from tunesmith.reporting.wording.words import PLAIN, Words

if TYPE_CHECKING:
    from tunesmith.search.further_gain import Outlook

MAX_RIVALS = 4
LEAST_CHANCE = 0.001
"""Smaller chances are not told apart: their estimate is not that good."""
NOT_VERIFIED = "These trials are not verified."


def evidence(summary: Summary, words: Words) -> list[str]:
    """Return the sentences that say how sure the headline is, the most important first."""
    chosen = summary.chosen
    taken = [_taken(summary, words)] if summary.recorded.taken_from else []
    if chosen is None:
        unusable = unmet(summary.outcomes, words.name, words.strong)
        return [*taken, *filter(None, [unusable]), _count(summary, words)]
    lines = [*taken, _same(summary, words), _winner(summary, chosen, words), *_weighed(summary)]
    lines += [_constrained(summary, words), _worth(summary, words), _ties(summary, words)]
    if summary.holdout is not None:
        lines.append(_on_holdout(summary.holdout, words))
    if summary.nested is not None:
        lines.append(_nested(summary.nested, words))
    lines += [_against_defaults(c, words) for c in summary.comparisons if c.name == "defaults"]
    lines += [_count(summary, words), race(summary, words), sampled(summary)]
    return list(filter(None, lines))


def sampled(summary: Summary) -> str:
    """Return what of a large history is computed from a part of the trials; empty otherwise."""
    sample = summary.sample
    if sample is None:
        return ""
    return (
        f"Importance, trends and figures are computed from {len(sample):,} of"
        f" {summary.n_trials:,} trials, evenly over their ranks. Figures show the best ones as"
        f" well. Nearly equal trials are looked for among the best {N_SAMPLE:,}. All else counts"
        " every trial."
    )


def _taken(summary: Summary, words: Words) -> str:
    source = words.name(summary.recorded.taken_from)
    return f"{words.strong(NOT_VERIFIED)} They were taken from {source}; none was evaluated here."


def _same(summary: Summary, words: Words) -> str:
    text = same(summary.unchanged, is_program=summary.is_program)
    head, _, rest = text.partition(". ")
    return f"{words.strong(f'{head}.')} {rest}" if rest else words.strong(head) if head else ""


def leading(importance: Importance, words: Words) -> str:
    """Return the sentence about the most important parameter, or the reason for none.

    Args:
        importance: of the parameters.
        words: of the format.
    """
    if not importance.shares:
        return f"No importance: {importance.reason}."
    if importance.leader is not None:
        share = numbers.share(importance.shares[0][1], importance.errors[importance.leader])
        return (
            f"{words.name(importance.leader)} matters most:"
            f" {share} of the variance of the score over the space."
        )
    listed = [words.name(name) for name in importance.rivals[:MAX_RIVALS]]
    more = len(importance.rivals) - len(listed)
    ends = [*listed, f"{more} more"] if more else listed
    return (
        "These trials cannot tell which parameter matters most:"
        f" {', '.join(ends[:-1])} or {ends[-1]}."
    )


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


def _weighed(summary: Summary) -> list[str]:
    """Sentences on the gain over the current parameters; none if there is none."""
    comparison, further, gate = compared_with_current(summary), summary.confirmed, summary.gate
    lines = []
    # A gain of 0 ± 0, as of the current parameters over themselves, says nothing.
    if comparison is not None and not comparison.gain == comparison.error == 0:
        gain = numbers.with_error(comparison.gain, comparison.error)
        between = _between(comparison.low, comparison.high, comparison.error)
        lines.append(f"Gain over the current parameters, on the same folds: {gain}, {between}.")
    if further is not None:
        reason = further.reason[0].upper() + further.reason[1:]
        lines.append(f"{reason}{gain_text(further)}. {effort_text(further)}")
    if lines and gate is not None and gate.min_improvement:
        lines.append(f"Asked for is a gain of {numbers.plain(gate.min_improvement)}.")
    return lines


def _between(low: float, high: float, error: float) -> str:
    if not low > -float("inf"):
        return "of a single fold, which says nothing about chance"
    return f"90 % interval {numbers.rounded(low, error)} to {numbers.rounded(high, error)}"


def _winner(summary: Summary, chosen: Ranked, words: Words) -> str:
    name, best = summary.metric.name, summary.best
    if summary.front:
        scores = [f"{words.name(m.name)} {score_cell(chosen, m.name)}" for m in summary.objectives]
        head = words.strong(f"Chosen: {', '.join(scores)}")
        line = f"{head} ({_over(summary, words)}), trial {chosen.number}."
        return f"{line} {trade_off(summary, words.name)}"
    head = "Best" if summary.selection == "best" else "Chosen"
    line = words.strong(f"{head} {words.name(name)}: {score_cell(chosen, name)}")
    line += f" ({_over(summary, words)}), trial {chosen.number}"
    if summary.selection == "best" or best is None or best.number == chosen.number:
        return f"{line}."
    return f"{line}. The best is trial {best.number} with {score_cell(best, name)}."


def _constrained(summary: Summary, words: Words) -> str:
    n_complete = len(summary.ranking) + len(summary.outcomes.violating)
    return met(summary.outcomes, n_complete, words.name)


def _over(summary: Summary, words: Words) -> str:
    """Origin of the score: of several folds, its error is known as well."""
    is_single = not summary.front
    direction = f"{summary.metric.direction}d" if is_single else ""
    if summary.n_folds == 1:
        texts = ["on one fold, which tells no error", direction]
        return "; ".join(filter(None, texts))
    error = words.term("standard error")
    mean = f"mean ± {error} over {numbers.counted(summary.n_folds, 'fold')}"
    return ", ".join(filter(None, [mean, direction]))


def _worth(summary: Summary, words: Words) -> str:
    """Sentence on selection bias: the best of many scores looks better than it is."""
    optimism, chosen = summary.optimism, summary.chosen
    if optimism is None or chosen is None:
        return ""
    error = chosen.error(summary.metric.name) or optimism.bias
    score, low, high = (
        numbers.rounded(number, error) for number in (optimism.score, optimism.low, optimism.high)
    )
    return (
        f"Corrected for {words.term('selection bias')} (it was chosen among"
        f" {numbers.counted(len(summary.ranking), 'trial')}), its score is about {score}"
        f" ({words.term('95 % interval')} {low} to {high}).{_no_better(summary, error)}"
    )


def _no_better(summary: Summary, error: float) -> str:
    """Sentence for a corrected score that is no better than the mean of all trials.

    Without differences between trials that is so in half of all studies, and no mistake of the
    correction (docs/decisions/0170-pictures-and-corrections.md).
    """
    optimism, metric = summary.optimism, summary.metric
    if optimism is None or not summary.ranking:
        return ""
    mean = sum(means_of(summary.ranking, metric.name)) / len(summary.ranking)
    if metric.sign * optimism.score > metric.sign * mean:
        return ""
    shown = numbers.rounded(mean, error)
    return (
        f" That is no better than the mean of all trials, {shown}: these folds do not show that"
        " the choice gained anything."
    )


def _ties(summary: Summary, words: Words) -> str:
    n = len(summary.ties.numbers)
    if not n:
        return f"Which trials are {words.term('ties')} is not known: {summary.ties.reason}."
    if n == 1:
        return f"No other trial can be taken for the best: there are no {words.term('ties')}."
    n_different = n_groups(summary.near_equal, summary.ties.numbers)
    are = f"{n_different} different answers" if n_different > 1 else "all nearly one answer"
    if summary.sample is not None:
        # Of the others, it is not known which are nearly equal.
        are = f"among the best {N_SAMPLE:,} trials, {numbers.counted(n_different, 'answer')}"
    text = f"Any of {n} trials may be the truly best one ({words.term('ties')}, marked ≈; {are})."
    simplest = summary.choices["simplest"]
    if simplest == summary.choices["best"]:
        if not summary.margin:
            # No gain, of which a share could be given up: such a sentence would say "0 worse".
            return text
        return f"{text} No simpler trial is shown to be at most {summary.margin:.2g} worse."
    return (
        f"{text} The simplest that is shown to be at most {summary.margin:.2g} worse is trial"
        f" {simplest}."
    )


def _nested(nested: Nested, words: Words) -> str:
    listed = ", ".join(
        f"{words.name(name)} {numbers.with_error(mean, nested.errors[name])}"
        for name, mean in nested.means.items()
    )
    n = len(next(iter(nested.scores.values())))
    return (
        f"By {words.term('nested cross-validation')}, the whole search repeated without each of {n}"
        f" outer folds and scored on it: {listed} (mean ± standard"
        " error over the outer folds, for which training sets that share rows are allowed)."
    )


def _on_holdout(scores: Mapping[str, float], words: Words) -> str:
    if not scores:
        return "On the held-out rows the winner could not be scored."
    listed = ", ".join(f"{words.name(name)} {numbers.plain(s)}" for name, s in scores.items())
    return f"On the {words.term('held-out rows')}, which the search never saw: {listed}."


def _against_defaults(comparison: ReferenceComparison, words: Words) -> str:
    if comparison.gain == 0:
        return "No better than the estimator's defaults."
    noise = words.strong(f"within the {words.term('noise')} of the folds")
    verdict = "a clear gain" if comparison.is_clear else noise
    gain = numbers.with_error(comparison.gain, comparison.error)
    return f"Against the estimator's defaults, on the same folds: {gain}, {verdict}."


def _count(summary: Summary, words: Words) -> str:
    n_failed = n_trials(summary.failures)
    failed = f", {n_failed} of them failed" if n_failed else ""
    reason = f" Ended by: {words.name(summary.stopped_by)}." if summary.stopped_by else ""
    trials = numbers.counted(summary.n_trials, "trial")
    folds = numbers.counted(summary.n_folds, "fold")
    on = f"{trials} on {folds}"
    return f"{on}{failed}.{_shared(summary)}{reason}{_further(summary.outlook)}"


def _further(outlook: "Outlook | None") -> str:
    """Sentence on what further trials would gain."""
    if outlook is None:
        return ""
    if outlook.is_tried:
        return " Every point of the space has been tried."
    gain = f"{max(outlook.gain, 0.0):.2g}"
    text = f" By a model of these scores, {outlook.n} further trials would gain {gain}"
    if outlook.noise is None:
        return f"{text}."
    than = "less" if outlook.gain < outlook.noise else "more"
    return f"{text}, {than} than two trials differ by chance alone ({outlook.noise:.2g})."


def race(summary: Summary, words: Words = PLAIN) -> str:
    """Return the sentences on trials that a race over the folds stopped; empty without any."""
    found = summary.race
    if found is None:
        return ""
    few, most = found.fewest_folds, found.most_folds
    after = f"{most}" if few == most else f"{few} to {most}"
    trials = numbers.counted(found.n_stopped, "trial")
    text = (
        f"The {words.term('race')} over the folds stopped {trials} after {after} of"
        f" {numbers.counted(summary.n_folds, 'fold')},"
        f" which saved up to {found.share_left_out:.0%} of the evaluations"
        " (folds that had begun by then were finished)."
    )
    if found.n_expected_to_pass is None:
        return text
    n = found.n_expected_to_pass
    how = "if their folds differ from the best trial's as those of the best complete trials do"
    if n >= 1:
        return f"{text} About {n:.2g} of them would have passed the best trial, {how}."
    chance = f"at most {n:.1%}" if n >= LEAST_CHANCE else f"below {LEAST_CHANCE:.1%}"
    return f"{text} The chance that any would have passed the best trial is {chance}, {how}."


def _shared(summary: Summary) -> str:
    """Sentence on the extra candidates that fits scored."""
    sentences = ""
    if summary.n_points > summary.n_trials:
        n_points = numbers.counted(summary.n_points, "point")
        sentences += f" Each trial is the best of several points that its fits score: {n_points}."
    if summary.n_spared:
        sentences += f" Sharing saved {numbers.counted(summary.n_spared, 'fit')}."
    return sentences
