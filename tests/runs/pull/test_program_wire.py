import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.forest import TUNING as FOREST
from tests.forest import make_forest
from tests.runs.pull.programs import TUNING, make_program

from tunesmith.config.load import load_definition
from tunesmith.history import FoldResult
from tunesmith.objective.program.objective import ProgramObjective
from tunesmith.runs.factory import build_objective
from tunesmith.runs.pull.coordinator import RefusedAnswerError
from tunesmith.runs.pull.home import WorkerHome
from tunesmith.runs.pull.program_wire import OtherFilesError, ProgramWire, wire_of
from tunesmith.runs.pull.wire import FitWire
from tunesmith.testing.functions import FunctionObjective
from tunesmith.types import Fit

SMALL, LARGE = ({"rate": 0.1, "epochs": n} for n in (1, 3))


def wire_in(project: Path) -> ProgramWire:
    (project / "tuning.yaml").write_text(TUNING)
    study = load_definition(project / "tuning.yaml")
    objective = build_objective(study)
    wire = wire_of(objective, study)
    assert isinstance(wire, ProgramWire)
    return wire


@pytest.fixture
def run(tmp_path: Path) -> ProgramWire:
    return wire_in(make_program(tmp_path / "project"))


@pytest.fixture
def worker(run: ProgramWire, tmp_path: Path) -> ProgramWire:
    """A wire in another checkout, that makes fits."""
    shutil.copytree(run.program.runner.root, tmp_path / "far" / "checkout")
    program = wire_in(tmp_path / "far" / "checkout").program
    moved = WorkerHome(program.runner.root, "1.ab").moved(program)
    made = ProgramWire(moved, moved)
    made.admitted({"root": str(run.program.runner.root)})
    return made


def made(worker: ProgramWire, text: str) -> str:
    fit = worker.item(text)
    return worker.answer(fit, worker.program.evaluate(fit))


def test_estimators_have_no_files(tmp_path: Path) -> None:
    project = make_forest(tmp_path / "forest")
    (project / "tuning.yaml").write_text(FOREST + "outer_folds: 2\n")
    study = load_definition(project / "tuning.yaml")
    objective = FunctionObjective(lambda _params, _fold: 0.0)
    wire = wire_of(objective, study)
    assert type(wire) is FitWire
    assert "search" not in json.loads(wire.content(Fit(0, ({"x": 1},))))
    # Fits of an outer search say so.
    outer = study.outer_searches("data")[1]
    assert json.loads(wire_of(objective, outer).content(Fit(0, ({"x": 1},))))["search"] == 1
    assert outer.main_study == study.main_study == "forest"


@pytest.mark.slow
def test_files_and_states_come_home(run: ProgramWire, worker: ProgramWire) -> None:
    first = run.content(Fit(0, (SMALL,)))
    answer = made(worker, first)
    for _ in range(2):
        run.receive(answer)
    (result,) = run.result(answer, first)
    assert result.scores
    assert run.program.changed(result.reading) == []
    folder = run.program.runner.runs / run.program.key(SMALL, 0)
    assert "continued at epoch 0" in (folder / "stdout.log").read_text()
    assert (folder / "artifacts" / "model.txt").is_file()
    assert not list(worker.program.runner.runs.glob("*"))
    # The promoted trial continues from the state, on any worker, however often it is begun.
    second = run.content(Fit(0, (LARGE,)))
    assert run.content(Fit(0, (LARGE,))) == second
    answers = [json.loads(made(worker, second)) for _ in range(2)]
    assert answers[0]["rows"][0]["scores"] == answers[1]["rows"][0]["scores"]
    run.receive(json.dumps(answers[0]))
    folder = run.program.runner.runs / run.program.key(LARGE, 0)
    assert "continued at epoch 1" in (folder / "stdout.log").read_text()
    # As after two runs of the program here: the larger state alone is left.
    assert run.program.runner.checkpoints is not None
    states = run.program.runner.checkpoints.folder.glob("*/*/*")
    assert {state.name for state in states} == {"3", "3.done"}


@pytest.mark.slow
def test_other_files_on_the_worker_are_noticed(run: ProgramWire, worker: ProgramWire) -> None:
    (worker.program.runner.root / "target.txt").write_text("0.5")
    answer = made(worker, run.content(Fit(0, (SMALL,))))
    with pytest.raises(OtherFilesError, match=r"not those of the run: target\.txt"):
        run.receive(answer)
    assert not run.program.runner.runs.exists()


@pytest.mark.parametrize("key", ["../../x", "0" * 32])
def test_files_of_nobody_are_refused(run: ProgramWire, key: str) -> None:
    fit = Fit(0, (SMALL,))
    answer = json.loads(run.answer(fit, [FoldResult(0, {"loss": 1.0})]))
    answer["files"] = {key: []}
    with pytest.raises(RefusedAnswerError, match="with files of"):
        run.receive(json.dumps(answer))


def test_names_in_the_project_are_those_of_the_run(run: ProgramWire, worker: ProgramWire) -> None:
    here, there = worker.program.runner.root, run.program.runner.root
    reading = {f"{here}/ignored.txt": "file 1", "train.py": "file 2", "/data/x": "file 3"}
    result = FoldResult(0, {"loss": 1.0}, reading=reading)
    text = worker.answer(Fit(0, (SMALL,)), [result])
    (arrived,) = run.result(text, run.content(Fit(0, (SMALL,))))
    named = {f"{there}/ignored.txt": "file 1", "train.py": "file 2", "/data/x": "file 3"}
    assert arrived == replace(result, reading=named)
    assert isinstance(run.program, ProgramObjective)
