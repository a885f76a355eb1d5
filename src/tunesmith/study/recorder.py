"""Recorders: they decide when results are committed, and when the disk must hold them.

A commit is a write into the ledger's log: it survives the death of any process and costs little.
Results between two commits are in the workers' journals. Waiting for the disk costs more and only
helps against a loss of power, so it is done now and then: a loss of power can cost
``MAX_UNSYNCED_S`` of finished work.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Protocol

from tunesmith.history import FoldResult, Holds, Trial, always
from tunesmith.ledger.ledger import Ledger

MAX_DELAY_S = 0.1
MAX_UNSYNCED_S = 2.0
SHARE = 0.1
"""Share of the time that commits may take, and waiting for the disk as well."""
MAX_PENDING = 128
"""Most results in one commit: only so many are certain to be in the journals."""


class Recorder(Protocol):
    """Records a run, and knows the results of earlier ones."""

    def known(self, keys: Iterable[str]) -> dict[str, FoldResult]:
        """Known results under these keys."""

    def pending(self, trial: Trial) -> None:
        """Record a proposed trial."""

    def result(self, key: str, result: FoldResult) -> None:
        """Record a finished evaluation."""

    def completed(self, trial: Trial, keys: Sequence[str]) -> None:
        """Record a completed trial; ``keys`` are those of its folds, in order."""

    def commit_when_due(self) -> None:
        """Commit new results, unless that was done a moment ago."""

    def commit(self) -> None:
        """Commit all results so far."""


class NoRecorder:
    """Records nothing: for studies whose results stay in the caller's memory."""

    def known(self, keys: Iterable[str]) -> dict[str, FoldResult]:  # noqa: ARG002
        """No known results."""
        return {}

    def pending(self, trial: Trial) -> None:
        """Do nothing."""

    def result(self, key: str, result: FoldResult) -> None:
        """Do nothing."""

    def completed(self, trial: Trial, keys: Sequence[str]) -> None:
        """Do nothing."""

    def commit_when_due(self) -> None:
        """Do nothing."""

    def commit(self) -> None:
        """Do nothing."""


@dataclass
class LedgerRecorder:
    """Writes one run of one study into the ledger."""

    ledger: Ledger
    study_id: int
    run_id: int
    _: KW_ONLY
    since_run: int | None = None
    """Use only results of this run and later ones (``--restart``)."""
    only_alone: bool = False
    """Use no result of a shared fit (``share: off``)."""
    refuted: list[str] = field(default_factory=list)
    """Kinds of sharing that gave other answers than fresh fits, as JSON."""
    holds: Holds = always
    """Tells if the files of a reading are unchanged; other results are not used."""
    _passed: list[str] = field(default_factory=list)
    _pending: list[Trial] = field(default_factory=list)
    _results: dict[str, FoldResult] = field(default_factory=dict)
    _completed: list[tuple[Trial, Sequence[str]]] = field(default_factory=list)
    _last_commit: float = field(default_factory=time.monotonic)
    _delay_s: float = 0.0
    _last_sync: float = field(default_factory=time.monotonic)
    _sync_delay_s: float = 0.0
    _is_synced: bool = True

    def known(self, keys: Iterable[str]) -> dict[str, FoldResult]:
        """Known results of the ledger under these keys."""
        return self.ledger.known(
            keys,
            since_run=self.since_run,
            only_alone=self.only_alone,
            holds=self.holds,
        )

    def pending(self, trial: Trial) -> None:
        """Record a proposed trial."""
        self._pending.append(trial)

    def result(self, key: str, result: FoldResult) -> None:
        """Record a finished evaluation."""
        self._results[key] = result
        for check in result.checks:
            (self._passed if check.is_passed else self.refuted).append(check.kind)

    def completed(self, trial: Trial, keys: Sequence[str]) -> None:
        """Record a completed trial; ``keys`` are those of its folds, in order."""
        self._completed.append((trial, keys))

    def holdout(self, number: int, key: str, result: FoldResult) -> None:
        """Record the score of a winner on the held-out rows."""
        self.ledger.record_holdout(
            self.study_id, self.run_id, number=number, key=key, result=result, holds=self.holds
        )

    def further(self, links: Sequence[tuple[int, int, str]]) -> None:
        """Record which results on further splits belong to which trial.

        Args:
            links: (number of the trial, number of the fold, key of a recorded result).
        """
        self._write()
        self.ledger.record_apart(self.study_id, self.run_id, links, {}, holds=self.holds)
        self._is_synced = False

    def commit_when_due(self) -> None:
        """Commit new results, and sync, unless either was done a moment ago."""
        now = time.monotonic()
        if now - self._last_commit >= self._delay_s or len(self._results) >= MAX_PENDING:
            self._write()
        if now - self._last_sync >= self._sync_delay_s:
            self._sync()

    def commit(self) -> None:
        """Commit all results so far, and make the disk hold them."""
        self._write()
        self._sync()

    def _write(self) -> None:
        if not (self._pending or self._results or self._completed):
            return
        began = time.monotonic()
        self.ledger.record(
            self.study_id,
            self.run_id,
            pending=self._pending,
            results=self._results,
            completed=self._completed,
            passed=self._passed,
            holds=self.holds,
        )
        self._pending, self._results, self._completed, self._passed = [], {}, [], []
        self._is_synced = False
        self._last_commit = time.monotonic()
        # On a slow disk or server, commits come less often.
        self._delay_s = min((self._last_commit - began) / SHARE, MAX_DELAY_S)

    def _sync(self) -> None:
        if self._is_synced:
            return
        began = time.monotonic()
        self.ledger.sync()
        self._is_synced, self._last_sync = True, time.monotonic()
        self._sync_delay_s = min((self._last_sync - began) / SHARE, MAX_UNSYNCED_S)
