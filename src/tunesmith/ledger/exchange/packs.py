"""A folder as a place of the exchange, for whatever carries files: DVC, a CI cache, rsync.

Evaluations lie in packs. A pack holds some of one run, compressed, and is named after the run and a
digest of its content; it is written in one step and never changed. So two folders are joined by
copying files, a kill leaves whole packs, and a changed pack is recognised.
"""

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tunesmith.errors import DamagedError, StorageError
from tunesmith.ledger.exchange.shared import (
    BATCH,
    Readings,
    SharedEvaluation,
    SharedRun,
    checked_row,
    checked_run,
)
from tunesmith.ledger.rows import json_text
from tunesmith.system import faults
from tunesmith.system.files import write_atomic
from tunesmith.system.fingerprint import digest

KIND = "tunesmith-evaluations"
VERSION = 1
ENDING = ".evaluations.gz"
NAME = re.compile(rf"[0-9a-f]{{32}}-[0-9a-f]{{64}}{re.escape(ENDING)}")
MOST_ROWS = 10_000
"""Number of evaluations of a pack at most: so many are held in memory for each run."""
UNREADABLE = (
    *(DamagedError, OSError, EOFError, ValueError, TypeError, RecursionError),
    zlib.error,
)


class FolderPlace:
    """A folder of packs.

    Args:
        folder: it is made when something is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged: dict[str, str] = {}
        """Names of packs that are not as they were written, with the reason."""
        self._waiting: dict[str, dict[str, SharedEvaluation]] = {}
        self._known: dict[str, set[str]] = {}
        self._contents: dict[str, str] = {}
        self._heads: dict[str, SharedRun] = {}

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.folder)

    def packs(self) -> list[Path]:
        """Return its packs, sorted by name."""
        try:
            return sorted(path for path in self.folder.iterdir() if NAME.fullmatch(path.name))
        except FileNotFoundError:
            # A push makes the folder with its first pack.
            return []
        except OSError as error:
            raise StorageError(f"{self.folder}: {error.strerror}") from error

    def runs(self) -> Mapping[str, SharedRun]:
        """All its runs by their names."""
        runs: dict[str, SharedRun] = {}
        for pack in self.packs():
            for one in self._head(pack):
                runs[one.uid] = runs[one.uid].joined(one) if one.uid in runs else one
        return runs

    def batches(self) -> Iterator[Sequence[SharedEvaluation]]:
        """Yield the evaluations of all packs that are as they were written."""
        for pack in self.packs():
            for head in self._head(pack):
                rows = iter(self._rows(pack))
                while some := list(islice(rows, BATCH)):
                    yield [SharedEvaluation(head.uid, row) for row in some]

    def readings(self, digests: Collection[str]) -> Mapping[str, str]:
        """Contents of readings by their digests, of the packs that were read so far."""
        return {one: self._contents[one] for one in digests if one in self._contents}

    def note(self, runs: Mapping[str, SharedRun]) -> None:
        """Write the ends of runs that are here, and were on when they came."""
        # A pack never changes, so the end comes as a pack without evaluations.
        for uid, here in self.runs().items():
            if uid in runs and runs[uid].has_ended and not here.has_ended:
                self._write(runs[uid], [])

    def add(
        self, batch: Sequence[SharedEvaluation], runs: Mapping[str, SharedRun], readings: Readings
    ) -> int:
        """Add those that are lacking; they are written with the pack that they belong to."""
        lacking = {one.address: one for one in batch if one.row["key"] not in self._keys(one.uid)}
        self._contents |= readings({one.row["reading"] for one in lacking.values()} - {None})
        for uid, key in lacking:
            self._heads[uid] = runs[uid]
            self._waiting.setdefault(uid, {})[key] = lacking[uid, key]
            self._keys(uid).add(key)
            if len(self._waiting[uid]) >= MOST_ROWS:
                self._flush(uid)
        return len(lacking)

    def finish(self) -> None:
        """Write all packs that are not full."""
        for uid in sorted(self._waiting):
            self._flush(uid)

    def chosen(self, name: Callable[[str], bool], started: Callable[[str], bool]) -> list[Path]:
        """Return the packs of chosen runs.

        Args:
            name: tells if a study is chosen.
            started: tells if a run that started at a moment is.
        """
        heads = [(pack, one) for pack in self.packs() for one in self._head(pack)]
        return [
            pack for pack, one in heads if name(one.study["name"]) and started(one.run["started"])
        ]

    # -- writing -----------------------------------------------------------------------------

    def _flush(self, uid: str) -> None:
        some = self._waiting.pop(uid)
        self._write(self._heads[uid], [some[key] for key in sorted(some)])

    def _write(self, head: SharedRun, some: Sequence[SharedEvaluation]) -> None:
        """Write a pack; of the same content comes the same file."""
        lines: list[dict[str, Any]] = [
            {"kind": KIND, "schema_version": VERSION, "uid": head.uid}
            | {"study": dict(head.study), "run": dict(head.run)}
        ]
        digests = sorted({one.row["reading"] for one in some} - {None})
        # Before the rows that refer to them.
        lines += [{"reading": self._contents[one]} for one in digests if one in self._contents]
        lines += [dict(one.row) for one in some]
        content = "".join(f"{json_text(line)}\n" for line in lines).encode()
        # The digest is of the content, since compression differs among versions of zlib.
        name = f"{_prefix(head.uid)}-{hashlib.sha256(content).hexdigest()}{ENDING}"
        faults.reach("exchange.pack")
        write_atomic(self.folder / name, gzip.compress(content, mtime=0))

    # -- reading -----------------------------------------------------------------------------

    def _keys(self, uid: str) -> set[str]:
        """Keys of a run's evaluations that are here."""
        if uid not in self._known:
            # Names begin with the run, so that packs of others are not opened.
            packs = [path for path in self.packs() if path.name.startswith(f"{_prefix(uid)}-")]
            self._known[uid] = {
                row["key"]
                for pack in packs
                for head in self._head(pack)
                for row in self._rows(pack)
                if head.uid == uid
            }
        return self._known[uid]

    def _head(self, pack: Path) -> list[SharedRun]:
        """Return the run of a pack; empty if the pack is damaged, which is noted.

        Raises:
            StorageError: a newer version wrote it.
        """
        if pack.name in self.damaged:
            return []
        try:
            # Only the first line is unpacked.
            with gzip.open(pack) as file:
                head = json.loads(file.readline())
            _check_kind(head)
            return [checked_run(head)]
        except UNREADABLE as error:
            self._note(pack, error)
            return []

    def _rows(self, pack: Path) -> list[dict[str, Any]]:
        """Return the evaluations of a pack; empty if it is damaged, which is noted."""
        try:
            entries = [json.loads(line) for line in _content(pack).splitlines()[1:]]
            rows = [checked_row(entry) for entry in entries if set(entry) != {"reading"}]
        except UNREADABLE as error:
            self._note(pack, error)
            return []
        texts = [entry["reading"] for entry in entries if set(entry) == {"reading"}]
        self._contents |= {digest(text): text for text in texts}
        return rows

    def _note(self, pack: Path, error: Exception) -> None:
        if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
            raise StorageError(f"{pack}: {error.strerror}") from error
        self.damaged[pack.name] = str(error) or "it ends too early"


def _content(pack: Path) -> bytes:
    """Read a pack.

    Raises:
        DamagedError: it was changed.
    """
    content = gzip.decompress(pack.read_bytes())
    if not pack.name.endswith(f"-{hashlib.sha256(content).hexdigest()}{ENDING}"):
        raise DamagedError("its content differs from the digest in its name")
    return content


def _prefix(uid: str) -> str:
    """Begin of the names of a run's packs; names of runs from elsewhere are not trusted."""
    return hashlib.sha256(uid.encode()).hexdigest()[:32]


def _check_kind(head: Any) -> None:
    """Check that a pack is one, and of a version that is known.

    Raises:
        DamagedError: it is something else.
        StorageError: it is newer.
    """
    if not isinstance(head, dict) or head.get("kind") != KIND:
        raise DamagedError("it holds something else")
    if head.get("schema_version") != VERSION:
        raise StorageError("a pack needs a newer Tunesmith.\n  Update Tunesmith.")
