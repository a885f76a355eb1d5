"""Whole studies by pull workers: the same trials, bit for bit, whatever is killed."""

import shutil
import signal
from pathlib import Path

import pytest
from tests.runs.pull.conftest import Start, configure, trials

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("n_workers", [1, 4])
def test_workers_make_the_trials_of_one_process(
    project: Path,
    database: str,
    expected: list[object],
    start: Start,
    tmp_path: Path,
    n_workers: int,
) -> None:
    configure(project, database)
    log = str(tmp_path / "fits")
    # A worker may be there first.
    first = start("worker", "--workers", "1", "--idle-timeout", "5m", FITS_LOG=log)
    run = start("run", "-q")
    more = [start("worker", "--workers", "1", FITS_LOG=log) for _ in range(n_workers - 1)]
    assert run.ends() == 0, run.said
    assert trials(database) == expected
    # Each fit was made once: five trials of three folds.
    assert Path(log).read_text().count("\n") == 15
    for worker in (first, *more):
        worker.process.send_signal(signal.SIGTERM)
        assert worker.ends() == 143
    assert "given back" in first.said


def test_kills_of_worker_and_run_change_nothing(
    project: Path, database: str, expected: list[object], start: Start, tmp_path: Path
) -> None:
    configure(project, database)
    log, gate = tmp_path / "fits", tmp_path / "gate"
    more = {"FITS_LOG": str(log), "FITS_GATE": str(gate)}
    first = start("run", "-q")
    doomed = start("worker", "--workers", "1", **more)
    doomed.until(lambda: "taking fits" in doomed.said)
    gate.touch()
    n = log.read_text().count("\n") if log.exists() else 0
    doomed.until(lambda: log.exists() and log.read_text().count("\n") > n)
    # Both are killed while a fit is on.
    doomed.process.kill()
    first.process.kill()
    first.process.wait()
    gate.unlink()
    again = start("run", "-q")
    start("worker", "--workers", "1")
    assert again.ends() == 0, again.said
    assert trials(database) == expected


def test_a_worker_that_differs_is_refused_with_the_difference(
    project: Path, database: str, start: Start, tmp_path: Path
) -> None:
    configure(project, database)
    other = tmp_path / "other"
    shutil.copytree(project, other)
    (other / "model.py").write_text((project / "model.py").read_text() + "\nX = 1\n")
    data = (other / "data.csv").read_text().splitlines()
    (other / "data.csv").write_text("\n".join(data[:-1]))
    run = start("run", "-q")
    refused = start("worker", "--workers", "1", folder=other)
    assert refused.ends() == 2
    assert "the data differ" in refused.said
    assert "the project's code differs" in refused.said
    assert run.process.poll() is None


def test_it_ends_when_there_is_nothing_to_do(project: Path, database: str, start: Start) -> None:
    configure(project, database)
    idle = start("worker", "--workers", "1", "--idle-timeout", "1s", "--json")
    assert idle.ends() == 0, idle.said
    assert '"n_fits": 0' in idle.said
    assert '"ended_by": "idle"' in idle.said
