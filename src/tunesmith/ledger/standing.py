"""Standing of complete trials: what lets the database order and count them.

A history of a million evaluations takes long to read. So each complete trial has a row for each of
its metrics, with the mean score as ``Trial.mean`` gives it. The rows are derived from the others:
if any is missing, ``counts`` says nothing and the history is read instead.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, insert, select

from tunesmith.history import Metric, Trial, mean_of
from tunesmith.ledger import schema
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.rows import head_of, metrics_of
from tunesmith.types import State

if TYPE_CHECKING:
    import numpy as np

ROWS_A_STATEMENT = 10_000


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Numbers of trials of a series."""

    n_completed: int
    n_failed: int
    n_pruned: int
    n_folds: int
    """Most folds of a trial."""
    n_evaluations: int
    """Results of all trials."""
    all_count: bool
    """True if no result is outdated."""


def gain_rows(study_id: int, trial: Trial, metrics: Sequence[Metric]) -> list[dict[str, Any]]:
    """Build rows of the table ``standing`` for a trial; none unless it is complete."""
    if trial.state is not State.COMPLETE:
        return []
    gains = [(place, m.sign * trial.mean(m.name)) for place, m in enumerate(metrics)]
    # A mean beyond all numbers has no row, and the history is read whole: databases differ in it.
    return [_row(study_id, trial.number, *own) for own in gains if isfinite(own[1])]


def _row(study_id: int, number: int, metric: int, gain: float) -> dict[str, Any]:
    return {"study_id": study_id, "metric": metric, "number": number, "gain": float(gain)}


def rebuild(connection: Connection) -> None:
    """Derive all rows anew from the trials and their evaluations."""
    connection.execute(schema.standing.delete())
    for study in connection.execute(select(schema.study)).all():
        rows: list[dict[str, Any]] = []
        for number, scores in _scored(connection, study.id):
            for place, metric in enumerate(metrics_of(study)):
                # As `Trial.mean` computes it, to the last bit.
                gain = metric.sign * mean_of([own.get(metric.name, nan) for own in scores])
                rows += [_row(study.id, number, place, gain)] if isfinite(gain) else []
        for first in range(0, len(rows), ROWS_A_STATEMENT):
            connection.execute(insert(schema.standing), rows[first : first + ROWS_A_STATEMENT])


def _scored(connection: Connection, study_id: int) -> Iterator[tuple[int, list[dict[str, float]]]]:
    """Yield complete trials with the scores of their folds, in fold order."""
    trial, link, evaluation = schema.trial, schema.trial_fold, schema.evaluation
    its_trial = (link.c.study_id == trial.c.study_id) & (link.c.number == trial.c.number)
    its_result = (link.c.evaluation_key == evaluation.c.key) & (
        link.c.run_id == evaluation.c.run_id
    )
    query = (
        select(trial.c.number, evaluation.c.scores)
        .join_from(trial, link, its_trial)
        .join(evaluation, its_result)
        .where(trial.c.study_id == study_id, trial.c.state == State.COMPLETE.value)
        .where(link.c.fold >= 0)
        .order_by(trial.c.number, link.c.fold)
    )
    rows = connection.execute(query)
    for number, own in groupby(rows, key=lambda row: row.number):
        yield number, [json.loads(row.scores) for row in own]


def counts(connection: Connection, study: Row[Any]) -> Counts | None:
    """Count the trials of a series; ``None`` if only its whole history can tell.

    Args:
        connection: to read from.
        study: row of the series.
    """
    # Constraints on outcomes decide which trials can win, and need the outcomes of all folds.
    if RecordedStudy.of(head_of(study).definition).subject_to:
        return None
    table = schema.trial
    last, folds = func.max(table.c.number), table.c.n_folds
    query = (
        select(table.c.state, func.count(), last, func.max(folds), func.sum(folds))
        .where(table.c.study_id == study.id)
        .group_by(table.c.state)
    )
    rows = connection.execute(query)
    by_state = {state: tuple(numbers) for state, *numbers in rows}
    by_state.pop(State.RUNNING.value, None)
    n_completed = sum(n for n, *_ in by_state.values())
    # A history ends at the first gap.
    if n_completed != 1 + max((last for _, last, *_ in by_state.values()), default=-1):
        return None
    n_by_state = {state: n for state, (n, *_) in by_state.items()}
    if not _has_all(connection, study, n_by_state.get(State.COMPLETE.value, 0)):
        return None
    outdated = select(schema.evaluation.c.run_id).where(schema.OUTDATED).limit(1)
    return Counts(
        n_completed=n_completed,
        n_failed=n_by_state.get(State.FAILED.value, 0),
        n_pruned=n_by_state.get(State.PRUNED.value, 0),
        n_folds=max((most for *_, most, _ in by_state.values()), default=0),
        # PostgreSQL adds whole numbers as decimal ones.
        n_evaluations=int(sum(all_folds for *_, all_folds in by_state.values())),
        all_count=connection.execute(outdated).first() is None,
    )


