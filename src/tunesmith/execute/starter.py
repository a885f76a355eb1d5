"""Starters of worker processes: the fork server on Linux, loky's processes elsewhere."""

import atexit
import os
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from tunesmith.system.portable.abilities import can_supervise


class WorkerProcess(Protocol):
    """A worker process."""

    connection: Connection
    """The worker's messages."""

    @property
    def lifeline(self) -> Any:
        """Object for a selector that becomes ready when the worker has ended."""

    def dismiss(self) -> None:
        """Order the end of the worker and of everything that it has started."""

    def kill(self) -> int:
        """End the worker with everything that it has started, and wait for its end.

        Returns:
            The return code, as in ``subprocess``: negative for a signal.
        """


class Starter(Protocol):
    """Starts worker processes."""

    n_threads: int
    """BLAS and OpenMP threads of each worker."""
    folder: Path
    """Folder of the shared data; it does not survive the run, whatever ends the run."""
    sends_ahead: bool
    """True if a connection takes a message before the worker reads it."""

    @property
    def is_alive(self) -> bool:
        """True if it can start workers."""

    def preload(self, modules: Sequence[str]) -> None:
        """Import modules before the next worker is started, if that is possible."""

    def start_worker(self, path: Path, log: Path) -> WorkerProcess:
        """Start a worker.

        Args:
            path: the function, as ``shared_data`` wrote it, in the starter's folder.
            log: file for the output of the worker until it is ready.

        Raises:
            TunesmithError: the system allows no more files or processes.
        """

    def environment(self) -> dict[str, str]:
        """Environment of the workers."""

    def selector(self) -> Any:
        """Make a selector (as of ``selectors``) for connections and lifelines."""

    def complaint(self) -> str:
        """Output of the starter's own process, if that has died."""

    def close(self) -> None:
        """End all workers, and remove the shared data."""


def starter(n_threads: int = 1) -> Starter:
    """Make a starter for one executor.

    Args:
        n_threads: BLAS and OpenMP threads of each worker.

    Raises:
        TunesmithError: the system allows no more files or processes.
    """
    made: Starter = _kind()((), n_threads=n_threads)
    return made


_kept: dict[int, Starter] = {}
"""Starters by the process that owns them: a fork of this process must not use its parent's."""


def kept(modules: Sequence[str] = (), *, is_forked: bool = False) -> Starter:
    """Return the starter that stays for the next run of this process, one thread a worker.

    Args:
        modules: modules to preload, of installed packages only: those do not change between runs.
        is_forked: import them here, and fork a fork server from this process if it has no threads
            then. Only before code of a project is loaded.

    Raises:
        TunesmithError: the system allows no more files or processes.
    """
    made, kind = _kept.get(os.getpid()), _kind()
    if made is not None and made.is_alive and isinstance(made, kind):
        made.preload(modules)
        return made
    if made is None:
        atexit.register(_close_kept, os.getpid())
    else:
        made.close()
    options = {"is_forked": True} if is_forked and can_supervise() else {}
    new: Starter = kind(modules, **options)
    _kept[os.getpid()] = new
    return new


def _kind() -> Any:
    """Class of this system's starter."""
    if can_supervise():
        from tunesmith.execute.fork_server import ForkServer

        return ForkServer
    from tunesmith.execute.portable import LokyStarter

    return LokyStarter


def _close_kept(owner: int) -> None:
    if owner == os.getpid() and (made := _kept.pop(owner, None)):
        made.close()
