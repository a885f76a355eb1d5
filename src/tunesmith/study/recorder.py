"""When results are committed, and when the disk has to hold them.

A commit is a write into the ledger's log: it survives the death of any process and costs little.
What arrives between two of them is in the workers' journals. Waiting for the disk costs more,
and helps against a loss of power alone, so that is done now and then: a loss of power can cost
``MAX_UNSYNCED_S`` of finished work.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tunesmith.history import FoldResult, Holds, Trial, always
from tunesmith.ledger.ledger import Ledger

MAX_DELAY_S = 0.1
MAX_UNSYNCED_S = 2.0
SHARE = 0.1
"""Of the time that may go into commits, and into waiting for the disk."""
MAX_PENDING = 128
"""So many results are committed at once: the journals keep no more than that for certain."""


class Recorder(Protocol):
    """Notes what a run does, and knows what earlier ones found."""

    def known(self, keys: Iterable[str]) -> dict[str, FoldResult]:
        """What is known under these keys."""

    def asked(self, trial: Trial) -> None:
        """Note a proposed trial."""

    def result(self, key: str, result: FoldResult) -> None:
        """Note a finished evaluation."""

    def told(self, trial: Trial, keys: Sequence[str]) -> None:
        """Note a finished trial; ``keys`` are those of its folds, in order."""

    def commit_when_due(self) -> None:
        """Save what has arrived, unless that was done a moment ago."""

    def commit(self) -> None:
        """Save everything noted so far."""


class NoRecorder:
    """Keeps nothing: for studies whose results live in the caller's memory."""

    def known(self, keys: Iterable[str]) -> dict[str, FoldResult]:  # noqa: ARG002
        """Nothing is."""
        return {}

    def asked(self, trial: Trial) -> None:
        """Pass."""

    def result(self, key: str, result: FoldResult) -> None:
        """Pass."""

    def told(self, trial: Trial, keys: Sequence[str]) -> None:
        """Pass."""

    def commit_when_due(self) -> None:
        """Pass."""

    def commit(self) -> None:
        """Pass."""


@dataclass
class LedgerRecorder:
    """Writes one run of one study into the ledger."""

    ledger: Ledger
    study_id: int
    run_id: int
    since_run: int | None = None
    """Trust only what runs from this one on have recorded (``--restart``)."""
    only_alone: bool = False
    """Trust nothing that came from a shared fit (``share: off``)."""
    refuted: list[str] = field(default_factory=list)
    """Kinds of sharing that gave other answers than fresh fits, as JSON."""
    holds: Holds = always
    """Trust only what was evaluated with files that are as they were."""
    _passed: list[str] = field(default_factory=list)
    _asked: list[Trial] = field(default_factory=list)
    _results: dict[str, FoldResult] = field(default_factory=dict)
    _told: list[tuple[Trial, Sequence[str]]] = field(default_factory=list)
    _last_commit: float = field(default_factory=time.monotonic)
    _delay_s: float = 0.0
    _last_sync: float = field(default_factory=time.monotonic)
    _sync_delay_s: float = 0.0
    _is_synced: bool = True

    def known(self, keys: Iterable[str]) -> dict[str, FoldResult]:
        """What the ledger holds under these keys."""
        return self.ledger.known(
            keys,
            since_run=self.since_run,
            only_alone=self.only_alone,
            holds=self.holds,
        )

    def asked(self, trial: Trial) -> None:
        """Note a proposed trial."""
        self._asked.append(trial)

    def result(self, key: str, result: FoldResult) -> None:
        """Note a finished evaluation."""
        self._results[key] = result
        for check in result.checks:
            (self._passed if check.is_passed else self.refuted).append(check.kind)

    def told(self, trial: Trial, keys: Sequence[str]) -> None:
        """Note a finished trial; ``keys`` are those of its folds, in order."""
        self._told.append((trial, keys))

    def holdout(self, number: int, key: str, result: FoldResult) -> None:
        """Write what a winner scored on the rows that the search never saw."""
        self.ledger.record_holdout(self.study_id, self.run_id, number, key, result)

    def commit_when_due(self) -> None:
        """Commit what has arrived, and sync, unless either was done a moment ago."""
        now = time.monotonic()
        if now - self._last_commit >= self._delay_s or len(self._results) >= MAX_PENDING:
            self._write()
        if now - self._last_sync >= self._sync_delay_s:
            self._sync()

    def commit(self) -> None:
        """Commit everything noted so far, and have the disk hold it."""
        self._write()
        self._sync()

    def _write(self) -> None:
        if not (self._asked or self._results or self._told):
            return
        began = time.monotonic()
        self.ledger.record(
            self.study_id,
            self.run_id,
            asked=self._asked,
            results=self._results,
            told=self._told,
            passed=self._passed,
        )
        self._asked, self._results, self._told, self._passed = [], {}, [], []
        self._is_synced = False
        self._last_commit = time.monotonic()
        self._delay_s = min((self._last_commit - began) / SHARE, MAX_DELAY_S)

    def _sync(self) -> None:
        if self._is_synced:
            return
        began = time.monotonic()
        self.ledger.sync()
        self._is_synced, self._last_sync = True, time.monotonic()
        self._sync_delay_s = min((self._last_sync - began) / SHARE, MAX_UNSYNCED_S)
