"""Refusals of the executor ``pull``; studies by it are in ``test_worker``."""

from pathlib import Path

import pytest
from tests.forest import TUNING

import tunesmith
from tunesmith.errors import UsageError
from tunesmith.runs.pull.executor import PullExecutor

PULL = "execution: {executor: pull}\n"


def test_objects_in_memory_are_refused() -> None:
    with pytest.raises(UsageError, match="pull needs the file of a study in a project"):
        PullExecutor(len)


def test_a_ledger_in_a_file_is_refused(project: Path) -> None:
    (project / "tuning.yaml").write_text(TUNING + PULL)
    with pytest.raises(UsageError, match="needs a ledger on a PostgreSQL server"):
        tunesmith.tune(project / "tuning.yaml", progress=False)


@pytest.mark.slow
def test_patience_is_a_number(project: Path, database: str) -> None:
    options = "execution: {executor: pull, options: {patience_s: long}}\n"
    (project / "tuning.yaml").write_text(TUNING + options + f"ledger: '{database}'\n")
    with pytest.raises(UsageError, match="patience_s: expected seconds, found 'long'"):
        tunesmith.tune(project / "tuning.yaml", progress=False)


def test_programs_that_share_the_projects_folder_are_refused(project: Path) -> None:
    program = """
study: program
objective:
  command: [python, train.py, "--x={x}"]
  metrics_pattern: "loss=(.*)"
  metric: {name: loss, direction: minimize}
  workspace: shared
space: {x: {float: [-1, 1]}}
stop: {trials: 4}
"""
    (project / "train.py").write_text("")
    (project / "tuning.yaml").write_text(program + PULL)
    with pytest.raises(UsageError, match=r"nothing keeps as it was when it was compared"):
        tunesmith.tune(project / "tuning.yaml", progress=False)
