"""The process behind ``ProcessExecutor``: reads items, answers results, dies with its parent."""

import os
import pickle
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

READY, RESULT, FAILED = "ready", "result", "failed"


def main() -> None:
    """Serve until the parent closes the connection.

    Arguments: connection and lifeline descriptors, the function's file, threads a call.
    """
    connection_fd, lifeline_fd, path, n_threads = sys.argv[1:]
    # Ctrl-C reaches the whole terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent(int(lifeline_fd))
    connection = Connection(int(connection_fd))
    function = _load(path)
    with _limits(int(n_threads)):
        connection.send((READY, None))
        _serve(connection, function)


def _load(path: str) -> Any:
    from tunesmith.execute.handover import load

    return load(Path(path))


def _limits(n_threads: int) -> Any:
    from threadpoolctl import threadpool_limits

    return threadpool_limits(n_threads)


def _serve(connection: Connection, function: Any) -> None:
    while True:
        try:
            item = connection.recv()
        except (EOFError, ConnectionResetError):
            return
        connection.send_bytes(_answer(function, item))


def _answer(function: Any, item: Any) -> bytes:
    try:
        return pickle.dumps((RESULT, function(item)))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it travels to the parent
        return _picklable(error)


def _picklable(error: BaseException) -> bytes:
    try:
        content = pickle.dumps((FAILED, error))
        pickle.loads(content)  # noqa: S301 - some errors pickle but do not come back
    except Exception:  # noqa: BLE001
        text = "".join(traceback.format_exception_only(error)).strip()
        return pickle.dumps((FAILED, RuntimeError(text)))
    return content


def _die_with_parent(lifeline_fd: int) -> None:
    """End this process and what it has started when the parent is gone, whatever ended it.

    The lifeline's other end is open in the parent alone: its end of file is the parent's death.
    The kernel's own death signal would be quicker, but it kills this process before it can end
    its children, and it follows the parent's *thread*.
    """
    threading.Thread(target=_watch, args=(lifeline_fd,), daemon=True).start()


def _watch(lifeline_fd: int) -> None:
    while os.read(lifeline_fd, 1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
