"""A real Dask cluster for the tests: a scheduler and two workers, each a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

# Dask wants a newer cloudpickle than the lowest versions that are tried.
collect_ignore_glob = (
    [] if find_spec("distributed") else [*("adversary.py", "test_dask*.py", "test_study.py")]
)
START_S = 60


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler on this machine with two workers, of two threads and of one."""
    folder = tmp_path_factory.mktemp("dask")
    with started(folder, "scheduler") as scheduler:
        address = scheduler.address
        with started(folder, "worker", address, threads=2), started(folder, "worker", address):
            yield address


class Started:
    """A program of Dask that is running; killed at the end of the block."""

    def __init__(self, folder: Path, *arguments: str, **more: str) -> None:
        self.folder = folder
        self.log = folder / f"{arguments[0]}-{time.monotonic_ns()}.log"
        quiet = {"DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__GIL__ENABLED": "false"}
        environ = {**os.environ, **quiet, **more}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                env=environ,
            )
        self.address = ""

    def __enter__(self) -> "Started":
        return self

    def __exit__(self, *_error: object) -> None:
        self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def await_file(self, path: Path) -> None:
        end = time.monotonic() + START_S
        while not (path.exists() and path.read_text().strip()):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.02)


def started(folder: Path, kind: str, address: str = "", **options: Any) -> Started:
    """Start ``dask scheduler`` or ``dask worker``."""
    if kind == "scheduler":
        file = folder / f"scheduler-{time.monotonic_ns()}.json"
        where = ["--port", str(options.get("port", 0)), "--host", "127.0.0.1"]
        made = Started(
            folder,
            kind,
            *where,
            "--dashboard-address",
            "127.0.0.1:0",
            "--scheduler-file",
            str(file),
            **options.get("environ", {}),
        )
        made.await_file(file)
        import json

        made.address = json.loads(file.read_text())["address"]
        return made
    names = ["--nthreads", str(options.get("threads", 1)), "--no-nanny", "--host", "127.0.0.1"]
    names += ["--dashboard-address", "127.0.0.1:0", "--local-directory", str(folder)]
    if "resources" in options:
        names += ["--resources", options["resources"]]
    return Started(folder, kind, address, *names)
