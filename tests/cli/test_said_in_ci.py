"""What programs and exceptions say is no command to the CI job that runs Tunesmith."""

from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.system.test_ci_commands import is_taken_for_a_command

COMMANDS = "|".join(
    [
        "::set-output name=x::1",
        "  ::error file=a.py::b",
        "##[add-path]/tmp",
        "section_start:1:x",
        "::add-mask::y",
    ]
)
MODEL = f"""\
import os
import sys
from sklearn.tree import DecisionTreeClassifier
TEXT = "{COMMANDS}".replace("|", chr(10))
print(TEXT)
os.system("echo ::warning::from-a-child")
class Model(DecisionTreeClassifier):
    def fit(self, X, y):
        print(TEXT)
        print(TEXT, file=sys.stderr)
        os.system("echo ::warning::from-a-child")
        raise ValueError("no" + chr(10) + TEXT)
"""
PROGRAM = f"""\
text = chr(10) + "{COMMANDS}".replace("|", chr(10))
print(text)
raise ValueError(text)
"""


STUDY = """\
study: said
objective:
  command: [python, train.py, "{a}"]
  metrics_pattern: 'acc (\\S+)'
  metric: {name: acc, direction: maximize}
space: {a: [1]}
search: {method: grid}
"""


def lines_of(done: object) -> list[str]:
    text = f"{done.stdout}\n{done.stderr}"  # type: ignore[attr-defined]
    return text.replace("\r", "\n").split("\n")


@pytest.mark.parametrize("sign", ["GITHUB_ACTIONS", "GITLAB_CI"])
def test_an_estimator(project: Path, tunesmith: Run, sign: str) -> None:
    file = project / "tuning.yaml"
    file.write_text(
        file.read_text().replace("sklearn.tree.DecisionTreeClassifier", "said_model.Model")
    )
    (project / "said_model.py").write_text(MODEL)
    run = tunesmith("run", "--workers", "1", "--trials", "1", **{sign: "true"})
    assert run.returncode == 1, run.stderr
    assert "from-a-child" in run.stderr  # shown, and not on standard output
    assert "from-a-child" not in run.stdout
    for command in ("trials", "trials --json", "report", "status"):
        done = tunesmith(*command.split(), **{sign: "true"})
        assert [line for line in lines_of(done) if is_taken_for_a_command(line)] == []
    assert [line for line in lines_of(run) if is_taken_for_a_command(line)] == []


def test_a_program(project: Path, tunesmith: Run) -> None:
    (project / "tuning.yaml").write_text(STUDY)
    (project / "train.py").write_text(PROGRAM)
    for command in ("run", "logs 0", "logs 0 --json", "trials"):
        done = tunesmith(*command.split(), GITHUB_ACTIONS="true")
        assert [line for line in lines_of(done) if is_taken_for_a_command(line)] == []
    assert "set-output name=x" in tunesmith("logs", "0", GITHUB_ACTIONS="true").stdout
    assert "::set-output name=x" in tunesmith("logs", "0").stdout


def test_annotations_of_our_own_are_commands_and_hold_one_line(
    project: Path, tunesmith: Run
) -> None:
    (project / "tuning.yaml").write_text('study: "a\\n::error::b"\nspace: {a: [1]}\n')
    said = tunesmith("check", GITHUB_ACTIONS="true").stderr
    commands = [line for line in said.splitlines() if is_taken_for_a_command(line)]
    assert commands
    assert all(line.startswith("::error file=tuning.yaml,line=") for line in commands)
