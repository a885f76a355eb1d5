"""Completed trials as columns: what reports of large histories need of every trial.

A trial made of objects takes some kilobytes and a tenth of a millisecond, one in columns a few
hundred bytes and a fiftieth of that time.
"""

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from math import nan
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, select

from tunesmith.errors import DamagedError, StorageError
from tunesmith.history import IN_ORDER, Trial
from tunesmith.ledger import schema
from tunesmith.ledger.queries import TRUSTED, checked
from tunesmith.ledger.rows import metrics_of
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params, State

CHUNK = 5_000
"""Rows that are held as objects at a time."""
STATES = (State.COMPLETE, State.FAILED, State.PRUNED)
COMPLETE, FAILED, PRUNED = range(3)


@dataclass(frozen=True, eq=False, kw_only=True)
class TrialColumns:
    """Completed trials by number, from 0 on; arrays of folds are ``(n_trials, most folds)``."""

    params: Sequence[str]
    """As canonical JSON."""
    origins: Sequence[str]
    states: np.ndarray
    """``(n_trials,)`` positions in ``STATES``."""
    n_points: np.ndarray
    n_folds: np.ndarray
    scores: dict[str, np.ndarray]
    """By metric, in the order of the folds; NaN where a fold is missing or has no score."""
    fit_s: np.ndarray
    score_s: np.ndarray
    n_sharing: np.ndarray
    """0 where a fold is missing."""
    told: np.ndarray
    """Numbers of the trials with a failure or a warning, rising."""

    def __len__(self) -> int:
        return len(self.params)

    @property
    def complete(self) -> np.ndarray:
        """Numbers of the complete trials."""
        return np.flatnonzero(self.states == COMPLETE)

    @property
    def is_even(self) -> bool:
        """True if all complete trials have as many folds, so that their scores are one table."""
        return len(np.unique(self.n_folds[self.complete])) <= 1

    @property
    def n_left_out(self) -> np.ndarray:
        """``(n_trials,)`` folds that a race left out, as ``Trial.n_left_out``."""
        # No race stops the first trial, so that it has all folds.
        lacking = self.n_folds[:1].sum() - self.n_folds
        left: np.ndarray = np.where(self.states == PRUNED, np.maximum(lacking, 0), 0)
        return left

    @cached_property
    def _means(self) -> dict[str, np.ndarray]:
        return {}

    def means(self, metric: str) -> np.ndarray:
        """``(n_trials,)`` means to the last bit as ``Trial.mean`` has them; NaN unless complete."""
        if metric not in self._means:
            self._means[metric] = _row_means(self.scores[metric], self.n_folds, self.complete)
        return self._means[metric]

    def fit_means(self) -> np.ndarray:
        """``(n_trials,)`` mean fit times of the complete trials."""
        return _row_means(self.fit_s, self.n_folds, self.complete)

    def some_params(self, numbers: Iterable[int]) -> Iterator[Params]:
        """Params of trials, a few thousand of them held at a time."""
        rest = iter(numbers)
        while some := list(islice(rest, CHUNK)):
            # One text is read faster than thousands of short ones.
            yield from json.loads(f"[{','.join([self.params[number] for number in some])}]")

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of all parameters that a trial has."""
        return frozenset(name for own in self.some_params(range(len(self))) for name in own)


def _row_means(table: np.ndarray, n_folds: np.ndarray, rows: np.ndarray) -> np.ndarray:
    means = np.full(len(table), nan)
    for n in np.unique(n_folds[rows]).tolist():
        own = rows[n_folds[rows] == n]
        if n < IN_ORDER:
            # One after the other, as `mean_of` adds them: another order would give other bits.
            means[own] = sum((table[own, fold] for fold in range(n)), np.zeros(len(own))) / n
        else:
            means[own] = [row[:n].mean() for row in table[own]]
    return means


@dataclass(kw_only=True)
class _Folds:
    """Results one after the other, in the order of trials and folds."""

    metrics: Sequence[str]
    numbers: "array[int]" = field(default_factory=lambda: array("q"))
    scores: "dict[str, array[float]]" = field(init=False)
    fit_s: "array[float]" = field(default_factory=lambda: array("d"))
    score_s: "array[float]" = field(default_factory=lambda: array("d"))
    n_sharing: "array[int]" = field(default_factory=lambda: array("q"))
    told: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.scores = {name: array("d") for name in self.metrics}

    def add(self, scores: Sequence[Mapping[str, float]], *others: Sequence[Any]) -> None:
        """Add results.

        Args:
            scores: by metric, of each.
            others: trial numbers, seconds of fits and of scoring, numbers of sharing candidates,
                failures, warnings.
        """
        for name, column in self.scores.items():
            column.extend([own.get(name, nan) for own in scores])
        numbers, fit_s, score_s, n_sharing, failures, warnings = others
        self.numbers.extend(numbers)
        self.fit_s.extend(fit_s)
        self.score_s.extend(score_s)
        self.n_sharing.extend(n_sharing)
        told = zip(numbers, failures, warnings, strict=True)
        self.told.update([n for n, failure, warning in told if failure is not None or warning])

    def columns(
        self, params: Sequence[str], origins: Sequence[str], numbers: np.ndarray
    ) -> TrialColumns:
        """Return the trials.

        Args:
            params: of each trial.
            origins: of each trial.
            numbers: state, number of points, number of folds of each, ``(n_trials, 3)``.

        Raises:
            DamagedError: results are missing.
        """
        n_folds, found = numbers[:, 2], np.asarray(self.numbers)
        counts = np.bincount(found, minlength=len(params))
        if (counts != n_folds).any():
            raise DamagedError(f"trial {int((counts != n_folds).argmax())} has lost folds")
        places = np.arange(len(found)) - (np.cumsum(n_folds) - n_folds)[found]
        shape = len(params), int(n_folds.max(initial=0))

        def table(flat: "array[Any]", missing: float) -> np.ndarray:
            made = np.full(shape, missing, dtype=np.asarray(flat).dtype)
            made[found, places] = flat
            return made

        return TrialColumns(
            params=params,
            origins=origins,
            states=numbers[:, 0],
            n_points=numbers[:, 1],
            n_folds=n_folds,
            scores={name: table(flat, nan) for name, flat in self.scores.items()},
            fit_s=table(self.fit_s, nan),
            score_s=table(self.score_s, nan),
            n_sharing=table(self.n_sharing, 0),
            told=np.array(sorted(self.told), dtype=int),
        )


def columns_of(trials: Iterable[Trial], metrics: Sequence[str]) -> TrialColumns:
    """Return completed trials in memory as columns.

    Args:
        trials: in number order, from 0 on.
        metrics: names of the recorded metrics.
    """
    folds, params, origins, numbers = _Folds(metrics=metrics), [], [], []
    for trial in trials:
        params.append(canonical_json(dict(trial.params)))
        origins.append(trial.origin)
        numbers.append((STATES.index(trial.state), trial.n_points, len(trial.folds)))
        results = trial.folds
        folds.add(
            [fold.scores for fold in results],
            [trial.number] * len(results),
            [fold.fit_time_s for fold in results],
            [fold.score_time_s for fold in results],
            [fold.n_sharing for fold in results],
            [fold.failure for fold in results],
            [fold.warning for fold in results],
        )
    return folds.columns(params, origins, np.array(numbers, dtype=int).reshape(-1, 3))


def read_columns(connection: Connection, study: Row[Any], n_completed: int) -> TrialColumns:
    """Read the completed trials of a series, a few thousand rows at a time.

    Args:
        connection: to read from.
        study: row of the series.
        n_completed: trials to read; later ones may be there by now.

    Raises:
        DamagedError: a row has changed since it was written, or results are missing.
        StorageError: trials are gone.
    """
    table = schema.trial
    its = (table.c.study_id == study.id) & (table.c.number < n_completed)
    params, origins, numbers = [], [], []
    known: dict[str, str] = {}
    codes = {state.value: code for code, state in enumerate(STATES)}
    query = select(table).where(its, table.c.state != State.RUNNING.value).order_by(table.c.number)
    for row in checked(connection, "trial", _streamed(connection, query)):
        params.append(row.params)
        origins.append(known.setdefault(row.origin, row.origin))
        numbers.append((codes[row.state], row.n_points, row.n_folds))
    if len(params) < n_completed:
        raise StorageError("trials were dropped while they were read.\n  Try again.")
    folds = _Folds(metrics=[metric.name for metric in metrics_of(study)])
    for rows in _results(connection, study.id, n_completed):
        # Column by column: a call for each of half a million rows takes seconds.
        texts, *others = islice(zip(*rows, strict=True), 1 + N_OTHERS)
        folds.add(json.loads(f"[{','.join(texts)}]"), *others)
    return folds.columns(params, origins, np.array(numbers, dtype=int).reshape(-1, 3))


def _streamed(connection: Connection, query: Any) -> Iterator[Row[Any]]:
    # Otherwise the drivers of databases hold all rows of an answer.
    yield from connection.execute(query, execution_options={"yield_per": CHUNK})


N_OTHERS = 6
"""Columns of a result that ``_Folds.add`` takes besides the scores."""


def _results(
    connection: Connection, study_id: int, n_completed: int
) -> Iterator[Sequence[Row[Any]]]:
    """Yield results in the order of trials and folds, a few thousand at a time."""
    link, evaluation = schema.trial_fold, schema.evaluation
    wanted = (
        *(evaluation.c.scores, link.c.number, evaluation.c.fit_time_s, evaluation.c.score_time_s),
        *(evaluation.c.n_sharing, evaluation.c.failure_kind, evaluation.c.warning),
    )
    # A checksum covers whole rows. After a check of the whole file it is not needed.
    is_trusted = connection.get_execution_options().get(TRUSTED)
    linked = [column.label(f"link_{column.name}") for column in link.columns]
    covered = [] if is_trusted else [*linked, *evaluation.c]
    query = (
        select(*wanted, *(column.label(f"all_{column.name}") for column in covered))
        .join(
            evaluation,
            (evaluation.c.key == link.c.evaluation_key) & (evaluation.c.run_id == link.c.run_id),
        )
        .where(link.c.study_id == study_id, link.c.fold >= 0, link.c.number < n_completed)
        .order_by(link.c.number, link.c.fold)
    )
    if is_trusted:
        yield from connection.execute(query, execution_options={"yield_per": CHUNK}).partitions()
        return
    linked_rows = checked(
        connection, "trial_fold", _streamed(connection, query), prefix="all_link_"
    )
    rows = checked(connection, "evaluation", linked_rows, prefix="all_")
    while some := list(islice(rows, CHUNK)):
        yield some
