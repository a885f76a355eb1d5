"""Completed trials as columns: what reports of large histories need of every trial.

A trial made of objects takes some kilobytes and a tenth of a millisecond, one in columns a few
hundred bytes and a fiftieth of that time.
"""

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress, islice
from math import nan
from typing import Any, TypeAlias

import numpy as np
from sqlalchemy import ColumnElement, Connection, Row, Table, case, or_, select

from tunesmith.errors import DamagedError, StorageError
from tunesmith.history import IN_ORDER, Trial
from tunesmith.ledger import schema
from tunesmith.ledger.dialect import streamed
from tunesmith.ledger.queries import TRUSTED, no_search_for_cycles
from tunesmith.ledger.rows import checksums, metrics_of
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params, State

CHUNK = 5_000
"""Rows that are held as objects at a time."""
STATES = (State.COMPLETE, State.FAILED, State.PRUNED)
COMPLETE, FAILED, PRUNED = range(3)
MISSING = object()
"""In place of the value of a parameter that a trial does not have."""


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
    def values(self) -> Mapping[str, Sequence[Any]]:
        """Values of each parameter by trial; ``MISSING`` where a trial does not have it."""
        columns: dict[str, list[Any]] = {}
        every, n = self.some_params(range(len(self))), 0
        while some := list(islice(every, CHUNK)):
            for name in {name for own in some for name in own}:
                # One that no trial before has had.
                column = columns.setdefault(name, [MISSING] * n)
                column += [own.get(name, MISSING) for own in some]
            n += len(some)
            for column in columns.values():
                column += [MISSING] * (n - len(column))
        return columns

    @property
    def names(self) -> frozenset[str]:
        """Names of all parameters that a trial has."""
        return frozenset(self.values)


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

    def add(self, scores: Mapping[str, Sequence[float]], *others: Sequence[Any]) -> None:
        """Add results.

        Args:
            scores: by metric, a number of each.
            others: trial numbers, seconds of fits and of scoring, numbers of sharing candidates,
                and true for those with a failure or a warning.
        """
        for name, column in self.scores.items():
            column.extend(scores[name])
        numbers, fit_s, score_s, n_sharing, is_told = others
        self.numbers.extend(numbers)
        self.fit_s.extend(fit_s)
        self.score_s.extend(score_s)
        self.n_sharing.extend(n_sharing)
        self.told.update(compress(numbers, is_told))

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
            {name: [fold.scores.get(name, nan) for fold in results] for name in metrics},
            [trial.number] * len(results),
            [fold.fit_time_s for fold in results],
            [fold.score_time_s for fold in results],
            [fold.n_sharing for fold in results],
            [fold.failure is not None or bool(fold.warning) for fold in results],
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
    with no_search_for_cycles():
        return _read(connection, study, n_completed)


def _read(connection: Connection, study: Row[Any], n_completed: int) -> TrialColumns:
    params: list[str] = []
    origins: list[str] = []
    numbers: list[tuple[int, int, int]] = []
    known: dict[str, str] = {}
    codes = {state.value: code for code, state in enumerate(STATES)}
    for texts, froms, states, points, folds_of in _trials(connection, study.id, n_completed):
        params += texts
        origins += [known.setdefault(origin, origin) for origin in froms]
        numbers += zip([codes[state] for state in states], points, folds_of, strict=True)
    if len(params) < n_completed:
        raise StorageError("trials were dropped while they were read.\n  Try again.")
    names = [metric.name for metric in metrics_of(study)]
    folds = _Folds(metrics=names)
    for scores, *others in _results(connection, study.id, n_completed):
        folds.add(_by_metric(scores, names), *others)
    return folds.columns(params, origins, np.array(numbers, dtype=int).reshape(-1, 3))


