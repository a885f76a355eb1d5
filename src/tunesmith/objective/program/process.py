"""One run of a program: started without a shell, followed, and ended with all child processes."""

import os
import secrets
import selectors
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from tunesmith.objective.program.following import CHUNK, FollowedProgram, Limits
from tunesmith.objective.program.output_log import BoundedLog
from tunesmith.objective.program.piped import RUN, PipedProgram
from tunesmith.system.child_processes import adopt_orphans, descendants, sweep
from tunesmith.system.out_of_memory import killed_words, kills
from tunesmith.system.portable.abilities import KILL, can_limit_memory, can_supervise
from tunesmith.system.portable.trees import ask_group, own_group


@dataclass(frozen=True)
class Ended:
    """The end of a run."""

    code: int
    """Return code as in ``subprocess``: negative for a signal."""
    was_stopped: bool = False
    """True if ``is_enough`` ended it."""
    was_late: bool = False
    """True if its time was up."""
    seconds: float = 0.0
    killed: str = "killed by SIGKILL"
    """Words for SIGKILL, if it ended the run."""


def _nobody(data: bytes) -> None:
    """Listen to nothing."""


def never() -> bool:
    """Never end a run."""
    return False


def run(
    argv: Sequence[str],
    folder: Path,
    *,
    environ: Mapping[str, str],
    logs: tuple[Path, Path],
    limits: Limits,
    is_enough: Callable[[], bool] | None = None,
    listeners: Sequence[Callable[[bytes], None]] = (),
    start: Callable[..., "subprocess.Popen[bytes]"] = subprocess.Popen,
) -> Ended:
    """Run a program to its end; afterwards, no process that it started is left.

    Args:
        argv: the program and its arguments.
        folder: its working folder.
        environ: its whole environment.
        logs: files for its standard output and standard error, without secrets.
        limits: time and memory.
        is_enough: called again and again while it runs; true ends it.
        listeners: they get standard output and standard error as they come.
        start: as ``subprocess.Popen``.

    Raises:
        OSError: it cannot be started.
    """
    # Before the start, so that orphans of the program come to this process.
    adopt_orphans()
    # Processes that exist already are not the program's, and are spared.
    others = descendants(os.getpid())
    if not can_supervise():
        # It reaches all that the program starts, also what leaves it before it is seen.
        environ = {**environ, RUN: secrets.token_hex(8)}
    began, before = time.monotonic(), kills()
    process = _started(start, argv, folder, environ)
    heard = listeners or (_nobody, _nobody)
    with _following(process, logs, others, heard, environ) as followed:
        if limits.memory is not None and can_limit_memory():
            _limit_memory(process.pid, limits.memory)
        was_stopped, was_late = followed.within(limits, began, is_enough)
        code = followed.end()
    seconds = time.monotonic() - began
    if code != -KILL:
        return Ended(code, was_stopped, was_late, seconds)
    return Ended(code, was_stopped, was_late, seconds, killed_words(before, kills()))


def _started(
    start: Callable[..., "subprocess.Popen[bytes]"],
    argv: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
) -> "subprocess.Popen[bytes]":
    # Without input, a program that asks a question gets an end of file and does not wait.
    return start(
        list(argv),
        cwd=folder,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        **own_group(),
    )


def _following(
    process: "subprocess.Popen[bytes]",
    logs: tuple[Path, Path],
    others: Collection[int],
    listeners: Sequence[Callable[[bytes], None]],
    environ: Mapping[str, str],
) -> FollowedProgram:
    if can_supervise():
        return _Followed(process, logs, others, listeners, environ)
    return PipedProgram(process, logs, listeners, environ)


def _limit_memory(process: int, n_bytes: int) -> None:
    import resource

    # From outside, since a hook between fork and exec would make every start slow.
    with suppress(ProcessLookupError, PermissionError):
        resource.prlimit(process, resource.RLIMIT_AS, (n_bytes, n_bytes))


class _Followed(FollowedProgram):
    """A program under Linux, whose end and output one call waits for."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        logs: tuple[Path, Path],
        others: Collection[int],
        listeners: Sequence[Callable[[bytes], None]],
        environ: Mapping[str, str],
    ) -> None:
        self._process, self._selector = process, selectors.DefaultSelector()
        self._others = others
        self._open = ExitStack()
        try:
            # It becomes readable at the end, so that one `select` waits for the end and for output.
            self._end = os.pidfd_open(process.pid)
            self._open.callback(os.close, self._end)
            self._selector.register(self._end, selectors.EVENT_READ)
            streams = zip((process.stdout, process.stderr), logs, listeners, strict=True)
            for stream, path, listener in streams:
                assert stream is not None  # noqa: S101 - both were asked for
                # `end` reads until nothing is left, which must not wait for whoever else holds the
                # pipe.
                os.set_blocking(stream.fileno(), False)
                log = self._open.enter_context(BoundedLog(path, environ=environ))
                self._selector.register(stream, selectors.EVENT_READ, (log, listener))
        except BaseException:
            self.close()
            raise

    def _listen(self, timeout_s: float | None) -> None:
        for key, _ in self._selector.select(timeout_s):
            if key.data is None:
                # The end of the pipes tells nothing: a process that is left behind may hold them
                # open.
                self.has_ended = True
            else:
                self._take(key)

    def _take(self, key: selectors.SelectorKey) -> bool:
        """Log the output that is there; return true if there may be more."""
        try:
            data = os.read(key.fd, CHUNK)
        except BlockingIOError:
            return False
        if data:
            log, listener = key.data
            log.write(data)
            listener(data)
        else:
            self._selector.unregister(key.fileobj)
        return bool(data)

    def end(self) -> int:
        """End it, if it still runs, with all its child processes; return its return code."""
        # Before the sweep, which would take the status away.
        if not self.has_ended:
            self._process.kill()
        code = self._process.wait()
        sweep(self._others)
        # The rest of the output: by now no process can write into the pipes.
        for key in [key for key in self._selector.get_map().values() if key.data is not None]:
            while self._take(key):
                pass
        return code

    def _ask_to_end(self) -> None:
        ask_group(self._process.pid)

    def close(self) -> None:
        """End it if it still runs, and close its streams."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
            sweep(self._others)
        self._selector.close()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        self._open.close()
