"""Records that ledgers exchange: runs, named alike everywhere, and their evaluations.

An evaluation is known by its key, a digest of everything its scores depend on, and by the run that
made it. So what two places have in common is a matter of names alone, and joining them is a union
of sets: in any order, any number of times.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Protocol, TypeAlias

from tunesmith.errors import DamagedError
from tunesmith.ledger.rows import CHECKED, LATER
from tunesmith.system.fingerprint import digest

BATCH = 500
"""Number of evaluations that are written in one step."""
OF_STUDY = ("name", "identity", "definition", "context", "metrics", "n_objectives", "created")
OF_RUN = ("started", "ended", "stopped_by", "n_evaluated", "n_reused", "n_fits", "provenance")
OF_EVALUATION = tuple(
    name for name in (*CHECKED["evaluation"], *LATER["evaluation"]) if name != "run_id"
)
TEXTS = (
    *("scores", "failure_kind", "failure_message", "failure_traceback", "warning"),
    *("progress", "made", "reading"),
)
TIMES = ("fit_time_s", "score_time_s")
COUNTS = ("n_evaluated", "n_reused", "n_fits")


@dataclass(frozen=True)
class SharedRun:
    """A run as every ledger knows it."""

    uid: str
    """Its name, drawn when it began."""
    study: Mapping[str, Any]
    """Columns of its series, as they are stored (``OF_STUDY``)."""
    run: Mapping[str, Any]
    """Its own columns, as they are stored (``OF_RUN``): who made it, when, with which versions."""

    @property
    def has_ended(self) -> bool:
        """True if it has recorded its end, after which nothing of it changes."""
        return self.run["ended"] is not None

    def joined(self, other: "SharedRun") -> "SharedRun":
        """Return the state of the run that knows more: the one that has ended."""
        return other if other.has_ended and not self.has_ended else self


@dataclass(frozen=True)
class SharedEvaluation:
    """One evaluation of a run."""

    uid: str
    """Name of the run."""
    row: Mapping[str, Any]
    """Its columns, without run and checksum (``OF_EVALUATION``)."""

    @property
    def address(self) -> tuple[str, str]:
        """Identity in every ledger: the name of the run, and the key of the evaluation."""
        return self.uid, self.row["key"]


Readings: TypeAlias = Callable[[Collection[str]], Mapping[str, str]]
"""Function that returns the contents of readings by their digests."""


class Place(Protocol):
    """A place that holds evaluations: a ledger, or a folder."""

    @property
    def name(self) -> str:
        """Its address for messages, without login and password."""
        ...

    def runs(self) -> Mapping[str, SharedRun]:
        """All its runs by their names."""
        ...

    def batches(self) -> Iterator[Sequence[SharedEvaluation]]:
        """Yield its evaluations that another ledger can rely on."""
        ...

    def readings(self, digests: Collection[str]) -> Mapping[str, str]:
        """Contents of readings by their digests."""
        ...

    def note(self, runs: Mapping[str, SharedRun]) -> None:
        """Take over the ends of runs that are here, and were on when they came."""
        ...

    def add(
        self, batch: Sequence[SharedEvaluation], runs: Mapping[str, SharedRun], readings: Readings
    ) -> int:
        """Add those that are lacking, or none if this fails; return their number."""
        ...

    def finish(self) -> None:
        """Write what has been added and is not written yet."""
        ...


def derived_uid(study: Mapping[str, Any], run: Mapping[str, Any], place: int) -> str:
    """Name of a run of an earlier version, which gave it none: the same in every copy of it.

    Args:
        study: columns of its series.
        run: its columns.
        place: its place among runs of which all this is the same.
    """
    return digest([study["name"], study["identity"], run["started"], run["provenance"], place])


def checked_row(row: Any) -> dict[str, Any]:
    """Check an evaluation that was written elsewhere; return its columns.

    Raises:
        DamagedError: a value is of another kind than a ledger writes.
    """
    if not isinstance(row, dict) or set(row) != set(OF_EVALUATION):
        raise DamagedError("an evaluation lacks columns, or has others")
    numbers = [row["fold"], row["n_sharing"]]
    is_right = (
        _is_text(row["key"], 64)
        and all(_is_whole(value) for value in numbers)
        and all(_is_number(row[name]) for name in TIMES)
        and all(row[name] is None or _is_text(row[name]) for name in TEXTS)
        and (row["stopped_at"] is None or _is_whole(row["stopped_at"]))
    )
    if not is_right or not _are_scores(row["scores"]):
        raise DamagedError(f"evaluation {str(row['key'])[:64]!r} has values that no run records")
    return {name: float(row[name]) if name in TIMES else row[name] for name in OF_EVALUATION}


def checked_run(content: Any) -> SharedRun:
    """Check the description of a run that was written elsewhere.

    Raises:
        DamagedError: it is none.
    """
    try:
        study = {name: content["study"][name] for name in OF_STUDY}
        run = {name: content["run"][name] for name in OF_RUN}
        uid = content["uid"]
        # As wide as the columns of the tables.
        lengths = [(uid, 64), (study["name"], 80), (study["identity"], 64)]
        lengths += [(moment, 32) for moment in (study["created"], run["started"])]
        objects = [study["definition"], study["context"], run["provenance"]]
        is_right = (
            all(_is_text(value, most) for value, most in lengths)
            and all(isinstance(json.loads(value), dict) for value in objects)
            and isinstance(json.loads(study["metrics"]), list)
            and all(value is None or _is_text(value) for value in (run["ended"], run["stopped_by"]))
            and all(_is_whole(run[name]) for name in COUNTS)
            and _is_whole(study["n_objectives"])
        )
    except (TypeError, KeyError, ValueError, RecursionError):
        is_right = False
    if not is_right:
        raise DamagedError("it does not say whose evaluations it holds")
    return SharedRun(uid, study, run)


def _is_text(value: object, most: int | None = None) -> bool:
    """Tell whether every database can store a value as a text."""
    if not isinstance(value, str) or "\0" in value or (most and not 0 < len(value) <= most):
        return False
    try:
        # JSON may hold half a character, which no database takes.
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_whole(value: object) -> bool:
    # `True` is an `int`, and PostgreSQL's integers have 32 bits.
    return type(value) is int and abs(value) < 1 << 31


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _are_scores(text: object) -> bool:
    """Tell whether a text holds scores: finite numbers by metric."""
    try:
        scores = json.loads(str(text))
    except (ValueError, RecursionError):
        return False
    return isinstance(scores, dict) and all(map(_is_number, scores.values()))
