"""The process behind ``ProcessExecutor``: reads items, answers results, dies with its parent."""

import ctypes
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
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve until the parent closes the connection.

    Arguments: connection and lifeline descriptors, the function's file, the parent's process id
    (0 where its main thread did not start this process), threads a call.
    """
    connection_fd, lifeline_fd, path, parent, n_threads = sys.argv[1:]
    # Ctrl-C reaches the whole terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent(int(lifeline_fd), int(parent))
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


def _die_with_parent(lifeline_fd: int, parent: int) -> None:
    """End this process group when the parent is gone, whatever ended it.

    The lifeline's other end is open in the parent alone: its end of file is the parent's death.
    The kernel's death signal also reaches a process whose interpreter is stuck in native code;
    it follows the parent's *thread*, so it is only used when that is the main one.
    """
    threading.Thread(target=_watch, args=(lifeline_fd,), daemon=True).start()
    if parent:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.killpg(0, signal.SIGKILL)


def _watch(lifeline_fd: int) -> None:
    while os.read(lifeline_fd, 1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
