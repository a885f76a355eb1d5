"""What there is to say about a study, as plain data: renderers draw it and compute nothing."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunesmith.history import History, Metric, Trial
from tunesmith.ledger.records import StudyRecord
from tunesmith.report.importance import Importance, importance
from tunesmith.types import Params, State

REFERENCES = ("current", "defaults")
MAX_BINS = 5


@dataclass(frozen=True)
class Ranked:
    """A complete trial with its place."""

    number: int
    params: Params
    origin: str
    rank: int
    """By the first objective; equals share the better rank, as in ``rank_test_score``."""
    means: Mapping[str, float]
    stds: Mapping[str, float]
    scores: Mapping[str, tuple[float, ...]]
    """Fold scores by metric."""

    def error(self, metric: str) -> float:
        """Standard error of the mean over folds; NaN for a single fold."""
        n = len(self.scores[metric])
        return float(np.std(self.scores[metric], ddof=1) / math.sqrt(n)) if n > 1 else math.nan


@dataclass(frozen=True)
class Alike:
    """Trials that failed alike, or warned alike."""

    kind: str
    message: str
    """Of the first of them."""
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Comparison:
    """The best trial against a reference on the same folds."""

    name: str
    """``current`` or ``defaults``."""
    reference: Ranked
    gain: float
    """Mean over folds of best minus reference, positive where the best is better."""
    error: float
    """Its standard error, corrected for overlapping training sets."""

    @property
    def is_clear(self) -> bool:
        """Whether the gain exceeds twice its error."""
        return self.gain > 2 * self.error


@dataclass(frozen=True)
class Edge:
    """The best value lies at a bound of its range."""

    name: str
    value: float
    side: str
    """``low`` or ``high``."""


@dataclass(frozen=True)
class Level:
    """Trials that share a value, or a bin of values, of one parameter."""

    label: str
    n: int
    mean: float
    best: float


@dataclass(frozen=True)
class Summary:
    """Everything that a report says."""

    study: str
    definition: Mapping[str, Any]
    metrics: tuple[Metric, ...]
    objectives: tuple[Metric, ...]
    ranking: tuple[Ranked, ...]
    """Complete trials, best first; equals in trial order."""
    failures: tuple[Alike, ...]
    warnings: tuple[Alike, ...]
    """What the code of fits warned of."""
    front: tuple[Ranked, ...]
    """The Pareto front where there are several objectives, else empty."""
    comparisons: tuple[Comparison, ...]
    best_so_far: tuple[float, ...]
    """By trial; NaN before the first complete one."""
    scores: tuple[float, ...]
    """Mean of the first objective by trial; NaN where it failed."""
    importance: Importance
    trends: Mapping[str, tuple[Level, ...]]
    edges: tuple[Edge, ...]
    holdout: Mapping[str, float] | None
    """The winner's scores on rows that the search never saw, where such were held out."""
    n_trials: int
    n_folds: int
    n_points: int
    """Points scored for the trials; more than trials where each is the best of its curve."""
    n_spared: int
    """Fits that sharing spared: scores of the trials that needed none of their own."""
    stopped_by: str
    provenance: Mapping[str, Any]
    """Of the last run that evaluated something."""

    @property
    def best(self) -> Ranked | None:
        """The winner."""
        return self.ranking[0] if self.ranking else None

    @property
    def metric(self) -> Metric:
        """The first objective, which ranks."""
        return self.objectives[0]


def summarise(record: StudyRecord) -> Summary:
    """Work everything out, from the record alone."""
    history, metric = record.history, record.objectives[0]
    ranking = ranked(history, record.metrics)
    told = list(history.told)
    scores = [trial.mean(metric.name) for trial in told]
    definition = record.definition
    return Summary(
        study=record.head.name,
        definition=definition,
        metrics=record.metrics,
        objectives=record.objectives,
        ranking=ranking,
        failures=grouped(_failures(told)),
        warnings=grouped(_warnings(told)),
        front=_front(history, ranking),
        comparisons=comparisons(ranking, metric),
        best_so_far=tuple(running_best(scores, metric)),
        scores=tuple(scores),
        importance=importance(history, definition.get("space", {}), metric),
        trends=trends(ranking, metric),
        edges=edges(ranking, definition.get("space", {})),
        holdout=_holdout(record),
        n_trials=len(told),
        n_folds=max((len(trial.folds) for trial in told), default=0),
        n_points=sum(trial.n_points for trial in told),
        n_spared=round(sum(map(spared, told))),
        stopped_by=_stopped_by(record),
        provenance=_provenance(record),
    )


