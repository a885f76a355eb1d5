import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.forest import TUNING
from tests.runs.pull.programs import TUNING as PROGRAM
from tests.runs.pull.programs import make_program

from tunesmith.config.load import load_definition
from tunesmith.config.model import Definition
from tunesmith.runs.factory import build_objective
from tunesmith.runs.pull.wants import Wants, WorkerDiffersError
from tunesmith.testing.functions import FunctionObjective

OBJECTIVE = FunctionObjective(lambda _params, _fold: 0.0)


@pytest.fixture
def definition(project: Path) -> Definition:
    (project / "tuning.yaml").write_text(TUNING)
    return load_definition(project / "tuning.yaml")


def test_the_same_is_welcome(definition: Definition) -> None:
    wanted = Wants(definition, OBJECTIVE).content()
    assert {"tunesmith", "numpy", "scikit-learn", "python"} <= wanted["versions"].keys()
    Wants(definition, OBJECTIVE).compare(wanted)
    # Commits may differ if nothing that counts does.
    Wants(definition, OBJECTIVE).compare({**wanted, "commit": "1234"})


def test_every_difference_is_named(definition: Definition) -> None:
    wanted = Wants(definition, OBJECTIVE).content()
    versions = {**wanted["versions"], "numpy": "1.0", "gone": "2.0"}
    limits = {"fit_timeout": 5.0, "memory": None}
    other = {**wanted, "versions": versions, "share": "off", "commit": "1234abcd"}
    other |= {"limits": limits}
    with pytest.raises(WorkerDiffersError) as error:
        Wants(definition, replace(OBJECTIVE, version="2")).compare(other)
    said = str(error.value)
    for phrase in (
        "cannot take fits of `forest`",
        "numpy 1.0 in the run",
        "gone 2.0 in the run, missing here",
        "the project's code differs",
        "`execution.share` is off in the run, exact here",
        "`execution.fit_timeout` is 5.0 in the run, None here",
        "The run is at commit 1234abcd, this checkout at none",
    ):
        assert phrase in said


@pytest.mark.slow
def test_files_and_packages_of_programs_are_compared(tmp_path: Path) -> None:
    project = make_program(tmp_path / "program")
    (project / "tuning.yaml").write_text(PROGRAM)
    study = load_definition(project / "tuning.yaml")
    wants = Wants(study, build_objective(study))
    wanted = json.loads(json.dumps(wants.content()))
    assert wanted["root"] == str(project)
    wants.compare(wanted)
    assert "hunter2" not in json.dumps(wanted)
    files = {**wanted["project"], "train.py": "file 1", "gone.py": "file 2"}
    del files["target.txt"]
    packages = {**wanted["packages"], "numpy": "1.0"}
    with pytest.raises(WorkerDiffersError) as error:
        wants.compare({**wanted, "project": files, "packages": packages})
    for phrase in (
        "numpy for the program: 1.0 in the run",
        "train.py differs",
        "gone.py is missing here",
        "target.txt is not in the run's project",
    ):
        assert phrase in str(error.value)
