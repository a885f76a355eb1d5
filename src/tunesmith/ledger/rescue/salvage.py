"""Rescue of a damaged ledger: a new one from all rows that are whole.

Rows are searched in every page of the file, and of the log beside it, whether or not SQLite can
still find them. A row counts if its checksum is right and the rows that it refers to exist.
"""

import json
import os
import secrets
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tunesmith.errors import StorageError
from tunesmith.ledger import integrity
from tunesmith.ledger.rescue.pages import records
from tunesmith.ledger.rows import CHECKED, LATER, checksum, json_text, signed
from tunesmith.ledger.schema import orders

KEYS = {
    "study": ("id",),
    "run": ("id",),
    "run_uid": ("id",),
    "evaluation": ("key", "run_id"),
    "trial": ("study_id", "number"),
    "trial_fold": ("study_id", "number", "fold"),
    "note": ("study_id", "number", "place"),
}
"""Columns that identify a row of a table."""
Rows = dict[tuple[Any, ...], dict[str, Any]]


@dataclass
class Saved:
    """Outcome of a rescue."""

    file: Path
    """Path of the new ledger."""
    aside: Path
    """Path of the damaged ledger, which is kept."""
    n_rows: Mapping[str, int] = field(default_factory=dict)
    """Number of rows that were saved, by table."""
    lost: list[str] = field(default_factory=list)
    """Sentences on the rows that were lost."""


def salvage(file: Path, empty: bytes) -> Saved:
    """Replace a damaged ledger by a new one; the damaged one is kept beside it.

    Args:
        file: the damaged one; no process has it open.
        empty: the content of a ledger without rows.

    Raises:
        StorageError: it contains no row of a ledger, or cannot be written.
    """
    by_table = {table: dict[tuple[Any, ...], dict[str, Any]]() for table in CHECKED}
    for table, row in _candidates(file):
        by_table[table][tuple(row[name] for name in KEYS[table])] = row
    if not any(by_table.values()):
        raise StorageError(
            f"{file}: nothing of a ledger is in it; it was left as it is.\n  Move it away to begin"
            " with a new one: a run takes what a committed history holds."
        )
    lost = _fit_together(by_table)
    content = _written(by_table, empty)
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    aside = file.with_name(f"{file.name}.damaged-{moment}-{secrets.token_hex(2)}")
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}.repaired.tmp")
    integrity.write_new(draft, content)
    # A link first: at every moment, one of the two names leads to the damaged file.
    os.link(file, aside)
    log = integrity.log_of(file)
    if log.exists():
        # Before the new file is there: SQLite would write what is in the log into it.
        log.replace(integrity.log_of(aside))
    draft.replace(file)
    return Saved(file, aside, {table: len(rows) for table, rows in by_table.items()}, lost)


