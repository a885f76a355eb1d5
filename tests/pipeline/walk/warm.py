"""``tunesmith`` and ``dvc`` without the time that their imports take: most of a walk's.

A server has imported both and forks for each call. On the path stand programs of the same names
that hand their arguments, folder, environment and streams over to it. All that is imported is the
real thing; only what a first import does is not seen.
"""

import atexit
import contextlib
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

ROOMS = ("tunesmith", "dvc.commands", "dvc.repo", "dvc.stage", "dvc_data", "scmrepo", "dvc_task")
LEFT_OUT = ("tunesmith.testing", "tunesmith.templates", "tunesmith.__main__")
CLIENT = """\
#!{python} -IS
import array, json, os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
    server.connect({address!r})
    call = {{"name": {name!r}, "argv": sys.argv[1:], "cwd": os.getcwd(), "env": dict(os.environ)}}
    data = json.dumps(call).encode()
    streams = array.array("i", [0, 1, 2])
    server.sendmsg([b"%16d" % len(data)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
    server.sendall(data)
    answer = server.makefile().readline()
sys.exit(int(answer) if answer else 255)
"""


@contextlib.contextmanager
def warm() -> Iterator[Path]:
    """A folder of programs to put on the path; the server ends with it."""
    with tempfile.TemporaryDirectory(prefix="warm-") as name:
        folder = Path(name)
        address = str(folder / "socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
            listening.bind(address)
            listening.listen(64)
            number = str(listening.fileno())
            command = [sys.executable, "-m", "tests.pipeline.walk.warm", number]
            server = subprocess.Popen(command, pass_fds=[listening.fileno()])
        for program in PROGRAMS:
            path = folder / "bin" / program
            path.parent.mkdir(exist_ok=True)
            path.write_text(CLIENT.format(python=sys.executable, address=address, name=program))
            path.chmod(0o755)
        try:
            yield folder / "bin"
        finally:
            server.kill()
            server.wait()


def serve(listening: socket.socket) -> NoReturn:
    """Answer calls, each in a process of its own, until killed."""
    for room in ROOMS:
        _import_all(room)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _answer(connection)
        connection.close()


def _import_all(room: str) -> None:
    package = importlib.import_module(room)
    for found in pkgutil.walk_packages(package.__path__, f"{room}.", onerror=lambda _: None):
        if not found.name.startswith(LEFT_OUT):
            # Some need what is not installed.
            with contextlib.suppress(Exception):
                importlib.import_module(found.name)


def _answer(connection: socket.socket) -> NoReturn:
    """Be the program that was called, and tell how it ended."""
    header, streams, _, _ = socket.recv_fds(connection, 16, 3)
    with connection.makefile("rb") as file:
        call = json.loads(file.read(int(header)))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as it runs
        for number, mode in enumerate("rww")
    )
    os.chdir(call["cwd"])
    os.environ.clear()
    os.environ.update(call["env"])
    code = _code_of(lambda: PROGRAMS[call["name"]](call["argv"]))
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    connection.sendall(b"%d\n" % code)
    os._exit(code)


def _code_of(run: Callable[[], Any]) -> int:
    try:
        found = run()
    except SystemExit as end:
        found = end.code
    except BaseException:  # noqa: BLE001 - as Python itself ends then
        sys.excepthook(*sys.exc_info())
        return 1
    return found if isinstance(found, int) else int(found is not None)


def _tunesmith(argv: list[str]) -> Any:
    from tunesmith.__main__ import main

    # Click would name the module that was started.
    sys.modules["__main__"].__package__ = ""
    sys.argv = ["tunesmith", *argv]
    return main()


def _dvc(argv: list[str]) -> Any:
    from dvc.cli import main

    sys.argv = ["dvc", *argv]
    return main(argv)


PROGRAMS: dict[str, Callable[[list[str]], Any]] = {"tunesmith": _tunesmith, "dvc": _dvc}


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
