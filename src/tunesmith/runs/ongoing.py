"""A study's run as another process sees it: how far it is, the time that is left, and its end."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tunesmith.config.model import Definition
from tunesmith.errors import UsageError
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.lock import holder
from tunesmith.ledger.records import StudyRecord
from tunesmith.runs.progress import duration
from tunesmith.search.stopping import build as build_criterion
from tunesmith.search.stopping import time_limit_s, trial_limit
from tunesmith.space.grid import count_points
from tunesmith.study.pace import Pace

CLOCK_SLACK_S = 2.0
"""Clocks of processes and of files differ by so much."""


@dataclass(frozen=True, kw_only=True)
class RunState:
    """A study at one moment."""

    is_running: bool
    n_completed: int
    n_trials: int | None
    """Number of trials at most, if it is known."""
    elapsed_s: float | None = None
    """Seconds since the run began; ``None`` if none is on."""
    left_s: float | None = None
    """Seconds that it will still take; ``None`` if nobody can tell."""

    @property
    def words(self) -> str:
        """One line for people.

        >>> RunState(is_running=True, n_completed=3, n_trials=9, elapsed_s=75, left_s=150).words
        'running: 3 of 9 trials, for 1m 15s, about 2m 30s to go'
        >>> RunState(is_running=False, n_completed=9, n_trials=9).words
        '9 of 9 trials'
        """
        total = "" if self.n_trials is None else f" of {self.n_trials:,}"
        parts = [f"{self.n_completed:,}{total} trials"]
        if self.elapsed_s is not None:
            parts.append(f"for {duration(self.elapsed_s)}")
        if self.left_s is not None:
            parts.append(f"about {duration(self.left_s)} to go")
        return ("running: " if self.is_running else "") + ", ".join(parts)


@dataclass
class OngoingRun:
    """The run of a study, if one is on.

    Args:
        define: reads the configuration, which may change meanwhile.
        clock: seconds since the epoch.
    """

    define: Callable[[], Definition]
    clock: Callable[[], float] = time.time
    _pace: Pace = field(default_factory=Pace, init=False)
    _run: int = field(default=0, init=False)
    """The run that the pace is of."""
    _n_seen: int = field(default=0, init=False)
    _seen_s: float = field(default=0.0, init=False)
    """Time of the last look, since the run began."""
    _stopped: str = field(default="", init=False)
    """Start of the run that was asked to stop."""

    def state(self, record: StudyRecord | None) -> RunState:
        """Return the present state.

        Args:
            record: of the study; ``None`` before its first trial.
        """
        definition = self.define()
        file, ledger = definition.file, definition.ledger
        n_completed = 0 if record is None else record.history.n_completed
        criterion = build_criterion(file.stop, definition.space)
        n_points = count_points(definition.space) if file.search.method == "grid" else None
        limits = (trial_limit(criterion, _n_folds(record)), n_points)
        n_trials = min((n for n in limits if n), default=None)
        is_running = holder(ledger, file.study) is not None
        state = RunState(is_running=is_running, n_completed=n_completed, n_trials=n_trials)
        started = record.runs[-1].started if record is not None and record.runs else ""
        if record is None or not is_running or not started or record.runs[-1].ended is not None:
            return state
        elapsed_s = max(self.clock() - datetime.fromisoformat(started).timestamp(), 0.0)
        self._count(ledger, record, elapsed_s)
        limit_s = time_limit_s(criterion)
        ends = (self._left_s(record, elapsed_s, n_trials), limit_s and limit_s - elapsed_s)
        left_s = min((max(end, 0.0) for end in ends if end is not None), default=None)
        return replace(state, elapsed_s=elapsed_s, left_s=left_s)

    def _left_s(self, record: StudyRecord, elapsed_s: float, n_trials: int | None) -> float | None:
        """Seconds to go, by the pace of late; as in ``study.progress``, reused results are free."""
        each, trials = self._pace.seconds_each(elapsed_s, 0), list(record.history.completed)
        if each is None or n_trials is None or not trials:
            return None
        folds = sum(len(trial.folds) for trial in trials) / len(trials)
        # A trial under way is half done on average.
        n_left = n_trials - len(trials) - min(len(record.history.pending), 1) / 2
        return max(n_left, 0.5) * folds * each

    def _count(self, location: str | Path, record: StudyRecord, elapsed_s: float) -> None:
        """Tell the pace how many evaluations of the run have ended since it was asked last."""
        run_id = record.runs[-1].id
        with Ledger.open(location, create=False) as ledger:
            n = ledger.n_made(record.head.id, run_id)
        if run_id != self._run:
            self._pace, self._run, self._n_seen, self._seen_s = Pace(), run_id, 0, 0.0
            self._pace.begin(0.0)
        # Those since the last look count as if they had come one after the other: all at once,
        # they would seem to have taken no time.
        n_new, since = n - self._n_seen, elapsed_s - self._seen_s
        for place in range(n_new):
            self._pace.count(1, self._seen_s + since * (place + 1) / n_new)
        self._n_seen, self._seen_s = n, elapsed_s

    def stop(self) -> str:
        """Ask the run to stop, as Ctrl-C would; everything evaluated is kept.

        Returns:
            A sentence for people.

        Raises:
            UsageError: there is no run, or not on this machine, or it was asked already.
        """
        definition = self.define()
        location, study = definition.ledger, definition.file.study
        who = holder(location, study)
        if who is None:
            raise UsageError("no run is on.")
        if self._stopped == str(who.get("since")):
            # A second signal would not let it end in good order; it may also have ended just now.
            raise UsageError("it was asked to stop already, and ends after the fits under way.")
        os.kill(_process(location, study, who), signal.SIGINT)
        self._stopped = str(who.get("since"))
        return "The run was asked to stop. What was evaluated is kept; the next run goes on."


def _n_folds(record: StudyRecord | None) -> int:
    """Number of folds of the study; 1 if it is not known yet."""
    first = None if record is None else next(iter(record.history.completed), None)
    return 1 if first is None else len(first.folds)


def _process(location: str | Path, study: str, who: dict[str, Any]) -> int:
    """Return the process of a run, if it certainly is the one that holds the lock.

    Raises:
        UsageError: it is not a process of this machine, or not of this user.
    """
    import psutil

    elsewhere = UsageError("the run is not a process of yours on this machine; stop it there.")
    number, since = who.get("pid"), who.get("since")
    if not isinstance(location, Path) or not isinstance(number, int) or not since:
        raise elsewhere
    lock = location.with_name(f"{location.name}.{study}.lock")
    try:
        process = psutil.Process(number)
        began = process.create_time()
        held = {Path(file.path).resolve() for file in process.open_files()}
    except psutil.Error:
        raise elsewhere from None
    taken = datetime.fromisoformat(since).astimezone(UTC).timestamp()
    # Numbers are given again: the process must be older than the lock, and hold it.
    if began > taken + CLOCK_SLACK_S or lock.resolve() not in held:
        raise elsewhere
    return number