def _candidates(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every row that is unchanged, older copies first."""
    log = integrity.log_of(file)
    parts = [file.read_bytes(), log.read_bytes() if log.exists() else b""]
    shapes = {
        len(columns) + 1 + more: table
        for table, columns in CHECKED.items()
        for more in range(len(LATER.get(table, ())) + 1)
    }
    possible = {table: orders(table) for table in CHECKED}
    for rowid, values in records(*parts):
        table = shapes.get(len(values))
        if table is None:
            continue
        rows = (_row(table, rowid, order, values) for order in possible[table])
        # No two orders give the same checksum, unless they give the same row.
        row = next((row for row in rows if _is_right(table, row)), None)
        if row is not None:
            yield table, row


def _row(table: str, rowid: int, order: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """Name the values of a record."""
    # Rows of before a column was added are shorter.
    row = dict.fromkeys(order) | dict(zip(order, values, strict=False))
    if KEYS[table] == ("id",):
        row["id"] = rowid  # SQLite keeps it outside of the record
    return row


def _is_right(table: str, row: Mapping[str, Any]) -> bool:
    try:
        return bool(checksum(table, _typed(table, row)) == row["checksum"])
    except (TypeError, ValueError):
        return False


def _typed(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Restore the types of columns: a column of floats stores whole numbers as integers."""
    times = ("fit_time_s", "score_time_s") if table == "evaluation" else ()
    return {name: float(value) if name in times else value for name, value in row.items()}


def _fit_together(by_table: dict[str, Rows]) -> list[str]:
    """Remove rows that refer to lost rows; return sentences on the losses."""
    lost = [text for table in ("study", "run") if (text := _gaps(table, by_table[table]))]
    studies, runs = by_table["study"], by_table["run"]
    # Before rows are dropped: the message must name all trials that were there.
    known = by_table["trial"].keys() | {key[:2] for key in by_table["trial_fold"]}
    _drop(runs, lambda row: (row["study_id"],) not in studies)
    _drop(by_table["run_uid"], lambda row: (row["id"],) not in runs)
    if _stands_in(by_table):
        lost.append("all runs: when, where and with which versions the evaluations were made")
    n_kept, n_lost = _rehouse(by_table)
    if n_kept:
        lost.append(f"{n_kept} evaluations whose run is lost are kept under another one")
    if n_lost:
        lost.append(f"{n_lost} evaluations, because no series of trials is left")
    evaluations = by_table["evaluation"]
    for table in ("trial", "note"):
        _drop(by_table[table], lambda row: (row["study_id"],) not in studies)
    _drop(
        by_table["trial_fold"],
        lambda row: (
            (row["evaluation_key"], row["run_id"]) not in evaluations
            or (row["study_id"], row["number"]) not in by_table["trial"]
        ),
    )
    return lost + _half_trials(by_table, known)


def _drop(rows: Rows, is_lost: Any) -> None:
    for key in [key for key, row in rows.items() if is_lost(row)]:
        del rows[key]


def _gaps(table: str, rows: Rows) -> str:
    there = {row["id"] for row in rows.values()}
    lacking = [str(n) for n in range(1, max(there, default=0)) if n not in there]
    things = {"study": "series of trials", "run": "runs"}[table]
    return f"{things} that cannot be read: number {', '.join(lacking)}" if lacking else ""


def _stands_in(found: dict[str, Rows]) -> bool:
    """Add a run if none is left, so that evaluations have one; tell whether that was needed."""
    if found["run"] or not found["evaluation"] or not found["study"]:
        return False
    study = max(found["study"].values(), key=lambda row: row["id"])
    number = min(run for _, run in found["evaluation"])
    known = {name: json.loads(study[name]) for name in ("definition", "context")}
    values = {"id": number, "study_id": study["id"], "started": study["created"]}
    values |= {"ended": None, "stopped_by": None, "provenance": json_text(known)}
    row = {**values, "n_evaluated": 0, "n_reused": 0, "n_fits": 0}
    found["run"][(number,)] = signed("run", row)
    return True


def _rehouse(by_table: dict[str, Rows]) -> tuple[int, int]:
    """Assign evaluations of lost runs to another run: they are valid whatever run made them.

    Returns:
        The number of those that are kept, and of those for which there is no run.
    """
    runs, evaluations = {key[0] for key in by_table["run"]}, by_table["evaluation"]
    homeless = [key for key in evaluations if key[1] not in runs]
    for key in homeless:
        row = evaluations.pop(key)
        home = _home(runs, key[1])
        if home is not None and (key[0], home) not in evaluations:
            evaluations[key[0], home] = signed("evaluation", {**row, "run_id": home})
            for link in by_table["trial_fold"].values():
                if (link["evaluation_key"], link["run_id"]) == key:
                    link |= signed("trial_fold", {**link, "run_id": home})
    return (len(homeless), 0) if runs else (0, len(homeless))


def _home(runs: Collection[int], lost: int) -> int | None:
    """Choose the run that takes the evaluations of a lost one; ``None`` if there is none."""
    # Runs from other ledgers have negative numbers, and nothing may be taken for their work.
    alike = [run for run in runs if (run < 0) == (lost < 0)] or list(runs)
    # An earlier run if there is one: a result must not look newer than it is.
    return max((run for run in alike if run < lost), default=min(alike, default=None))


def _half_trials(by_table: dict[str, Rows], known: Collection[tuple[Any, ...]]) -> list[str]:
    """Remove and name trials that are not whole; a run asks for them again.

    Args:
        by_table: rows of each table.
        known: (series, number) of all trials that any row mentions.
    """
    n_folds = Counter((key[0], key[1]) for key in by_table["trial_fold"] if key[2] >= 0)
    half = {key for key, row in by_table["trial"].items() if row["n_folds"] != n_folds[key]}
    _drop(by_table["trial"], lambda row: (row["study_id"], row["number"]) in half)
    _drop(by_table["trial_fold"], lambda row: (row["study_id"], row["number"]) in half)
    lost = []
    for (study_id,), study in by_table["study"].items():
        there = {key[1] for key in by_table["trial"] if key[0] == study_id}
        last = max((number for of, number in known if of == study_id), default=-1)
        numbers = set(range(last + 1)) - there
        if numbers:
            listed = ", ".join(map(str, sorted(numbers)[:20])) + (" …" if len(numbers) > 20 else "")
            name = f"{study['name']}, series {study['generation']}"
            lost.append(f"trials of {name}: {listed}; a run evaluates what is lost of them again")
    return lost


def _written(by_table: Mapping[str, Rows], empty: bytes) -> bytes:
    """Content of a ledger with these rows."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.deserialize(empty)
        connection.execute("BEGIN")
        for table, rows in by_table.items():
            for row in rows.values():
                names = (*CHECKED[table], "checksum", *LATER.get(table, ()))
                marks = ", ".join("?" * len(names))
                text = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
                connection.execute(text, [row[name] for name in names])
        connection.execute("COMMIT")
        # The new ledger must pass the checks that the old one failed.
        integrity.check_rows(connection)
        return bytes(connection.serialize())
