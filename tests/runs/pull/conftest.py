"""A real server, a project in a folder, and real workers of it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.forest import STUDY, TUNING, make_forest
from tests.ledger.conftest import database, server

import tunesmith
from tunesmith.ledger.ledger import Ledger

__all__ = ["database", "server"]

WAIT_S = 240


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_forest(tmp_path / "project")


def trials(location: str | Path) -> list[object]:
    return trials_of(location, STUDY)


def trials_of(location: str | Path, study: str) -> list[object]:
    with Ledger.open(location, create=False) as ledger:
        record = ledger.load(study)
        assert len(list(ledger.addresses())) == len({key for key, _ in ledger.addresses()})
    return [
        (t.number, t.params, [(f.fold, f.scores) for f in t.folds])
        for t in record.history.completed
    ]


@pytest.fixture
def expected(project: Path) -> list[object]:
    return expected_trials(project)


def expected_trials(project: Path) -> list[object]:
    """The trials of one process."""
    (project / "tuning.yaml").write_text(TUNING + "execution: {executor: serial}\n")
    tunesmith.tune(project / "tuning.yaml", progress=False)
    listed = trials(project / ".tunesmith/ledger.db")
    shutil.rmtree(project / ".tunesmith")
    (project / "best.yaml").unlink()
    return listed


def configure(project: Path, database: str) -> None:
    text = f"ledger: '{database}'\nexecution: {{executor: pull}}\n"
    (project / "tuning.yaml").write_text(TUNING + text)


def leased(database: str) -> list[str]:
    """Names of the workers that have a lease; none if there are no tables yet."""
    import psycopg

    query = "SELECT worker FROM pull_task WHERE state = 'leased'"
    with psycopg.connect(database) as connection:
        there = connection.execute("SELECT to_regclass('pull_task')").fetchone()
        return [] if there == (None,) else [row[0] for row in connection.execute(query)]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # A process that has ended may wait for its parent to ask.
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


class Program:
    """A command of Tunesmith that is running; killed at the end of the test."""

    def __init__(
        self, project: Path, *arguments: str, prefix: Sequence[str] = (), **environ: str
    ) -> None:
        self.log = project.parent / f"{arguments[0]}-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-P", "-m", "tunesmith", *arguments],
                cwd=project,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **environ},
            )

    def ends(self) -> int:
        return self.process.wait(WAIT_S)

    @property
    def said(self) -> str:
        return self.log.read_text()

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < end, self.said
            time.sleep(0.02)


Start = Callable[..., Program]


@pytest.fixture
def start(project: Path) -> Iterator[Start]:
    """Start a command in the project."""
    started: list[Program] = []

    def begin(*arguments: str, folder: Path = project, **more: Any) -> Program:
        started.append(Program(folder, *arguments, **more))
        return started[-1]

    yield begin
    for program in started:
        program.process.kill()
        program.process.wait()
