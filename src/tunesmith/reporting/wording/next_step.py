"""The second sentence of a report: what you can do now."""

from tunesmith.analysis import numbers
from tunesmith.analysis.summary import Summary
from tunesmith.analysis.trends import Edge
from tunesmith.reporting.wording.words import Words

MAX_STEPS = 3
STAY = "stay with the current parameters"


def next_step(summary: Summary, words: Words) -> str:
    """Return one sentence of at most three steps; empty while the search is on.

    Each follows from a statement below it in the report: the verdict, a warning, the forecast.

    Args:
        summary: of the study.
        words: of the format.
    """
    if summary.n_pending:
        return ""
    steps = _without_winner(summary) if summary.chosen is None else _with_winner(summary, words)
    return f"{words.strong('Next')}: {'; '.join(steps[:MAX_STEPS])}." if steps else ""


def _without_winner(summary: Summary) -> list[str]:
    if summary.failures:
        return ["mend what the failures below name, and run the study again"]
    if summary.outcomes.violating:
        return ["loosen a constraint, or widen the space"]
    return []


def _with_winner(summary: Summary, words: Words) -> list[str]:
    if summary.unchanged.n_same:
        return ["find out why these parameters change nothing before you use the result"]
    steps = []
    if summary.doubts.leak or summary.doubts.data:
        steps.append("look into the signs of a leak first")
    steps += [*_use(summary), *_widen(summary, words), *_more_trials(summary)]
    return steps


def _use(summary: Summary) -> list[str]:
    """Steps that follow from the verdict."""
    gate, chosen = summary.gate, summary.chosen
    assert chosen is not None  # noqa: S101 - the caller has looked
    if summary.is_kept:
        return ["choose between your edit and the winner"]
    if gate is None or summary.current_parameters is None:
        return ["use these parameters"]
    if gate.reference == chosen.number:
        return [STAY]
    if gate.verdict == "adopt":
        return ["use the new parameters"]
    if gate.holds_back and gate.verdict == "unknown":
        return [f"{STAY} until they can be compared"]
    if gate.holds_back and gate.verdict == "indistinguishable":
        more = "use several folds" if summary.n_folds == 1 else "collect more rows"
        return [f"{STAY}, or {more} to decide"]
    if gate.holds_back:
        return [STAY]
    return ["decide whether the change is worth it, since no gate did"]


def _widen(summary: Summary, words: Words) -> list[str]:
    """Step for parameters that end at an end of their range, and changed a score."""
    found = [edge for edge in summary.edges if edge.name not in summary.unchanged.alone]
    if not found:
        return []
    return ["try " + " and ".join(_beyond(edge, words) for edge in found[:MAX_STEPS])]


def _beyond(edge: Edge, words: Words) -> str:
    side = "above" if edge.side == "high" else "below"
    return f"{words.name(edge.name)} {side} {numbers.plain(edge.end)}"


def _more_trials(summary: Summary) -> list[str]:
    outlook = summary.outlook
    if outlook is None or outlook.is_tried or outlook.noise is None:
        return []
    if outlook.gain < outlook.noise:
        return [f"{outlook.n} more trials are hardly worth it"]
    return ["raise the number of trials: more of them are expected to gain"]
