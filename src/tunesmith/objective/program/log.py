"""What a program prints, kept on disk: the beginning and the end, never more than so much."""

from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

HEAD_BYTES = 256 << 10
TAIL_BYTES = 768 << 10


class BoundedLog:
    """A log file of at most about a megabyte, however much is written.

    Args:
        path: the file; an older one is replaced.
        head: so many bytes from the beginning are kept, and written at once.
        tail: so many from the end; held in memory until the log is closed.
    """

    def __init__(self, path: Path, head: int = HEAD_BYTES, tail: int = TAIL_BYTES) -> None:
        self._file = path.open("wb", buffering=0)
        self._room, self._n_tail = head, tail
        self._parts: deque[bytes] = deque()
        self._n_held = self._n_dropped = 0

    def write(self, data: bytes) -> None:
        """Add to the end."""
        if self._room:
            self._file.write(data[: self._room])
            data, self._room = data[self._room :], max(self._room - len(data), 0)
        if data:
            self._parts.append(data)
            self._n_held += len(data)
        while self._parts and self._n_held - len(self._parts[0]) >= self._n_tail:
            dropped = len(self._parts.popleft())
            self._n_held, self._n_dropped = self._n_held - dropped, self._n_dropped + dropped

    def close(self) -> None:
        """Write the end."""
        if self._n_dropped:
            self._file.write(f"\n[… {self._n_dropped:,} bytes left out …]\n".encode())
        for part in self._parts:
            self._file.write(part)
        self._parts.clear()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
