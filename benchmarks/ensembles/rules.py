"""Rules for the fallback: chosen on half of the data sets, and told on the other half."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

SEED = 22
"""Draws the half that chooses."""
MOST = 0.08
"""Largest share of studies worse than the default on the half that chooses: below the goal of a
tenth, because the best of several rules looks better than it is."""
Gains = np.ndarray
"""Corrected gain over the default, by fold."""
Results = Sequence[dict[str, Any]]
INTRODUCTION = (
    "The ensemble is used if a rule holds for its corrected gains by fold, else the default."
    " `{rule}` was chosen on {n} studies of {sets} data sets drawn at random (seed {seed}): of the"
    " rules with at most {most:.0%} worse than the default, it gains most there. The other data"
    " sets had no part in it. Gains are those on test rows over all studies, fallbacks included."
)


def exceeds(errors: float, gains: Gains) -> bool:
    """Tell whether the mean gain is above so many of its standard errors."""
    return bool(gains.mean() > errors * gains.std(ddof=1) / np.sqrt(len(gains)))


def at_least(number: int, gains: Gains) -> bool:
    """Tell whether so many folds gain, and their mean does."""
    return bool((gains > 0).sum() >= number and gains.mean() > 0)


def above(least: float, gains: Gains) -> bool:
    """Tell whether the mean gain is above a number."""
    return bool(gains.mean() > least)


RULES: Mapping[str, Callable[[Gains], bool]] = {
    "mean > 0": partial(above, 0.0),
    **{f"mean > {k} standard errors": partial(exceeds, k) for k in (0.25, 0.5, 0.75, 1, 1.5, 2)},
    **{f"at least {k} of 5 folds gain": partial(at_least, k) for k in (3, 4, 5)},
    **{f"mean > {least}": partial(above, least) for least in (0.001, 0.002, 0.005)},
}


@dataclass(frozen=True)
class Outcome:
    """Outcome of a rule on some studies."""

    n: int
    n_worse: int
    """Studies that are worse than the default."""
    gain: float
    """Mean gain over the default on test rows."""
    share: float
    """Share of studies that use the ensemble."""


def gains_of(one: dict[str, Any]) -> Gains:
    """Return the corrected gains of a study by fold."""
    by_fold = one["worth"]["by_fold"]
    gains: Gains = np.array(by_fold["ensemble"]) - np.array(by_fold["default"])
    return gains


def outcome(results: Results, rule: Callable[[Gains], bool]) -> Outcome:
    """Apply a rule to studies."""
    taken = [rule(gains_of(one)) for one in results]
    gains = [
        one["truth"]["ensemble"] - one["truth"]["default"] if is_taken else 0.0
        for one, is_taken in zip(results, taken, strict=True)
    ]
    n_worse = sum(gain < 0 for gain in gains)
    return Outcome(len(gains), n_worse, float(np.mean(gains)), float(np.mean(taken)))


def halves(results: Results) -> tuple[Results, Results]:
    """Split studies by data sets: a half that chooses, and another one."""
    names = sorted({one["name"] for one in results})
    order = np.random.default_rng(SEED).permutation(len(names))
    first = {names[place] for place in order[: len(names) // 2]}
    return (
        [one for one in results if one["name"] in first],
        [one for one in results if one["name"] not in first],
    )


def chosen_rule(results: Results) -> str:
    """Return the rule that gains most of those that are seldom enough worse; the first of ties."""
    outcomes = {name: outcome(results, rule) for name, rule in RULES.items()}
    kept = {name: o for name, o in outcomes.items() if o.n_worse <= MOST * o.n}
    return max(kept, key=lambda name: kept[name].gain)


def section(results: Results) -> list[str]:
    """Return the table of rules as lines of Markdown."""
    first, second = halves(results)
    rule = chosen_rule(first)
    sets = len({one["name"] for one in first})
    text = INTRODUCTION.format(rule=rule, n=len(first), sets=sets, seed=SEED, most=MOST)
    lines = [
        "## When the default is the fallback",
        "",
        text,
        "",
        "| rule | chooses: worse | gain | the others: worse | gain | used | all: worse | gain |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, holds in RULES.items():
        one, other, every = (outcome(part, holds) for part in (first, second, results))
        shown = f"**{name}**" if name == rule else name
        lines.append(
            f"| {shown} | {_worse(one)} | {one.gain:+.4f} | {_worse(other)} | {other.gain:+.4f}"
            f" | {other.share:.0%} | {_worse(every)} | {every.gain:+.4f} |"
        )
    return [*lines, ""]


def _worse(one: Outcome) -> str:
    return f"{one.n_worse} of {one.n} ({one.n_worse / one.n:.0%})"
