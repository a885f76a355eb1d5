"""Parameters that changed no score, to the last digit."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from tunesmith.analysis.numbers import is_number
from tunesmith.analysis.ranking import Ranked, ranked
from tunesmith.history import History, Metric

MEASURED = ("fit_time", "score_time")
"""Metrics that differ from run to run whatever the parameters are."""


@dataclass(frozen=True)
class Unchanged:
    """Parameters that the scores do not depend on, to the last digit."""

    n_same: int = 0
    """The number of complete trials, if all of them scored the same with different parameters."""
    alone: Mapping[str, int] = field(default_factory=dict)
    """Parameters with which no score changed in trials that differ in them alone, and the number
    of these trials."""

    def __bool__(self) -> bool:
        """True if there is any such parameter."""
        return bool(self.n_same or self.alone)


MIN_SPAN = 0.5
"""Share of the range that was tried which trials have to span if nothing is to depend on it."""
N_FIRST = 200
"""Trials that are compared first: mostly they show that every parameter counts."""


def unchanged_in(history: History, metrics: Sequence[Metric]) -> Unchanged:
    """Compare the scores of a study's complete trials.

    All of them are compared if the first trials leave room for such a parameter; a long history is
    read for nothing otherwise.

    Args:
        history: of the study.
        metrics: of the study.
    """
    first = unchanged(ranked(history.up_to(N_FIRST), metrics), metrics)
    if history.n_completed <= N_FIRST or not first:
        return first
    return unchanged(ranked(history, metrics), metrics)


def unchanged(ranking: Sequence[Ranked], metrics: Sequence[Metric]) -> Unchanged:
    """Compare the scores of complete trials, by fold and metric.

    Args:
        ranking: complete trials.
        metrics: of the study; measured times are left out.
    """
    names = [metric.name for metric in metrics if metric.name not in MEASURED]
    # `repr` tells all bits of a score, and two NaN are equal in it.
    by_params = {_text(t.params): (t, repr([list(t.scores[n]) for n in names])) for t in ranking}
    if len(by_params) < 2 or not names:
        return Unchanged()
    if len({scores for _, scores in by_params.values()}) == 1:
        return Unchanged(n_same=len(by_params))
    varied = sorted({name for trial, _ in by_params.values() for name in trial.params})
    counts = {name: _n_alone(name, list(by_params.values())) for name in varied}
    return Unchanged(alone={name: n for name, n in counts.items() if n})


def _n_alone(name: str, trials: Sequence[tuple[Ranked, str]]) -> int:
    """The number of trials that differ from others in one parameter alone.

    It is 0 if a score differs, or if these trials lie too close to each other to tell.
    """
    groups: dict[str, list[tuple[object, str]]] = {}
    for trial, scores in trials:
        if name in trial.params:
            rest = {key: value for key, value in trial.params.items() if key != name}
            groups.setdefault(_text(rest), []).append((trial.params[name], scores))
    several = [group for group in groups.values() if len(group) > 1]
    if any(len({scores for _, scores in group}) > 1 for group in several):
        return 0
    tried = [value for group in groups.values() for value, _ in group]
    if not any(_are_apart([value for value, _ in group], tried) for group in several):
        return 0
    return sum(map(len, several))


def _are_apart(values: Sequence[object], tried: Sequence[object]) -> bool:
    """Tell if values span half of the range that was tried, in logarithms too if there are any.

    A search goes to points beside its best one: 0.99999 and 1.0 say nothing of 0.2.
    """
    # `None` beside 10 is far enough, but 10 beside 11 is as near whether `None` was tried or not.
    if not all(map(is_number, values)):
        return True
    some = cast("Sequence[float]", values)
    every = cast("Sequence[float]", [value for value in tried if is_number(value)])
    scales: list[Callable[[float], float]] = [float]
    if min(every) > 0:
        scales.append(math.log)
    return all(
        scale(max(some)) - scale(min(some)) >= MIN_SPAN * (scale(max(every)) - scale(min(every)))
        for scale in scales
    )


def _text(params: Mapping[str, object]) -> str:
    return json.dumps(dict(params), sort_keys=True, default=str)