def spared(trial: Trial) -> float:
    """Fits that a trial's scores did not need: its part of those that it shared with others.

    It depends on what was found alone, not on how far a run came, so that reports repeat.
    """
    if trial.n_points > 1:
        return len(trial.folds) * (trial.n_points - 1)
    return sum(1 - 1 / fold.n_sharing for fold in trial.folds)


def ranked(history: History, metrics: Sequence[Metric]) -> tuple[Ranked, ...]:
    """Complete trials with their ranks, best first, equals in trial order."""
    metric = history.objectives[0]
    trials = sorted(history.complete, key=lambda t: (-metric.sign * t.mean(metric.name), t.number))
    found: list[Ranked] = []
    for place, trial in enumerate(trials, start=1):
        ties = found and found[-1].means[metric.name] == trial.mean(metric.name)
        found.append(_ranked(trial, found[-1].rank if ties else place, metrics))
    return tuple(found)


def _ranked(trial: Trial, rank: int, metrics: Sequence[Metric]) -> Ranked:
    return Ranked(
        trial.number,
        trial.params,
        trial.origin,
        rank,
        {m.name: trial.mean(m.name) for m in metrics},
        {m.name: trial.std(m.name) for m in metrics},
        {m.name: tuple(trial.scores(m.name).tolist()) for m in metrics},
    )


def grouped(noted: Iterable[tuple[str, str, int]]) -> tuple[Alike, ...]:
    """Trials by what they have in common, the most frequent first.

    Args:
        noted: (kind, message, trial number), in trial order.
    """
    groups: dict[str, list[tuple[str, int]]] = {}
    for kind, message, number in noted:
        groups.setdefault(kind, []).append((message, number))
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(
        Alike(kind, found[0][0], tuple(number for _, number in found)) for kind, found in ordered
    )


def _failures(trials: Sequence[Trial]) -> Iterator[tuple[str, str, int]]:
    for trial in trials:
        if trial.state is State.FAILED and trial.failure:
            yield trial.failure.kind, trial.failure.message, trial.number


def _warnings(trials: Sequence[Trial]) -> Iterator[tuple[str, str, int]]:
    for trial in trials:
        kinds = dict(fold.warning.partition(": ")[::2] for fold in trial.folds if fold.warning)
        for kind, message in kinds.items():
            yield kind, message, trial.number


def _front(history: History, ranking: Sequence[Ranked]) -> tuple[Ranked, ...]:
    if len(history.objectives) < 2:
        return ()
    numbers = {trial.number for trial in history.front()}
    return tuple(trial for trial in ranking if trial.number in numbers)


def comparisons(ranking: Sequence[Ranked], metric: Metric) -> tuple[Comparison, ...]:
    """The best against the parameters in force and the estimator's defaults, where tried."""
    if not ranking:
        return ()
    references = {trial.origin: trial for trial in reversed(ranking)}
    return tuple(
        _compared(name, ranking[0], references[name], metric)
        for name in REFERENCES
        if name in references
    )


def _compared(name: str, best: Ranked, reference: Ranked, metric: Metric) -> Comparison:
    """Paired over folds, with the variance of Nadeau & Bengio (2003), section 3.

    Training sets of cross-validation overlap, so fold scores are not independent: the variance
    of the mean is (1/k + n_test/n_train) times that of a fold, where k folds give
    n_test/n_train = 1/(k - 1).
    """
    gains = metric.sign * np.subtract(best.scores[metric.name], reference.scores[metric.name])
    k = len(gains)
    if k < 2:
        return Comparison(name, reference, float(gains.mean()), math.nan)
    variance = float(np.var(gains, ddof=1)) * (1 / k + 1 / (k - 1))
    return Comparison(name, reference, float(gains.mean()), math.sqrt(variance))


