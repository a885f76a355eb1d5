from dataclasses import replace
from pathlib import Path

import pytest
from tests.forest import TUNING

from tunesmith.config.load import load_definition
from tunesmith.config.model import Definition
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
    other = {**wanted, "versions": versions, "share": "off", "commit": "1234abcd"}
    with pytest.raises(WorkerDiffersError) as error:
        Wants(definition, replace(OBJECTIVE, version="2")).compare(other)
    said = str(error.value)
    for phrase in (
        "cannot take fits of `forest`",
        "numpy 1.0 in the run",
        "gone 2.0 in the run, missing here",
        "the project's code differs",
        "`execution.share` is off in the run, exact here",
        "The run is at commit 1234abcd, this checkout at none",
    ):
        assert phrase in said
