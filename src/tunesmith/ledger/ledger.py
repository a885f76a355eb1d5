"""The database of everything evaluated: one writer, any number of readers.

An evaluation is stored under a digest of all that its scores depend on; trials point to their
evaluations. What arrives together is committed together. Nothing in it is pickled.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, Row, Table, create_engine, delete, event, func, select
from sqlalchemy import insert as plain_insert
from sqlalchemy import update as sql_update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from tunesmith.errors import StorageError, UsageError, did_you_mean
from tunesmith.history import Failure, FoldResult, Metric, Trial, TrialLog
from tunesmith.ledger import schema
from tunesmith.ledger.records import RunRecord, StudyHead, StudyRecord
from tunesmith.redact import redact
from tunesmith.space.parameter import canonical_json
from tunesmith.types import State

BUSY_TIMEOUT_MS = 30_000
KEYS_A_QUERY = 500
NOT_RESULTS = ("timeout", "worker-died", "interrupted")
"""Failures that say nothing about the params: such folds are tried again."""


class Ledger:
    """An open ledger. Made by ``Ledger.open``; usable as a context manager."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine, self._name = engine, name

    @classmethod
    def open(cls, location: str | Path, *, create: bool = True) -> Self:
        """Open the ledger at a path or SQLAlchemy URL.

        Args:
            location: SQLite file, or a URL such as ``postgresql+psycopg://...``.
            create: make the file, its folder and the tables where they are missing.

        Raises:
            StorageError: missing and not to be created, unreadable, or of a newer version.
        """
        url = _url(location, create=create)
        ledger = cls(
            _engine(url), redact(url.render_as_string(), {}) if url.host else str(location)
        )
        with ledger._writing() as connection:
            schema.prepare(connection)
        return ledger

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- studies and runs --------------------------------------------------------------------

    def begin_study(
        self,
        name: str,
        identity: str,
        definition: Mapping[str, Any],
        context: Mapping[str, str],
        metrics: Sequence[Metric],
        objectives: Sequence[Metric],
        *,
        restart: bool = False,
    ) -> StudyHead:
        """The study's present series of trials if it has this identity, else a new one.

        An earlier series with the same identity is taken up again: going back to an earlier
        configuration, data or code continues where it was left.
        """
        with self._writing() as connection:
            row = None if restart else _find_study(connection, name, identity)
            if row is not None:
                return _head(row)
            generation = 1 + (_last_generation(connection, name) or 0)
            values = {
                "name": name,
                "generation": generation,
                "identity": identity,
                "definition": canonical_json(definition),
                "context": canonical_json(dict(context)),
                "metrics": canonical_json([[m.name, m.direction] for m in metrics]),
                "n_objectives": len(objectives),
                "created": _now(),
            }
            made = plain_insert(schema.study).values(values).returning(schema.study.c.id)
            study_id = connection.execute(made).scalar_one()
            return StudyHead(
                study_id, name, generation, identity, dict(context), definition, is_new=True
            )

    def previous(self, name: str) -> StudyHead | None:
        """The series that was run last under this name."""
        with self._reading() as connection:
            row = _latest_study(connection, name)
            return None if row is None else _head(row)

    def studies(self) -> list[StudyHead]:
        """The last series of every study, by name."""
        with self._reading() as connection:
            names = connection.execute(select(schema.study.c.name).distinct()).scalars()
            rows = [_latest_study(connection, name) for name in sorted(names)]
            return [_head(row) for row in rows if row is not None]

    def begin_run(self, study_id: int, provenance: Mapping[str, Any]) -> int:
        """Note that a run begins; returns its id."""
        values = {
            "study_id": study_id,
            "started": _now(),
            "n_evaluated": 0,
            "n_reused": 0,
            "provenance": redact(canonical_json(provenance)),
        }
        with self._writing() as connection:
            made = plain_insert(schema.run).values(values).returning(schema.run.c.id)
            return int(connection.execute(made).scalar_one())

    def end_run(self, run_id: int, stopped_by: str, n_evaluated: int, n_reused: int) -> None:
        """Note how a run ended."""
        values = {
            "ended": _now(),
            "stopped_by": stopped_by,
            "n_evaluated": n_evaluated,
            "n_reused": n_reused,
        }
        with self._writing() as connection:
            chosen = sql_update(schema.run).where(schema.run.c.id == run_id)
            connection.execute(chosen.values(values))

    # -- trials and evaluations --------------------------------------------------------------

    def known(self, keys: Iterable[str], *, since_run: int | None = None) -> dict[str, FoldResult]:
        """What is recorded under these keys.

        Failures that say nothing about the params (time-outs, dead workers) are left out.

        Args:
            keys: any number of evaluation keys.
            since_run: only what this run and later ones recorded.
        """
        table, wanted = schema.evaluation, list(keys)
        found: dict[str, FoldResult] = {}
        with self._reading() as connection:
            for start in range(0, len(wanted), KEYS_A_QUERY):
                chunk = wanted[start : start + KEYS_A_QUERY]
                query = select(table).where(table.c.key.in_(chunk))
                if since_run is not None:
                    query = query.where(table.c.run_id >= since_run)
                found |= {row.key: _fold_result(row, row.fold) for row in connection.execute(query)}
        return {key: result for key, result in found.items() if _says_something(result)}

    def record(
        self,
        study_id: int,
        run_id: int,
        *,
        asked: Sequence[Trial] = (),
        results: Mapping[str, FoldResult] | None = None,
        told: Sequence[tuple[Trial, Sequence[str]]] = (),
    ) -> None:
        """Write everything that arrived together in one transaction; repeating it is harmless.

        Args:
            study_id: whose trials these are.
            run_id: who evaluated the results.
            asked: trials under way.
            results: evaluations by key.
            told: finished trials with the keys of their folds, in fold order.
        """
        trials = [*asked, *(trial for trial, _ in told)]
        links = [
            {"study_id": study_id, "number": t.number, "fold": fold, "evaluation_key": key}
            for t, keys in told
            for fold, key in enumerate(keys)
        ]
        evaluations = [_evaluation_row(k, r, run_id) for k, r in (results or {}).items()]
        with self._writing() as connection:
            _upsert(connection, schema.evaluation, evaluations)
            _upsert(connection, schema.trial, [_trial_row(study_id, t) for t in trials])
            _upsert(connection, schema.trial_fold, links)

    def forget_untold(self, study_id: int, from_number: int) -> None:
        """Drop trials that were asked ahead and never told; their folds stay."""
        table = schema.trial
        chosen = (table.c.study_id == study_id) & (table.c.number >= from_number)
        with self._writing() as connection:
            connection.execute(delete(table).where(chosen, table.c.state == State.RUNNING.value))

    def log(self, study_id: int) -> TrialLog:
        """The told trials of a series, up to the first gap. What follows is asked again."""
        with self._reading() as connection:
            return _told_log(connection, study_id)

    def load(self, name: str) -> StudyRecord:
        """Everything about a study's last series, running trials included.

        Raises:
            UsageError: there is no such study.
        """
        with self._reading() as connection:
            row = _latest_study(connection, name)
            if row is None:
                known = list(connection.execute(select(schema.study.c.name).distinct()).scalars())
                hint = did_you_mean(name, known) if known else "The ledger is empty."
                raise UsageError(f"{self._name}: no study `{name}`. {hint}")
            log = _told_log(connection, row.id)
            for running in _running(connection, row.id, len(log.told)):
                log.ask(running.params, running.key, running.origin)
            runs = _runs(connection, row.id)
        return StudyRecord(_head(row), _metrics(row), log.view(), runs)

    # -- connections -------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._guarded(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        reader = self._engine.execution_options(tunesmith_reads=True)
        with self._guarded(), reader.connect() as connection:
            yield connection

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            cause = redact(str(getattr(error, "orig", None) or error))
            raise StorageError(f"ledger {self._name}: {cause}{_advice(cause)}") from None


