"""Following a program on systems that cannot wait for pipes and processes at once.

A thread reads each of its two pipes. The processes that it starts are noted while it runs, and
ended with it: such systems hand the orphans of a program to nobody.
"""

import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from tunesmith.objective.program.following import CHUNK, GLANCE_S, FollowedProgram
from tunesmith.objective.program.output_log import BoundedLog
from tunesmith.system.portable.trees import Tree, ask_group, end_marked

RUN = "TUNESMITH_RUN"
"""Variable with a value of its own in each run."""
LOOK_S = 0.5
"""Seconds between two looks for processes that it has started."""
REST_S = 2.0
"""Seconds that the rest of the output is waited for: a process that was missed may hold a pipe."""


class PipedProgram(FollowedProgram):
    """A running program, whose output threads read.

    Args:
        process: the program, in a group of its own, with pipes for its output.
        logs: files for its standard output and standard error.
        listeners: they get standard output and standard error as they come.
        environ: its environment, whose secrets are kept out of the logs.
    """

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        logs: tuple[Path, Path],
        listeners: Sequence[Callable[[bytes], None]],
        environ: Mapping[str, str],
    ) -> None:
        self._process, self._tree = process, Tree(process.pid)
        self._mark = environ.get(RUN, "")
        self._parts: queue.SimpleQueue[tuple[int, bytes]] = queue.SimpleQueue()
        self._open, self._next_look = ExitStack(), 0.0
        try:
            self._outputs = [
                (self._open.enter_context(BoundedLog(path, environ=environ)), listener)
                for path, listener in zip(logs, listeners, strict=True)
            ]
            streams = [stream for stream in (process.stdout, process.stderr) if stream is not None]
            self._readers = [
                threading.Thread(target=self._read, args=(index, stream), daemon=True)
                for index, stream in enumerate(streams)
            ]
            for reader in self._readers:
                reader.start()
        except BaseException:
            self.close()
            raise

    def _read(self, index: int, stream: IO[bytes]) -> None:
        # Without a buffer, `read` returns what is there.
        while data := stream.read(CHUNK):
            self._parts.put((index, data))

    def _listen(self, timeout_s: float | None) -> None:
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            self._look()
            # Asked before the queue: what was written before the end is in it soon afterwards.
            self.has_ended = self._process.poll() is not None
            left = GLANCE_S if end is None else min(GLANCE_S, max(end - time.monotonic(), 0.0))
            if self.has_ended or self._take(left) or (end is not None and time.monotonic() >= end):
                return

    def _look(self) -> None:
        if time.monotonic() >= self._next_look:
            self._tree.look()
            self._next_look = time.monotonic() + LOOK_S

    def _take(self, timeout_s: float) -> bool:
        """Log the next part of the output; return false if none comes in time."""
        try:
            index, data = self._parts.get(timeout=timeout_s)
        except queue.Empty:
            return False
        log, listener = self._outputs[index]
        log.write(data)
        listener(data)
        return True

    def _ask_to_end(self) -> None:
        self._tree.look()
        ask_group(self._process.pid)

    def end(self) -> int:
        """End it, if it still runs, with all its child processes; return its return code."""
        if not self.has_ended:
            self._tree.look()
            self._process.kill()
        self._end_all()
        code = self._process.wait()
        end = time.monotonic() + REST_S
        for reader in self._readers:
            reader.join(max(end - time.monotonic(), 0.0))
        while self._take(0.0):
            pass
        return code

    def _end_all(self) -> None:
        self._tree.end()
        if self._mark:
            end_marked(RUN, self._mark)

    def close(self) -> None:
        """End it if it still runs, and close its streams."""
        if self._process.poll() is None:
            self._process.kill()
            self._end_all()
            self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        self._open.close()
