"""The input of a figure: a study's record, one metric and some parameters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tunesmith.analysis.outcomes import winning
from tunesmith.analysis.ranking import RankedColumns, running_best
from tunesmith.analysis.summary import Summary, summarise
from tunesmith.errors import UsageError, did_you_mean
from tunesmith.history import Metric, Trial
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.drawing.chart import levels_of
from tunesmith.reporting.drawing.scales import fenced
from tunesmith.reporting.figures.columns import AxisColumn, column
from tunesmith.reporting.table import ranks_of
from tunesmith.types import State

MOST_FRONT = 500
"""Trials of the Pareto front that pictures of a large history show."""
LEAST_SHOWN = 0.25
"""Part of the complete trials that the two parameters which are shown together have at least."""


@dataclass(frozen=True)
class FigureView:
    """A record with its summary, the metric in question, and the requested parameters."""

    record: StudyRecord
    summary: Summary
    metric: Metric
    asked: tuple[str, ...] = ()

    @cached_property
    def completed(self) -> tuple[Trial, ...]:
        """Trials with results, in number order; of a large history some of them."""
        sample, chosen = self.summary.sample, self.summary.chosen
        if sample is None:
            return tuple(self.record.history.completed)
        compared = [one.reference.number for one in self.summary.comparisons]
        front = [trial.number for trial in self.summary.front[:MOST_FRONT]]
        return sample.shown([*compared, *front, *([] if chosen is None else [chosen.number])])

    @property
    def n_left_out(self) -> int:
        """Number of trials with results that are not among them."""
        return self.summary.n_trials - len(self.completed)

    @property
    def n_complete(self) -> int:
        """Number of complete trials, also of those that are left out."""
        return len(self.successful) if self.summary.sample is None else len(self.summary.ranking)

    @cached_property
    def running_best(self) -> list[float]:
        """Best score so far by trial, also of those that are left out; NaN before the first."""
        if self.summary.sample is None:
            return running_best(winning(self.record.history, self.metric), self.metric)
        means = self.summary.sample.columns.means(self.metric.name)
        return running_best(means.tolist(), self.metric)

    @cached_property
    def ranks(self) -> list[int]:
        """Rank by trial; those that cannot win share the last one."""
        if self.summary.sample is None:
            return ranks_of(self.record, self.metric)
        columns = self.summary.sample.columns
        ranking = RankedColumns.of(columns, [self.metric], self.record.metrics)
        known = dict(zip(ranking.numbers.tolist(), ranking.ranks.tolist(), strict=True))
        return [known.get(trial.number, len(known) + 1) for trial in self.completed]

    @cached_property
    def scores(self) -> tuple[float, ...]:
        """Mean score by trial with results; NaN if it is not complete."""
        return tuple(trial.mean(self.metric.name) for trial in self.completed)

    @cached_property
    def successful(self) -> tuple[int, ...]:
        """Positions of the complete trials among those with results."""
        return tuple(i for i, score in enumerate(self.scores) if math.isfinite(score))

    @cached_property
    def pruned(self) -> tuple[int, ...]:
        """Positions of trials that ended before their full budget."""
        return tuple(i for i, trial in enumerate(self.completed) if trial.state is State.PRUNED)

    @cached_property
    def failed(self) -> tuple[int, ...]:
        """Positions of the others."""
        others = {*self.successful, *self.pruned}
        return tuple(i for i in range(len(self.completed)) if i not in others)

    @cached_property
    def violating(self) -> frozenset[int]:
        """Positions of the complete trials that violate a constraint on outcomes."""
        history = self.record.history
        return frozenset(i for i in self.successful if history.violated(self.completed[i]))

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """Colour level by trial with results, best trials highest; 0 if there is no score."""
        scores = np.array([self.scores[i] for i in self.successful])
        if not len(scores):
            return (0,) * len(self.completed)
        # If the metric is minimized, the sign turns the ends round.
        ends = sorted(self.metric.sign * end for end in fenced(scores, self.metric))
        gains = [self.metric.sign * s if math.isfinite(s) else -math.inf for s in self.scores]
        return levels_of([max(gain, ends[0]) for gain in gains], ends[0], ends[1])

    @cached_property
    def best(self) -> int | None:
        """Position of the best trial by this metric that can win, the earliest among equals."""
        return max(
            (i for i in self.successful if i not in self.violating),
            key=lambda i: (self.metric.sign * self.scores[i], -i),
            default=None,
        )

    @cached_property
    def current(self) -> int | None:
        """Position of the complete trial with the current parameters, if there is one."""
        known = self.summary.current_parameters
        if known is None:
            return None
        same = (i for i in self.successful if dict(self.completed[i].params) == dict(known))
        # With a budget, the trial has a parameter more than the file.
        begun = (i for i in self.successful if self.completed[i].origin == "current")
        return next(same, next(begun, None))

    @property
    def tied(self) -> tuple[int, ...]:
        """Numbers of the trials tied with the best; none for another metric."""
        is_first = self.metric == self.summary.metric
        return self.summary.ties.numbers[1:] if is_first else ()

    @cached_property
    def varied(self) -> tuple[str, ...]:
        """Parameters with more than one value, the most important first, then by name."""
        values: dict[str, set[str]] = {}
        for trial in self.completed:
            for name, value in trial.params.items():
                # By its text: a list cannot be in a set, and `1 == True` holds in Python.
                values.setdefault(name, set()).add(repr(value))
        places = {name: i for i, (name, _) in enumerate(self.summary.importance.shares)}
        names = [name for name, kinds in values.items() if len(kinds) > 1]
        return tuple(sorted(names, key=lambda name: (places.get(name, len(places)), name)))

    @property
    def params(self) -> tuple[str, ...]:
        """The requested parameters, or all that vary."""
        return self.asked or self.varied

    @property
    def pair(self) -> tuple[str, ...]:
        """Two parameters to show together; fewer if no complete trial has two that vary.

        The first two that were requested, else those that the summary names for it, else the two
        most important ones; if there are others, those that only few trials have are passed over.
        """
        if self.asked:
            return self.asked[:2]
        pair = self.summary.importance.pair
        told = [pair] if pair and set(pair) <= set(self.varied) else []
        ranked = [*told, *((a, b) for j, b in enumerate(self.varied) for a in self.varied[:j])]
        counts = {names: self._count(*names) for names in ranked}
        # Two trials of one branch make no picture of the space.
        many = LEAST_SHOWN * len(self.successful)
        able = [names for names in ranked if counts[names] >= many]
        return next(iter(able or [names for names in ranked if counts[names]]), ())

    def _count(self, *names: str) -> int:
        """Number of the complete trials that have all of these parameters."""
        return sum(all(n in self.completed[i].params for n in names) for i in self.successful)

    def column(self, name: str) -> AxisColumn:
        """Return a parameter's values by trial with results."""
        return self._columns[name]

    @cached_property
    def _columns(self) -> dict[str, AxisColumn]:
        names = {*self.varied, *self.asked}
        return {n: column(n, self.completed, self.summary.recorded.space) for n in names}


def view_of(
    record: StudyRecord,
    summary: Summary | None = None,
    *,
    metric: str | None = None,
    params: Sequence[str] = (),
) -> FigureView:
    """Look at a record.

    Args:
        record: of the study.
        summary: of it; computed if it is not given.
        metric: a recorded metric's name; the first objective by default.
        params: names of parameters; those that vary by default.

    Raises:
        UsageError: the study has no such metric or parameter.
    """
    metrics = {recorded.name: recorded for recorded in record.metrics}
    if metric is not None and metric not in metrics:
        raise UsageError(f"no metric `{metric}`. {did_you_mean(metric, list(metrics))}")
    known = sorted(record.history.tried_names) if params else []
    for name in params:
        if name not in known:
            raise UsageError(f"no parameter `{name}`. {did_you_mean(name, known)}")
    chosen = metrics[metric] if metric is not None else record.objectives[0]
    return FigureView(record, summary or summarise(record), chosen, tuple(dict.fromkeys(params)))
