"""One study of a live page: its content, its state, and what may be asked of it."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol

from tunesmith.analysis.summary import Summary, summarise
from tunesmith.errors import UsageError
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.page.content import content_of, waiting_content
from tunesmith.reporting.page.details import LogText, as_json, trial_details

Load = Callable[[], StudyRecord]
Summarise = Callable[[StudyRecord], Summary]
Version = Callable[[], object]


SLOW_S = 1.0
"""Seconds of a computation from which on the page rests."""
PAUSES = 10
"""Length of the rest, in times of the computation."""


class StudyState(Protocol):
    """A study at one moment."""

    @property
    def is_running(self) -> bool:
        """True if a run is on."""

    @property
    def words(self) -> str:
        """One line for people."""

    @property
    def n_completed(self) -> int:
        """Number of completed trials."""

    @property
    def n_trials(self) -> int | None:
        """Number of trials at most, if it is known."""


@dataclass(frozen=True, kw_only=True)
class PageActions:
    """Requests that a live page may make; ``None`` for those that it cannot."""

    state: Callable[[StudyRecord | None], StudyState] | None = None
    logs: Callable[[StudyRecord, int], list[LogText]] | None = None
    """(record, number of a trial) -> its logs."""
    stop: Callable[[], str] | None = None
    """Asks the run to stop; returns a sentence."""
    note: Callable[[int, str], None] | None = None
    """Writes a note on a trial."""


@dataclass
class LivePage:
    """A study's content, computed again only when the ledger has changed.

    If that takes seconds, it rests for ten times as long before the next time.

    Args:
        load: gives the record, each time that it has changed.
        version: changes whenever the ledger does; ``None`` if nobody can tell.
        name: shown until the record is there.
        actions: what the page may ask for.
        summarise: computes what the page tells, with predictions if there are any.
    """

    load: Load
    version: Version
    name: str = ""
    actions: PageActions = field(default_factory=PageActions)
    summarise: Summarise = summarise
    _lock: Any = field(default_factory=Lock, init=False)
    _seen: object = field(default=None, init=False)
    _record: StudyRecord | None = field(default=None, init=False)
    _content: dict[str, Any] = field(default_factory=dict, init=False)
    _data: bytes = field(default=b"", init=False)
    _due: float = field(default=0.0, init=False)
    """Moment of the clock before which the content is not computed again."""

    def content(self) -> dict[str, Any]:
        """The content of the page."""
        with self._lock:
            self._refresh()
            return self._content

    def data(self) -> tuple[bytes, str]:
        """The content as JSON, and its tag."""
        with self._lock:
            self._refresh()
            return self._data, f'"{hashlib.sha256(self._data).hexdigest()[:32]}"'

    def overview(self) -> dict[str, Any]:
        """Name, state and best score, for the list of studies."""
        with self._lock:
            self._refresh()
            record, content, state = self._record, self._content, self.actions.state
            best = content["tiles"][0] if content["tiles"] else {"what": "", "value": "–"}
            # Before its first trial a study may run, too.
            found = None if state is None else state(record)
        return {
            "study": content["study"],
            "name": self.name,
            "best": f"{best['what']} {best['value']}",
            "words": found.words if found else "",
            "is_running": bool(found and found.is_running),
            "n_completed": found.n_completed if found else 0,
            "n_trials": found.n_trials if found else None,
            "can_stop": bool(found and found.is_running and self.actions.stop),
            "can_note": self.actions.note is not None,
        }

    def trial(self, number: int) -> dict[str, Any] | None:
        """Details of a completed trial; ``None`` if there is no such trial."""
        with self._lock:
            self._refresh()
            record = self._record
        if record is None or not 0 <= number < record.history.n_completed:
            return None
        logs = [] if self.actions.logs is None else self.actions.logs(record, number)
        return trial_details(record, record.history[number], logs)

    def _refresh(self) -> None:
        # While a run is on, every look finds a change. Reading a large history for each of them
        # would use up a core that the run needs.
        if self._data and time.monotonic() < self._due:
            return
        began = time.monotonic()
        # Taken before the ledger is read: a change during the reading is then seen the next time.
        version = self.version()
        if self._data and version is not None and version == self._seen:
            return
        try:
            self._record = self.load()
            self._content = content_of(self._record, self.summarise(self._record))
        except UsageError as error:
            # Before the first run, or while somebody edits the configuration.
            self._record, self._content = None, waiting_content(self.name, str(error))
        self._data, self._seen = as_json(self._content), version
        end = time.monotonic()
        self._due = end + PAUSES * (end - began) if end - began > SLOW_S else end
