from collections.abc import Mapping

import pytest

from tunesmith.config.model import ExecutionSection
from tunesmith.config.objective import ObjectiveSection
from tunesmith.runs.workers import choice, fork_server_for, on_this_machine

ESTIMATOR = {"estimator": "sklearn.svm.SVC", "data": {"path": "d.csv", "target": "y"}}
PROGRAM = {"command": ["true"], "metrics_file": "m.json"}


def section(content: Mapping[str, object]) -> ObjectiveSection:
    return ObjectiveSection.model_validate({"metric": "accuracy", **content})


@pytest.mark.parametrize(
    ("content", "execution", "expected"),
    [
        (ESTIMATOR, {"workers": 1}, ("serial", 1)),
        (ESTIMATOR, {"workers": 1, "fit_timeout": 5}, ("processes", 1)),
        (PROGRAM, {"workers": 1}, ("processes", 1)),
        (PROGRAM, {"executor": "serial", "workers": 3}, ("processes", 3)),
    ],
)
def test_a_program_always_has_a_process_of_its_own(
    content: dict[str, object], execution: dict[str, object], expected: tuple[str, int]
) -> None:
    found = choice(section(content), ExecutionSection.model_validate(execution))
    assert found == expected


def test_one_worker_in_this_process_needs_no_fork_server() -> None:
    execution = ExecutionSection.model_validate({"workers": 1})
    assert fork_server_for(section(ESTIMATOR), execution) is None


def test_fits_that_pull_workers_cannot_make_are_made_here() -> None:
    content = {"executor": "pull", "workers": 64, "options": {"insecure": True}, "fit_timeout": 5}
    here = on_this_machine(ExecutionSection.model_validate(content))
    assert (here.executor, here.workers, here.options, here.fit_timeout) == ("auto", None, {}, 5)
    other = ExecutionSection.model_validate({"executor": "dask"})
    assert on_this_machine(other) is other