def _has_all(connection: Connection, study: Row[Any], n_complete: int) -> bool:
    """True if every complete trial has its rows."""
    table = schema.standing
    query = (
        select(table.c.metric, func.count())
        .where(table.c.study_id == study.id)
        .group_by(table.c.metric)
    )
    rows = connection.execute(query)
    n_by_metric = {row.metric: int(row[1]) for row in rows}
    metrics = range(len(metrics_of(study)))
    return all(n_by_metric.get(place, 0) == n_complete for place in metrics)


def whole_folds(connection: Connection, study_id: int) -> int:
    """Folds of the first complete trial; 0 without one."""
    table = schema.trial
    its = (table.c.study_id == study_id) & (table.c.state == State.COMPLETE.value)
    query = select(table.c.n_folds).where(its).order_by(table.c.number).limit(1)
    return connection.execute(query).scalar() or 0


def best_number(connection: Connection, study_id: int, n_objectives: int) -> int | None:
    """Number of the best trial by the first metric; of equals by further ones, then the first."""
    first = schema.standing
    its = (first.c.study_id == study_id) & (first.c.metric == 0)
    # The largest gain first, so that only equals of the best are sorted.
    largest = select(func.max(first.c.gain)).where(its).scalar_subquery()
    query = select(first.c.number).where(its, first.c.gain == largest)
    for place in range(1, n_objectives):
        other = schema.standing.alias(f"standing_{place}")
        query = query.join(
            other,
            (other.c.study_id == study_id)
            & (other.c.metric == place)
            & (other.c.number == first.c.number),
        ).order_by(other.c.gain.desc())
    return connection.execute(query.order_by(first.c.number).limit(1)).scalar()


def gains(
    connection: Connection, study_id: int, n_objectives: int
) -> tuple["np.ndarray", "np.ndarray"]:
    """Numbers of complete trials, rising, ``(n,)``, and their gains, ``(n, n_objectives)``."""
    import numpy as np

    table = schema.standing
    columns = []
    numbers: np.ndarray = np.empty(0, dtype=int)
    for place in range(n_objectives):
        query = select(table.c.number, table.c.gain)
        its = (table.c.study_id == study_id) & (table.c.metric == place)
        rows = connection.execute(query.where(its).order_by(table.c.number)).all()
        numbers = np.array([number for number, _ in rows], dtype=int)
        columns.append(np.array([gain for _, gain in rows], dtype=float))
    return numbers, np.column_stack(columns)


def leading_numbers(connection: Connection, study_id: int, n: int, skip: int = 0) -> list[int]:
    """Numbers of trials: complete ones from the best by the first metric on, then the others.

    Args:
        connection: to read from.
        study_id: id of the series.
        n: most numbers to return.
        skip: trials to leave out before.
    """
    table, trial = schema.standing, schema.trial
    its = (table.c.study_id == study_id) & (table.c.metric == 0)
    ordered = select(table.c.number).where(its).order_by(table.c.gain.desc(), table.c.number)
    numbers = list(connection.execute(ordered.limit(n).offset(skip)).scalars())
    if len(numbers) == n:
        return numbers
    n_complete = connection.execute(select(func.count()).where(its)).scalar_one()
    others = (
        select(trial.c.number)
        .where(trial.c.study_id == study_id)
        .where(trial.c.state.in_([State.FAILED.value, State.PRUNED.value]))
        .order_by(trial.c.number)
        .limit(n - len(numbers))
        .offset(max(skip - n_complete, 0))
    )
    return numbers + list(connection.execute(others).scalars())


def ranks(
    connection: Connection, study_id: int, metric: int, numbers: Sequence[int]
) -> dict[int, int]:
    """Rank of trials by a metric: equals share the better one, trials without a mean the last.

    Args:
        connection: to read from.
        study_id: id of the series.
        metric: its place.
        numbers: of completed trials.
    """
    table = schema.standing
    its = (table.c.study_id == study_id) & (table.c.metric == metric)
    own = select(table.c.number, table.c.gain).where(its, table.c.number.in_(numbers))
    gains = {row.number: float(row.gain) for row in connection.execute(own)}
    least = connection.execute(select(func.min(table.c.gain)).where(its)).scalar()
    # Below all others, in the same numbers as `table.ranks_of`.
    lowest = 0.0 if least is None else least - 1
    ranks_of: dict[float, int] = {}
    for gain in {gains.get(number, lowest) for number in numbers}:
        better = select(func.count()).where(its, table.c.gain > gain)
        ranks_of[gain] = 1 + connection.execute(better).scalar_one()
    return {number: ranks_of[gains.get(number, lowest)] for number in numbers}
