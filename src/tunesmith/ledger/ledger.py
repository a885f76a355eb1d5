"""The database of everything evaluated: one writer, any number of readers.

An evaluation is stored under a digest of all that its scores depend on, and never changes; trials
point to their evaluations. What arrives together is committed together. Nothing in it is pickled.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from tunesmith.errors import StorageError, UsageError
from tunesmith.history import HOLDOUT, FoldResult, Metric, Trial, TrialLog
from tunesmith.ledger import dialect, schema
from tunesmith.ledger.queries import (
    EVALUATED_BY,
    SAYS_NOTHING,
    find_study,
    fold_keys,
    holdout_results,
    keys_of,
    known_query,
    last_generation,
    last_run,
    latest_study,
    no_such_study,
    running_trials,
    runs_of,
    started_at,
    told_log,
)
from tunesmith.ledger.records import StudyHead, StudyRecord
from tunesmith.ledger.rows import (
    evaluation_row,
    fold_result_of,
    head_of,
    json_text,
    link_row,
    metrics_of,
    now,
    trial_row,
    without_secrets,
)
from tunesmith.redact import printable, redact
from tunesmith.space.parameter import canonical_json
from tunesmith.types import State

KEYS_A_QUERY = 500
"""Databases limit the number of variables a statement."""


class Ledger:
    """An open ledger. Made by ``Ledger.open``; usable as a context manager."""

    def __init__(self, url: URL, *, is_sealed: bool = False) -> None:
        self._name, self._file = dialect.readable(url), dialect.file_of(url)
        self._engine = dialect.engine_of(dialect.sealed(url) if is_sealed else url)
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
        file = dialect.file_of(url)
        if file is not None:
            _check_file(file, create=create)
        ledger = cls(url, is_sealed=file is not None and not create and _is_sealed(file))
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
            row = None if restart else find_study(connection, name, identity)
            if row is not None:
                return head_of(row)
            generation = 1 + (last_generation(connection, name) or 0)
            since_run = 1 + (last_run(connection) or 0) if restart else None
            values = {
                "name": name,
                "generation": generation,
                "identity": identity,
                # Names in the environment say nothing about the words of a configuration.
                "definition": json_text(without_secrets(definition, {})),
                "context": json_text(dict(context)),
                "metrics": canonical_json([[m.name, m.direction] for m in metrics]),
                "n_objectives": len(objectives),
                "since_run": since_run,
                "created": now(),
            }
            made = insert(schema.study).values(values).returning(schema.study)
            return head_of(connection.execute(made).one(), is_new=True)

    def previous(self, name: str) -> StudyHead | None:
        """The series that was run last under this name."""
        with self._reading() as connection:
            row = latest_study(connection, name)
            return None if row is None else head_of(row)

    def series(self, name: str, identity: str) -> StudyHead | None:
        """The newest series of a study that has this identity."""
        with self._reading() as connection:
            row = find_study(connection, name, identity)
            return None if row is None else head_of(row)

    def studies(self) -> list[StudyHead]:
        """The last series of every study, by name."""
        with self._reading() as connection:
            names = connection.execute(select(schema.study.c.name).distinct()).scalars()
            rows = [latest_study(connection, name) for name in sorted(names)]
            return [head_of(row) for row in rows if row is not None]

    def begin_run(self, study_id: int, provenance: Mapping[str, Any]) -> int:
        """Note that a run begins; returns its id."""
        values = {
            "study_id": study_id,
            "started": now(),
            "n_evaluated": 0,
            "n_reused": 0,
            "n_fits": 0,
            "provenance": json_text(without_secrets(provenance)),
        }
        with self._writing() as connection:
            made = insert(schema.run).values(values).returning(schema.run.c.id)
            return int(connection.execute(made).scalar_one())

    def end_run(
        self, run_id: int, stopped_by: str, n_evaluated: int, n_reused: int, n_fits: int
    ) -> None:
        """Note how a run ended."""
        values = {
            "ended": now(),
            "stopped_by": stopped_by,
            "n_evaluated": n_evaluated,
            "n_reused": n_reused,
            "n_fits": n_fits,
        }
        with self._writing() as connection:
            chosen = update(schema.run).where(schema.run.c.id == run_id)
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
        wanted, query = iter(keys), known_query()
        found: dict[str, FoldResult] = {}
        with self._reading() as connection:
            while chunk := list(islice(wanted, KEYS_A_QUERY)):
                values = {"keys": chunk, "since_run": since_run or 0}
                rows = connection.execute(query, values)
                found |= {row.key: fold_result_of(row, row.fold) for row in rows}
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
        trial_rows = [trial_row(study_id, trial) for trial in trials.values()]
        evaluations = [evaluation_row(k, r, run_id) for k, r in (results or {}).items()]
        links = [
            {"study_id": study_id, "number": trial.number, "fold": fold, **link_row(key, run_id)}
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
        link = {"study_id": study_id, "number": number, "fold": HOLDOUT, **link_row(key, run_id)}
        evaluations = [evaluation_row(key, result, run_id)]
        with self._writing() as connection:
            dialect.upsert(connection, schema.evaluation, evaluations, where=SAYS_NOTHING)
            dialect.upsert(connection, schema.trial_fold, [link], computed=EVALUATED_BY)

    def restore(self, run_id: int, started: str, rows: Sequence[Mapping[str, Any]]) -> int:
        """Take in evaluations that a killed run had made and not recorded; see ``journal``.

        Args:
            run_id: of the run.
            started: when it began. One of another ledger has nothing to give.
            rows: of the table ``evaluation``, without the run.

        Returns:
            How many of them were not there.
        """
        with self._writing() as connection:
            if started_at(connection, run_id) != started:
                return 0
            there = keys_of(connection, run_id)
            lacking = [{**row, "run_id": run_id} for row in rows if row["key"] not in there]
            dialect.upsert(connection, schema.evaluation, lacking, where=SAYS_NOTHING)
            return len(lacking)

    def started(self, run_id: int) -> str:
        """When a run began: UTC, ISO 8601."""
        with self._reading() as connection:
            return started_at(connection, run_id) or ""

    def sync(self) -> None:
        """Have the disk hold what was recorded, against a loss of power."""
        with self._guarded():
            dialect.sync(self._file)

    def forget_untold(self, study_id: int, from_number: int) -> None:
        """Drop trials that were asked ahead and never told; their folds stay."""
        table = schema.trial
        chosen = (table.c.study_id == study_id) & (table.c.number >= from_number)
        with self._writing() as connection:
            connection.execute(delete(table).where(chosen, table.c.state == State.RUNNING.value))

    def log(self, study_id: int) -> TrialLog:
        """The told trials of a series, up to the first gap. What follows is asked again."""
        with self._reading() as connection:
            return told_log(connection, study_id)

    def fold_keys(self, study_id: int) -> dict[int, dict[int, str]]:
        """Keys of the told trials' evaluations: trial number -> fold -> key."""
        with self._reading() as connection:
            return fold_keys(connection, study_id)

    def load(
        self,
        name: str | None = None,
        generation: int | None = None,
        *,
        like: Mapping[str, Any] | None = None,
    ) -> StudyRecord:
        """Everything about a series of a study's trials, running ones included.

        Args:
            name: the study; by default the one that was run last.
            generation: which series, counted from 1; by default the last that ran.
            like: rather the last that was defined like this (``Definition.as_json``), if there is
                one.

        Raises:
            UsageError: there is no such study.
        """
        with self._reading() as connection:
            wanted = None if like is None else without_secrets(like, {})
            row = latest_study(connection, name, generation, wanted)
            if row is None and generation is not None:
                last = last_generation(connection, name or "")
                if last is not None:
                    text = f"study `{name}` has {last} series, not {generation}"
                    raise UsageError(f"{self._name}: {text}.")
            if row is None:
                raise UsageError(f"{self._name}: {no_such_study(connection, name)}")
            log = told_log(connection, row.id)
            for running in running_trials(connection, row.id, len(log.told)):
                log.ask(running.params, running.key, running.origin)
            runs = runs_of(connection, row.id)
            holdout = holdout_results(connection, row.id)
        return StudyRecord(head_of(row), metrics_of(row), log.view(), runs, holdout)

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
    "unable to open": "It has to be a file in a folder that can be written;"
    " or name another `ledger`.",
    "locked": "Another program is writing into it: end that, and run again.",
}
"""Part of the database's message -> what to do."""


def _advice(cause: str) -> str:
    found = (f".\n  {advice}" for part, advice in ADVICE.items() if part in cause)
    return next(found, "")


def _check_file(file: Path, *, create: bool) -> None:
    if create:
        _make_folder(file.parent)
    elif not file.exists():
        raise StorageError(f"{file}: there is no ledger")


def _is_sealed(file: Path) -> bool:
    """Whether it lies, complete, where nothing can be written: an artifact, a read-only mount."""
    log = file.with_name(f"{file.name}-wal")
    is_complete = not log.exists() or log.stat().st_size == 0
    return is_complete and not os.access(file.parent, os.W_OK)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ignore = folder / ".gitignore"
        # Like the caches of mypy and ruff, the state folder keeps itself out of Git.
        if folder.name == ".tunesmith" and not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise StorageError(f"cannot make the ledger's folder {folder}: {error}") from error
