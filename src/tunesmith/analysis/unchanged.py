"""Parameters that changed no score, to the last digit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
    """The number of trials that differ from others in one parameter alone; 0 if a score does."""
    groups: dict[str, list[str]] = {}
    for trial, scores in trials:
        if name in trial.params:
            rest = {key: value for key, value in trial.params.items() if key != name}
            groups.setdefault(_text(rest), []).append(scores)
    several = [scores for scores in groups.values() if len(scores) > 1]
    if any(len(set(scores)) > 1 for scores in several):
        return 0
    return sum(map(len, several))


def _text(params: Mapping[str, object]) -> str:
    return json.dumps(dict(params), sort_keys=True, default=str)
