"""Worker processes, and the fork server that starts them.

Importing the modules of a fit takes longer than many fits. The fork server imports them once, while
the run still reads its data. A worker that is forked from it can begin at once, also if it replaces
one that was stopped. Imported modules lie in memory once.
"""

import os
import selectors
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from tunesmith.errors import TunesmithError
from tunesmith.execute.bootstrap import own_program, without_path
from tunesmith.execute.fork_server_main import SEPARATOR, preload
from tunesmith.execute.forked import ForkedProcess, fork
from tunesmith.execute.late_imports import import_if_possible
from tunesmith.execute.supervisor import LAST_WORD, ORDER
from tunesmith.system import faults
from tunesmith.system.threads import n_threads, one_thread, with_threads
from tunesmith.types import EndsWithBlock

GRACE_S = 5.0
KILLED = -9
MODULE = "fork_server_main"
ALWAYS = ("tunesmith.execute.shared_data", "threadpoolctl")


@dataclass(eq=False)
class Process:
    """A worker process under its supervisor."""

    connection: Connection
    lifeline: socket.socket
    """Socket to the supervisor; it ends when all processes of the worker are gone."""

    def dismiss(self) -> None:
        """Order the supervisor to end the worker and everything that it has started."""
        with suppress(OSError):
            self.lifeline.send(ORDER)

    def kill(self) -> int:
        """End the worker and wait for its end.

        Returns:
            The return code, as in ``subprocess``: negative for a signal.
        """
        self.dismiss()
        word = b""
        # A supervisor needs milliseconds; the limit is for one that is stopped or starved.
        self.lifeline.settimeout(GRACE_S)
        with suppress(OSError):
            while part := self.lifeline.recv(LAST_WORD.size):
                word += part
        self.connection.close()
        self.lifeline.close()
        # A supervisor that sends nothing was killed, and its worker with it.
        return int(LAST_WORD.unpack(word)[0]) if len(word) == LAST_WORD.size else KILLED


class ForkServer(EndsWithBlock):
    """The fork server: starts worker processes quickly.

    Args:
        modules: modules to preload; those that cannot be imported are left to the workers.
        n_threads: BLAS and OpenMP threads of each worker.
        is_forked: import the modules here, and fork this process if it has no threads then. Only
            before code of a project is loaded.

    Raises:
        TunesmithError: the system allows no more files or processes.
    """

    sends_ahead = True

    def __init__(
        self, modules: Sequence[str] = (), *, n_threads: int = 1, is_forked: bool = False
    ) -> None:
        self.n_threads, self._modules = n_threads, (*ALWAYS, *modules)
        with _naming_limits():
            self.folder = Path(tempfile.mkdtemp(prefix="tunesmith-"))
        """Folder of the shared data; it does not survive the run, whatever ends the run."""
        try:
            self._start(is_forked=is_forked)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def preload(self, modules: Sequence[str]) -> None:
        """Preload more modules before the next worker is started."""
        self._modules = tuple(dict.fromkeys((*self._modules, *modules)))
        # A server that has ended gets the whole list when it is started again.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._control.send(SEPARATOR.join(self._modules).encode())

    def start_worker(self, path: Path, log: Path) -> Process:
        """Start a worker.

        Args:
            path: the function, as ``shared_data`` wrote it, in the server's folder.
            log: file for the output of the worker until it is ready.

        Raises:
            TunesmithError: the system allows no more files or processes.
        """
        if not self.is_alive:
            self._stop()
            self._start()
        with _naming_limits(), ExitStack() as ours, ExitStack() as theirs:
            connection, lifeline = (_pair(ours, theirs) for _ in range(2))
            stream = theirs.enter_context(log.open("wb"))
            faults.reach("run.start_worker")
            order = f"{path}{SEPARATOR}{self.n_threads}".encode()
            descriptors = [connection[1].fileno(), lifeline[1].fileno(), stream.fileno()]
            # If the server dies now, it closes the other ends, and the worker counts as dead.
            with suppress(BrokenPipeError, ConnectionResetError):
                socket.send_fds(self._control, [order], descriptors)
            # Only after sending: an error before must close our ends, too.
            ours.pop_all()
        return Process(Connection(connection[0].detach()), lifeline[0])

    @property
    def is_alive(self) -> bool:
        """True if the server's process runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the server with all its workers, and remove the shared data."""
        self._stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _stop(self) -> None:
        with suppress(OSError):
            self._lifeline.send(ORDER)
        # The process is the server's supervisor, which ends last: no worker is left afterwards.
        self._process.wait()
        self._control.close()
        self._lifeline.close()
        self._log.close()

    def selector(self) -> selectors.BaseSelector:
        """Make a selector for connections and lifelines."""
        return selectors.DefaultSelector()

    def complaint(self) -> str:
        """Output of the server's process; empty unless it died."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def _start(self, *, is_forked: bool = False) -> None:
        with _naming_limits(), ExitStack() as ours, ExitStack() as theirs:
            # Packets, not a stream: each order arrives whole, together with its own descriptors.
            self._process: ForkedProcess | subprocess.Popen[bytes]
            self._control, control = _pair(ours, theirs, socket.SOCK_SEQPACKET)
            self._lifeline, lifeline = _pair(ours, theirs)
            self._log = ours.enter_context((self.folder / "fork-server.log").open("w+b"))
            descriptors = [str(control.fileno()), str(lifeline.fileno())]
            arguments = [*descriptors, str(self.folder), *self._modules]
            kept = control.fileno(), lifeline.fileno()
            environ = without_path(self.environment())
            faults.reach("run.spawn")
            if is_forked and _is_like_a_server(self._modules):
                self._process = fork(
                    MODULE, arguments, environ=environ, log=self._log.fileno(), kept=kept
                )
            else:
                self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    own_program(MODULE, arguments),
                    stdin=subprocess.DEVNULL,
                    stdout=self._log,
                    stderr=self._log,
                    pass_fds=kept,
                    start_new_session=True,
                    env=environ,
                )
            ours.pop_all()

    def environment(self) -> dict[str, str]:
        """Environment of the workers: this process's, with one thread count for all libraries."""
        return with_threads(os.environ, self.n_threads)


def _is_like_a_server(modules: Sequence[str]) -> bool:
    """Preload modules here, and tell whether this process may fork afterwards."""
    # All of it, also what starts threads: this process goes on, and must have nothing by half.
    with one_thread():
        preload(modules, import_if_possible)
    return n_threads() == 1


@contextmanager
def _naming_limits() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TunesmithError(
            f"worker processes cannot start: {error.strerror}."
            "\n  Raise the limits on files and processes, or set fewer workers."
        ) from error


def _pair(
    ours: ExitStack, theirs: ExitStack, kind: int = socket.SOCK_STREAM
) -> tuple[socket.socket, socket.socket]:
    near, far = socket.socketpair(socket.AF_UNIX, kind)
    return ours.enter_context(near), theirs.enter_context(far)
