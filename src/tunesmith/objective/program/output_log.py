"""Log of a program's output on disk: the beginning and the end, without secrets."""

import os
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from tunesmith.system.files import make_private
from tunesmith.system.portable.abilities import NO_LINKS
from tunesmith.system.redact import redact
from tunesmith.types import EndsWithBlock

HEAD_BYTES = 256 << 10
TAIL_BYTES = 768 << 10
MAX_LINE_BYTES = 64 << 10
"""Bytes of a line that are waited for; secrets across the parts of a longer one are not seen."""
KEY_BEGINS, KEY_ENDS = b"-----BEGIN ", b"-----END "
CUT_BYTES = 4 << 10
"""Bytes of a cut line without an end that may be the rest of a secret."""


class BoundedLog(EndsWithBlock):
    """A log file of at most about a megabyte, however much is written.

    Secrets are hidden before anything reaches the disk, also if they come in several parts: a line
    is written when it is complete, and a private key as a whole.

    Args:
        path: the file; an older one is replaced. Only the user can read it.
        head: number of bytes kept from the beginning, which are written line by line.
        tail: number of bytes kept from the end, which stay in memory until the log is closed.
        environ: the program's variables, the values of some of which are secrets; by default this
            process's.
    """

    def __init__(
        self,
        path: Path,
        head: int = HEAD_BYTES,
        tail: int = TAIL_BYTES,
        *,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        flags = os.O_WRONLY | os.O_TRUNC | NO_LINKS
        make_private(path)
        # Without a buffer: a kill of the worker then loses only the end, which is held in memory.
        self._file = os.fdopen(os.open(path, flags), "wb", buffering=0)
        self._environ = {**os.environ, **(environ or {})}
        self._room, self._n_tail = head, tail
        self._pending = b""
        self._parts: deque[bytes] = deque()
        self._n_held = self._n_dropped = 0

    def write(self, data: bytes) -> None:
        """Add to the end."""
        if self._room:
            self._pending += data[: self._room]
            data, self._room = data[self._room :], max(self._room - len(data), 0)
            self._write_whole_lines()
        if data:
            self._parts.append(data)
            self._n_held += len(data)
        while self._parts and self._n_held - len(self._parts[0]) >= self._n_tail:
            dropped = len(self._parts.popleft())
            self._n_held, self._n_dropped = self._n_held - dropped, self._n_dropped + dropped

    def _write_whole_lines(self) -> None:
        end = self._pending.rfind(b"\n") + 1 or (
            len(self._pending) if len(self._pending) > MAX_LINE_BYTES else 0
        )
        # A private key is written as a whole, since its parts alone would not be recognised.
        begin = self._pending.rfind(KEY_BEGINS, 0, end)
        if begin >= 0 and KEY_ENDS not in self._pending[begin:end] and end - begin < MAX_LINE_BYTES:
            end = self._pending.rfind(b"\n", 0, begin) + 1
        self._put(self._pending[:end])
        self._pending = self._pending[end:]

    def _put(self, data: bytes) -> None:
        if data:
            # Output need not be UTF-8: bytes that are no text come out as they came in.
            text = data.decode("utf-8", "surrogateescape")
            self._file.write(redact(text, self._environ).encode("utf-8", "surrogateescape"))

    def close(self) -> None:
        """Write the end."""
        rest = b"".join(self._parts)
        self._parts.clear()
        if self._n_dropped:
            # The cut may leave half of a secret, which could not be recognised any more.
            kept, _, lost = self._pending.rpartition(b"\n")
            whole = _from_whole_line(rest)
            n_lost = self._n_dropped + len(lost) + len(rest) - len(whole)
            self._put(kept)
            self._file.write(f"\n[… {n_lost:,} bytes left out …]\n".encode())
            self._put(whole)
        else:
            self._put(self._pending + rest)
        self._pending = b""
        self._file.close()


def _from_whole_line(data: bytes) -> bytes:
    """Return the text after a cut, from its first whole line on, and after a key that was cut."""
    end, begin = data.find(KEY_ENDS), data.find(KEY_BEGINS)
    if end >= 0 and (begin < 0 or end < begin):
        data = data[end:]
    place = min(
        (at for sign in (b"\n", b"\r") if (at := data.find(sign, 0, CUT_BYTES)) >= 0), default=None
    )
    return data[CUT_BYTES:] if place is None else data[place + 1 :]
