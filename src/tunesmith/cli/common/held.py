"""Capture of the output of the user's code in this process; it is shown, cleaned, on stderr.

Standard output carries results, and a CI job takes some lines for commands. So the descriptors of
both streams, which libraries in C and child processes use as well, lead into a file without a name
while the user's code runs; afterwards the end of the file is shown on stderr.
"""

import io
import os
import sys
import tempfile
from types import TracebackType
from typing import Self

from tunesmith.cli.common.streams import say
from tunesmith.system.redact import printable

SHOWN_BYTES = 64 << 10


class Held:
    """A context in which nothing reaches the standard streams; it may be nested."""

    def __init__(self) -> None:
        self._depth = 0

    def __call__(self) -> Self:
        """Return itself, as a context."""
        return self

    def __enter__(self) -> Self:
        self._depth += 1
        if self._depth > 1:
            return self
        self._streams = sys.stdout, sys.stderr
        # Before the descriptors change, or the buffered text would land in the file.
        for stream in self._streams:
            stream.flush()
        # Without a name, so that a kill leaves nothing behind.
        self._file = tempfile.TemporaryFile()
        self._descriptors = os.dup(1), os.dup(2)
        for number in (1, 2):
            os.dup2(self._file.fileno(), number)
        sys.stdout, sys.stderr = (self._text(number) for number in (1, 2))
        return self

    def _text(self, number: int) -> io.TextIOWrapper:
        raw = open(number, "wb", buffering=0, closefd=False)  # noqa: SIM115
        # Unbuffered, so that the order of both streams, and of C libraries, is kept.
        return io.TextIOWrapper(raw, "utf-8", "backslashreplace", write_through=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._depth -= 1
        if self._depth:
            return
        sys.stdout, sys.stderr = self._streams
        for number, descriptor in zip((1, 2), self._descriptors, strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)
        with self._file as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - SHOWN_BYTES))
            data = file.read()
        if size > SHOWN_BYTES:
            # The first line is cut off, and a secret in it would not be known again.
            data = data.partition(b"\n")[2]
        if text := printable(data.decode(errors="replace")).rstrip():
            say(text)


def is_wanted() -> bool:
    """Tell whether output is to be captured: not if a person may be using a debugger."""
    return not (sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty())
