"""Journals of workers: each keeps its evaluations in a file until the ledger holds them.

A pipe and the run's own process lie between the end of a fit and the commit of its result. A worker
therefore appends every result to a journal before it answers: one ``write``, which survives any
kill after it. The next run of the study adds the results that the ledger lacks, and removes the
files. Every line has a checksum, so that a torn one is left out.
"""

import json
import os
import secrets
import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.history import FoldResult
from tunesmith.ledger.rows import CHECKED, LATER, evaluation_row, reading_row
from tunesmith.system import faults
from tunesmith.system.files import make_state_folder
from tunesmith.system.portable.abilities import CLOSE_ON_EXEC, NO_LINKS

if TYPE_CHECKING:
    from tunesmith.ledger.ledger import Ledger

MAX_BYTES = 1 << 20
MIN_ANSWERS = 256
"""Least number of answers before a worker changes to its other file, which it empties first.

Results in that file were answered so long ago that the run has committed them (see
``recorder.MAX_PENDING``).
"""
SUFFIX = ".journal"
TEXTS = ("failure_kind", "failure_message", "failure_traceback", "warning", "progress", "made")
READING = ("digest", "content")
ROW = frozenset((*CHECKED["evaluation"], *LATER["evaluation"])) - {"run_id"}


@dataclass(frozen=True)
class RunMark:
    """Identity of the run, and of its ledger, that evaluates."""

    run_id: int
    started: str


class Journal:
    """The journal of one worker process, in two files that take turns.

    Args:
        folder: folder of the study; if it is missing, as on another machine, nothing is written.
        mark: identity of the run.
    """

    def __init__(self, folder: Path, mark: RunMark) -> None:
        self.owner = os.getpid()
        self._mark = mark
        # A process id comes back: the files of an earlier worker with the same one must survive.
        self._name = folder / f"{self.owner}-{secrets.token_hex(4)}"
        self._turn = 0
        self._begin()

    def note(self, results: Mapping[str, FoldResult]) -> None:
        """Append the results of one fit, by key; on a full disk nothing is appended."""
        if self._handle is None:
            return
        if self._n_bytes > MAX_BYTES and self._n_answers >= MIN_ANSWERS:
            os.close(self._handle)
            # The other file is emptied; this one keeps what the run may not have committed yet.
            self._turn = 1 - self._turn
            self._begin()
        rows = (evaluation_row(key, result, 0) for key, result in results.items())
        readings = (result.reading for result in results.values() if result.reading is not None)
        contents = [reading_row(reading) for reading in readings]
        self._append([*contents, *({name: row[name] for name in sorted(ROW)} for row in rows)])

    def _begin(self) -> None:
        self._n_bytes = self._n_answers = 0
        self._handle: int | None = None
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC | CLOSE_ON_EXEC | NO_LINKS
        with suppress(OSError):
            self._handle = os.open(f"{self._name}.{self._turn}", flags, 0o600)
            self._append([{"run_id": self._mark.run_id, "started": self._mark.started}])

    def _append(self, contents: Sequence[Mapping[str, Any]]) -> None:
        # A line begins with its own line break: a torn one before it spoils no other.
        data = b"".join(b"\n" + _line(content) for content in contents)
        if self._handle is not None:
            with suppress(OSError):
                faults.reach("journal.write")
                os.write(self._handle, data)
        self._n_bytes, self._n_answers = self._n_bytes + len(data), self._n_answers + 1


def _line(content: Mapping[str, Any]) -> bytes:
    text = json.dumps(content, separators=(",", ":")).encode()
    return b"%08x %s" % (zlib.crc32(text), text)


# -- the study's folder ----------------------------------------------------------------------


def folder_of(location: str | Path, study: str, root: Path | None = None) -> Path | None:
    """Folder in which workers write their journals.

    Args:
        location: file or URL of the ledger.
        study: its name.
        root: the project folder, for a ledger on a server.

    Returns:
        A folder beside the ledger's file, or in the project's own one; ``None`` if there is
        neither.
    """
    if isinstance(location, str) and "://" in location:
        from tunesmith.ledger.dialect import address, file_of

        file = file_of(address(location))
        if file is None:
            return root and root / ".tunesmith" / f"{study}{SUFFIX}"
    else:
        file = Path(location)
    return file.with_name(f"{file.name}.{study}{SUFFIX}")


def prepare(folder: Path | None) -> Path | None:
    """Make the folder, for this user only; ``None`` if that is impossible."""
    if folder is not None:
        with suppress(OSError):
            make_state_folder(folder, is_private=True)
            return folder
    return None


def remove(folder: Path | None) -> None:
    """Remove the journals, whose results the ledger holds."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def replay(ledger: "Ledger", folder: Path | None) -> int:
    """Add the results that journals hold and the ledger lacks; the caller holds the study's lock.

    Results of runs that this ledger does not know are left out: it is then another ledger.

    Returns:
        Number of evaluations that were added.
    """
    if folder is None or not folder.is_dir():
        return 0
    n_taken = 0
    for path in sorted(folder.iterdir()):
        mark, rows, readings = _read(path)
        if mark is not None and rows:
            n_taken += ledger.restore(mark.run_id, mark.started, rows, readings)
    ledger.sync()
    return n_taken


def _read(path: Path) -> tuple[RunMark | None, list[dict[str, Any]], list[dict[str, Any]]]:
    """Read the run, its rows and their readings; a torn or changed line is left out."""
    contents = [content for content in _contents(path) if content is not None]
    marks = [RunMark(*c.values()) for c in contents if tuple(c) == ("run_id", "started")]
    readings = [c for c in contents if tuple(c) == READING and all(map(_is_text, c.values()))]
    return (marks[0] if marks else None), [c for c in contents if is_row(c)], readings


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _contents(path: Path) -> Iterator[dict[str, Any] | None]:
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return
    for line in filter(None, lines):
        head, _, text = line.partition(b" ")
        yield json.loads(text) if head == b"%08x" % zlib.crc32(text) else None


def is_row(content: Mapping[str, Any]) -> bool:
    """True if it can be a row: the folder is the user's own, and versions may differ."""
    return (
        content.keys() == ROW
        and all(isinstance(content[name], str) for name in ("key", "scores"))
        and all(isinstance(content[name], str | None) for name in TEXTS)
        and all(isinstance(content[name], int) for name in ("fold", "n_sharing"))
        and isinstance(content["stopped_at"], int | None)
        and all(isinstance(content[name], int | float) for name in ("fit_time_s", "score_time_s"))
    )
