"""Savings of a ledger: evaluations that a trial found there instead of making them."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, select

from tunesmith.ledger import schema
from tunesmith.ledger.exchange.shared import SharedRun
from tunesmith.ledger.exchange.tables import numbered_runs
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.queries import OWN_SERIES


@dataclass(frozen=True, kw_only=True)
class Savings:
    """Contents of a ledger, and what they have saved."""

    n_studies: int
    n_trials: int
    n_runs: int
    n_evaluations: int
    """Number of evaluations of all runs."""
    n_runs_elsewhere: int
    """Number of runs that came from other ledgers."""
    n_evaluations_elsewhere: int
    """Number of their evaluations."""
    n_used: int
    """Number of places in trials that an evaluation fills."""
    n_saved: int
    """Number of those for which nothing was evaluated: the evaluation was there."""
    n_saved_elsewhere: int
    """Number of those whose evaluation came from another ledger."""
    saved_fits: float
    """Number of fits that this was; an evaluation of a shared fit is a part of one."""
    saved_s: float
    """Seconds that these evaluations took when they were made, one process each."""
    n_bytes: int | None
    """Size of the ledger's file; ``None`` on a server."""


def savings(ledger: Ledger) -> Savings:
    """Count what a ledger holds and has saved."""
    with ledger.transaction(writes=False) as connection:
        run, evaluation, link = schema.run, schema.evaluation, schema.trial_fold
        names = select(func.count(schema.study.c.name.distinct())).where(OWN_SERIES)
        return Savings(
            n_studies=connection.execute(names).scalar_one(),
            n_trials=_count(connection, schema.trial),
            n_runs=_count(connection, run),
            n_evaluations=_count(connection, evaluation),
            n_runs_elsewhere=_count(connection, run, run.c.id < 0),
            n_evaluations_elsewhere=_count(connection, evaluation, evaluation.c.run_id < 0),
            n_used=_count(connection, link),
            n_bytes=ledger.n_bytes,
            **_saved(connection),
        )


@dataclass(frozen=True, kw_only=True)
class RunOrigin:
    """Origin of the evaluations of a run, as its provenance says."""

    study: str
    started: str
    n_evaluations: int
    is_elsewhere: bool
    """True if it came from another ledger."""
    machine: str
    commit: str
    """Commit of the project, 12 digits; empty if there was none."""


def run_origins(ledger: Ledger) -> list[RunOrigin]:
    """List the runs that have evaluations, the earliest first."""
    evaluation = schema.evaluation
    with ledger.transaction(writes=False) as connection:
        query = select(evaluation.c.run_id, func.count()).group_by(evaluation.c.run_id)
        n_by_run = {run_id: int(n) for run_id, n in connection.execute(query)}
        runs = [(number, one) for number, one in numbered_runs(connection) if number in n_by_run]
    origins = [_origin(one, number, n_by_run[number]) for number, one in runs]
    return sorted(origins, key=lambda one: (one.started, one.study))


def _origin(one: SharedRun, number: int, n: int) -> RunOrigin:
    provenance = json.loads(one.run["provenance"])
    machine, git = provenance.get("machine") or {}, provenance.get("git") or {}
    parts = [machine.get(name) for name in ("system", "architecture", "cpu")]
    return RunOrigin(
        study=one.study["name"],
        started=one.run["started"],
        n_evaluations=n,
        is_elsewhere=number < 0,
        machine=" ".join(str(part) for part in parts if part),
        commit=str(git.get("commit") or "")[:12],
    )


def _count(connection: Connection, table: Any, *which: Any) -> int:
    query = select(func.count()).select_from(table).where(*which)
    return int(connection.execute(query).scalar_one())


def _saved(connection: Connection) -> dict[str, Any]:
    """Sum up the uses of evaluations beyond the one for which each was made."""
    link, evaluation = schema.trial_fold, schema.evaluation
    uses = (
        select(link.c.evaluation_key, link.c.run_id, func.count().label("n"))
        .group_by(link.c.evaluation_key, link.c.run_id)
        .subquery()
    )
    # What came from elsewhere was not made for any trial here.
    elsewhere = case((uses.c.run_id < 0, uses.c.n), else_=0)
    n_saved = case((uses.c.run_id < 0, uses.c.n), else_=uses.c.n - 1)
    # A shared fit's time is divided among its candidates, so that these add up.
    seconds = evaluation.c.fit_time_s + evaluation.c.score_time_s
    query = select(
        func.coalesce(func.sum(n_saved), 0),
        func.coalesce(func.sum(elsewhere), 0),
        func.coalesce(func.sum(n_saved * 1.0 / evaluation.c.n_sharing), 0.0),
        func.coalesce(func.sum(n_saved * seconds), 0.0),
    ).join(
        evaluation,
        (evaluation.c.key == uses.c.evaluation_key) & (evaluation.c.run_id == uses.c.run_id),
    )
    n, n_elsewhere, fits, total = connection.execute(query).one()
    return {
        "n_saved": int(n),
        "n_saved_elsewhere": int(n_elsewhere),
        "saved_fits": float(fits),
        "saved_s": float(total),
    }
