"""A process of our own that is forked from this one, and need not import what this one has.

A started program begins with nothing. A fork begins with everything, so it has to get rid of what
only its parent may have: open files, handlers of signals, folders of projects on the path. No code
of a project may have been loaded before.
"""

import atexit
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

from tunesmith.system import faults, shadows
from tunesmith.system.user_output import let_go

STREAMS = (0, 1, 2)


class ForkedProcess:
    """A child process, as far as ``subprocess.Popen`` is needed."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return code, negative for a signal; ``None`` while the process runs."""
        return self._look(os.WNOHANG)

    def wait(self) -> int:
        """Wait for the end, and return the code."""
        code = self._look(0)
        assert code is not None  # noqa: S101 - it has ended
        return code

    def _look(self, options: int) -> int | None:
        if self._code is None:
            found, status = os.waitpid(self.pid, options)
            if found:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code


def fork(
    module: str,
    arguments: Sequence[str],
    *,
    environ: Mapping[str, str],
    log: int,
    kept: Collection[int],
) -> ForkedProcess:
    """Call ``start`` of a module of this package in a fork, which ends with it.

    This process must have no other threads.

    Args:
        module: its name.
        arguments: of the call.
        environ: the environment.
        log: descriptor for standard output and standard error.
        kept: descriptors that stay open.
    """
    for stream in (sys.stdout, sys.stderr):
        # What is left in a buffer would be written twice.
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    places = shadows.trusted_places()
    # Python 3.12 warns if it takes the process for one with threads.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        return ForkedProcess(pid)
    code = 1
    try:
        _begin_anew(environ, places, log, kept)
        import_module(f"tunesmith.execute.{module}").start(arguments)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - nothing may return into the parent's calls
        traceback.print_exc()
    finally:
        _end(code)


def _begin_anew(
    environ: Mapping[str, str], places: Sequence[str], log: int, kept: Collection[int]
) -> None:
    """Turn a forked process into one that looks as if it had just been started."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in zip((null, log, log), STREAMS, strict=True):
        os.dup2(source, target)
    # Not only those of the parent: a shell or `make` may have left some open, too.
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - only the names
        if int(name) not in (*STREAMS, *kept):
            with suppress(OSError):  # the one that lists them is closed by now
                os.close(int(name))
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(environ)
    faults.plan(os.environ)
    shadows.let_in(list(shadows.FINDER.folders))
    sys.path[:] = places
    let_go()


def _end(code: int) -> NoReturn:
    """End as an interpreter does; the parent's calls on the stack must not go on."""
    with suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]
    with suppress(BaseException):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(BaseException):
            stream.flush()
    os._exit(code)
