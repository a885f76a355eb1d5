"""Integrity of an SQLite ledger: marks in the file, and checks against them.

While a ledger is open for writing, the file is marked as *in use*, and the last commits are in the
log beside it (``-wal``). The last process to close it moves everything into the one file and marks
it as *at rest*, with a checksum of all its content. So a copy of the file alone can be checked.
After a kill, the next process to open it checks every row, every index and the log. If another
SQLite program has moved the log into the file meanwhile, it checks all that is in the file.
"""

import os
import secrets
import sqlite3
import struct
import time
import warnings
import weakref
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from tunesmith.errors import DamagedError, LedgerWarning, StorageError
from tunesmith.ledger.rows import CHECKED, LATER_TABLES, checksum
from tunesmith.system import faults
from tunesmith.system.files import private_rights, set_rights
from tunesmith.system.interruptions import undisturbed
from tunesmith.system.portable.abilities import CLOSE_ON_EXEC, NO_LINKS

IN_USE, AT_REST = 0x74756E31, 0x74756E30
"""Values of SQLite's ``application_id`` for a ledger; ``user_version`` is the checksum of a file at
rest, and while it is in use, a number made from its inode."""
MARK, CHECKSUM = slice(68, 72), slice(60, 64)
VARYING = (slice(18, 20), slice(24, 28), CHECKSUM, MARK, slice(92, 100))
"""Bytes that closing itself changes: those about the log, counters, and the marks."""
SMALLEST = 512
"""Bytes of SQLite's smallest page."""
MAX_LOG_BYTES = 1 << 26
LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
"""Codes of SQLite's errors if somebody else uses the file."""
PATIENCE_S, PAUSE_S = 1.0, 0.05
HALF_TRIALS = (
    "SELECT count(*) FROM trial t WHERE n_folds != (SELECT count(*) FROM trial_fold f"
    " WHERE f.study_id = t.study_id AND f.number = t.number AND f.fold >= 0)"
)


def log_of(file: Path) -> Path:
    """Path of the file beside a ledger that holds the last commits."""
    return file.with_name(f"{file.name}-wal")


def has_log(file: Path) -> bool:
    """True if the file beside a ledger holds anything."""
    return _holds_anything(log_of(file))


def has_journal(file: Path) -> bool:
    """True if there is a journal from which SQLite brings back what the file held before."""
    return _holds_anything(file.with_name(f"{file.name}-journal"))


def lacks_log(file: Path) -> bool:
    """True if a file is marked as in use, and its log is gone, as after a kill and another program.

    Of what is no file, or cannot be read, nothing is said.
    """
    try:
        # Opening a pipe would wait for somebody who writes into it.
        if not file.is_file():
            return False
        with file.open("rb") as opened:
            head = opened.read(MARK.stop)
    except OSError:
        return False
    return head[MARK] == IN_USE.to_bytes(4, "big") and not has_log(file)


def _holds_anything(path: Path) -> bool:
    # One look: another process may remove the file between two.
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


def connect(
    file: Path, options: str, timeout_s: float = 30.0, *, is_shared: bool = False
) -> sqlite3.Connection:
    """Open a plain connection.

    Args:
        file: of the ledger.
        options: of SQLite's URI: ``mode=ro``, ``mode=rw``, ``immutable=1``.
        timeout_s: seconds to wait for a lock.
        is_shared: let other threads use and close it, one at a time.
    """
    place = f"file:{quote(str(file))}?{options}"
    return sqlite3.connect(
        place,
        uri=True,
        isolation_level=None,
        timeout=timeout_s,
        check_same_thread=not is_shared,
    )


# -- checking --------------------------------------------------------------------------------