def running_best(scores: Sequence[float], metric: Metric) -> list[float]:
    """The best score up to each trial."""
    found, best = [], math.nan
    for score in scores:
        if math.isfinite(score) and not metric.sign * score <= metric.sign * best:
            best = score
        found.append(best)
    return found


def trends(ranking: Sequence[Ranked], metric: Metric) -> dict[str, tuple[Level, ...]]:
    """Per parameter: mean and best score by value, or by bin of as many distinct values."""
    names = sorted({name for trial in ranking for name in trial.params})
    found = {name: _levels(name, ranking, metric) for name in names}
    return {name: levels for name, levels in found.items() if len(levels) > 1}


def _levels(name: str, ranking: Sequence[Ranked], metric: Metric) -> tuple[Level, ...]:
    with_it = [trial for trial in ranking if name in trial.params]
    values = [trial.params[name] for trial in with_it]
    distinct = {repr(value): value for value in values}
    if len(distinct) <= MAX_BINS or not all(map(_is_number, values)):
        groups = [(text, [t for t in with_it if repr(t.params[name]) == text]) for text in distinct]
        ordered = sorted(groups, key=lambda group: _order(distinct[group[0]]))
        return tuple(_level(_label([distinct[t]]), group, metric) for t, group in ordered)
    found = []
    for part in np.array_split(sorted({_number(value) for value in values}), MAX_BINS):
        within = [t for t in with_it if part[0] <= _number(t.params[name]) <= part[-1]]
        bounds = sorted((trial.params[name] for trial in within), key=_number)
        found.append(_level(_label([bounds[0], bounds[-1]]), within, metric))
    return tuple(found)


def _level(label: str, trials: Sequence[Ranked], metric: Metric) -> Level:
    scores = [trial.means[metric.name] for trial in trials]
    best = max(scores) if metric.sign > 0 else min(scores)
    return Level(label, len(trials), float(np.mean(scores)), best)


def _label(values: Sequence[Any]) -> str:
    from tunesmith.report.numbers import value

    low, high = value(values[0]), value(values[-1])
    return low if low == high else f"{low} – {high}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> float:
    return float(value)


def _order(value: Any) -> tuple[int, float, str]:
    return (0, float(value), "") if _is_number(value) else (1, 0.0, str(value))


def edges(ranking: Sequence[Ranked], space: Mapping[str, Any]) -> tuple[Edge, ...]:
    """Where the best lies at a bound, a wider range may hold something better."""
    if not ranking:
        return ()
    found = {}
    for box in space.get("boxes", ()):
        for name, definition in box.items():
            value = ranking[0].params.get(name)
            bounds = _bounds(definition)
            if bounds is None or not _is_number(value) or bounds[0] == bounds[1]:
                continue
            side = {bounds[0]: "low", bounds[1]: "high"}.get(_number(value))
            if side is not None:
                found[name] = Edge(name, _number(value), side)
    return tuple(found[name] for name in sorted(found))


def _bounds(definition: Any) -> tuple[float, float] | None:
    if not isinstance(definition, Mapping):
        return None
    bounds = definition.get("int") or definition.get("float")
    return None if bounds is None else (float(bounds[0]), float(bounds[1]))


def _holdout(record: StudyRecord) -> Mapping[str, float] | None:
    best = record.history.best()
    result = None if best is None else record.holdout.get(best.number)
    return None if result is None else result.scores


def _stopped_by(record: StudyRecord) -> str:
    ended = [run.stopped_by for run in record.runs if run.stopped_by]
    return ended[-1] if ended else ""


def _provenance(record: StudyRecord) -> Mapping[str, Any]:
    """A run that found everything known adds nothing: it must not change the report either."""
    evaluated = [run for run in record.runs if run.n_evaluated] or list(record.runs)
    return evaluated[-1].provenance if evaluated else {}
