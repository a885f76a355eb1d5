"""Runs a Python program again and again without its imports: a fork of a process that has them.

usage: python server.py DESCRIPTOR SCRIPT MODULE:FUNCTION IMPORT...

The descriptor is that of a listening socket. The server ends when its standard input does, so that
not even ``kill -9`` of the tests leaves it.

A caller (``stub.py``) sends its three streams, arguments, folder and environment. The answer is the
process id of the fork, and its exit status once it has ended; or nothing, if the caller has to
start the program itself, because Python or a library would read something of its environment at
the start.
"""

import atexit
import contextlib
import gc
import importlib
import io
import marshal
import os
import pkgutil
import selectors
import signal
import socket
import struct
import sys
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

READ_AT_START = ("PYTHON", "LANG", "LC_", "LD_", "OMP_", "OPENBLAS_", "MKL_", "NUMEXPR_")
NUMBER = struct.Struct("i")
REFUSED = -1
STREAMS = 3


@dataclass
class Job:
    """One call of the program."""

    arguments: list[str]
    folder: str
    environ: dict[str, str]
    umask: int
    streams: list[int]
    caller: int
    """A process id."""

    def is_alike(self) -> bool:
        """Say if this process would look the same, had it been started by the caller."""
        if os.getsid(self.caller) != os.getsid(0):
            return False  # processes change into groups of their own session alone
        return _read_at_start(self.environ) == _read_at_start(dict(os.environ))

    def become(self) -> None:
        """Make this process, which has just been forked, the one that was asked for."""
        os.setpgid(0, os.getpgid(self.caller))
        for number, stream in enumerate(self.streams):
            os.dup2(stream, number)
            os.close(stream)
        for name in ("stdin", "stdout", "stderr"):
            _open_again(name)
        os.chdir(self.folder)
        os.umask(self.umask)
        os.environ.clear()
        os.environ.update(self.environ)
        sys.argv[:] = self.arguments
        if libgit2 := sys.modules.get("pygit2"):
            level = libgit2.enums.ConfigLevel.GLOBAL
            libgit2.settings.search_path[level] = self.environ.get("HOME", "")
        if numpy := sys.modules.get("numpy"):
            numpy.random.seed()


def _open_again(name: str) -> None:
    """Make a stream anew: it has kept in mind what kind of file it was opened on."""
    old = getattr(sys, name)
    file = open(old.fileno(), old.mode.rstrip("+") + "b", closefd=False)  # noqa: SIM115
    is_direct = name == "stderr" or file.isatty()
    new = io.TextIOWrapper(file, old.encoding, old.errors, line_buffering=is_direct)
    setattr(sys, name, new)
    setattr(sys, f"__{name}__", new)


def _read_at_start(environ: dict[str, str]) -> dict[str, str]:
    return {k: v for k, v in environ.items() if k.startswith(READ_AT_START) and k != "PYTHONPATH"}


@dataclass
class Server:
    """Forks for each caller, and tells it how that has ended."""

    listener: socket.socket
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    running: dict[int, int] = field(default_factory=dict)
    """Descriptor of a caller's connection -> process id."""

    def is_called(self) -> bool:
        """Wait for the first caller; what nobody calls need not be imported."""
        self.selector.register(self.listener, selectors.EVENT_READ, self._accept)
        self.selector.register(0, selectors.EVENT_READ, None)
        return any(key.fd != 0 for key, _ in self.selector.select())

    def serve(self) -> Job | None:
        """Answer callers.

        Returns:
            In a forked process what it has to do; in this one nothing, once standard input ends.
        """
        while True:
            for key, _ in self.selector.select():
                if key.fd == 0:
                    return None
                job: Job | None = key.data()
                if job is not None:
                    return job

    def _accept(self) -> Job | None:
        connection, _ = self.listener.accept()
        connection.settimeout(10)
        try:
            job = _received(connection)
        except (OSError, EOFError, ValueError):  # the caller was killed
            connection.close()
            return None
        if not job.is_alike():
            self._refuse(connection, job)
            return None
        pid = os.fork()
        if not pid:
            self.selector.close()
            self.listener.close()
            connection.close()
            return job
        for stream in job.streams:
            os.close(stream)
        ended = os.pidfd_open(pid)
        self.running[connection.fileno()] = pid
        self.selector.register(ended, selectors.EVENT_READ, lambda: self._end(ended, connection))
        self.selector.register(connection, selectors.EVENT_READ, lambda: self._kill(connection))
        with contextlib.suppress(OSError):
            connection.sendall(NUMBER.pack(pid))
        return None

    def _refuse(self, connection: socket.socket, job: Job) -> None:
        for stream in job.streams:
            os.close(stream)
        with contextlib.suppress(OSError), connection:
            connection.sendall(NUMBER.pack(REFUSED))

    def _end(self, ended: int, connection: socket.socket) -> None:
        self.selector.unregister(ended)
        os.close(ended)
        _, status = os.waitpid(self.running.pop(connection.fileno()), 0)
        with contextlib.suppress(KeyError):
            self.selector.unregister(connection)
        with contextlib.suppress(OSError), connection:
            connection.sendall(NUMBER.pack(status))

    def _kill(self, connection: socket.socket) -> None:
        """End a process whose caller was killed."""
        self.selector.unregister(connection)
        os.kill(self.running[connection.fileno()], signal.SIGKILL)