def _by_metric(texts: Sequence[str], names: Sequence[str]) -> dict[str, Sequence[float]]:
    """Read scores of many results: metric -> a number each, NaN without one."""
    if not names:
        return {}
    # A fold that failed has none. All others have the same metrics, in one order: without their
    # names, the texts are one list of numbers, which is read five times as fast as mappings.
    whole = [text for text in texts if text != "{}"]
    text = ",".join(whole)
    for name in names:
        text = text.replace(f"{canonical_json(name)}:", "")
    flat: Any = ()
    if '"' not in text:
        with suppress(ValueError, RecursionError):
            flat = json.loads(f"[{text[1:-1].replace('},{', ',')}]")
    if not whole or len(flat) != len(whole) * len(names):
        scores = json.loads(f"[{','.join(texts)}]")
        return {name: [own.get(name, nan) for own in scores] for name in names}
    table = np.full((len(texts), len(names)), nan)
    rows = np.flatnonzero([text != "{}" for text in texts])
    # Canonical texts are sorted by name.
    table[rows] = np.array(flat, dtype=float).reshape(-1, len(names))
    return {name: table[:, place].tolist() for place, name in enumerate(sorted(names))}


Columns: TypeAlias = Iterator[Sequence[Sequence[Any]]]
"""Columns of some thousand rows at a time."""


def _trials(connection: Connection, study_id: int, n_completed: int) -> Columns:
    """Yield params, origins, states, numbers of points and of folds, in the order of trials."""
    table = schema.trial
    wanted = (table.c.params, table.c.origin, table.c.state, table.c.n_points, table.c.n_folds)
    query = (
        select(*wanted, *_covered(connection, table))
        .where(table.c.study_id == study_id, table.c.number < n_completed)
        .where(table.c.state != State.RUNNING.value)
        .order_by(table.c.number)
    )
    return _columns(connection, query, len(wanted), (table,))


def _results(connection: Connection, study_id: int, n_completed: int) -> Columns:
    """Yield scores and what ``_Folds.add`` takes besides, in the order of trials and folds."""
    link, evaluation = schema.trial_fold, schema.evaluation
    is_told = or_(evaluation.c.failure_kind.is_not(None), evaluation.c.warning != "")
    wanted = (
        *(evaluation.c.scores, link.c.number, evaluation.c.fit_time_s, evaluation.c.score_time_s),
        *(evaluation.c.n_sharing, case((is_told, 1), else_=0).label("is_told")),
    )
    query = (
        select(*wanted, *_covered(connection, link, evaluation))
        .join(
            evaluation,
            (evaluation.c.key == link.c.evaluation_key) & (evaluation.c.run_id == link.c.run_id),
        )
        .where(link.c.study_id == study_id, link.c.fold >= 0, link.c.number < n_completed)
        .order_by(link.c.number, link.c.fold)
    )
    return _columns(connection, query, len(wanted), (link, evaluation))


def _covered(connection: Connection, *tables: Table) -> list[ColumnElement[Any]]:
    """Whole rows of tables, which their checksums cover; none after a check of the whole file."""
    if connection.get_execution_options().get(TRUSTED):
        return []
    return [
        column.label(f"{table.name}_{column.name}") for table in tables for column in table.columns
    ]


def _columns(
    connection: Connection, query: Any, n_wanted: int, covered: Sequence[Table]
) -> Columns:
    """Yield the first columns of an answer, as the driver gives them: half a million rows.

    Args:
        connection: to read from.
        query: the columns that are wanted, and behind them those of the tables.
        n_wanted: number of columns that are wanted.
        covered: tables whose rows stand behind them, unless all was checked before.

    Raises:
        DamagedError: a row has changed since it was written.
    """
    with streamed(connection, query) as cursor:
        while rows := cursor.fetchmany(CHUNK):
            columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
            place = n_wanted
            for table in covered if len(columns) > n_wanted else ():
                own = dict(zip(table.columns.keys(), columns[place:], strict=False))
                place += len(own)
                if checksums(table.name, own) != list(own["checksum"]):
                    where = f"a row of the table `{table.name}`"
                    raise DamagedError(f"{where} is not as it was written")
            yield columns[:n_wanted]
