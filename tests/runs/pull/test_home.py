import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.runs.pull.programs import TUNING, make_program

from tunesmith.config.load import load_definition
from tunesmith.objective.program.environment import MARK
from tunesmith.objective.program.objective import ProgramObjective
from tunesmith.runs.factory import build_objective
from tunesmith.runs.pull.home import LOCK, WorkerHome


def test_the_folder_goes_with_the_worker(tmp_path: Path) -> None:
    home = WorkerHome(tmp_path, "1.ab", "host")
    with home.open():
        assert (home.folder / LOCK).is_file()
        other = WorkerHome(tmp_path, "2.cd", "host")
        with other.open():
            assert home.folder.is_dir()
    assert not list(tmp_path.rglob("host.*"))


def test_a_program_leaves_everything_there(tmp_path: Path) -> None:
    project = make_program(tmp_path / "project")
    (project / "tuning.yaml").write_text(TUNING)
    objective = build_objective(load_definition(project / "tuning.yaml"))
    assert isinstance(objective, ProgramObjective)
    home = WorkerHome(project, "1.ab", "host")
    moved = home.moved(objective)
    assert moved.key({"rate": 0.1}, 0) == objective.key({"rate": 0.1}, 0)
    assert moved.runner.checkpoints is not None
    for place in (moved.runner.runs, moved.runner.checkpoints.folder):
        assert place.is_relative_to(home.folder)
    assert moved.runner.surroundings.mark != objective.runner.surroundings.mark


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are found by their environment")
def test_what_a_killed_worker_has_left_is_removed(tmp_path: Path) -> None:
    project = make_program(tmp_path / "project")
    (project / "tuning.yaml").write_text(TUNING)
    objective = build_objective(load_definition(project / "tuning.yaml"))
    assert isinstance(objective, ProgramObjective)
    dead, far = WorkerHome(project, "1.ab", "host"), WorkerHome(project, "1.ab", "far")
    for home in (dead, far):
        home.folder.mkdir(parents=True)
        (home.folder / LOCK).touch()
    environ = {**os.environ, MARK: dead.moved(objective).runner.surroundings.mark}
    left = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=environ)
    # The environment is that of the program only after its start.
    while MARK.encode() not in Path(f"/proc/{left.pid}/environ").read_bytes():
        pass
    with WorkerHome(project, "2.cd", "host").open():
        assert left.wait(60) == -9
        assert not dead.folder.exists()
        # Nobody knows from here if a worker on another machine is alive.
        assert far.folder.exists()
    assert left.stdin is not None
    left.stdin.close()
