"""The worker process: reads items and answers with results until the run closes the connection."""

import os
import pickle
import signal
import struct
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tunesmith.system import faults
from tunesmith.system.importing import user_frames
from tunesmith.system.interruptions import is_ours

READY, RESULT, FAILED = "ready", "result", "failed"
UNREADABLE = "the function cannot be made again: "
"""Begin of what a worker says that cannot read the function of a run."""
DURATION = struct.Struct("<d")
"""Header of an answer: the seconds that the call took."""


def main(arguments: Sequence[str]) -> None:
    """Serve until the run closes the connection.

    Args:
        arguments: connection and lifeline descriptors, the function's file, threads per call.
    """
    from tunesmith.execute.supervisor import supervise

    connection_fd, lifeline_fd, path, n_threads = arguments
    supervise(int(lifeline_fd), Path(path).parent, close=int(connection_fd))
    # Ctrl-C reaches the whole terminal; the run decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _volunteer()
    serve(Connection(int(connection_fd)), Path(path), int(n_threads))


def serve(connection: Connection, path: Path, n_threads: int) -> None:
    """Load the function, and answer calls of it until the run closes the connection.

    Args:
        connection: to the run.
        path: the function's file.
        n_threads: BLAS and OpenMP threads of each call.
    """
    function = _load(path, connection.recv_bytes())
    # After the function is loaded: the limits reach only the libraries that are loaded by then.
    with _limits(n_threads):
        _fall_silent()
        connection.send_bytes(DURATION.pack(0.0) + pickle.dumps((READY, None)))
        _serve(connection, function)


def _volunteer() -> None:
    """Offer this process to the kernel if memory runs out: a worker costs one call, the run all."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def _fall_silent() -> None:
    """Drop what calls print: nobody reads it, and it would fill the disk."""
    sink = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(sink, stream)
    os.close(sink)


def _load(path: Path, surroundings: bytes) -> Any:
    # Imported late: the supervisor is forked before, and stays small without it.
    from tunesmith.execute import shared_data

    shared_data.settle_in(surroundings)
    try:
        return shared_data.load(path)
    # A lack of memory or a lost file is the machine's, and another try may help.
    except (MemoryError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - the user's code runs while objects are made again
        frames = "".join(f"\n  {line}" for text in user_frames(error) for line in text.splitlines())
        told = "".join(traceback.format_exception_only(error)).strip()
        # The run reads the output of a worker that never was ready.
        sys.stderr.write(f"{UNREADABLE}{told}{frames}\n")
        sys.exit(1)


def _limits(n_threads: int) -> Any:
    from threadpoolctl import threadpool_limits

    return threadpool_limits(n_threads)


def _serve(connection: Connection, function: Any) -> None:
    while True:
        try:
            item = connection.recv()
        except (EOFError, ConnectionResetError):
            return
        began = time.perf_counter()
        answer = _answer(function, item)
        # Tests kill the worker here and after the answer: a result may be neither lost nor counted
        # twice.
        faults.reach("worker.answer")
        connection.send_bytes(DURATION.pack(time.perf_counter() - began) + answer)
        faults.reach("worker.answered")


def _answer(function: Any, item: Any) -> bytes:
    try:
        return pickle.dumps((RESULT, function(item)))
    except BaseException as error:
        if is_ours(error):
            raise
        return _picklable(error)


def _picklable(error: BaseException) -> bytes:
    try:
        content = pickle.dumps((FAILED, error))
        pickle.loads(content)  # noqa: S301 - some errors pickle but do not come back
    except Exception:  # noqa: BLE001
        return _told(error)
    # In the run's process, which raises the errors of results, these would end the run.
    is_an_end = not isinstance(error, Exception | SystemExit)
    return _told(error) if is_an_end else content


def _told(error: BaseException) -> bytes:
    text = "".join(traceback.format_exception_only(error)).strip()
    return pickle.dumps((FAILED, RuntimeError(text)))


start = main
"""Entry point that ``bootstrap`` calls."""
