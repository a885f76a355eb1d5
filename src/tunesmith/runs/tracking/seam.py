"""Records that a tracker gets, and the methods that it must have.

A tracker is told from the ledger, by a process of its own. So a run never waits for one: the ledger
is the queue, nothing is lost while a tracker is away, and whatever was not sent is sent next time.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tunesmith.history import Metric, Trial
from tunesmith.ledger.records import StudyRecord
from tunesmith.space.parameter import canonical_json
from tunesmith.system.fingerprint import digest
from tunesmith.types import Params, State


@dataclass(frozen=True, kw_only=True)
class TrackedStudy:
    """A series of trials, as a tracker is told of it."""

    name: str
    uid: str
    """The same whenever this series is told of."""
    metrics: tuple[Metric, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    """Commit, branch, versions and the like, by name."""

    @property
    def short_uid(self) -> str:
        """Beginning of the uid, for names of folders and groups."""
        return self.uid[:12]


@dataclass(frozen=True, kw_only=True)
class TrackedTrial:
    """A completed trial, as a tracker is told of it."""

    number: int
    params: Params
    state: State
    origin: str
    means: Mapping[str, float]
    """Mean by metric; empty unless the trial is complete."""
    folds: tuple[Mapping[str, float], ...]
    """Scores by metric, of each fold."""
    fit_time_s: float
    """Sum over the folds."""
    failure: str = ""


@dataclass(frozen=True, kw_only=True)
class TrackedEnd:
    """State of a study after its last run, as a tracker is told of it."""

    n_trials: int
    best: int | None
    """Number of the best trial."""
    means: Mapping[str, float] = field(default_factory=dict)
    """Its means by metric."""
    stopped_by: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Contents of files to keep, by name."""


class Tracker(Protocol):
    """Shows studies. Made with an address, or ``None`` for the tool's own default.

    Any call may raise whatever the tool raises; it is told, and made again by the next sending.
    """

    def begin(self, study: TrackedStudy) -> None:
        """Find the study, or make it; the following calls are about it."""
        ...

    def numbers(self) -> set[int]:
        """Numbers of the trials that it has as a whole."""
        ...

    def trial(self, trial: TrackedTrial) -> None:
        """Add a trial; half of it may be there, from a sending that was cut off."""
        ...

    def finish(self, end: TrackedEnd) -> None:
        """Show how the study stands; repeating it changes nothing."""
        ...


def tracked_study(record: StudyRecord) -> TrackedStudy:
    """Describe the study of a record."""
    head, origin = record.head, record.origin
    provenance = {} if origin is None else origin.provenance
    git = provenance.get("git") or {}
    facts = {
        "tunesmith": provenance.get("tunesmith"),
        "python": provenance.get("python"),
        "git_commit": git.get("commit"),
        "git_branch": git.get("branch"),
        "seed": record.recorded.seed,
        "search": record.recorded.method,
        "taken_from": record.recorded.taken_from or None,
    }
    return TrackedStudy(
        name=head.name,
        uid=digest([head.name, head.identity, head.generation]),
        metrics=record.metrics,
        facts={name: str(value) for name, value in facts.items() if value is not None},
    )


def tracked_trial(trial: Trial, metrics: tuple[Metric, ...]) -> TrackedTrial:
    """Describe a completed trial."""
    is_complete = trial.state is State.COMPLETE
    failure = trial.failure
    return TrackedTrial(
        number=trial.number,
        params=trial.params,
        state=trial.state,
        origin=trial.origin,
        means={m.name: trial.mean(m.name) for m in metrics} if is_complete else {},
        folds=tuple(dict(fold.scores) for fold in trial.folds),
        fit_time_s=sum(fold.fit_time_s for fold in trial.folds),
        failure="" if failure is None else f"{failure.kind}: {failure.message}",
    )


def as_text(value: Any) -> str:
    """Return a value of a parameter as text; other values than texts as JSON.

    >>> as_text("a"), as_text(None), as_text([1, "a"])
    ('a', 'null', '[1,"a"]')
    """
    return value if isinstance(value, str) else canonical_json(value)


def finite(scores: Mapping[str, float]) -> dict[str, float]:
    """Return the scores that are numbers; many trackers refuse the others, or stumble over them."""
    return {name: value for name, value in scores.items() if math.isfinite(value)}
