"""The table: gains over the default, and their intervals by a bootstrap over data sets."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks.ensembles.rules import section

ROWS = {
    "best": "best trial, refitted",
    "one_se": "simplest within one standard error, refitted",
    "average": "the best trial's five fold models, averaged",
    "ensemble": "greedy ensemble of fold models",
    "fallback": "the same; the default unless its gain is above a quarter of its error",
    "default_average": "the default's five fold models, averaged",
}
OF_FLAML = {
    "flaml": "FLAML, the same learner, as many CPU seconds",
    "flaml_any": "FLAML, all of its learners, as many CPU seconds",
}
"""Rows of studies that were compared with FLAML."""
FLAML = (
    "FLAML runs in an environment of its own on the same rows, with 5 folds and ROC AUC, and ends"
    " after as many seconds of CPU as search and ensemble took ({ours:.1f} on average; FLAML"
    " {same:.1f} and {any:.1f}); then its best configuration is fitted on all rows. It starts"
    " from its cheapest configuration, not from the library's default, is made for longer"
    " searches, and its linear models get no scaled columns. With all of its learners it may leave"
    " the learner of the study, which gains most if that is the wrong one, as a linear model is on"
    " many of these sets. AutoGluon can be installed as well (1.6.3), and was not compared."
)
INTRODUCTION = (
    "{n} studies: {sets} data sets, {seeds} of 3 seeds, 3 learners; 300 training rows, up to 2,000"
    " test rows, 20 random trials (the first one is the library's default), 5 folds, ROC AUC. The"
    " truth is the score on the test rows. Intervals: 90 %, bootstrap over data sets. Made by"
    " `make bench-ensembles`. The rule of one standard error prefers the default more often than it"
    " should: that trial has no params by which its simplicity could be judged."
)
WORTH = (
    "The corrected worth takes another {worth:.0%} of the search. An ensemble has {members:.1f}"
    " members on average, each with five fold models."
)
FLATTERY = (
    "On the folds that chose it: {chosen:.4f} on average; corrected by nested folds:"
    " {corrected:.4f}; truth on the test rows: {true:.4f}. Its models are trained on four fifths of"
    " the rows and scored one by one on the folds, while on test rows the five of a trial are"
    " averaged."
)
N_DRAWS = 500
Results = Sequence[dict[str, Any]]


def table(results: Results) -> str:
    """Return the results as Markdown."""
    sets = sorted({one["name"] for one in results})
    seeds = len({one["seed"] for one in results})
    lines = [
        "# Models from the same fits",
        "",
        INTRODUCTION.format(n=len(results), sets=len(sets), seeds=seeds),
        "",
        *([_of_flaml(results), ""] if _is_compared(results) else []),
        *_table("all learners", results),
    ]
    for learner in dict.fromkeys(one["learner"] for one in results):
        lines += _table(learner, [one for one in results if one["learner"] == learner])
    has_folds = all("by_fold" in one["worth"] for one in results)
    fallback = section(results) if has_folds else []
    parts = (fallback, _costs(results), _losses(results), _flattery(results))
    return "\n".join([*lines, *(line for part in parts for line in part)])


def _is_compared(results: Results) -> bool:
    return all(key in one["truth"] for one in results for key in OF_FLAML)


def _of_flaml(results: Results) -> str:
    cpu = [one["cpu"] for one in results]
    means = {key: np.mean([one[key] for one in cpu]) for key in OF_FLAML}
    ours = np.mean([one["search"] + one["ensemble"] for one in cpu])
    return FLAML.format(ours=ours, same=means["flaml"], any=means["flaml_any"])


def _table(title: str, results: Results) -> list[str]:
    header = (
        "| model | gain over the default | share of the oracle's gain | worse than the default"
        " | better than refitting the best: data sets |"
    )
    lines = [f"## {title[0].upper()}{title[1:]}", "", header, "|---|---|---|---|---|"]
    for key, words in (ROWS | (OF_FLAML if _is_compared(results) else {})).items():
        gain = _interval(results, partial(_gain, key=key))
        share = _interval(results, partial(_share, key=key))
        worse = sum(one["truth"][key] < one["truth"]["default"] for one in results)
        better, n_sets = _better_sets(results, key)
        beside = "" if key == "best" else f"{better} of {n_sets}"
        lines.append(
            f"| {words} | {_signed(gain, 4)} | {_percent(share)} |"
            f" {worse} of {len(results)} ({worse / len(results):.0%}) | {beside} |"
        )
    return [*lines, ""]


def _gain(results: Results, key: str) -> float:
    return float(np.mean([one["truth"][key] - one["truth"]["default"] for one in results]))


def _share(results: Results, key: str) -> float:
    return _gain(results, key) / max(_gain(results, "oracle"), 1e-12)


def _interval(results: Results, of: Callable[[Results], float]) -> tuple[float, float, float]:
    by_set: dict[str, list[dict[str, Any]]] = {}
    for one in results:
        by_set.setdefault(one["name"], []).append(one)
    sets, rng = list(by_set.values()), np.random.default_rng(0)
    drawn = [
        of([one for place in rng.integers(len(sets), size=len(sets)) for one in sets[place]])
        for _ in range(N_DRAWS)
    ]
    low, high = np.quantile(drawn, [0.05, 0.95])
    return of(results), float(low), float(high)


def _better_sets(results: Results, key: str) -> tuple[int, int]:
    by_set: dict[str, list[float]] = {}
    for one in results:
        by_set.setdefault(one["name"], []).append(one["truth"][key] - one["truth"]["best"])
    return sum(bool(np.mean(gains) > 0) for gains in by_set.values()), len(by_set)


def _costs(results: Results) -> list[str]:
    lines = [
        "## Costs (medians)",
        "",
        "| model | CPU after the search, share of the search | size | ms per 1,000 rows |",
        "|---|---|---|---|",
    ]
    cpu: dict[str, Callable[[dict[str, Any]], float]] = {
        "best": lambda one: one["cpu"]["refit"],
        "average": lambda _one: 0.0,
        "ensemble": lambda one: one["cpu"]["ensemble"],
    }
    for key, seconds in cpu.items():
        share = np.median([seconds(one) / one["cpu"]["search"] for one in results])
        size = np.median([one["bytes"][key] for one in results]) / 1e3
        speed = np.median([one["ms"][key] for one in results])
        lines.append(f"| {ROWS[key]} | {share:.1%} | {size:,.0f} kB | {speed:.1f} |")
    worth = np.median([one["cpu"]["worth"] / one["cpu"]["search"] for one in results])
    members = np.mean([one["n_members"] for one in results])
    return [
        *lines,
        "",
        WORTH.format(worth=worth, members=members),
        "",
    ]


def _losses(results: Results) -> list[str]:
    lines = ["## Data sets on which the ensemble is worse than refitting the best", ""]
    by_set: dict[str, list[float]] = {}
    for one in results:
        by_set.setdefault(one["name"], []).append(one["truth"]["ensemble"] - one["truth"]["best"])
    losing = sorted((float(np.mean(g)), name) for name, g in by_set.items() if np.mean(g) < 0)
    lines += [f"- {name}: {loss:+.4f}" for loss, name in losing] or ["None."]
    return [*lines, ""]


def _flattery(results: Results) -> list[str]:
    chosen = np.mean([one["worth"]["chosen"] for one in results])
    corrected = np.mean([one["worth"]["corrected"] for one in results])
    true = np.mean([one["truth"]["ensemble"] for one in results])
    return [
        "## Worth of the ensemble, as it is told",
        "",
        FLATTERY.format(chosen=chosen, corrected=corrected, true=true),
        "",
    ]


def _signed(values: tuple[float, float, float], digits: int) -> str:
    mean, low, high = (f"{value:+.{digits}f}" for value in values)
    return f"{mean} ({low} to {high})"


def _percent(values: tuple[float, float, float]) -> str:
    mean, low, high = (f"{value:.0%}" for value in values)
    return f"{mean} ({low} to {high})"
