"""Queries on the tables, within a transaction of the caller."""

import gc
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import compress, islice
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
)

from tunesmith.errors import DamagedError, StorageError, did_you_mean
from tunesmith.history import FURTHER, HOLDOUT, LAW, FoldResult, Holds, Trial, TrialLog, always
from tunesmith.ledger import schema
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.records import RunRecord
from tunesmith.ledger.rows import checksum, fold_result_of, made_of, metrics_of, trial_of
from tunesmith.system.fingerprint import digest as text_digest
from tunesmith.types import State, StopReason

Key = TypeVar("Key", str, int)
KEYS_A_QUERY = 500
"""Number of keys per query: databases limit the variables of a statement."""
LOST = {"what a run had read before it was killed": "lost"}
"""A reading that never holds: evaluations survive a crash, their readings do not."""
USED_BY = ("key", "run_id", "n_sharing", "made", "reading")
NOT_RESULTS = ("timeout", "worker-died", "interrupted")
"""Failures that do not depend on the params: such folds are tried again."""
_kind = schema.evaluation.c.failure_kind
SAYS_NOTHING = or_(*(_kind == kind for kind in NOT_RESULTS))
"""Condition on results that a later result of the same run may replace."""
OWN_SERIES = schema.study.c.generation > 0
"""Condition on series of this ledger; others only hold runs that came from other ledgers."""
ANY_RUN = -(1 << 31)
"""Below the number of any run; those from other ledgers have negative numbers."""
SAYS_SOMETHING = or_(_kind.is_(None), and_(*(_kind != kind for kind in NOT_RESULTS)))


def evaluated_by(
    connection: Connection, keys: Iterable[str], run_id: int, holds: Holds = always
) -> dict[str, int]:
    """Run whose evaluation a trial uses: its own run, or the run that ``known`` named.

    Args:
        connection: connection within a transaction.
        keys: keys of recorded evaluations.
        run_id: the trial's own run.
        holds: tells if the files of a reading are unchanged; such results come first.

    Raises:
        StorageError: one is not recorded.
    """
    table, wanted = schema.evaluation, set(keys)
    says_something = SAYS_SOMETHING.label("says_something")
    own = (*(table.c[name] for name in USED_BY), says_something)
    query = select(*own).where(table.c.key.in_(bindparam("keys", expanding=True)))
    run_of: dict[str, int] = {}
    for some in batched(wanted):
        rows = list(connection.execute(query, {"keys": some}))
        held = held_readings(connection, rows, holds)
        rows.sort(key=lambda row: _worth(row, is_held=row.reading in held))
        # Later entries replace earlier ones: the most reliable result, then the trial's own run.
        run_of |= {row.key: row.run_id for row in rows}
        run_of |= {row.key: row.run_id for row in rows if row.run_id == run_id}
    if lacking := wanted - run_of.keys():
        raise StorageError(f"evaluation {min(lacking)} of a trial was never recorded")
    return run_of


def held_readings(
    connection: Connection, rows: Sequence[Row[Any]], holds: Holds
) -> set[str | None]:
    """Readings of evaluations that still hold; each is checked once."""
    digests = {row.reading for row in rows}
    # The usual case, of estimators: there is nothing to compare, so nothing is read.
    if holds is always:
        return digests
    known = readings(connection, {one for one in digests if one is not None})
    return {one for one in digests if holds(None if one is None else known.get(one))}


def _worth(row: Row[Any], *, is_held: bool) -> tuple[Any, ...]:
    """Sort key of results, rising: conclusive, of the present files, reliable, alone, newer."""
    ways, law = made_of(row.made, row.n_sharing)
    is_shared = row.n_sharing > 1 or bool(ways)
    return bool(row.says_something), is_held, law >= LAW or not is_shared, not is_shared, row.run_id


def batched(keys: Iterable[Key]) -> Iterator[list[Key]]:
    """Split keys into parts that a statement may have as variables."""
    rest = iter(keys)
    while some := list(islice(rest, KEYS_A_QUERY)):
        yield some


TRUSTED = "tunesmith_trusted"
"""Execution option of connections to a file of which everything was checked before."""