def _advice(cause: str) -> str:
    if "full" in cause or "No space left" in cause:
        return ".\n  Free some space and run again: what was recorded is intact."
    if "not a database" in cause or "malformed" in cause:
        return ".\n  Move the file away and run `tunesmith run` to begin a new one."
    return ""


# -- opening ---------------------------------------------------------------------------------


def _url(location: str | Path, *, create: bool) -> URL:
    if isinstance(location, str) and "://" in location:
        try:
            return make_url(location)
        except ArgumentError:
            raise StorageError("`ledger` is neither a path nor a database URL") from None
    path = Path(location).absolute()
    if not create and not path.is_file():
        raise StorageError(f"{path}: there is no ledger")
    if create:
        _make_folder(path.parent)
    return URL.create("sqlite", database=str(path))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ignore = folder / ".gitignore"
        # Like the caches of mypy and ruff, the state folder keeps itself out of Git.
        if folder.name == ".tunesmith" and not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise StorageError(f"cannot make the ledger's folder {folder}: {error}") from error


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling commits before DDL; SQLAlchemy begins them instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    # Switching a new file to WAL does not wait for other openers, so this waits for them.
    _retry_locked(lambda: cursor.execute("PRAGMA journal_mode = WAL"))
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _retry_locked(action: Callable[[], Any], tries: int = 200, pause_s: float = 0.05) -> None:
    import sqlite3

    for remaining in range(tries, 0, -1):
        try:
            action()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or remaining == 1:
                raise
            time.sleep(pause_s)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader can be refused later; IMMEDIATE waits at the door instead.
    reads = connection.get_execution_options().get("tunesmith_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


# -- rows ------------------------------------------------------------------------------------


def _upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, replacing those with the same primary key (the one dialect-bound spot)."""
    if not rows:
        return
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    keys = [column.name for column in table.primary_key]
    others = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others), rows)


def _trial_row(study_id: int, trial: Trial) -> dict[str, Any]:
    return {
        "study_id": study_id,
        "number": trial.number,
        "params": canonical_json(dict(trial.params)),
        "origin": trial.origin,
        "state": trial.state.value,
    }


def _evaluation_row(key: str, result: FoldResult, run_id: int) -> dict[str, Any]:
    failure = result.failure
    return {
        "key": key,
        "run_id": run_id,
        "fold": result.fold,
        "scores": canonical_json(dict(result.scores)),
        "fit_time_s": result.fit_time_s,
        "score_time_s": result.score_time_s,
        "failure_kind": failure and failure.kind,
        "failure_message": failure and failure.message,
        "failure_traceback": failure and failure.traceback,
    }


def _fold_result(row: Row[Any], fold: int) -> FoldResult:
    failure = None
    if row.failure_kind is not None:
        failure = Failure(row.failure_kind, row.failure_message, row.failure_traceback)
    return FoldResult(fold, json.loads(row.scores), row.fit_time_s, row.score_time_s, failure)


def _says_something(result: FoldResult) -> bool:
    return result.failure is None or result.failure.kind not in NOT_RESULTS


def _trial(row: Row[Any]) -> Trial:
    return Trial(row.number, json.loads(row.params), row.params, row.origin)


def _head(row: Row[Any]) -> StudyHead:
    context, definition = json.loads(row.context), json.loads(row.definition)
    return StudyHead(row.id, row.name, row.generation, row.identity, context, definition)


def _metrics(row: Row[Any]) -> tuple[Metric, ...]:
    return tuple(Metric(name, direction) for name, direction in json.loads(row.metrics))


# -- queries ---------------------------------------------------------------------------------


def _find_study(connection: Connection, name: str, identity: str) -> Row[Any] | None:
    table = schema.study
    query = select(table).where(table.c.name == name, table.c.identity == identity)
    return connection.execute(query.order_by(table.c.generation.desc()).limit(1)).first()


def _last_generation(connection: Connection, name: str) -> int | None:
    table = schema.study
    return connection.execute(
        select(func.max(table.c.generation)).where(table.c.name == name)
    ).scalar()


def _latest_study(connection: Connection, name: str) -> Row[Any] | None:
    """The series that ran last; one that never ran is newer than any that did not run later."""
    runs = (
        select(schema.run.c.study_id, func.max(schema.run.c.id).label("last"))
        .group_by(schema.run.c.study_id)
        .subquery()
    )
    table = schema.study
    query = (
        select(table)
        .outerjoin(runs, runs.c.study_id == table.c.id)
        .where(table.c.name == name)
        .order_by(func.coalesce(runs.c.last, 0).desc(), table.c.generation.desc())
    )
    return connection.execute(query.limit(1)).first()


def _told_log(connection: Connection, study_id: int) -> TrialLog:
    study = connection.execute(select(schema.study).where(schema.study.c.id == study_id)).one()
    log = TrialLog(_metrics(study)[: study.n_objectives])
    folds = _folds(connection, study_id)
    table = schema.trial
    query = select(table).where(table.c.study_id == study_id, table.c.state != State.RUNNING.value)
    for row in connection.execute(query.order_by(table.c.number)):
        if row.number != len(log.told) or row.number not in folds:
            break
        asked = _trial(row)
        log.ask(asked.params, asked.key, asked.origin)
        log.tell(asked.told(folds[row.number]))
    return log


def _folds(connection: Connection, study_id: int) -> dict[int, list[FoldResult]]:
    link, evaluation = schema.trial_fold, schema.evaluation
    query = (
        select(link.c.number, link.c.fold.label("trial_fold"), evaluation)
        .join(evaluation, evaluation.c.key == link.c.evaluation_key)
        .where(link.c.study_id == study_id)
    )
    found: dict[int, list[FoldResult]] = {}
    for row in connection.execute(query):
        found.setdefault(row.number, []).append(_fold_result(row, row.trial_fold))
    return found


def _running(connection: Connection, study_id: int, from_number: int) -> list[Trial]:
    table = schema.trial
    query = select(table).where(table.c.study_id == study_id, table.c.number >= from_number)
    rows = connection.execute(query.order_by(table.c.number))
    return [_trial(row) for row in rows]


def _runs(connection: Connection, study_id: int) -> tuple[RunRecord, ...]:
    table = schema.run
    query = select(table).where(table.c.study_id == study_id).order_by(table.c.id)
    return tuple(
        RunRecord(
            row.id,
            row.started,
            row.ended,
            row.stopped_by,
            row.n_evaluated,
            row.n_reused,
            json.loads(row.provenance),
        )
        for row in connection.execute(query)
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
