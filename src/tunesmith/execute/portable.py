"""Worker processes on any system: loky starts them, joblib brings loky along.

There is no fork server and no supervisor here. Each worker is a program of its own, which imports
what it needs. A worker that must end is killed with all processes that come from it, as psutil sees
them; if the run dies, each of its workers notices that and ends itself in the same way.
"""

import os
import selectors
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NoReturn

from tunesmith.errors import TunesmithError
from tunesmith.execute import worker
from tunesmith.system import faults, shadows
from tunesmith.system.portable.abilities import KILL
from tunesmith.system.portable.trees import Tree
from tunesmith.system.threads import with_threads

GRACE_S = 5.0
ORDER = b"!"
"""Message that orders the end of a worker; without it, the run is dead."""
SLICE_S = 0.2
"""Longest wait in one piece: on Windows, signals are handled between two pieces only."""


class LokyProcess:
    """A worker process of loky.

    Args:
        process: as ``multiprocessing.Process``, started.
        connection: to the worker.
        guard: connection that ends with this process, by which the worker sees its end.
    """

    def __init__(self, process: Any, connection: Connection, guard: Connection) -> None:
        self.connection, self._process, self._guard = connection, process, guard

    @property
    def lifeline(self) -> int:
        """Descriptor or handle that becomes ready when the worker has ended."""
        return int(self._process.sentinel)

    def dismiss(self) -> None:
        """Order the end of the worker and of everything that it has started."""
        # An idle worker ends itself now; one that holds Python's lock is ended by `kill`.
        with suppress(OSError):
            self._guard.send_bytes(ORDER)

    def kill(self) -> int:
        """End the worker with everything that it has started, and wait for its end.

        Returns:
            The return code, as in ``subprocess``: negative for a signal.
        """
        if self._process.is_alive():
            tree = Tree(self._process.pid)
            tree.look()
            with suppress(OSError):
                os.kill(self._process.pid, KILL)
            tree.end_seen()
        self._process.join(GRACE_S)
        code = self._process.exitcode
        self.connection.close()
        self._guard.close()
        return -9 if code is None else int(code)


class WaitingSelector:
    """A selector over ``multiprocessing.connection.wait``, which knows Windows' pipes."""

    def __init__(self) -> None:
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, source: Any, events: int, data: Any = None) -> None:
        """Listen to a connection, or to the end of a process."""
        number = source if isinstance(source, int) else source.fileno()
        self._keys[source] = selectors.SelectorKey(source, number, events, data)

    def unregister(self, source: Any) -> None:
        """Listen to it no more."""
        del self._keys[source]

    def select(self, timeout_s: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait until something is ready, or the time is up."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            left = SLICE_S if end is None else min(SLICE_S, max(end - time.monotonic(), 0.0))
            ready = wait(list(self._keys), left)
            if ready or (end is not None and time.monotonic() >= end):
                return [(self._keys[source], selectors.EVENT_READ) for source in ready]

    def close(self) -> None:
        """Forget everything."""
        self._keys.clear()


class LokyStarter:
    """Starts worker processes by loky.

    Args:
        modules: not used: every worker imports what it needs.
        n_threads: BLAS and OpenMP threads of each worker.

    Raises:
        TunesmithError: the system allows no more files.
    """

    is_alive = True
    sends_ahead = False

    def __init__(self, modules: Sequence[str] = (), *, n_threads: int = 1) -> None:  # noqa: ARG002
        self.n_threads = n_threads
        with _naming_limits():
            self.folder = Path(tempfile.mkdtemp(prefix="tunesmith-"))
        self._workers: list[LokyProcess] = []

    def preload(self, modules: Sequence[str]) -> None:
        """Nothing can be imported for the workers."""

    def start_worker(self, path: Path, log: Path) -> LokyProcess:
        """Start a worker.

        Args:
            path: the function, as ``shared_data`` wrote it, in the starter's folder.
            log: file for the output of the worker until it is ready.

        Raises:
            TunesmithError: the system allows no more files or processes.
        """
        from joblib.externals.loky.backend import get_context

        context = get_context("loky")
        faults.reach("run.start_worker")
        with _naming_limits(), _trusted_places():
            log.touch()
            ours, theirs = context.Pipe(duplex=True)
            guarded, guard = context.Pipe(duplex=False)
            process = context.Process(
                target=serve, args=(theirs, guarded, str(path), str(log), self.n_threads)
            )
            # The project's files must not replace modules before the worker knows them.
            process.env = {
                **with_threads({}, self.n_threads),
                "PYTHONPATH": "",
                "PYTHONSAFEPATH": "1",
            }
            process.start()
        theirs.close()
        guarded.close()
        return LokyProcess(process, ours, guard)

    def environment(self) -> dict[str, str]:
        """Environment of the workers: this process's, with one thread count for all libraries."""
        return with_threads(os.environ, self.n_threads)

    def selector(self) -> WaitingSelector:
        """Make a selector for connections and lifelines."""
        return WaitingSelector()

    def complaint(self) -> str:
        """There is no process besides the workers."""
        return ""

    def close(self) -> None:
        """Remove the shared data; executors end their own workers."""
        shutil.rmtree(self.folder, ignore_errors=True)


def serve(connection: Connection, guarded: Connection, path: str, log: str, n_threads: int) -> None:
    """Serve as a worker until the run closes the connection or ends.

    Args:
        connection: to the run.
        guarded: it ends with the run.
        path: the function's file.
        log: file for the output until the worker is ready.
        n_threads: BLAS and OpenMP threads of each call.
    """
    # Ctrl-C reaches the whole terminal; the run decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    folder = Path(path).parent.parent
    threading.Thread(target=_guard, args=(guarded, folder), daemon=True).start()
    worker.serve(connection, Path(path), n_threads)


def _guard(guarded: Connection, folder: Path) -> NoReturn:
    """End this process with all that come from it when the run ends."""
    is_run_alive = False
    with suppress(EOFError, OSError):
        is_run_alive = guarded.recv_bytes() == ORDER
    tree = Tree(os.getpid())
    tree.look()
    tree.end_seen()
    if not is_run_alive:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


@contextmanager
def _trusted_places() -> Iterator[None]:
    """For the duration of the block, keep projects' folders out of the path that loky passes on."""
    places = sys.path[:]
    sys.path[:] = shadows.trusted_places()
    try:
        yield
    finally:
        sys.path[:] = places


@contextmanager
def _naming_limits() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TunesmithError(
            f"worker processes cannot start: {error.strerror}."
            "\n  Raise the limits on files and processes, or set fewer workers."
        ) from error