def is_checked(file: Path, *, is_sealed: bool = False, most_bytes: int | None = None) -> bool:
    """Check a ledger.

    Args:
        file: an existing ledger.
        is_sealed: true if nothing can be written beside it.
        most_bytes: size up to which the content is checked; ``None`` for any size.

    Returns:
        True if all of it was checked. If another process has it open, an older version wrote it, or
        it is too large, its rows must be checked as they are read.

    Raises:
        DamagedError: its content has changed since it was written.
        sqlite3.OperationalError: it cannot be opened.
    """
    if file.is_file() and (n_bytes := file.stat().st_size) < SMALLEST:
        held = f"has only {n_bytes} bytes" if n_bytes else "is empty"
        raise DamagedError(f"it {held}, and no ledger ever is so small")
    if has_journal(file):
        _roll_back(file)
    with (
        damage_named(),
        closing(connect(file, "immutable=1" if is_sealed else "mode=ro")) as connection,
    ):
        mark = _pragma(connection, "application_id")
        is_small = most_bytes is None or file.stat().st_size <= most_bytes
        if mark == AT_REST:
            if is_small:
                _check_content(connection)
            return is_small
        # Older versions set no mark; the rows of such a file are checked as they are read.
        if mark != IN_USE:
            _check_is_old(connection)
            return False
    return not is_sealed and _check_after_kill(file, rows=is_small)


def is_at_rest(file: Path, *, is_sealed: bool = False) -> bool:
    """Tell if no process has a ledger open for writing, and check all of it then.

    Args:
        file: an existing ledger.
        is_sealed: true if nothing can be written beside it.

    Raises:
        DamagedError: its content has changed since it was written.
    """
    with (
        damage_named(),
        closing(connect(file, "immutable=1" if is_sealed else "mode=ro")) as connection,
    ):
        if _pragma(connection, "application_id") != AT_REST:
            return False
        _check_content(connection)
        return True


def _roll_back(file: Path) -> None:
    """Let SQLite undo a change that a kill cut off; a connection that only reads must not.

    Such changes are the first and the last of a run: between them, commits go to the log.
    """
    with damage_named(), closing(connect(file, "mode=rw")) as connection:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


@contextmanager
def damage_named() -> Iterator[None]:
    """Turn SQLite's messages on a damaged file into the error for it."""
    try:
        yield
    except sqlite3.OperationalError:
        # This is no damage: the file is locked, or cannot be opened.
        raise
    except sqlite3.DatabaseError as error:
        is_database = sqlite_code(error) != sqlite3.SQLITE_NOTADB
        raise DamagedError(str(error), is_database=is_database) from None


def sqlite_code(error: BaseException) -> int:
    """Return SQLite's code of an error, without its details; 0 if the error is not SQLite's."""
    # Errors of Python's module itself, such as a wrong number of values, have no code.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_locked(error: BaseException) -> bool:
    """True if another process, or another connection, keeps the file from being used."""
    return sqlite_code(error) in LOCKED


