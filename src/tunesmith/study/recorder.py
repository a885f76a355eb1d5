"""When results reach the disk: at once if fits are slow, grouped if they are fast.

A commit waits for the disk. Fits of a second are committed one by one; thousands of millisecond
fits are grouped so that committing takes a small share of the time. What a kill -9 can cost is
therefore bounded by ``MAX_DELAY_S`` of finished work, besides the fits in flight.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tunesmith.history import FoldResult, Trial
from tunesmith.ledger.ledger import Ledger

MAX_DELAY_S = 0.1
COMMIT_SHARE = 0.1


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
    _asked: list[Trial] = field(default_factory=list)
    _results: dict[str, FoldResult] = field(default_factory=dict)
    _told: list[tuple[Trial, Sequence[str]]] = field(default_factory=list)
    _last_commit: float = field(default_factory=time.monotonic)
    _delay_s: float = 0.0

    def known(self, keys: Iterable[str]) -> dict[str, FoldResult]:
        """What the ledger holds under these keys."""
        return self.ledger.known(keys, since_run=self.since_run)

    def asked(self, trial: Trial) -> None:
        """Note a proposed trial."""
        self._asked.append(trial)

    def result(self, key: str, result: FoldResult) -> None:
        """Note a finished evaluation."""
        self._results[key] = result

    def told(self, trial: Trial, keys: Sequence[str]) -> None:
        """Note a finished trial; ``keys`` are those of its folds, in order."""
        self._told.append((trial, keys))

    def holdout(self, number: int, key: str, result: FoldResult) -> None:
        """Write what a winner scored on the rows that the search never saw."""
        self.ledger.record_holdout(self.study_id, self.run_id, number, key, result)

    def commit_when_due(self) -> None:
        """Commit what has arrived, unless the last commit was a moment ago."""
        if time.monotonic() - self._last_commit >= self._delay_s:
            self.commit()

    def commit(self) -> None:
        """Commit everything noted so far, in one transaction."""
        if not (self._asked or self._results or self._told):
            return
        began = time.monotonic()
        self.ledger.record(
            self.study_id,
            self.run_id,
            asked=self._asked,
            results=self._results,
            told=self._told,
        )
        self._asked, self._results, self._told = [], {}, []
        self._last_commit = time.monotonic()
        self._delay_s = min((self._last_commit - began) / COMMIT_SHARE, MAX_DELAY_S)