def checked(
    connection: Connection, table: str, rows: Iterable[Row[Any]], prefix: str = ""
) -> Iterator[Row[Any]]:
    """Check rows of a table as they are read.

    Raises:
        DamagedError: a row has changed since it was written.
    """
    # The checksum of the whole file was right when it was opened.
    if connection.get_execution_options().get(TRUSTED):
        yield from rows
        return
    names: tuple[str, ...] = ()
    for row in rows:
        # Once, since all rows of an answer have the same columns.
        if not names:
            names = tuple(name.removeprefix(prefix) for name in row._fields)
            own = [name.startswith(prefix) for name in row._fields]
        values = dict(compress(zip(names, row, strict=True), own))
        if values["checksum"] != checksum(table, values):
            raise DamagedError(f"a row of the table `{table}` is not as it was written")
        yield row


@cache
def known_query() -> Select[Any]:
    """Query of results by ``keys`` and ``since_run``, later runs last."""
    table = schema.evaluation
    return (
        select(table)
        .where(
            table.c.key.in_(bindparam("keys", expanding=True)),
            table.c.run_id >= bindparam("since_run"),
            SAYS_SOMETHING,
        )
        .order_by(table.c.run_id)
    )


def no_such_study(connection: Connection, name: str | None) -> str:
    """Error for a study that does not exist."""
    names = select(schema.study.c.name).where(OWN_SERIES).distinct()
    known = list(connection.execute(names).scalars())
    if name is None or not known:
        return "there is no study in it. Begin with `tunesmith run`."
    return f"no study `{name}`. {did_you_mean(name, known)}"


def find_study(
    connection: Connection, name: str, identity: str, holds: Holds = always
) -> Row[Any] | None:
    """Newest series with this identity, if the files that its trials have read are unchanged."""
    table = schema.study
    query = select(table).where(table.c.name == name, table.c.identity == identity, OWN_SERIES)
    rows = checked(
        connection, "study", connection.execute(query.order_by(table.c.generation.desc()))
    )
    return next((row for row in rows if holds(series_reading(connection, row.id))), None)


def series_reading(connection: Connection, study_id: int) -> dict[str, str]:
    """Files that the trials of a series have read; several states of a name are one per line."""
    link, evaluation, reading = schema.trial_fold, schema.evaluation, schema.reading
    # The usual case, of estimators: an index tells, so that no evaluation is looked at.
    if connection.execute(select(evaluation.c.run_id).where(schema.WITH_READING)).first() is None:
        return {}
    query = (
        select(evaluation.c.reading, reading.c.content)
        .distinct()
        .outerjoin(reading, evaluation.c.reading == reading.c.digest)
        .join(
            link,
            (evaluation.c.key == link.c.evaluation_key) & (evaluation.c.run_id == link.c.run_id),
        )
        .where(link.c.study_id == study_id, evaluation.c.reading.is_not(None))
    )
    return merged(_content(*row) for row in connection.execute(query))


def _content(digest: str, content: str | None) -> dict[str, str]:
    """Content of a reading, if its text still has its digest.

    Raises:
        DamagedError: the text was changed on the disk.
    """
    if content is None:
        return LOST
    if text_digest(content) != digest:
        raise DamagedError("the list of what a run had read differs from its digest")
    reading: dict[str, str] = json.loads(content)
    return reading


