"""Whole studies of a training program by pull workers: trials, files and faults."""

import shutil
import signal
from pathlib import Path

import pytest
from tests.runs.pull.conftest import Start, is_alive, trials_of
from tests.runs.pull.programs import (
    STUDY,
    TRAIN,
    TUNING,
    configure_program,
    expected_of,
    make_program,
    with_predictions,
)

from tunesmith.ledger.ledger import Ledger

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_program(tmp_path / "project")


@pytest.fixture
def checkout(project: Path, tmp_path: Path) -> Path:
    """The checkout of a worker, elsewhere."""
    return tmp_path / "elsewhere" / "checkout"


def files(project: Path) -> set[str]:
    """Files that runs have left, without the names of their folders."""
    runs = project / ".tunesmith" / "runs"
    return {path.name for path in runs.rglob("*") if path.is_file()}


def test_a_program_runs_elsewhere_as_it_does_here(
    project: Path, checkout: Path, database: str, start: Start, tmp_path: Path
) -> None:
    study = with_predictions(TUNING)
    expected, predicted = expected_of(project, study), project / "oof.csv"
    answers = predicted.read_text()
    predicted.unlink()
    configure_program(project, database, study)
    shutil.copytree(project, checkout)
    # The log of a job is no part of the project.
    (checkout / "slurm-17.out").write_text("started\n")
    log = tmp_path / "fits"
    workers = [
        start("worker", "--workers", "1", folder=folder, FITS_LOG=str(log))
        for folder in (checkout, project)
    ]
    run = start("run", "-q")
    assert run.ends() == 0, run.said + workers[0].said
    assert trials_of(database, STUDY) == expected
    assert predicted.read_text() == answers
    for worker in workers:
        worker.process.send_signal(signal.SIGTERM)
        assert worker.ends() == 143, worker.said
    with Ledger.open(database, create=False) as ledger:
        record = ledger.load(STUDY)
    folds = [fold for trial in record.history.completed for fold in trial.folds]
    assert log.read_text().count("\n") == len(folds)
    failures = [fold.failure for fold in folds if fold.failure]
    assert failures
    assert "ValueError: too fast" in str(failures[0])
    # Logs and the best trial's model are here; the worker has kept nothing.
    assert {"stdout.log", "stderr.log", "model.txt"} <= files(project)
    assert list((project / ".tunesmith" / "runs").rglob("model.txt"))
    assert not list((checkout / ".tunesmith").glob("workers/*"))
    kept = [path.read_text() for path in (project / ".tunesmith").rglob("stdout.log")]
    assert any("continued at epoch 3" in text for text in kept)
    assert not any("hunter2" in text for text in kept)


def test_a_killed_worker_leaves_no_process_and_no_second_result(
    project: Path, database: str, start: Start, tmp_path: Path
) -> None:
    expected = expected_of(project)
    configure_program(project, database)
    log, gate = tmp_path / "fits", tmp_path / "gate"
    run = start("run", "-q")
    gate.touch()
    doomed = start("worker", "--workers", "1", FITS_LOG=str(log), FITS_GATE=str(gate))
    children = Path(f"{gate}.children")
    doomed.until(lambda: children.exists() and children.read_text().endswith("\n"))
    pids = [int(text) for path in (log, children) for text in path.read_text().split()]
    assert all(map(is_alive, pids))
    doomed.process.kill()
    doomed.until(lambda: not any(map(is_alive, pids)))
    gate.unlink()
    start("worker", "--workers", "1", FITS_LOG=str(log))
    assert run.ends() == 0, run.said
    assert trials_of(database, STUDY) == expected
    with Ledger.open(database, create=False) as ledger:
        folds = [f for t in ledger.load(STUDY).history.completed for f in t.folds]
        assert len(list(ledger.addresses())) == len(folds)
    # Only the run of the program that was killed was made again.
    assert log.read_text().count("\n") == len(folds) + 1


def test_a_checkout_with_other_files_is_refused_before_its_first_fit(
    project: Path, checkout: Path, database: str, start: Start, tmp_path: Path
) -> None:
    configure_program(project, database)
    shutil.copytree(project, checkout)
    (checkout / "target.txt").write_text("0.8")
    log = tmp_path / "fits"
    run = start("run", "-q")
    refused = start("worker", "--workers", "1", folder=checkout, FITS_LOG=str(log))
    assert refused.ends() == 2
    assert "differs from the run:\n  target.txt differs" in refused.said
    assert not log.exists()
    assert run.process.poll() is None


def test_a_file_elsewhere_that_differs_ends_the_study(
    project: Path, checkout: Path, database: str, start: Start
) -> None:
    # Read by a path beside the project, which no comparison before the first fit knows.
    (project / "train.py").write_text("print(open('../beside.txt').read())\n" + TRAIN)
    configure_program(project, database)
    shutil.copytree(project, checkout)
    (project.parent / "beside.txt").write_text("here")
    (checkout.parent / "beside.txt").write_text("there")
    run = start("run", "-q")
    start("worker", "--workers", "1", folder=checkout)
    assert run.ends() == 2, run.said
    assert "are not those of the run: ../beside.txt" in run.said
    with Ledger.open(database, create=False) as ledger:
        assert list(ledger.addresses()) == []


def test_a_withdrawn_program_ends_with_its_children(
    project: Path, database: str, start: Start, tmp_path: Path
) -> None:
    configure_program(project, database)
    gate = tmp_path / "gate"
    gate.touch()
    run = start("run", "-q")
    worker = start("worker", "--workers", "1", FITS_LOG=str(tmp_path / "x"), FITS_GATE=str(gate))
    children = Path(f"{gate}.children")
    worker.until(lambda: children.exists() and children.read_text().endswith("\n"))
    (pid,) = map(int, children.read_text().split())
    # The run withdraws what it has on offer; the worker hears of it, and goes on.
    run.process.send_signal(signal.SIGINT)
    assert run.ends() == 130, run.said
    worker.until(lambda: not is_alive(pid))
    assert worker.process.poll() is None


def test_a_time_limit_ends_a_program_as_it_does_here(
    project: Path, database: str, start: Start, tmp_path: Path
) -> None:
    limited = "{executor: pull, fit_timeout: 2s}"
    configure_program(project, database)
    text = (project / "tuning.yaml").read_text().replace("{executor: pull}", limited)
    few = text.replace("trials: 8", "trials: 1")
    (project / "tuning.yaml").write_text(few)
    gate = tmp_path / "gate"
    gate.touch()
    run = start("run", "-q")
    start("worker", "--workers", "2", FITS_GATE=str(gate))
    assert run.ends() == 1, run.said
    with Ledger.open(database, create=False) as ledger:
        (trial,) = ledger.load(STUDY).history.completed
    assert {fold.failure.kind for fold in trial.folds if fold.failure} == {"timeout"}
    children = Path(f"{gate}.children").read_text().split()
    assert not any(is_alive(int(pid)) for pid in children)
