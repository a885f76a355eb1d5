"""Files that `worker --example` writes, at work: a pretended SLURM, and their own commands."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml
from tests.preloaded import programs
from tests.runs.pull.conftest import Start, configure, leased, trials
from tests.runs.pull.slurm import ArrayTask, Cluster, wait_for

SLURM = Path(__file__).parents[3] / "examples/slurm"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path / "slurm")
    yield made
    made.close()


def test_limits_preemption_and_requeues_change_nothing(
    project: Path,
    database: str,
    expected: list[object],
    start: Start,
    cluster: Cluster,
    tmp_path: Path,
) -> None:
    configure(project, database)
    assert start("worker", "--example", "slurm").ends() == 0
    gate = tmp_path / "gate"
    gate.touch()
    run = start("run", "-q")
    environ = {**os.environ, "PATH": cluster.path, "FITS_GATE": str(gate)}

    def call(*command: str) -> str:
        done = subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    options = ["--array=1-2", "--cpus-per-task=1"]
    job = call("sbatch", *options, "tunesmith-workers.sh").split()[-1]
    wait_for(cluster, lambda: len(leased(database)) == 2)
    assert call("squeue").count("RUNNING") == 2
    first, second = cluster.tasks

    def is_back(task: ArrayTask, n: int) -> bool:
        return task.n_restarts == n and task.state == "RUNNING"

    # Half a minute before the limit, both are in the middle of a fit.
    before = set(leased(database))
    cluster.advance(first.limit_s - 30)
    wait_for(cluster, lambda: is_back(first, 1) and is_back(second, 1))
    assert (first.codes, second.codes) == ([143], [143])
    wait_for(cluster, lambda: len(set(leased(database)) - before) == 2)
    # A node is taken away without a word.
    cluster.preempt(first)
    wait_for(cluster, lambda: is_back(first, 2))
    gate.unlink()
    wait_for(cluster, lambda: run.process.poll() is not None)
    assert run.process.returncode == 0, run.said
    assert trials(database) == expected
    # Who is cancelled does not come back, though it ends as at a limit.
    call("scancel", job)
    wait_for(cluster, lambda: call("squeue").count("\n") == 1)
    assert second.codes == [143, 143]
    assert (first.state, second.state) == ("FAILED", "FAILED")


def test_a_limit_without_a_warning_is_no_requeue(
    project: Path, database: str, start: Start, cluster: Cluster
) -> None:
    configure(project, database)
    assert start("worker", "--example", "slurm").ends() == 0
    environ = {**os.environ, "PATH": cluster.path}
    command = ["sbatch", "--array=7", "--time=5:00", "--cpus-per-task=1", "tunesmith-workers.sh"]
    subprocess.run(command, cwd=project, env=environ, check=True, stdout=subprocess.DEVNULL)
    wait_for(cluster, lambda: cluster.tasks)
    (task,) = cluster.tasks
    cluster.advance(task.limit_s)
    assert task.state == "TIMEOUT"
    cluster.step()
    assert task.n_restarts == 0


def test_the_job_of_the_tutorial_comes_back_unless_it_is_cancelled(
    cluster: Cluster, tmp_path: Path
) -> None:
    folder = tmp_path / "example"
    shutil.copytree(SLURM, folder)
    subprocess.run([sys.executable, "data.py"], cwd=folder, check=True)
    environ = {**os.environ, "PATH": cluster.path}
    command = ["sbatch", "--cpus-per-task=1", "job.sh"]
    subprocess.run(command, cwd=folder, env=environ, check=True, stdout=subprocess.DEVNULL)
    wait_for(cluster, lambda: cluster.tasks)
    (task,) = cluster.tasks

    def is_on() -> bool:
        """Tell whether the run is there, which handles signals by then."""
        return (folder / ".tunesmith/ledger.db").exists()

    wait_for(cluster, is_on)
    cluster.advance(task.limit_s - 100)
    wait_for(cluster, lambda: task.n_restarts == 1 and task.state == "RUNNING")
    assert task.codes == [143]
    assert task.process is not None
    shell = psutil.Process(task.process.pid)
    wait_for(cluster, shell.children)
    subprocess.run(["scancel", task.id], cwd=folder, env=environ, check=True)
    wait_for(cluster, lambda: task.state != "RUNNING")
    # A shell that has not come to its traps yet ends by the signal itself.
    assert task.codes[1:] in ([143], [-signal.SIGTERM])
    assert (task.state, task.n_restarts) == ("FAILED", 1)


def test_the_command_of_the_container_makes_the_fits(
    project: Path, database: str, expected: list[object], start: Start, tmp_path: Path
) -> None:
    configure(project, database)
    # Workers get the address by a secret.
    text = (project / "tuning.yaml").read_text()
    (project / "tuning.yaml").rename(project / "run.yaml")
    (project / "tuning.yaml").write_text(text.replace(f"ledger: '{database}'\n", ""))
    commit_all(project)
    run = start("run", "-q", "-c", "run.yaml")
    assert start("worker", "--example", "kubernetes").ends() == 0
    job = yaml.safe_load((project / "tunesmith-workers.yaml").read_text())
    (container,) = job["spec"]["template"]["spec"]["containers"]
    given = {"REPOSITORY": str(project), "TUNESMITH_LEDGER": database, "CORES": "1"}
    named = {one["name"]: one.get("value") or given[one["name"]] for one in container["env"]}
    home = tmp_path / "work"
    home.mkdir()
    with (tmp_path / "container.log").open("wb") as log:
        worker = subprocess.Popen(
            [*container["command"], *container["args"]],
            env={**os.environ, **named, "HOME": str(home), "PATH": programs.path()},
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        assert run.ends() == 0, run.said + (tmp_path / "container.log").read_text()
        assert trials(database) == expected
        assert (home / "project/model.py").is_file()
        # A pod is ended by SIGTERM to its first process, which has to be the worker itself.
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 143
    finally:
        worker.kill()
        worker.wait()


@pytest.mark.parametrize(("limit", "idle"), [("330m", "1s"), ("1s", "10m")])
def test_the_step_of_the_workflow_ends_well(
    project: Path, database: str, start: Start, limit: str, idle: str
) -> None:
    configure(project, database)
    commit_all(project)
    assert start("worker", "--example", "github").ends() == 0
    workflow = yaml.safe_load((project / ".github/workflows/tunesmith-workers.yml").read_text())
    step = workflow["jobs"]["worker"]["steps"][-1]
    command = step["run"].replace(" 330m ", f" {limit} ").replace(" 10m", f" {idle}")
    # As GitHub does it.
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command],
        cwd=project,
        env={**os.environ, "TUNESMITH_LEDGER": database, "PATH": programs.path()},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert ("no more" in done.stdout) is (idle == "1s")


def commit_all(project: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@localhost"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], cwd=project, check=True)
