"""Stands on the path for a program: lets its preloaded server run it, or starts it.

``ADDRESS`` and ``SCRIPT`` are filled in by ``programs.py``, which also writes the first line.
"""

import marshal
import os
import signal
import socket
import struct
import sys

ADDRESS, SCRIPT = "@ADDRESS@", "@SCRIPT@"
NUMBER = struct.Struct("i")
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """End as the program does."""
    umask = os.umask(0o077)
    os.umask(umask)
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(ADDRESS)
        except OSError:
            start()
        here = os.getcwd()  # noqa: PTH109 (pathlib takes a while to import)
        call = ([SCRIPT, *sys.argv[1:]], here, dict(os.environ), umask, os.getpid())
        data = marshal.dumps(call)
        socket.send_fds(server, [NUMBER.pack(len(data))], [0, 1, 2])
        server.sendall(data)
        pid = received(server)
        if pid is None or pid < 0:
            start()
        else:
            for number in PASSED_ON:
                signal.signal(number, lambda number, _: os.kill(pid, number))
            end(received(server))


def received(server: socket.socket) -> int | None:
    """Receive a number, or nothing once the server is gone."""
    data = server.recv(NUMBER.size)
    return NUMBER.unpack(data)[0] if data else None


def start() -> None:
    """Become the program itself."""
    os.execv(SCRIPT, [SCRIPT, *sys.argv[1:]])  # noqa: S606


def end(status: int | None) -> None:
    """End as a process with this status has."""
    code = 70 if status is None else os.waitstatus_to_exitcode(status)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main()
