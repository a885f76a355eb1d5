"""The first sentence of a report: what was done with the best-parameters file, and why."""

import math

from tunesmith.analysis import numbers
from tunesmith.analysis.confirmation import Confirmed
from tunesmith.analysis.failure_groups import n_trials
from tunesmith.analysis.ranking import Ranked
from tunesmith.analysis.score_table import ReferenceComparison
from tunesmith.analysis.summary import Summary
from tunesmith.reporting.wording.words import Words

KEPT = "Kept the current parameters"


def headline(summary: Summary, words: Words) -> str:
    """Return one sentence, which agrees with what a run has written.

    Args:
        summary: of the study.
        words: of the format.
    """
    chosen, in_memory = summary.chosen, summary.recorded.is_in_memory
    if chosen is None:
        deed = "No usable result" if in_memory else "Wrote nothing"
        return _sentence(deed, _no_result(summary), words)
    # A study in memory writes no file, so its verdict is advice.
    took = f"{'Take' if in_memory else 'Wrote'} trial {chosen.number}"
    kept = "Keep the current parameters" if in_memory else KEPT
    if summary.n_pending:
        end = "the search is not over" if in_memory else "the file is written when the search ends"
        reason = f"{_merit(summary)}; {end}"
        return _sentence(f"So far, trial {chosen.number} leads", reason, words)
    if summary.is_kept:
        reason = (
            "it was written or edited by hand before this search began; `tunesmith adopt` takes"
            f" trial {chosen.number} instead ({_merit(summary)})"
        )
        return _sentence("Left the best-parameters file as it was", reason, words)
    gate = summary.gate
    if gate is None or summary.current_parameters is None:
        reason = f"{_merit(summary)}; there were no parameters to compare it with"
        return _sentence(took, reason, words)
    if gate.reference == chosen.number:
        return _sentence(kept, f"{_merit(summary)}, as trial {chosen.number}", words)
    if gate.holds_back:
        return _sentence(kept, _held_back(summary, chosen, words), words)
    return _sentence(took, _written(summary, words), words)


def _sentence(deed: str, reason: str, words: Words) -> str:
    return f"{words.strong(deed)}: {reason}."


def _no_result(summary: Summary) -> str:
    n_failed = n_trials(summary.failures)
    if summary.outcomes.violating:
        return "no trial meets all constraints"
    if n_failed and n_failed == summary.n_trials:
        return (
            f"all {numbers.counted(n_failed, 'trial')} failed"
            if n_failed > 1
            else "the only trial failed"
        )
    return "no trial is complete"


def _merit(summary: Summary) -> str:
    """Reason for which this trial was chosen among all."""
    n = len(summary.ranking)
    if summary.front:
        return f"chosen from the Pareto front of {numbers.counted(len(summary.front), 'trial')}"
    if summary.unchanged.n_same:
        return f"first of {n:,} trials that all scored the same"
    if n == 1:
        return "the only complete trial"
    within = f"{summary.margin:.2g} worse than the best of {n:,} trials"
    return {
        "best": f"best mean of {n:,} trials",
        "one_se": f"simplest within one standard error of the best of {n:,} trials",
        "simplest": f"simplest that is shown to be at most {within}",
        "fastest": f"fastest that is shown to be at most {within}",
    }[summary.selection]


def compared_with_current(summary: Summary) -> ReferenceComparison | None:
    """Return the comparison with the current parameters, if they were evaluated."""
    return next((c for c in summary.comparisons if c.name == "current"), None)


def _decisive(summary: Summary) -> ReferenceComparison | Confirmed | None:
    """Comparison behind the verdict: that on further splits, if there is one."""
    further = summary.confirmed
    if further is not None and math.isfinite(further.gain):
        return further
    return compared_with_current(summary)


def _gain(comparison: ReferenceComparison | Confirmed) -> str:
    # With as many digits as its error allows: more of them would pretend to be known.
    gain = numbers.rounded(comparison.gain, comparison.error, sign="+")
    return f"{gain} on further splits" if isinstance(comparison, Confirmed) else gain


def _obstacle(summary: Summary, words: Words) -> str:
    """Reason for which the current parameters have no score, in brackets; empty without any."""
    found = summary.not_compared
    if found is None:
        return ""
    trial, name = f"their trial {found.number}", words.name(found.name)
    failed = f"{trial} failed: {name}" if found.name else f"{trial} failed"
    reason = {
        "failed": failed,
        "stopped": f"{trial} was stopped before its last fold",
        "unknown": f"the space has no {name}",
        "lacking": f"they lack {name}",
        "value": f"the space does not hold their value of {name}",
        "outside": "they lie outside the space",
        "untried": "the search ended before it tried them",
    }[found.kind]
    return f" ({reason})"


def _held_back(summary: Summary, chosen: Ranked, words: Words) -> str:
    """Reason for which the gate kept the current parameters."""
    comparison, gate = _decisive(summary), summary.gate
    assert gate is not None  # noqa: S101 - it holds back
    if comparison is None:
        why = _obstacle(summary, words)
        return f"they could not be evaluated{why}, so whether any trial is better is not known"
    trial = f"trial {chosen.number} ({_merit(summary)})"
    if gate.verdict == "equal":
        return f"{trial} is practically equal to them"
    if comparison.gain <= 0:
        return f"{trial} is no better"
    gain = f"the gain of {trial} over them is {_gain(comparison)}"
    asked = f"less than the {numbers.plain(gate.min_improvement)} that you ask for"
    if gate.verdict == "keep":
        return f"{gain}, surely {asked}"
    is_small = comparison.low > 0 and comparison.gain < gate.min_improvement
    return f"{gain}, {asked}" if is_small else f"{gain} and could be noise"


def _written(summary: Summary, words: Words) -> str:
    """Reason for which a trial was written, and how it compares with the current parameters."""
    comparison, merit, gate = _decisive(summary), _merit(summary), summary.gate
    assert gate is not None  # noqa: S101 - there are current parameters
    if comparison is None and gate.is_open:
        return f"{merit}; the current parameters violate a constraint, which it meets"
    if comparison is None:
        why = _obstacle(summary, words)
        return (
            f"{merit}; the current parameters could not be evaluated{why}, so the gain is not known"
        )
    if comparison.gain == comparison.error == 0:
        return f"{merit}; it scores the same as the current parameters on every fold"
    gain = f"the gain over the current parameters is {_gain(comparison)}"
    if comparison.gain < 0:
        gain = f"it scores {_gain(comparison)} against the current parameters"
    return f"{merit}; {gain}{_ends(comparison.gain)[gate.verdict]}"


def _ends(gain: float) -> dict[str, str]:
    """Last words on a trial that was written, by verdict."""
    return {
        "adopt": ", more than chance",
        "keep": ", less than you ask for" if gain > 0 else ", but no gate holds it back",
        "equal": ", which is practically nothing",
        "indistinguishable": " and could still be noise",
        "unknown": "",
    }
