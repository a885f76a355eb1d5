"""Worker processes, and the nest that they are forked from.

Importing what a fit needs takes longer than many a fit. The nest does it once, while the run is
still reading its data, and a worker that is forked from it can begin at once, also in the place of
one that was stopped. What is imported lies in memory once.
"""

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

from tunesmith import faults
from tunesmith.errors import TunesmithError
from tunesmith.execute.bootstrap import own_program, without_path
from tunesmith.execute.brood import SEPARATOR
from tunesmith.execute.guard import LAST_WORD, ORDER

GRACE_S = 5.0
KILLED = -9
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)
OWN_VARIABLES = (*THREAD_VARIABLES, "JE_ARROW_MALLOC_CONF")
"""Worker processes have values of their own of these."""
# One of Arrow's allocators starts a thread when imported, which would keep the nest from forking.
NO_THREADS = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
ALWAYS = ("tunesmith.execute.handover", "threadpoolctl")


@dataclass(eq=False)
class Process:
    """A worker process under its guard."""

    connection: Connection
    lifeline: socket.socket
    """To the guard; at its end when the guard, and with it everything of the worker's, is gone."""

    def dismiss(self) -> None:
        """Tell its guard to end it and everything that it has started."""
        with suppress(OSError):
            self.lifeline.send(ORDER)

    def kill(self) -> int:
        """End it, and wait for the end.

        Returns:
            The return code, as in ``subprocess``.
        """
        self.dismiss()
        word = b""
        self.lifeline.settimeout(GRACE_S)
        with suppress(OSError):
            while part := self.lifeline.recv(LAST_WORD.size):
                word += part
        self.connection.close()
        self.lifeline.close()
        # A guard that said nothing was killed, and its worker with it.
        return int(LAST_WORD.unpack(word)[0]) if len(word) == LAST_WORD.size else KILLED


class Nest:
    """Starts worker processes quickly.

    Args:
        modules: what to import ahead; what cannot be imported is left to the workers.
        n_threads: BLAS and OpenMP threads of each worker.

    Raises:
        TunesmithError: the system allows no more files or processes.
    """

    def __init__(self, modules: Sequence[str] = (), *, n_threads: int = 1) -> None:
        self.n_threads, self._modules = n_threads, (*ALWAYS, *modules)
        with _naming_limits():
            self.folder = Path(tempfile.mkdtemp(prefix="tunesmith-"))
        """For what is handed over to workers; it does not survive the run, whatever ends that."""
        try:
            self._start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def bring(self, modules: Sequence[str]) -> None:
        """Have more modules imported, before the next worker is started."""
        self._modules = tuple(dict.fromkeys((*self._modules, *modules)))
        # One that has ended will be told when it is started anew.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._control.send(SEPARATOR.join(self._modules).encode())

    def hatch(self, path: Path, log: Path) -> Process:
        """Start a worker.

        Args:
            path: the function, as ``handover`` wrote it; in the nest's folder.
            log: for what the worker says until it is ready.

        Raises:
            TunesmithError: the system allows no more files or processes.
        """
        if not self.is_alive:
            self._stop()
            self._start()
        with _naming_limits(), ExitStack() as ours, ExitStack() as theirs:
            connection, lifeline = (_pair(ours, theirs) for _ in range(2))
            stream = theirs.enter_context(log.open("wb"))
            faults.reach("run.hatch")
            order = f"{path}{SEPARATOR}{self.n_threads}".encode()
            descriptors = [connection[1].fileno(), lifeline[1].fileno(), stream.fileno()]
            # A nest that dies now takes the other ends with it, and so the worker is seen to die.
            with suppress(BrokenPipeError, ConnectionResetError):
                socket.send_fds(self._control, [order], descriptors)
            ours.pop_all()
        return Process(Connection(connection[0].detach()), lifeline[0])

    @property
    def is_alive(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it and whatever has come from it."""
        self._stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _stop(self) -> None:
        with suppress(OSError):
            self._lifeline.send(ORDER)
        self._process.wait()
        self._control.close()
        self._lifeline.close()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def complaint(self) -> str:
        """What it has said, which is nothing unless it died."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def _start(self) -> None:
        with _naming_limits(), ExitStack() as ours, ExitStack() as theirs:
            self._control, control = _pair(ours, theirs, socket.SOCK_SEQPACKET)
            self._lifeline, lifeline = _pair(ours, theirs)
            self._log = ours.enter_context((self.folder / "nest.log").open("w+b"))
            descriptors = [str(control.fileno()), str(lifeline.fileno())]
            arguments = [*descriptors, str(self.folder), *self._modules]
            faults.reach("run.spawn")
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                own_program("brood", arguments),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=(control.fileno(), lifeline.fileno()),
                start_new_session=True,
                env=without_path(self.environment()),
            )
            ours.pop_all()

    def environment(self) -> dict[str, str]:
        """The environment of the workers."""
        limits = dict.fromkeys(THREAD_VARIABLES, str(self.n_threads))
        return {**NO_THREADS, **os.environ, **limits}


_kept: dict[int, Nest] = {}
"""By the process that it belongs to: a fork of this one must not speak for it."""


def kept(modules: Sequence[str] = ()) -> Nest:
    """A nest with one thread a worker that stays for the next run of this process.

    Args:
        modules: what to import ahead; of installed packages only, for they may not change.

    Raises:
        TunesmithError: the system allows no more files or processes.
    """
    nest = _kept.get(os.getpid())
    if nest is not None and nest.is_alive:
        nest.bring(modules)
        return nest
    if nest is None:
        atexit.register(_close_kept, os.getpid())
    else:
        nest.close()
    _kept[os.getpid()] = Nest(modules)
    return _kept[os.getpid()]


def _close_kept(owner: int) -> None:
    if owner == os.getpid() and (nest := _kept.pop(owner, None)):
        nest.close()


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
