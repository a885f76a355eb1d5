"""The database of everything evaluated: one writer, any number of readers.

An evaluation is stored under a digest of all that its scores depend on, and never changes; trials
point to their evaluations. What arrives together is committed together. Nothing in it is pickled.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
)
from sqlalchemy import insert as plain_insert
from sqlalchemy import update as sql_update
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from tunesmith.errors import StorageError, UsageError, did_you_mean
from tunesmith.history import HOLDOUT, Failure, FoldResult, Metric, Trial, TrialLog
from tunesmith.ledger import dialect, schema
from tunesmith.ledger.records import RunRecord, StudyHead, StudyRecord
from tunesmith.redact import printable, redact
from tunesmith.space.parameter import canonical_json
from tunesmith.types import State

KEYS_A_QUERY = 500
"""Databases limit the number of variables a statement."""
NOT_RESULTS = ("timeout", "worker-died", "interrupted")
"""Failures that say nothing about the params: such folds are tried again."""


class Ledger:
    """An open ledger. Made by ``Ledger.open``; usable as a context manager."""

    def __init__(self, url: URL) -> None:
        self._name, self._file = dialect.readable(url), dialect.file_of(url)
        self._engine = dialect.engine_of(url)
        self._reader = dialect.reader(self._engine)
        self._mark: tuple[int, int] | None = None

    @classmethod
    def open(cls, location: str | Path, *, create: bool = True) -> Self:
        """Open the ledger at a path or database URL; one of an older version is migrated.

        Args:
            location: SQLite file, or a URL such as ``postgresql://...``.
            create: make the file, its folder and the tables where they are missing.

        Raises:
            StorageError: missing and not to be created, unreadable, of a newer version, or
                another program's. Then it is left as it is.
        """
        url = dialect.address(location)
        if (file := dialect.file_of(url)) is not None:
            _check_file(file, create=create)
        ledger = cls(url)
        try:
            ledger._prepare(create=create)
        except BaseException:
            ledger.close()
            raise
        return ledger

    def _prepare(self, *, create: bool) -> None:
        with self._reading() as connection:
            is_ready = schema.is_ready(connection)
            is_empty = not is_ready and not schema.is_begun(connection)
        if is_empty and not create:
            raise StorageError(f"ledger {self._name}: there is nothing in it")
        if not is_ready:
            with self._writing() as connection:
                schema.prepare(connection)
        if create:
            with self._guarded():
                dialect.let_readers_in(self._engine)
        self._mark = self._inode()

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
            since_run = 1 + (_last_run(connection) or 0) if restart else None
            values = {
                "name": name,
                "generation": generation,
                "identity": identity,
                # Names in the environment say nothing about the words of a configuration.
                "definition": _json(_without_secrets(definition, {})),
                "context": _json(dict(context)),
                "metrics": canonical_json([[m.name, m.direction] for m in metrics]),
                "n_objectives": len(objectives),
                "since_run": since_run,
                "created": _now(),
            }
            made = plain_insert(schema.study).values(values).returning(schema.study)
            return _head(connection.execute(made).one(), is_new=True)

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
            "n_fits": 0,
            "provenance": _json(_without_secrets(provenance)),
        }
        with self._writing() as connection:
            made = plain_insert(schema.run).values(values).returning(schema.run.c.id)
            return int(connection.execute(made).scalar_one())

    def end_run(
        self, run_id: int, stopped_by: str, n_evaluated: int, n_reused: int, n_fits: int
    ) -> None:
        """Note how a run ended."""
        values = {
            "ended": _now(),
            "stopped_by": stopped_by,
            "n_evaluated": n_evaluated,
            "n_reused": n_reused,
            "n_fits": n_fits,
        }
        with self._writing() as connection:
            chosen = sql_update(schema.run).where(schema.run.c.id == run_id)
            connection.execute(chosen.values(values))

    # -- trials and evaluations --------------------------------------------------------------

    def known(self, keys: Iterable[str], *, since_run: int | None = None) -> dict[str, FoldResult]:
        """What is recorded under these keys.

        Failures that say nothing about the params (time-outs, dead workers) are left out. Where
        several runs evaluated the same, the last one counts. ``FoldResult.fold`` is the fold that
        was evaluated; a study whose folds are numbered otherwise sets its own.

        Args:
            keys: any number of evaluation keys.
            since_run: only what this run and later ones recorded.
        """
        wanted, query = iter(keys), _known_query()
        found: dict[str, FoldResult] = {}
        with self._reading() as connection:
            while chunk := list(islice(wanted, KEYS_A_QUERY)):
                values = {"keys": chunk, "since_run": since_run or 0}
                rows = connection.execute(query, values)
                found |= {row.key: _fold_result(row, row.fold) for row in rows}
        return found

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
            told: finished trials with the keys of their folds, in fold order. The evaluations
                are among ``results``, or were recorded before.

        Raises:
            ValueError: a score is not a finite number.
        """
        trials = {trial.number: trial for trial in (*asked, *(trial for trial, _ in told))}
        trial_rows = [_trial_row(study_id, trial) for trial in trials.values()]
        evaluations = [_evaluation_row(k, r, run_id) for k, r in (results or {}).items()]
        links = [
            {"study_id": study_id, "number": trial.number, "fold": fold, **_link(key, run_id)}
            for trial, keys in told
            for fold, key in enumerate(keys)
        ]
        with self._writing() as connection:
            dialect.upsert(connection, schema.evaluation, evaluations, where=SAYS_NOTHING)
            dialect.upsert(connection, schema.trial, trial_rows)
            dialect.upsert(connection, schema.trial_fold, links, computed=EVALUATED_BY)

    def record_holdout(
        self, study_id: int, run_id: int, number: int, key: str, result: FoldResult
    ) -> None:
        """Write what a trial's params scored on the rows that the search never saw."""
        link = {"study_id": study_id, "number": number, "fold": HOLDOUT, **_link(key, run_id)}
        evaluations = [_evaluation_row(key, result, run_id)]
        with self._writing() as connection:
            dialect.upsert(connection, schema.evaluation, evaluations, where=SAYS_NOTHING)
            dialect.upsert(connection, schema.trial_fold, [link], computed=EVALUATED_BY)

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

    def load(self, name: str | None = None) -> StudyRecord:
        """Everything about a study's last series, running trials included.

        Args:
            name: the study; by default the one that was run last.

        Raises:
            UsageError: there is no such study.
        """
        with self._reading() as connection:
            row = _latest_study(connection, name)
            if row is None:
                raise UsageError(f"{self._name}: {_no_such_study(connection, name)}")
            log = _told_log(connection, row.id)
            for running in _running(connection, row.id, len(log.told)):
                log.ask(running.params, running.key, running.origin)
            runs = _runs(connection, row.id)
            holdout = _holdout(connection, row.id)
        return StudyRecord(_head(row), _metrics(row), log.view(), runs, holdout)

    # -- connections -------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._guarded():
            self._check_in_place()
            with self._engine.begin() as connection:
                yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._guarded(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except StorageError as error:
            raise StorageError(f"ledger {self._name}: {error}") from None
        except (SQLAlchemyError, OSError) as error:
            cause = printable(redact(str(getattr(error, "orig", None) or error))).strip()
            raise StorageError(f"ledger {self._name}: {cause}{_advice(cause)}") from None

    def _check_in_place(self) -> None:
        # SQLite goes on writing into a file that was deleted, and all of it would be lost.
        if self._mark is not None and self._inode() != self._mark:
            raise StorageError(
                "the file was deleted or replaced while it was in use."
                "\n  What had been recorded went with it; run again."
            )

    def _inode(self) -> tuple[int, int] | None:
        if self._file is None:
            return None
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return (0, 0)
        return found.st_dev, found.st_ino


ADVICE = {
    "full": "Free some space and run again: what was recorded is intact.",
    "disk I/O error": "Look at the disk, its quota and file size limits, and run again: what was"
    " recorded is intact.",
    "not a database": "Move the file away, and `tunesmith run` begins a new one.",
    "malformed": "Move the file away, and `tunesmith run` begins a new one.",
    "readonly": "Make it writable, or name another `ledger`.",
}
"""Part of the database's message -> what to do."""


def _advice(cause: str) -> str:
    found = (f".\n  {advice}" for part, advice in ADVICE.items() if part in cause)
    return next(found, "")


def _check_file(file: Path, *, create: bool) -> None:
    if create:
        _make_folder(file.parent)
    elif not file.is_file():
        raise StorageError(f"{file}: there is no ledger")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ignore = folder / ".gitignore"
        # Like the caches of mypy and ruff, the state folder keeps itself out of Git.
        if folder.name == ".tunesmith" and not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise StorageError(f"cannot make the ledger's folder {folder}: {error}") from error


# -- rows ------------------------------------------------------------------------------------


def _json(value: object) -> str:
    return _storable(canonical_json(value))


def _storable(text: str) -> str:
    r"""Text that every database takes: half a character becomes its escape, as in JSON."""
    return text.encode("utf-8", "backslashreplace").decode()


def _without_secrets(value: Any, environ: Mapping[str, str] | None = None) -> Any:
    """A JSON-like value with every text in it redacted."""
    if isinstance(value, str):
        return redact(value, environ)
    if isinstance(value, Mapping):
        return {name: _without_secrets(item, environ) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(item, environ) for item in value]
    return value


def _trial_row(study_id: int, trial: Trial) -> dict[str, Any]:
    return {
        "study_id": study_id,
        "number": trial.number,
        "params": _json(dict(trial.params)),
        "origin": trial.origin,
        "state": trial.state.value,
    }


def _evaluation_row(key: str, result: FoldResult, run_id: int) -> dict[str, Any]:
    failure = result.failure
    return {
        "key": key,
        "run_id": run_id,
        "fold": result.fold,
        "scores": _json(dict(result.scores)),
        "fit_time_s": result.fit_time_s,
        "score_time_s": result.score_time_s,
        "n_sharing": result.n_sharing,
        "failure_kind": failure and _fit_to_keep(failure.kind),
        "failure_message": failure and _fit_to_keep(failure.message),
        "failure_traceback": failure and _fit_to_keep(failure.traceback),
    }


def _fit_to_keep(text: str) -> str:
    return _storable(printable(redact(text)))


def _link(key: str, run_id: int) -> dict[str, Any]:
    return {"evaluation_key": key, "wanted_key": key, "own_run": run_id}


def _fold_result(row: Row[Any], fold: int) -> FoldResult:
    failure = None
    if row.failure_kind is not None:
        failure = Failure(row.failure_kind, row.failure_message, row.failure_traceback)
    scores, times = json.loads(row.scores), (row.fit_time_s, row.score_time_s)
    return FoldResult(fold, scores, *times, failure, row.n_sharing)


def _trial(row: Row[Any]) -> Trial:
    return Trial(row.number, json.loads(row.params), row.params, row.origin)


def _head(row: Row[Any], *, is_new: bool = False) -> StudyHead:
    context, definition = json.loads(row.context), json.loads(row.definition)
    return StudyHead(
        row.id, row.name, row.generation, row.identity, context, definition, row.since_run, is_new
    )


def _metrics(row: Row[Any]) -> tuple[Metric, ...]:
    return tuple(Metric(name, direction) for name, direction in json.loads(row.metrics))


# -- queries ---------------------------------------------------------------------------------

_kind = schema.evaluation.c.failure_kind
SAYS_NOTHING = or_(*(_kind == kind for kind in NOT_RESULTS))
"""What a later result of the same run may replace."""
SAYS_SOMETHING = or_(_kind.is_(None), and_(*(_kind != kind for kind in NOT_RESULTS)))


def _evaluated_by() -> Any:
    """The run whose evaluation a trial uses: its own run, or what ``known`` told it of."""
    table = schema.evaluation
    return (
        select(table.c.run_id)
        .where(table.c.key == bindparam("wanted_key"))
        .order_by(
            (table.c.run_id == bindparam("own_run")).desc(),
            SAYS_SOMETHING.desc(),
            table.c.run_id.desc(),
        )
        .limit(1)
        .scalar_subquery()
    )


EVALUATED_BY = (("run_id", _evaluated_by()),)


@cache
def _known_query() -> Select[Any]:
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


def _no_such_study(connection: Connection, name: str | None) -> str:
    known = list(connection.execute(select(schema.study.c.name).distinct()).scalars())
    if name is None or not known:
        return "there is no study in it. Begin with `tunesmith run`."
    return f"no study `{name}`. {did_you_mean(name, known)}"


def _find_study(connection: Connection, name: str, identity: str) -> Row[Any] | None:
    table = schema.study
    query = select(table).where(table.c.name == name, table.c.identity == identity)
    return connection.execute(query.order_by(table.c.generation.desc()).limit(1)).first()


def _last_generation(connection: Connection, name: str) -> int | None:
    table = schema.study
    return connection.execute(
        select(func.max(table.c.generation)).where(table.c.name == name)
    ).scalar()


def _last_run(connection: Connection) -> int | None:
    return connection.execute(select(func.max(schema.run.c.id))).scalar()


def _latest_study(connection: Connection, name: str | None) -> Row[Any] | None:
    """The series, of this study or of any, that ran last; the newest where none ran."""
    runs = (
        select(schema.run.c.study_id, func.max(schema.run.c.id).label("last"))
        .group_by(schema.run.c.study_id)
        .subquery()
    )
    table = schema.study
    query = (
        select(table)
        .outerjoin(runs, runs.c.study_id == table.c.id)
        .order_by(func.coalesce(runs.c.last, 0).desc(), table.c.id.desc())
    )
    if name is not None:
        query = query.where(table.c.name == name)
    return connection.execute(query.limit(1)).first()


def _told_log(connection: Connection, study_id: int) -> TrialLog:
    study = connection.execute(select(schema.study).where(schema.study.c.id == study_id)).one()
    log = TrialLog(_metrics(study)[: study.n_objectives])
    folds: dict[int, list[FoldResult]] = {}
    for number, result in _evaluated(connection, study_id, schema.trial_fold.c.fold != HOLDOUT):
        folds.setdefault(number, []).append(result)
    table = schema.trial
    query = select(table).where(table.c.study_id == study_id, table.c.state != State.RUNNING.value)
    for row in connection.execute(query.order_by(table.c.number)):
        if row.number != len(log.told) or row.number not in folds:
            break
        asked = _trial(row)
        log.ask(asked.params, asked.key, asked.origin)
        log.tell(asked.told(folds[row.number]))
    return log


def _holdout(connection: Connection, study_id: int) -> dict[int, FoldResult]:
    return dict(_evaluated(connection, study_id, schema.trial_fold.c.fold == HOLDOUT))


def _evaluated(
    connection: Connection, study_id: int, which: ColumnElement[bool]
) -> Iterator[tuple[int, FoldResult]]:
    """(trial number, result) of a series."""
    link, evaluation = schema.trial_fold, schema.evaluation
    query = (
        select(link.c.number, link.c.fold.label("trial_fold"), evaluation)
        .join(
            evaluation,
            (evaluation.c.key == link.c.evaluation_key) & (evaluation.c.run_id == link.c.run_id),
        )
        .where(link.c.study_id == study_id, which)
    )
    for row in connection.execute(query):
        yield row.number, _fold_result(row, row.trial_fold)


def _running(connection: Connection, study_id: int, from_number: int) -> list[Trial]:
    """What follows the told trials, up to the first gap."""
    table = schema.trial
    query = select(table).where(table.c.study_id == study_id, table.c.number >= from_number)
    rows = enumerate(connection.execute(query.order_by(table.c.number)), from_number)
    return [_trial(row) for number, row in rows if row.number == number]


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
            row.n_fits,
            json.loads(row.provenance),
        )
        for row in connection.execute(query)
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