def merged(readings: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Merge several readings into one.

    >>> merged([{"a": "file 1"}, {"a": "file 1", "b": "absent"}])
    {'a': 'file 1', 'b': 'absent'}
    """
    states: dict[str, set[str]] = {}
    for reading in readings:
        for name, state in reading.items():
            states.setdefault(name, set()).update(state.split("\n"))
    return {name: "\n".join(sorted(states[name])) for name in sorted(states)}


def readings(connection: Connection, digests: Iterable[str]) -> dict[str, dict[str, str]]:
    """Readings by their digests."""
    table = schema.reading
    by_digest = {}
    for one in set(digests):
        content = connection.execute(select(table.c.content).where(table.c.digest == one)).scalar()
        by_digest[one] = _content(one, content)
    return by_digest


def last_generation(connection: Connection, name: str) -> int | None:
    """Number of the newest series under this name."""
    table = schema.study
    return connection.execute(
        select(func.max(table.c.generation)).where(table.c.name == name, OWN_SERIES)
    ).scalar()


def last_run(connection: Connection) -> int | None:
    """Newest run of all studies of this ledger."""
    own = select(func.max(schema.run.c.id)).where(schema.run.c.id > 0)
    return connection.execute(own).scalar()


def started_at(connection: Connection, run_id: int) -> str | None:
    """Start of a run."""
    table = schema.run
    return connection.execute(select(table.c.started).where(table.c.id == run_id)).scalar()


def keys_of(connection: Connection, run_id: int) -> set[str]:
    """Keys of all conclusive evaluations that a run recorded."""
    table = schema.evaluation
    query = select(table.c.key).where(table.c.run_id == run_id, SAYS_SOMETHING)
    return set(connection.execute(query).scalars())


def latest_study(
    connection: Connection,
    name: str | None,
    generation: int | None = None,
    like: Mapping[str, Any] | None = None,
) -> Row[Any] | None:
    """Series, of this study or of any, that ran last; the newest if none ran.

    Searches of nested cross-validation belong to a study: they are found by their name only.

    Args:
        connection: to read from.
        name: of the study.
        generation: number of the series.
        like: prefer a series that was defined like this: branches of a repository share a ledger.
    """
    runs = (
        select(schema.run.c.study_id, func.max(schema.run.c.id).label("last"))
        .group_by(schema.run.c.study_id)
        .subquery()
    )
    table = schema.study
    query = (
        select(table)
        .outerjoin(runs, runs.c.study_id == table.c.id)
        .where(OWN_SERIES)
        .order_by(func.coalesce(runs.c.last, 0).desc(), table.c.id.desc())
    )
    if name is not None:
        query = query.where(table.c.name == name)
    if generation is not None:
        query = query.where(table.c.generation == generation)
    studies = checked(connection, "study", connection.execute(query))
    parsed = [(row, RecordedStudy.of(json.loads(row.definition))) for row in studies]
    rows = [(row, recorded) for row, recorded in parsed if name or recorded.outer is None]
    wanted = None if like is None else RecordedStudy.of(like)
    alike = (row for row, recorded in rows if wanted is not None and recorded.is_like(wanted))
    return next(alike, rows[0][0] if rows else None)


def completed_log(
    connection: Connection,
    study_id: int,
    counts: Callable[[FoldResult], bool] = lambda _result: True,
) -> TrialLog:
    """Completed trials of a series, up to the first gap.

    Args:
        connection: connection within a transaction.
        study_id: id of the series.
        counts: tells if a result can be relied on; a trial with another one is a gap.
    """
    study = connection.execute(select(schema.study).where(schema.study.c.id == study_id)).one()
    subject_to = RecordedStudy.of(json.loads(study.definition)).subject_to
    log = TrialLog(metrics_of(study)[: study.n_objectives], subject_to)
    with no_search_for_cycles():
        _fill(log, connection, study_id, counts)
    return log


@contextmanager
def no_search_for_cycles() -> Iterator[None]:
    """Pause Python's search for cycles of objects, which rows of a ledger never form.

    It looks at all objects again and again while they become more: a fifth of the time of loading
    a hundred thousand trials.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _fill(
    log: TrialLog, connection: Connection, study_id: int, counts: Callable[[FoldResult], bool]
) -> None:
    """Add the completed trials of a series to a log, up to the first gap."""
    folds = _folds(connection, study_id)
    table = schema.trial
    query = select(table).where(table.c.study_id == study_id, table.c.state != State.RUNNING.value)
    n_folds = 0
    for row in checked(connection, "trial", connection.execute(query.order_by(table.c.number))):
        trial = completed_trial(row, folds.get(row.number, ()), n_folds or row.n_folds)
        if row.number != len(log.completed) or not all(map(counts, trial.folds)):
            break
        n_folds = n_folds or row.n_folds
        if trial.proposed is None:
            log.ask(trial.params, trial.key, trial.origin)
        else:
            log.ask(trial.proposed, row.proposed, trial.origin)
        log.tell(trial)


def completed_trial(row: Row[Any], folds: Sequence[FoldResult], n_folds: int) -> Trial:
    """Return the completed trial in a row.

    Args:
        row: of the table ``trial``.
        folds: its results.
        n_folds: of the study's first trial: no race stops that one, so that it has all folds.

    Raises:
        DamagedError: results are missing.
    """
    if len(folds) != row.n_folds:
        raise DamagedError(f"trial {row.number} has lost folds")
    is_pruned = row.state == State.PRUNED
    completed = trial_of(row).completed(folds, n_folds if is_pruned else None)
    # That a trial ended before its full budget shows in no fold's result.
    return replace(completed, state=State(row.state)) if is_pruned else completed


def completed_trials(
    connection: Connection, study_id: int, numbers: Iterable[int]
) -> dict[int, Trial]:
    """Completed trials of a series by number, of those that are asked for."""
    table, link = schema.trial, schema.trial_fold
    first = (table.c.study_id == study_id) & (table.c.number == 0)
    n_folds = connection.execute(select(table.c.n_folds).where(first)).scalar() or 0
    trials: dict[int, Trial] = {}
    with no_search_for_cycles():
        for some in batched(numbers):
            folds = _folds(connection, study_id, link.c.number.in_(some))
            its = (table.c.study_id == study_id) & table.c.number.in_(some)
            query = select(table).where(its, table.c.state != State.RUNNING.value)
            for row in checked(connection, "trial", connection.execute(query)):
                trials[row.number] = completed_trial(row, folds.get(row.number, ()), n_folds)
    return trials


def _folds(
    connection: Connection, study_id: int, *which: ColumnElement[bool]
) -> dict[int, list[FoldResult]]:
    """Results of the search's folds by trial number."""
    folds: dict[int, list[FoldResult]] = {}
    for number, result in _evaluated(connection, study_id, schema.trial_fold.c.fold >= 0, *which):
        folds.setdefault(number, []).append(result)
    return folds


def holdout_results(connection: Connection, study_id: int) -> dict[int, FoldResult]:
    """Scores of the winners of a series on the held-out rows, by trial number."""
    return dict(_evaluated(connection, study_id, schema.APART, schema.trial_fold.c.fold == HOLDOUT))


def further_results(connection: Connection, study_id: int) -> dict[int, tuple[FoldResult, ...]]:
    """Results of a series on further splits, in the order of the splits, by trial number."""
    found: dict[int, list[FoldResult]] = {}
    is_further = schema.trial_fold.c.fold <= FURTHER
    for number, result in _evaluated(connection, study_id, schema.APART, is_further):
        found.setdefault(number, []).append(result)
    # The numbers of further splits count down.
    return {n: tuple(sorted(found[n], key=lambda r: -r.fold)) for n in sorted(found)}


def _evaluated(
    connection: Connection, study_id: int, *which: ColumnElement[bool]
) -> Iterator[tuple[int, FoldResult]]:
    """Yield (trial number, result) of a series."""
    link, evaluation = schema.trial_fold, schema.evaluation
    query = (
        select(*(column.label(f"link_{column.name}") for column in link.columns), evaluation)
        .join(
            evaluation,
            (evaluation.c.key == link.c.evaluation_key) & (evaluation.c.run_id == link.c.run_id),
        )
        .where(link.c.study_id == study_id, *which)
    )
    rows = checked(connection, "trial_fold", connection.execute(query), prefix="link_")
    for row in checked(connection, "evaluation", rows):
        yield row.link_number, fold_result_of(row, row.link_fold)


def notes_of(connection: Connection, study_id: int) -> dict[int, tuple[str, ...]]:
    """Notes on the trials of a series, in their order, by trial number."""
    table = schema.note
    query = select(table).where(table.c.study_id == study_id)
    rows = connection.execute(query.order_by(table.c.number, table.c.place))
    notes: dict[int, tuple[str, ...]] = {}
    for row in checked(connection, "note", rows):
        notes[row.number] = (*notes.get(row.number, ()), row.text)
    return notes


def fold_keys(connection: Connection, study_id: int) -> dict[int, dict[int, str]]:
    """Keys of a series' evaluations: trial number -> fold -> key."""
    link = schema.trial_fold
    query = select(link).where(link.c.study_id == study_id).order_by(link.c.number, link.c.fold)
    by_trial: dict[int, dict[int, str]] = {}
    for row in connection.execute(query):
        by_trial.setdefault(row.number, {})[row.fold] = row.evaluation_key
    return by_trial


def running_trials(connection: Connection, study_id: int, from_number: int) -> list[Trial]:
    """Pending trials after the completed ones, up to the first gap."""
    table = schema.trial
    query = select(table).where(table.c.study_id == study_id, table.c.number >= from_number)
    checked_rows = checked(connection, "trial", connection.execute(query.order_by(table.c.number)))
    rows = enumerate(checked_rows, from_number)
    return [trial_of(row) for number, row in rows if row.number == number]


def runs_of(connection: Connection, study_id: int) -> tuple[RunRecord, ...]:
    """All runs of a series, in order."""
    table = schema.run
    query = select(table).where(table.c.study_id == study_id).order_by(table.c.id)
    return tuple(
        RunRecord(
            id=row.id,
            started=row.started,
            ended=row.ended,
            stopped_by=StopReason.read(row.stopped_by),
            n_evaluated=row.n_evaluated,
            n_reused=row.n_reused,
            n_fits=row.n_fits,
            provenance=json.loads(row.provenance),
        )
        for row in checked(connection, "run", connection.execute(query))
    )
