"""The ledger of all evaluations: one writer, any number of readers.

An evaluation is stored under a digest of everything that its scores depend on, and never changes;
trials point to their evaluations. Results that arrive together are committed together. Nothing in
it is pickled.
"""

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Self, TypeAlias, TypeVar

from sqlalchemy import Connection, Row, Table, delete, func, insert, select, update
from sqlalchemy.engine import URL

from tunesmith.errors import StorageError, UsageError
from tunesmith.history import HOLDOUT, FoldResult, History, Holds, Metric, Trial, TrialLog, always
from tunesmith.ledger import dialect, integrity, schema, standing
from tunesmith.ledger.messages import named
from tunesmith.ledger.queries import (
    ANY_RUN,
    OWN_SERIES,
    SAYS_NOTHING,
    TRUSTED,
    batched,
    checked,
    completed_log,
    evaluated_by,
    find_study,
    fold_keys,
    further_results,
    held_readings,
    holdout_results,
    keys_of,
    known_query,
    last_generation,
    last_run,
    latest_study,
    no_such_study,
    notes_of,
    running_trials,
    runs_of,
    series_reading,
    started_at,
)
from tunesmith.ledger.recording import add_evaluations
from tunesmith.ledger.records import StudyHead, StudyRecord
from tunesmith.ledger.rows import (
    checksum,
    definition_without_secrets,
    evaluation_row,
    fold_result_of,
    head_of,
    json_text,
    link_row,
    metrics_of,
    note_row,
    now,
    provenance_without_secrets,
    reading_row,
    signed,
    trial_row,
)
from tunesmith.ledger.stored_history import StoredTrials, stored_history
from tunesmith.space.parameter import canonical_json
from tunesmith.system import faults
from tunesmith.system.files import make_state_folder
from tunesmith.system.fingerprint import digest
from tunesmith.system.interruptions import undisturbed
from tunesmith.types import EndsWithBlock, State, StopReason

Mark: TypeAlias = tuple[int, int] | None
"""Device and inode of a file."""
FileState: TypeAlias = tuple[Path, tuple[int, ...]]
MOST_READ_BYTES = 1 << 26
"""Checking 64 MiB takes 0.1 seconds."""
T = TypeVar("T")