def content_checksum(content: bytes) -> int:
    """Checksum of all bytes of a ledger's file but those that closing changes; signed, 32 bits."""
    head = bytearray(content[:100])
    for part in VARYING:
        head[part] = bytes(part.stop - part.start)
    value = zlib.crc32(memoryview(content)[100:], zlib.crc32(head))
    return int(struct.unpack(">i", value.to_bytes(4, "big"))[0])


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _check_content(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")
    try:
        content = connection.serialize()
    except sqlite3.Error:
        raise DamagedError("some of its pages cannot be read") from None
    if content_checksum(content) != _pragma(connection, "user_version"):
        raise DamagedError("its content is not what was last written (the checksum differs)")


def _check_is_old(connection: sqlite3.Connection) -> None:
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if "tunesmith" not in names:
        return  # another program's, or nothing
    columns = {row[1] for row in connection.execute("PRAGMA table_info(trial)")}
    if "checksum" in columns:
        raise DamagedError("its mark is lost")


def _check_after_kill(file: Path, *, rows: bool) -> bool:
    """Check a file that is marked as in use, unless another process has it open.

    Args:
        file: of the ledger.
        rows: check every row, too.
    """
    log = log_of(file)
    try:
        # An exception between two steps would leave the log to SQLite, which would remove it.
        with undisturbed(), _alone(file) as connection:
            if _pragma(connection, "application_id") == AT_REST:
                return False  # closed this very moment
            # Only now nobody else can make it, or move it into the file.
            if not has_log(file):
                _check_without_log(file, connection)
                return True
            _check_log(log)
            if rows:
                check_rows(connection)
    except sqlite3.OperationalError as error:
        if is_locked(error) or sqlite_code(error) == sqlite3.SQLITE_READONLY:
            return False
        raise
    return rows


def _check_without_log(file: Path, connection: sqlite3.Connection) -> None:
    """Check a file that is marked as in use, whose log is gone.

    Any other SQLite program that is the last to close the file moves the log into it and removes
    it, but knows nothing of the mark. Then all is there. A copy of the file without its log looks
    the same, but for its inode.

    Raises:
        DamagedError: it is a copy, which is a part of what was written, or a row is not as written.
    """
    log = log_of(file).name
    if _pragma(connection, "user_version") != _inode_mark(file):
        raise DamagedError(
            f"it was in use when it was copied or its run was killed, and {log}, with"
            " what was written last, is not there"
        )
    try:
        check_rows(connection)
    except DamagedError as error:
        raise DamagedError(f"its run was killed, {log} is not there, and {error}") from None
    warnings.warn(
        f"ledger {file}: its run was killed, and {log} is gone: another program has probably"
        " opened the file and moved the log into it. Every row and index of it was checked and is"
        " as it was written, so it is used. If the log was deleted instead, what was written last"
        " is evaluated again.",
        LedgerWarning,
        stacklevel=1,
    )


def _inode_mark(file: Path) -> int:
    """Number that tells a file that is in use from its copies; signed, 32 bits."""
    value = zlib.crc32(str(file.stat().st_ino).encode())
    return int(struct.unpack(">i", value.to_bytes(4, "big"))[0])


@contextmanager
def _alone(file: Path, patience_s: float = 0.0) -> Iterator[sqlite3.Connection]:
    """Open a connection that keeps all others out and changes nothing.

    Raises:
        sqlite3.OperationalError: another process has the file open.
    """
    connection = connect(file, "mode=rw", patience_s)
    try:
        # Read once before: a log that is first opened exclusively cannot be shared later.
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        finally:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
    finally:
        _leave_log(file, connection)


def _leave_log(file: Path, connection: sqlite3.Connection) -> None:
    """Close a connection without SQLite's own cleanup.

    The last connection to close removes the log, while the file would still be marked as in use. A
    reader removes nothing, so a reader is opened before and closed after.
    """
    keeper = None
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA locking_mode = NORMAL")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        keeper = connect(file, "mode=ro", 0.0)
        keeper.execute("SELECT count(*) FROM sqlite_master").fetchone()
    connection.close()
    if keeper is not None:
        keeper.close()


def check_rows(connection: sqlite3.Connection) -> None:
    """Check every row, index and reference.

    Raises:
        DamagedError: the message names the damage.
    """
    answers = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    if answers != ["ok"]:
        raise DamagedError("; ".join(" ".join(line.split()) for line in answers))
    if connection.execute("PRAGMA foreign_key_check").fetchone():
        raise DamagedError("rows refer to others that are not there")
    for table in _tables(connection):
        n_wrong = sum(not is_right for _, is_right in rows_of(connection, table))
        if n_wrong:
            raise DamagedError(f"{n_wrong} of the table `{table}`'s rows are not as written")
    if n := connection.execute(HALF_TRIALS).fetchone()[0]:
        raise DamagedError(f"{n} trials lack folds")


def _tables(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the tables whose rows have checksums, as far as the version that wrote them had them.

    Raises:
        DamagedError: a table or column is missing that it should have.
    """
    for table, columns in CHECKED.items():
        there = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        if not there and table in LATER_TABLES:
            continue
        # A bit of the schema may have changed, and with it a name.
        if missing := [name for name in (*columns, "checksum") if name not in there]:
            raise DamagedError(f"the table `{table}` lacks {', '.join(missing)}")
        yield table


def rows_of(connection: sqlite3.Connection, table: str) -> Iterator[tuple[dict[str, object], bool]]:
    """Yield the rows of a table, each with true if it is unchanged."""
    cursor = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - a name of ours
    names = [column[0] for column in cursor.description]
    for values in cursor:
        row = dict(zip(names, values, strict=True))
        yield row, checksum(table, row) == row.get("checksum")


# -- the log ---------------------------------------------------------------------------------


def _check_log(log: Path) -> None:
    """Check that SQLite will read everything that was committed into a log.

    SQLite stops at a wrong checksum without a message. That is right for a frame that a kill has
    cut off, which can only be the last one.
    """
    if log.stat().st_size > MAX_LOG_BYTES:
        return
    data = log.read_bytes()
    frames = list(_frames(data))
    if not frames and len(data) > LOG_HEADER:
        raise DamagedError(f"{log.name} has lost its head")
    is_good = [is_valid for is_valid, _ in frames]
    n_good = is_good.index(False) if False in is_good else len(is_good)
    if any(is_ours for _, is_ours in frames[n_good + 1 :]):
        raise DamagedError(f"{log.name} cannot be read behind frame {n_good} of {len(frames)}")


LOG_HEADER, FRAME_HEADER = 32, 24


def _frames(data: bytes) -> Iterator[tuple[bool, bool]]:
    """(is valid, belongs to the present log) of every frame; none without a valid head."""
    if len(data) < LOG_HEADER:
        return
    magic, _, page_size, _, *salts = struct.unpack(">6I", data[:24])
    order = ">" if magic & 1 else "<"
    state = _sum(data[:24], order, (0, 0))
    if magic >> 1 != 0x377F0682 >> 1 or state != struct.unpack(">2I", data[24:32]):
        return
    size, is_valid = FRAME_HEADER + page_size, True
    for start in range(LOG_HEADER, len(data) - size + 1, size):
        head = data[start : start + FRAME_HEADER]
        own, wanted = struct.unpack(">2I", head[8:16]), struct.unpack(">2I", head[16:24])
        # Frames from before the last checkpoint have other salts. One equal salt is enough, since
        # the other one may be the damaged part.
        is_ours = own[0] == salts[0] or own[1] == salts[1]
        if is_valid and is_ours:
            state = _sum(head[:8], order, state)
            state = _sum(data[start + FRAME_HEADER : start + size], order, state)
            is_valid = state == wanted and list(own) == salts
        else:
            is_valid = False
        yield is_valid, is_ours


def _sum(data: bytes, order: str, state: Sequence[int]) -> tuple[int, int]:
    """SQLite's running checksum of a log."""
    one, two = state
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two


# -- marking ---------------------------------------------------------------------------------


def make(file: Path, content: bytes) -> None:
    """Put a new ledger in place, as a whole; one that another process has made meanwhile stays.

    Args:
        file: path of the new ledger.
        content: bytes of an SQLite database.

    Raises:
        StorageError: the log of another ledger is there.
    """
    log = log_of(file)
    # In this order: a process that makes the ledger at this moment makes its log after the file.
    if has_log(file) and not file.exists():
        raise StorageError(
            f"the file is gone, but {log.name} is there, with what was written last."
            f"\n  Put the file back, or remove {log} to begin anew."
        )
    write_new(file, content)


def write_new(file: Path, content: bytes) -> bool:
    """Write a ledger at rest to a path without a file.

    Returns:
        True if it was written; false if there is a file by now.
    """
    data = bytearray(content)
    data[18:20] = b"\1\1"  # no log beside it
    data[MARK] = AT_REST.to_bytes(4, "big")
    data[CHECKSUM] = struct.pack(">i", content_checksum(bytes(data)))
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINKS | CLOSE_ON_EXEC
    try:
        with os.fdopen(os.open(draft, flags, 0o600), "wb") as out:
            set_rights(out.fileno(), draft, private_rights(file.parent))
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        faults.reach("ledger.make")
        # Unlike a rename, a link fails if the file exists: two processes may make a ledger at once.
        os.link(draft, file)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def mark_in_use(connection: sqlite3.Connection, file: Path) -> None:
    """Mark the file, before anything is written into its log.

    Args:
        connection: outside a transaction, to a file with a log.
        file: of the ledger.
    """
    own = _inode_mark(file)
    marks = _pragma(connection, "application_id"), _pragma(connection, "user_version")
    if marks == (IN_USE, own):
        return
    # Both at once: with one of them alone, the file would count as damaged after a kill.
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(f"PRAGMA user_version = {own}")
        connection.execute(f"PRAGMA application_id = {IN_USE}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    faults.reach("ledger.mark")
    # Into the file itself: a copy of the file without its log must show the mark.
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


class _Writer(sqlite3.Connection):
    """A connection that may write, and is known from before it opens the file."""

    def __init__(self, known: "list[_WeakWriter]", *args: Any, **named: Any) -> None:
        # No `WeakSet`: it runs code as things die, where Python loses what a signal raises.
        known[:] = [other for other in known if other() is not None]
        known.append(weakref.ref(self))
        self._cursors: list[weakref.ref[sqlite3.Cursor]] = []
        super().__init__(*args, **named)

    def cursor(self, *args: Any, **named: Any) -> Any:
        """Make a cursor, which is closed with the connection."""
        cursor = super().cursor(*args, **named)
        self._cursors = [other for other in self._cursors if other() is not None]
        self._cursors.append(weakref.ref(cursor))
        return cursor

    def close(self) -> None:
        """Close, and with it what SQLite would wait for: cursors held by a traceback."""
        for reference in self._cursors:
            if (cursor := reference()) is not None:
                cursor.close()
        super().close()

    @property
    def is_open(self) -> bool:
        """True until it is closed; whatever is left of one in a traceback is open, too."""
        try:
            return self.total_changes >= 0
        except sqlite3.ProgrammingError:
            return False


_WeakWriter: TypeAlias = "weakref.ref[_Writer]"
_kept: dict[sqlite3.Connection, tuple["weakref.ref[LogKeeper]", list[_WeakWriter]]] = {}
"""Connections that keep a log, and for whom; here, so that no exception throws them away."""


class LogKeeper:
    """Keeps SQLite from removing the log of a ledger that is being written.

    SQLite does that as the last connection that may write is closed, also where an interruption
    closes it, and the file would still be marked as in use. A connection that only reads, and is
    closed after all others, prevents it.
    """

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None
        self._writers: list[_WeakWriter] = []
        self.factory = partial(_Writer, self._writers)
        """Makes the connections that may write, in place of ``sqlite3.Connection``."""

    def keep(self, file: Path) -> None:
        """Begin, before a connection that may write is used; again when there is a new log."""
        if self._connection is None:
            self._connection = connect(file, "mode=ro", is_shared=True)
            _kept[self._connection] = weakref.ref(self), self._writers
        self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def let_go(self) -> None:
        """End, if all connections that may write are closed; else it lasts as long as they do."""
        for connection, (keeper, writers) in list(_kept.items()):
            # An interruption may have lost another ledger before it was closed.
            is_needed = keeper() not in (self, None)
            open_writers = [one for writer in writers if (one := writer()) and one.is_open]
            if not is_needed and not open_writers:
                connection.close()
                del _kept[connection]
        self._connection = None


class Closing:
    """Brings a ledger to rest.

    It is made while the ledger is still open, so that SQLite does not clean up on its own;
    ``finish`` is called when all other connections are closed. Both happen ``undisturbed``.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._connection = connect(file, "mode=rw", 0.0)
        self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def finish(self) -> bool:
        """Mark the file as at rest, unless another process has it open.

        Returns:
            True if it is at rest.
        """
        connection, end = self._connection, time.monotonic() + PATIENCE_S
        while True:
            try:
                connection.execute("PRAGMA locking_mode = EXCLUSIVE")
                connection.execute("BEGIN IMMEDIATE")
                break
            except sqlite3.OperationalError as error:
                if not is_locked(error) or time.monotonic() > end:
                    _leave_log(self._file, connection)
                    return False
                time.sleep(PAUSE_S)
        try:
            self._rest()
        except (sqlite3.Error, OSError, MemoryError):
            # As on a full disk: it stays in use, its log beside it.
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            _leave_log(self._file, connection)
            return False
        connection.close()
        return True

    def _rest(self) -> None:
        connection = self._connection
        value = content_checksum(connection.serialize())
        connection.execute(f"PRAGMA user_version = {value}")
        connection.execute(f"PRAGMA application_id = {AT_REST}")
        faults.reach("ledger.rest")
        connection.execute("COMMIT")
        faults.reach("ledger.unlog")
        connection.execute("PRAGMA journal_mode = DELETE").fetchall()
        faults.reach("ledger.rested")


def copy(file: Path, target: Path) -> bool:
    """Write a whole copy of a ledger, also of one in use.

    Args:
        file: of the ledger.
        target: a path without a file.

    Returns:
        True if it was written; false if there is a file.

    Raises:
        DamagedError: the ledger is damaged.
    """
    is_checked(file)
    with damage_named(), closing(connect(file, "mode=ro")) as connection:
        connection.execute("BEGIN")
        return write_new(target, connection.serialize())
