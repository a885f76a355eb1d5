"""Description of a model: its members, what it is worth, and its cost beside a single model."""

from collections.abc import Callable, Iterator
from math import isfinite

from tunesmith.analysis.numbers import counted, fixed, value
from tunesmith.history import Metric
from tunesmith.models.build import Built, Cost, Member
from tunesmith.models.worth import Worth
from tunesmith.reporting.escape import md_code, one_line

DIGITS = 4
MAX_PARAMS = 6
"""Number of parameters that are named of each member."""
TITLES = {
    "best": "The winner, fitted on all rows",
    "average": "Average of the winner's fold models",
    "ensemble": "Greedy ensemble of fold models",
}


def card(built: Built, study: str, metric: Metric, notes: tuple[str, ...] = ()) -> str:
    """Return the description as Markdown.

    Args:
        built: the model.
        study: its name.
        metric: that decides.
        notes: further sentences.
    """
    lines = [f"# {TITLES[built.kind]}: `{study}`", "", *_members(built), "", *_costs(built, metric)]
    lines += ["", *_worth(built, metric), "", _fits(built)]
    lines += [f"{note}." for note in notes]
    return "\n".join(lines) + "\n"


def plain(built: Built, study: str, metric: Metric, notes: tuple[str, ...] = ()) -> str:
    """Return the description for a terminal: the same, without marks."""
    text = card(built, study, metric, notes).replace("`", "").lstrip("# ")
    # A terminal draws no tables: the line between head and rows says nothing there.
    rows = [line for line in text.splitlines() if not line.startswith("|---")]
    return "\n".join(line.strip("| ").replace(" | ", ": ", 1) for line in rows)


def _members(built: Built) -> Iterator[str]:
    yield "| member | share | parameters |"
    yield "|---|---|---|"
    for one in built.members:
        yield f"| trial {one.trial} | {one.weight:.0%} | {_params(one)} |"


def _params(member: Member) -> str:
    named = [f"{name}={value(given)}" for name, given in sorted(member.params.items())]
    left = len(named) - MAX_PARAMS
    listed = ", ".join([*named[:MAX_PARAMS], *([f"and {left} more"] if left > 0 else [])])
    # Names and values are data: in code they draw nothing.
    return md_code(one_line(listed))


def _costs(built: Built, metric: Metric) -> Iterator[str]:
    if built.cost is None or built.single_cost is None:
        return
    yield "| | this model | the winner as a single model |"
    yield "|---|---|---|"
    rows: dict[str, Callable[[Cost], str]] = {
        "models that predict": lambda cost: str(cost.n_models),
        "size": lambda cost: _size(cost.n_bytes),
        "time for 1,000 rows": lambda cost: _time(cost.ms_per_1000),
    }
    for name, text in rows.items():
        yield f"| {name} | {text(built.cost)} | {text(built.single_cost)} |"
    if built.holdout is not None and built.single_holdout is not None:
        now, single = (fixed(one, DIGITS) for one in (built.holdout, built.single_holdout))
        yield f"| {metric.name} on the held-out rows | {now} | {single} |"


def _time(ms: float) -> str:
    return f"{ms:,.0f} ms" if ms >= 100 else f"{ms:.3g} ms"


def _size(n_bytes: int) -> str:
    for unit, one in (("MB", 1_000_000), ("kB", 1_000)):
        if n_bytes >= one:
            return f"{n_bytes / one:,.1f} {unit}"
    return f"{n_bytes} bytes"


def _worth(built: Built, metric: Metric) -> Iterator[str]:
    """Yield the sentences on what the scores of the folds say of the model."""
    # Nothing was chosen beyond the winner: no score of the folds is flattered by the average.
    if built.worth is None:
        if built.kind == "average":
            yield (
                "Each row of the study was seen by all but one of these models, so that the folds"
                " score them one by one: what the average adds shows on other rows only."
            )
        return
    chosen, corrected = (fixed(one, DIGITS) for one in (built.worth.chosen, built.worth.corrected))
    yield (
        f"The folds that chose the ensemble give it {metric.name} {chosen}, which flatters."
        f" Chosen again without each fold and scored on it: {corrected}."
    )
    # One fold cannot be left out.
    if not isfinite(built.worth.corrected):
        return
    if built.single is not None:
        yield _beside(built.worth, built.single, metric, "the best single trial, chosen likewise")
    if built.default is not None:
        yield _beside(built.worth, built.default, metric, "the current or default parameters")
        # By the corrected scores: those that chose the ensemble would nearly always favour it.
        if not built.worth.is_better_than(built.default, metric.sign):
            yield (
                "**The folds do not show that the ensemble is better than these:** its gain is not"
                " above a quarter of its standard error. Keep them unless other rows say otherwise."
            )


def _beside(one: Worth, other: Worth, metric: Metric, name: str) -> str:
    low, high = one.interval_over(other, metric.sign)
    gain = fixed(one.gain_over(other, metric.sign), DIGITS, "+")
    interval = f"{fixed(low, DIGITS, '+')} to {fixed(high, DIGITS, '+')}"
    return f"Gain over {name} ({fixed(other.corrected, DIGITS)}): {gain} (90 %: {interval})."


def _fits(built: Built) -> str:
    fits = counted(built.n_fits, "fit")
    verb = "was" if built.n_fits == 1 else "were"
    kept = f"; {counted(built.n_kept, 'model')} of the search had been kept" if built.n_kept else ""
    return f"{fits} {verb} made for it after the search{kept}."


def content(built: Built) -> dict[str, object]:
    """Return the description as JSON."""
    return {
        "model": built.kind,
        "members": [
            {"trial": one.trial, "weight": one.weight, "params": dict(one.params)}
            for one in built.members
        ],
        "n_fits": built.n_fits,
        "n_kept": built.n_kept,
        "cost": _cost(built.cost),
        "single_cost": _cost(built.single_cost),
        "worth": _scores(built.worth),
        "single": _scores(built.single),
        "default": _scores(built.default),
        "holdout": _number(built.holdout),
        "single_holdout": _number(built.single_holdout),
    }


def _cost(cost: Cost | None) -> dict[str, float] | None:
    if cost is None:
        return None
    return {
        "n_models": cost.n_models,
        "n_bytes": cost.n_bytes,
        "ms_per_1000_rows": cost.ms_per_1000,
    }


def _scores(worth: Worth | None) -> dict[str, float | None] | None:
    if worth is None:
        return None
    return {"chosen": _number(worth.chosen), "corrected": _number(worth.corrected)}


def _number(given: float | None) -> float | None:
    # NaN is no JSON.
    return given if given is not None and isfinite(given) else None
