"""A network that can be cut: two network namespaces, and a wire between them.

Run as a program by ``unshare -rn``, so that no right of an administrator is needed, it lays the
wire, listens at its near end, and hands connections on to the socket of PostgreSQL, which as a file
can be reached from any namespace. It prints the process whose namespace has the far end, and then
cuts or heals the wire as it is told on standard input. A wire that is cut loses packets without a
word, as a cable does: nobody's connection is closed.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

NEAR, FAR, PORT = "10.77.0.1", "10.77.0.2", 5432
TOOLS = ("unshare", "nsenter", "ip")


def is_allowed() -> bool:
    """Tell whether this machine lets its users make network namespaces."""
    if not all(map(shutil.which, TOOLS)):
        return False
    return subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode == 0


class Partition:
    """The network, from outside.

    Args:
        folder: of the server's socket.
    """

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            ["unshare", "-rn", sys.executable, __file__, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._pid = self._process.stdout.readline().strip()
        assert self._pid.isdecimal()

    @property
    def prefix(self) -> list[str]:
        """Beginning of a command at the far end."""
        return ["nsenter", "-t", self._pid, "-U", "-n", "--preserve-credentials"]

    def url(self, name: str) -> str:
        """Address of a database, seen from the far end."""
        return f"postgresql://postgres@{NEAR}:{PORT}/{name}"

    def tell(self, word: str) -> None:
        """Say ``cut`` or ``heal``, and wait until it is done."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(word, file=self._process.stdin, flush=True)
        assert self._process.stdout.readline().strip() == word

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        # It is the child of one that is gone.
        os.kill(int(self._pid), signal.SIGKILL)


def ip(*words: str, of: int | None = None) -> None:
    inside = [] if of is None else ["nsenter", "-t", str(of), "-n"]
    subprocess.run([*inside, "ip", *words], check=True)


def lay() -> int:
    """Lay the wire; return a process at its far end."""
    here = Path("/proc/self/ns/net").readlink()
    far = subprocess.Popen(["unshare", "-n", "sleep", "infinity"], stdout=subprocess.DEVNULL)
    while Path(f"/proc/{far.pid}/ns/net").readlink() == here:
        time.sleep(0.01)
    ip("link", "add", "name", "near", "type", "veth", "peer", "name", "far")
    ip("link", "set", "dev", "far", "netns", str(far.pid))
    for name, address, of in (("near", NEAR, None), ("far", FAR, far.pid)):
        ip("address", "add", f"{address}/24", "dev", name, of=of)
        ip("link", "set", "dev", name, "up", of=of)
        ip("link", "set", "dev", "lo", "up", of=of)
    return far.pid


def hand_on(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        for one in (source, sink):
            one.close()


def serve(folder: str) -> None:
    listener = socket.create_server((NEAR, PORT))
    while True:
        client, _ = listener.accept()
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(f"{folder}/.s.PGSQL.{PORT}")
        except OSError:  # it is away
            client.close()
            continue
        for pair in ((client, server), (server, client)):
            threading.Thread(target=hand_on, args=pair, daemon=True).start()


if __name__ == "__main__":
    far_end = lay()
    threading.Thread(target=serve, args=sys.argv[1:], daemon=True).start()
    print(far_end, flush=True)
    for line in sys.stdin:
        ip("link", "set", "dev", "near", {"cut": "down", "heal": "up"}[line.strip()])
        print(line.strip(), flush=True)
    os.kill(far_end, signal.SIGKILL)
