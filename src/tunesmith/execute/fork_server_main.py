"""The fork server: imports modules once, then forks every worker process from itself.

Only a process without threads may fork and continue. If an import has started threads, workers are
started as programs of their own and import everything themselves.
"""

import gc
import os
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain
from multiprocessing.connection import wait
from pathlib import Path

from tunesmith.execute import worker
from tunesmith.execute.bootstrap import own_program
from tunesmith.execute.late_imports import import_early
from tunesmith.execute.supervisor import supervise
from tunesmith.system.quick_imports import importing
from tunesmith.system.threads import n_threads

MAX_ORDER_BYTES = 1 << 16
IDLE_S = 300.0
"""Seconds after which an idle fork server ends; the run starts another if it needs one."""
SEPARATOR = "\0"


def main(arguments: Sequence[str]) -> list[str]:
    """Fork one worker per order until the run closes the control socket, then exit.

    Args:
        arguments: control and lifeline descriptors, the server's folder, names of modules to
            import.

    Returns:
        The arguments of a worker, in the worker only; the server itself never returns.
    """
    control, lifeline, folder, *modules = arguments
    supervise(int(lifeline), Path(folder), close=int(control))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    workers = _Workers(socket.socket(fileno=int(control)))
    workers.preload(modules)
    return workers.serve()


def preload(modules: Sequence[str], load: Callable[[str], bool]) -> bool:
    """Import modules that forks of this process are going to need; none of them has to exist.

    Args:
        modules: by name.
        load: imports one of them; false if that has left something imported by half.

    Returns:
        True if nothing is imported by half.
    """
    with importing():
        # A list: all are imported, also after one of them was left by half.
        are_whole = [load(name) for name in modules]
    # A collection in a worker would touch, and so copy, all that the workers share.
    gc.freeze()
    return all(are_whole)


class _Workers:
    """The supervisors of the workers, as the fork server sees them."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._supervisors: dict[int, tuple[int, int]] = {}
        """(process id, lifeline) of each supervisor, by the descriptor that reports its end."""
        self._is_whole = True

    def preload(self, modules: Sequence[str]) -> None:
        self._is_whole &= preload(modules, import_early)

    def serve(self) -> list[str]:
        while True:
            ready = wait([self._control, *self._supervisors], IDLE_S)
            if not ready and not self._supervisors:
                sys.exit()
            for end in [end for end in self._supervisors if end in ready]:
                self._reap(end)
            if self._control in ready:
                order, descriptors, *_ = socket.recv_fds(
                    self._control, MAX_ORDER_BYTES, 3, socket.MSG_CMSG_CLOEXEC
                )
                if not order:
                    sys.exit()
                if arguments := self._handle_order(order.decode().split(SEPARATOR), descriptors):
                    return arguments

    def _handle_order(self, words: list[str], descriptors: list[int]) -> list[str] | None:
        """Import modules, or start a worker.

        Returns the worker's arguments in the new process, and ``None`` in the server.
        """
        # An order with descriptors starts a worker; one without them preloads modules.
        if not descriptors:
            self.preload(words)
            return None
        connection, lifeline, log = descriptors
        arguments = [str(connection), str(lifeline), *words]
        try:
            may_fork = self._is_whole and n_threads() == 1
            process = _fork() if may_fork else _spawn(arguments, log)
        except OSError as error:
            os.write(log, str(error).encode())
        else:
            if process == 0:
                self._leave(log)
                return arguments
            # Keep a copy of the lifeline open. The run sees its end only when all copies are
            # closed, which is after this server has killed the whole process group.
            self._supervisors[os.pidfd_open(process)] = process, os.dup(lifeline)
        for descriptor in descriptors:
            os.close(descriptor)
        return None

    def _leave(self, log: int) -> None:
        """Turn a forked process into one that looks as if it had just been started."""
        # A session of its own, so that `killpg` on the supervisor's id reaches the worker's group
        # only.
        os.setsid()
        for stream in (1, 2):
            os.dup2(log, stream)
        # The descriptors of other workers must not stay open here: their lifelines would not end
        # when their supervisors do.
        others = [(end, lifeline) for end, (_, lifeline) in self._supervisors.items()]
        for descriptor in (log, *chain.from_iterable(others)):
            os.close(descriptor)
        self._control.close()
        # NumPy seeds its global generator when it is imported; ``random`` looks after itself.
        if random := sys.modules.get("numpy.random"):
            random.seed()

    def _reap(self, end: int) -> None:
        supervisor, lifeline = self._supervisors.pop(end)
        # The supervisor may have been killed from outside before it could end its worker. This must
        # come before `waitpid`, which frees the number of the process group.
        with suppress(ProcessLookupError):
            os.killpg(supervisor, signal.SIGKILL)
        os.waitpid(supervisor, 0)
        for descriptor in (end, lifeline):
            os.close(descriptor)


def _fork() -> int:
    # Python 3.12 warns if it takes the process for one with threads, which were counted before.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _spawn(arguments: list[str], log: int) -> int:
    for descriptor in map(int, arguments[:2]):
        os.set_inheritable(descriptor, True)
    return os.posix_spawn(
        sys.executable,
        own_program("worker", arguments),
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)],
        setsid=True,
    )


def start(arguments: Sequence[str]) -> None:
    """Serve as the fork server; in each forked process, become a worker."""
    worker.main(main(arguments))