def _received(connection: socket.socket) -> Job:
    head, streams, _, _ = socket.recv_fds(connection, NUMBER.size, STREAMS)
    (size,) = NUMBER.unpack(head)
    with connection.makefile("rb") as file:
        arguments, folder, environ, umask, caller = marshal.loads(file.read(size))  # noqa: S302
    return Job(arguments, folder, environ, umask, list(streams), caller)


def import_all(names: Sequence[str]) -> None:
    """Import modules, and for ``name.*`` a package with all below it that can be imported."""
    for name in names:
        for found in _below(name.removesuffix(".*")) if name.endswith(".*") else (name,):
            with contextlib.suppress(ImportError):
                importlib.import_module(found)


def _below(name: str) -> Iterator[str]:
    package = importlib.import_module(name)
    yield name
    for module in pkgutil.walk_packages(package.__path__, f"{name}.", onerror=lambda _: None):
        if not module.name.rpartition(".")[2].startswith("__"):
            yield module.name


def _search(script: str, standard: list[str]) -> None:
    """Let modules be found as for a script in its folder, and with the caller's ``PYTHONPATH``."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [str(Path(script).parent), *filter(None, given), *standard]
    importlib.invalidate_caches()


def _run(descriptor: str, script: str, entry: str, *names: str) -> None:
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    standard = [place for place in sys.path[1:] if place not in given]
    _search(script, standard)
    server = Server(socket.socket(fileno=int(descriptor)))
    if not server.is_called():
        return
    module, _, function = entry.partition(":")
    main = getattr(importlib.import_module(module), function)
    import_all(names)
    gc.collect()
    gc.freeze()
    job = server.serve()
    if job is None:
        return
    job.become()
    _search(script, standard)
    sys.modules["__main__"].__file__ = script
    _end(_code(main))


def run_script() -> None:
    """Do what ``python script.py`` does; whatever else is asked of Python is left to it."""
    program, *words = sys.argv
    if not words or not words[0].endswith(".py"):
        os.execv(program, [program, *words])  # noqa: S606
    sys.argv[:] = words
    sys.path[0] = str(Path(words[0]).resolve().parent)
    module = types.ModuleType("__main__")
    module.__file__ = os.path.abspath(words[0])  # noqa: PTH100
    sys.modules["__main__"] = module
    code = compile(Path(module.__file__).read_bytes(), module.__file__, "exec")
    exec(code, vars(module))  # noqa: S102


def _code(main: Callable[[], object]) -> int:
    """Call the program, and turn what it ends with into an exit code as Python does."""
    try:
        found = main()
    except SystemExit as error:
        found = error.code
    except BaseException:  # noqa: BLE001
        sys.excepthook(*sys.exc_info())
        return 1
    if isinstance(found, str):
        print(found, file=sys.stderr)
    return int(found or 0) if isinstance(found, int | None) else 1


def _end(code: int) -> NoReturn:
    """End as Python does, but for taking all modules apart, which would copy all their memory."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    _run(*sys.argv[1:])