class Ledger(EndsWithBlock):
    """An open ledger. Made by ``Ledger.open``; usable as a context manager."""

    def __init__(self, url: URL, *, is_trusted: bool = False) -> None:
        self._name, self._file = dialect.readable(url), dialect.file_of(url)
        self._keeper = integrity.LogKeeper()
        self._connect(url, is_trusted=is_trusted)
        self._is_writing, self._is_closed = False, False
        self._marks: tuple[Mark, Mark] | None = None
        self._checked: FileState | None = None
        self._metrics: dict[int, tuple[Metric, ...]] = {}

    @classmethod
    def open(
        cls, location: str | Path, *, create: bool = True, most_bytes: int = MOST_READ_BYTES
    ) -> Self:
        """Open the ledger at a path or database URL; one of an older version is migrated.

        Args:
            location: SQLite file, or a URL such as ``postgresql://...``.
            create: make the file, its folder and the tables if they are missing.
            most_bytes: size up to which a reader checks a whole file; in a larger one, the rows
                that are read are checked. A writer checks all of it.

        Raises:
            DamagedError: its content has changed since it was written.
            StorageError: missing and not to be created, unreadable, of a newer version, or
                another program's. Then it is left as it is.
        """
        url = dialect.address(location)
        file = dialect.file_of(url)
        is_bare = False
        if file is None:
            ledger = cls(url)
        else:
            is_bare = create and integrity.lacks_log(file)
            with named(dialect.readable(url)):
                ledger = cls._of_file(url, file, most_bytes=None if create else most_bytes)
        try:
            ledger._prepare(url, create=create)
            if is_bare:
                # Its rows have no checksums, and the log may have been cut off.
                ledger.derive()
        except BaseException:
            ledger.close()
            raise
        return ledger

    @classmethod
    def _of_file(cls, url: URL, file: Path, *, most_bytes: int | None) -> Self:
        create = most_bytes is None
        if file.is_dir():
            raise StorageError("is a folder.\n  Name a file in it, e.g. `ledger.db`.")
        _refuse_no_files(file)
        if create:
            _make_folder(file.parent)
            if not file.exists():
                integrity.make(file, empty())
        elif not file.exists():
            raise StorageError("there is no ledger")
        is_sealed = not create and _is_sealed(file)
        is_trusted = integrity.is_checked(file, is_sealed=is_sealed, most_bytes=most_bytes)
        ledger = cls(url, is_trusted=is_trusted)
        if create:
            ledger._keeper.keep(file)
        else:
            # Read-only: the last of others to close a file would remove the log beside it.
            place = dialect.sealed(url) if is_sealed else dialect.read_only(url)
            ledger._connect(place, is_trusted=is_trusted)
        return ledger

    def _connect(self, url: URL, *, is_trusted: bool) -> None:
        self._engine = dialect.engine_of(url, factory=self._keeper.factory)
        readers = dialect.reader(self._engine)
        self._reader = readers.execution_options(**{TRUSTED: is_trusted})

    def _prepare(self, url: URL, *, create: bool) -> None:
        with self._reading() as connection:
            is_ready = schema.is_ready(connection)
            is_empty = not is_ready and not schema.is_begun(connection)
        if is_empty and not create:
            raise StorageError(f"ledger {self._name}: there is nothing in it")
        if create or not is_ready:
            if not create:
                self.close()
                self._connect(url, is_trusted=False)
            # If this fails on its way, the file must be brought to rest, too.
            self._marks, self._is_writing = (self._found()[0], None), True
            with self._guarded():
                dialect.begin_writing(self._engine, self._keeper)
            self._marks = self._found()
        if not is_ready:
            with self._writing() as connection:
                if schema.prepare(connection):
                    standing.rebuild(connection)
        self._marks = self._found()

    def close(self) -> None:
        """Close all connections; the last one to write leaves one file, marked as whole."""
        with undisturbed():
            closing = None
            if self._is_writing and self._file is not None and self._is_in_place():
                with suppress(sqlite3.Error):
                    closing = integrity.Closing(self._file)
            self._engine.dispose()
            self._keeper.let_go()
            if closing is not None:
                closing.finish()
            self._is_writing, self._is_closed = False, True

    # -- studies and runs --------------------------------------------------------------------

    def begin_study(
        self,
        name: str,
        identity: str,
        definition: Mapping[str, Any],
        *,
        context: Mapping[str, str],
        metrics: Sequence[Metric],
        objectives: Sequence[Metric],
        restart: bool = False,
        holds: Holds = always,
    ) -> StudyHead:
        """Return the study's present series of trials if it has this identity, else begin one.

        A series whose trials have read files that have changed since is another one (``holds``).

        An earlier series with the same identity is continued: if you go back to an earlier
        configuration, data or code, the study continues from there.
        """
        with self._writing() as connection:
            row = None if restart else find_study(connection, name, identity, holds)
            if row is not None:
                return _head(connection, row)
            generation = 1 + (last_generation(connection, name) or 0)
            # At the earliest the number of the next run: results of runs before it do not count.
            since_run = 1 + (last_run(connection) or 0) if restart else None
            values = {
                "name": name,
                "generation": generation,
                "identity": identity,
                "definition": json_text(definition_without_secrets(definition)),
                "context": json_text(dict(context)),
                "metrics": canonical_json([[m.name, m.direction] for m in metrics]),
                "n_objectives": len(objectives),
                "since_run": since_run,
                "created": now(),
            }
            made = insert(schema.study).values(values).returning(schema.study.c.id)
            study_id = connection.execute(made).scalar_one()
            return head_of(_sign(connection, schema.study, study_id), is_new=True)

    def previous(self, name: str) -> StudyHead | None:
        """Series that was run last under this name."""
        with self._reading() as connection:
            row = latest_study(connection, name)
            return None if row is None else _head(connection, row)

    def series(self, name: str, identity: str, holds: Holds = always) -> StudyHead | None:
        """Newest series of a study with this identity whose files are unchanged."""
        with self._reading() as connection:
            row = find_study(connection, name, identity, holds)
            return None if row is None else _head(connection, row)

    def studies(self) -> list[StudyHead]:
        """Last series of every study, by name."""
        with self._reading() as connection:
            own = select(schema.study.c.name).where(OWN_SERIES).distinct()
            names = connection.execute(own).scalars()
            rows = [latest_study(connection, name) for name in sorted(names)]
            return [head_of(row) for row in rows if row is not None]

    def begin_run(self, study_id: int, provenance: Mapping[str, Any]) -> int:
        """Record the begin of a run; return its id."""
        values = {
            "study_id": study_id,
            "started": now(),
            "n_evaluated": 0,
            "n_reused": 0,
            "n_fits": 0,
            "provenance": json_text(provenance_without_secrets(provenance)),
        }
        with self._writing() as connection:
            if connection.dialect.name == "sqlite":
                # By itself it would continue the negative numbers of runs from other ledgers.
                values["id"] = 1 + (last_run(connection) or 0)
            made = insert(schema.run).values(values).returning(schema.run.c.id)
            run_id = int(connection.execute(made).scalar_one())
            _sign(connection, schema.run, run_id)
            name = signed("run_uid", {"id": run_id, "uid": secrets.token_hex(16)})
            connection.execute(insert(schema.run_uid).values(name))
            return run_id

    def end_run(
        self, run_id: int, stopped_by: StopReason, n_evaluated: int, n_reused: int, n_fits: int
    ) -> None:
        """Record the end of a run."""
        values = {
            "ended": now(),
            "stopped_by": stopped_by.text,
            "n_evaluated": n_evaluated,
            "n_reused": n_reused,
            "n_fits": n_fits,
        }
        with self._writing() as connection:
            chosen = update(schema.run).where(schema.run.c.id == run_id)
            connection.execute(chosen.values(values))
            _sign(connection, schema.run, run_id)

    # -- trials and evaluations --------------------------------------------------------------

    def known(
        self,
        keys: Iterable[str],
        *,
        since_run: int | None = None,
        only_alone: bool = False,
        holds: Holds = always,
    ) -> dict[str, FoldResult]:
        """Recorded results under these keys that count.

        Failures that do not depend on the params (time-outs, dead workers) are left out. If several
        runs evaluated the same, the last one counts. ``FoldResult.fold`` is the fold that was
        evaluated; a study with other fold numbers sets its own.

        Args:
            keys: any number of evaluation keys.
            since_run: use only results of this run and later ones.
            only_alone: leave out all results of shared fits.
            holds: tells if the files of a reading are unchanged; other results are left out.
        """
        query = known_query()
        known: dict[str, FoldResult] = {}
        with self._reading() as connection:
            for some in batched(keys):
                values = {"keys": some, "since_run": since_run or ANY_RUN}
                found_rows = checked(connection, "evaluation", connection.execute(query, values))
                rows = _holding(connection, list(found_rows), holds)
                results = ((row.key, fold_result_of(row, row.fold)) for row in rows)
                known |= {key: result for key, result in results if counts(result, only_alone)}
        return known

    def record(
        self,
        study_id: int,
        run_id: int,
        *,
        pending: Sequence[Trial] = (),
        results: Mapping[str, FoldResult] | None = None,
        completed: Sequence[tuple[Trial, Sequence[str]]] = (),
        passed: Sequence[str] = (),
        holds: Holds = always,
    ) -> None:
        """Write everything that arrived together in one transaction; repeating it is harmless.

        Args:
            study_id: series of the trials.
            run_id: run that evaluated the results.
            pending: trials without results.
            results: evaluations by key.
            completed: trials with results, with the keys of their folds, in fold order. The
                evaluations are among ``results``, or were recorded before.
            passed: verified kinds of sharing, as JSON.
            holds: as in ``known``, which gave the evaluations that were recorded before.

        Raises:
            ValueError: a score is not a finite number.
        """
        trials = {t.number: t for t in (*pending, *(trial for trial, _ in completed))}.values()
        evaluations = [evaluation_row(k, r, run_id) for k, r in (results or {}).items()]
        linked = [key for _, keys in completed for key in keys]
        with self._writing() as connection:
            # In the order of references: rows come before the rows that refer to them.
            _keep_readings(connection, (results or {}).values())
            dialect.upsert(connection, schema.evaluation, evaluations, where=SAYS_NOTHING)
            dialect.upsert(connection, schema.trial, [trial_row(study_id, t) for t in trials])
            gains = self._gains(connection, study_id, completed)
            dialect.upsert(connection, schema.standing, gains)
            runs = evaluated_by(connection, linked, run_id, holds) if linked else {}
            links = [
                link_row(study_id, trial.number, fold, key, runs[key])
                for trial, keys in completed
                for fold, key in enumerate(keys)
            ]
            dialect.upsert(connection, schema.trial_fold, links)
            checks = [{"key": digest(kind), "kind": kind} for kind in dict.fromkeys(passed)]
            dialect.upsert(connection, schema.sharing_check, checks)

    def _gains(
        self, connection: Connection, study_id: int, completed: Sequence[tuple[Trial, Any]]
    ) -> list[dict[str, Any]]:
        if not completed:
            return []
        # Asked once: the metrics of a series never change, and this runs for every commit.
        if study_id not in self._metrics:
            query = select(schema.study.c.metrics).where(schema.study.c.id == study_id)
            self._metrics[study_id] = metrics_of(connection.execute(query).one())
        metrics = self._metrics[study_id]
        return [row for t, _ in completed for row in standing.gain_rows(study_id, t, metrics)]

    def passed_checks(self) -> set[str]:
        """Digests of the kinds of sharing that are verified."""
        table = schema.sharing_check
        with self._reading() as connection:
            rows = connection.execute(select(table.c.key, table.c.kind))
            # A row that was changed on the disk verifies nothing.
            return {row.key for row in rows if digest(row.kind) == row.key}

    def record_holdout(
        self,
        study_id: int,
        run_id: int,
        *,
        number: int,
        key: str,
        result: FoldResult,
        holds: Holds = always,
    ) -> None:
        """Record the scores of a trial's params on the held-out rows."""
        apart = [(number, HOLDOUT, key)]
        self.record_apart(study_id, run_id, apart, {key: result}, holds=holds)

    def record_apart(
        self,
        study_id: int,
        run_id: int,
        links: Sequence[tuple[int, int, str]],
        results: Mapping[str, FoldResult],
        *,
        holds: Holds = always,
    ) -> None:
        """Record results of completed trials that belong to none of the search's folds.

        Args:
            study_id: series of the trials.
            run_id: run that evaluated the results.
            links: (number of the trial, number of the fold below 0, key of the result).
            results: evaluations by key; others were recorded before.
            holds: as in ``known``, which gave the evaluations that were recorded before.
        """
        evaluations = [evaluation_row(key, result, run_id) for key, result in results.items()]
        with self._writing() as connection:
            _keep_readings(connection, results.values())
            dialect.upsert(connection, schema.evaluation, evaluations, where=SAYS_NOTHING)
            runs = evaluated_by(connection, [key for *_, key in links], run_id, holds)
            rows = [link_row(study_id, n, fold, key, runs[key]) for n, fold, key in links]
            dialect.upsert(connection, schema.trial_fold, rows)

    def restore(
        self,
        run_id: int,
        started: str,
        rows: Sequence[Mapping[str, Any]],
        readings: Sequence[Mapping[str, Any]] = (),
    ) -> int:
        """Add evaluations that a killed run had made and not recorded; see ``journal``.

        Args:
            run_id: id of the run.
            started: start of the run; results of another ledger's run are not added.
            rows: rows of the table ``evaluation``, without the run.
            readings: rows of the table ``reading``.

        Returns:
            Number of evaluations that were missing.
        """
        with self._writing() as connection:
            if started_at(connection, run_id) != started:
                return 0
            # Only conclusive results: one that says nothing about the params may be replaced.
            there = keys_of(connection, run_id)
            lacking = [row for row in rows if row["key"] not in there]
            add_evaluations(connection, run_id, lacking, readings)
            return len(lacking)

    def derive(self) -> None:
        """Derive the standing of all trials anew, as after a rescue of other rows."""
        with self._writing() as connection:
            standing.rebuild(connection)

    def started(self, run_id: int) -> str:
        """Start of a run: UTC, ISO 8601."""
        with self._reading() as connection:
            return started_at(connection, run_id) or ""

    def sync(self) -> None:
        """Make the disk hold all recorded results, against a loss of power."""
        with self._guarded():
            dialect.sync(self._file)

    def forget_pending(self, study_id: int, from_number: int) -> None:
        """Drop pending trials that were never completed; their folds stay."""
        table = schema.trial
        chosen = (table.c.study_id == study_id) & (table.c.number >= from_number)
        with self._writing() as connection:
            connection.execute(delete(table).where(chosen, table.c.state == State.RUNNING.value))

    def forget_from(self, study_id: int, number: int) -> None:
        """Drop the trials from one number on, which are proposed again; their evaluations stay."""
        with self._writing() as connection:
            for table in (schema.standing, schema.trial_fold, schema.trial):
                chosen = (table.c.study_id == study_id) & (table.c.number >= number)
                connection.execute(delete(table).where(chosen))

    def log(self, study_id: int, *, only_alone: bool = False) -> TrialLog:
        """Completed trials of a series, up to the first gap. Later ones are proposed again.

        Args:
            study_id: id of the series.
            only_alone: true if results of shared fits are gaps; those of an earlier version's
                always are.
        """
        with self._reading() as connection:
            return completed_log(connection, study_id, lambda result: counts(result, only_alone))

    def n_completed(self, study_id: int, *, only_alone: bool = False) -> int:
        """Number of completed trials of a series, up to the first gap, as ``log`` finds them."""
        with self._reading() as connection:
            row = connection.execute(select(schema.study).where(schema.study.c.id == study_id))
            found = standing.counts(connection, row.one())
            # Only the trials tell if there is a gap, or a result that no longer counts.
            if found is not None and found.all_count and not only_alone:
                return found.n_completed
        return len(self.log(study_id, only_alone=only_alone).completed)

    def fold_keys(self, study_id: int) -> dict[int, dict[int, str]]:
        """Keys of the completed trials' evaluations: trial number -> fold -> key."""
        with self._reading() as connection:
            return fold_keys(connection, study_id)

    def n_made(self, study_id: int, run_id: int) -> int:
        """Number of folds of completed trials that a run has evaluated itself."""
        link = schema.trial_fold
        chosen = (link.c.study_id == study_id) & (link.c.run_id == run_id)
        with self._reading() as connection:
            return connection.execute(select(func.count()).where(chosen)).scalar_one()

    def load(
        self,
        name: str | None = None,
        generation: int | None = None,
        *,
        like: Mapping[str, Any] | None = None,
        is_whole: bool = True,
    ) -> StudyRecord:
        """Everything about a series of a study's trials, running ones included.

        Args:
            name: the study; by default the one that was run last.
            generation: number of the series, from 1; by default the last that ran.
            like: prefer the last series that was defined like this (``Definition.as_json``).
            is_whole: false if trials are to be read when they are needed: the same record, for
                commands that show a small part of it.

        Raises:
            UsageError: there is no such study.
        """
        with self._reading() as connection:
            # Compared in the form in which `begin_study` has recorded it.
            wanted = None if like is None else definition_without_secrets(like)
            row = latest_study(connection, name, generation, wanted)
            if row is None and generation is not None:
                last = last_generation(connection, name or "")
                if last is not None:
                    text = f"study `{name}` has {last} series, not {generation}"
                    raise UsageError(f"{self._name}: {text}.")
            if row is None:
                raise UsageError(f"{self._name}: {no_such_study(connection, name)}")
            history = self._history(connection, row, is_whole=is_whole)
            runs = runs_of(connection, row.id)
            holdout = holdout_results(connection, row.id)
            further, notes = further_results(connection, row.id), notes_of(connection, row.id)
            head = _head(connection, row)
        return StudyRecord(
            head, metrics_of(row), history, runs, holdout, further=further, notes=notes
        )

    def _history(self, connection: Connection, row: Row[Any], *, is_whole: bool) -> History:
        if not is_whole:
            trials = StoredTrials(self._read_again, row, self._read_all)
            stored = stored_history(
                trials, connection, lambda n: running_trials(connection, row.id, n)
            )
            if stored is not None:
                return stored
        log = completed_log(connection, row.id)
        for running in running_trials(connection, row.id, len(log.completed)):
            log.ask(running.params, running.key, running.origin)
        return log.view()

    def _read_again(self, read: Callable[[Connection], T]) -> T:
        """Read, also after the ledger was closed."""
        # What was checked as a whole, and nobody has touched since, is not checked row by row.
        is_trusted = self._checked is not None and self._checked == self._state()
        try:
            with self._reading() as connection:
                if is_trusted:
                    connection = connection.execution_options(**{TRUSTED: True})
                return read(connection)
        finally:
            if self._is_closed:
                self._engine.dispose()

    def _read_all(self, read: Callable[[Connection], T]) -> T:
        """Read, also after the ledger was closed, most rows of it.

        A file at rest is then checked as a whole, whatever its size: its rows one by one would
        take twenty times as long.
        """
        state = self._state()
        # Its state is that from before the check, so that a change meanwhile is one.
        if state is not None and state != self._checked:
            file, _ = state
            is_whole = integrity.is_at_rest(file, is_sealed=_is_sealed(file))
            self._checked = state if is_whole else None
        return self._read_again(read)

    def _state(self) -> FileState | None:
        """Identity, size and time of the last change of the file; ``None`` for a server."""
        if self._file is None:
            return None
        status = self._file.stat()
        return self._file, (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    # -- notes -------------------------------------------------------------------------------

    def notes(self, study_id: int) -> dict[int, tuple[str, ...]]:
        """Notes on the trials of a series, by trial number."""
        with self._reading() as connection:
            return notes_of(connection, study_id)

    def add_notes(self, study_id: int, number: int, texts: Iterable[str]) -> int:
        """Add notes to a trial, behind those that it has; return the number of new ones."""
        with self._writing() as connection:
            there = notes_of(connection, study_id).get(number, ())
            rows = [note_row(study_id, number, 0, text) for text in dict.fromkeys(texts)]
            # Compared as they are kept, without secrets.
            new = [row["text"] for row in rows if row["text"] not in there]
            placed = [note_row(study_id, number, p, t) for p, t in enumerate(new, len(there))]
            dialect.upsert(connection, schema.note, placed)
            return len(placed)

    def remove_notes(self, study_id: int, number: int) -> int:
        """Remove the notes on a trial; return their number."""
        table = schema.note
        chosen = (table.c.study_id == study_id) & (table.c.number == number)
        with self._writing() as connection:
            return connection.execute(delete(table).where(chosen)).rowcount

    # -- connections -------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """File or URL of the ledger, without login and password."""
        return self._name

    def addresses(self) -> Iterator[tuple[str, int]]:
        """Yield key and run of every evaluation."""
        table = schema.evaluation
        with self._reading() as connection:
            for row in connection.execute(select(table.c.key, table.c.run_id)):
                yield row.key, row.run_id

    @property
    def n_bytes(self) -> int | None:
        """Size of the file with what lies beside it; ``None`` for a server."""
        if self._file is None:
            return None
        parts = (self._file, integrity.log_of(self._file))
        return sum(path.stat().st_size for path in parts if path.exists())

    def compact(self) -> None:
        """Give the space of removed rows back to the disk; a server does so by itself."""
        if self._file is None:
            return
        with self._guarded():
            connection = self._engine.raw_connection()
            try:
                raw: Any = connection.driver_connection
                raw.execute("VACUUM")
            finally:
                connection.close()

    def transaction(self, *, writes: bool) -> AbstractContextManager[Connection]:
        """Open a transaction for a module that exchanges rows with other ledgers."""
        return self._writing() if writes else self._reading()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._guarded():
            self._check_in_place()
            with self._engine.begin() as connection:
                yield connection
                faults.reach("ledger.commit")
        faults.reach("ledger.committed")

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._guarded(), self._reader.connect() as connection:
            yield connection

    def _guarded(self) -> AbstractContextManager[None]:
        return named(self._name)

    def _check_in_place(self) -> None:
        # SQLite goes on writing into a file that was deleted, and all of it would be lost.
        if self._marks is None or self._file is None:
            return
        marks = self._found()
        if marks != self._marks:
            name = self._file.name if marks[0] != self._marks[0] else integrity.log_of(self._file)
            raise StorageError(
                f"{name} was deleted or replaced while it was in use."
                "\n  What had been recorded went with it; run again."
            )

    def _is_in_place(self) -> bool:
        """True if the file, and the log if there was one, are those that were opened."""
        pairs = zip(self._marks or (), self._found(), strict=False)
        return self._marks is not None and all(one in (None, other) for one, other in pairs)

    def _found(self) -> tuple[Mark, Mark]:
        """Identity of the file and, while it is written, of its log."""
        if self._file is None:
            return None, None
        log = integrity.log_of(self._file)
        return _mark(self._file), _mark(log) if self._is_writing else None


def _mark(path: Path) -> Mark:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _head(connection: Connection, row: Row[Any]) -> StudyHead:
    return replace(head_of(row), reading=series_reading(connection, row.id))


def _holding(connection: Connection, rows: Sequence[Row[Any]], holds: Holds) -> Iterator[Row[Any]]:
    """Select the evaluations whose readings still hold; each reading is checked once."""
    if holds is always:
        yield from rows
        return
    held = held_readings(connection, rows, holds)
    yield from (row for row in rows if row.reading in held)


def _keep_readings(connection: Connection, results: Iterable[FoldResult]) -> None:
    rows = [reading_row(result.reading) for result in results if result.reading is not None]
    unique = {row["digest"]: row for row in rows}
    dialect.upsert(connection, schema.reading, list(unique.values()))


def _sign(connection: Connection, table: Table, row_id: int) -> Row[Any]:
    """Give a row its checksum, after its values are final; return the row."""
    # Only after the insert: the checksum covers the id, which the database gives.
    row = connection.execute(select(table).where(table.c.id == row_id)).one()
    value = checksum(table.name, row._asdict())
    connection.execute(update(table).where(table.c.id == row_id).values(checksum=value))
    return row


@cache
def empty() -> bytes:
    """Content of a ledger without rows."""
    engine = dialect.engine_of(URL.create("sqlite", database=":memory:"))
    with engine.begin() as connection:
        schema.prepare(connection)
        raw: Any = connection.connection.driver_connection
        content = bytes(raw.serialize())
    engine.dispose()
    return content


def _is_sealed(file: Path) -> bool:
    """True if it is complete and cannot be written: an artifact, a read-only mount."""
    is_complete = not integrity.has_log(file) and not integrity.has_journal(file)
    return is_complete and not os.access(file.parent, os.W_OK)


def _refuse_no_files(file: Path) -> None:
    """Refuse what SQLite would wait for, or could not open without naming it.

    Raises:
        StorageError: the file, or one that belongs beside it, is a pipe, a device, a folder or a
            link that leads nowhere.
    """
    beside = [file.with_name(f"{file.name}-{end}") for end in ("wal", "shm", "journal")]
    for path in (file, *beside):
        if path.is_symlink() and not path.exists():
            raise StorageError(f"{path.name} is a link that leads nowhere.\n  Remove the link.")
        if path.exists() and not path.is_file():
            raise StorageError(f"{path.name} is no plain file.\n  Move it away.")


def _make_folder(folder: Path) -> None:
    try:
        make_state_folder(folder)
        ignore = folder / ".gitignore"
        # Like the caches of mypy and ruff, the state folder keeps itself out of Git.
        if folder.name == ".tunesmith" and not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise StorageError(f"cannot make the ledger's folder {folder}: {error}") from error


def counts(result: FoldResult, only_alone: bool = False) -> bool:
    """True if a result can be relied on.

    Args:
        result: result from the ledger.
        only_alone: true if no result of a shared fit counts.
    """
    return result.counts and not (only_alone and result.is_shared)
