"""Files that people have: their shape stays, and what is in them too."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run


def configure(project: Path, outputs: str) -> None:
    path = project / "tuning.yaml"
    path.write_text(f"{path.read_text()}outputs: {outputs}\n")


def test_a_flat_file_goes_on_working_for_the_training_program(
    project: Path, tunesmith: Run
) -> None:
    from sklearn.tree import DecisionTreeClassifier

    configure(project, "{best: {path: best.json}, tuned: tuned.yaml, history: h.jsonl}")
    (project / "best.json").write_text('{"max_depth": 9}\n')
    done = tunesmith("run")
    assert done.returncode == 0, done.stderr
    assert "best.json is kept: written by hand" in done.stderr
    assert tunesmith("adopt").returncode == 0
    assert DecisionTreeClassifier(**json.loads((project / "best.json").read_text()))
    assert tunesmith("run").returncode == 0
    verified = tunesmith("verify", "--json")
    assert verified.returncode == 0, verified.stdout
    assert "best.json: as the study chose" in tunesmith("status").stdout
    (project / "best.json").write_text('{"max_depth": 9}\n')
    assert "edited" in tunesmith("status").stdout or "by hand" in tunesmith("status").stdout


def test_a_managed_flat_file_is_verified_and_put_back(project: Path, tunesmith: Run) -> None:
    configure(project, "{best: {path: best.json, meta: false}}")
    assert tunesmith("run").returncode == 0
    found = (project / "best.json").read_text()
    assert tunesmith("verify").returncode == 0
    (project / "best.json").write_text(found.replace("gini", "log_loss").replace("entropy", "gini"))
    assert tunesmith("verify").returncode == 3
    assert tunesmith("run").returncode == 0
    assert (project / "best.json").read_text() == found


@pytest.mark.parametrize("command", ["check", "run"])
def test_what_people_wrote_is_refused_with_its_place(
    project: Path, tunesmith: Run, command: str
) -> None:
    (project / "README.md").write_text("# mine\n")
    (project / "params.yaml").write_text("train: {max_depth: 3}\nseed: 1\n")
    configure(project, "{best: params.yaml, report: README.md}")
    done = tunesmith(command)
    assert done.returncode == 2
    assert "tuning.yaml:12:11: outputs.best: params.yaml holds other things" in done.stderr
    assert "`best: {path: params.yaml, at: train}`" in done.stderr
    assert "outputs.report: README.md is there already" in done.stderr
    assert (project / "README.md").read_text() == "# mine\n"


def test_what_is_forced_is_replaced_and_nothing_else(project: Path, tunesmith: Run) -> None:
    (project / "README.md").write_text("# mine\n")
    configure(project, "{report: README.md}")
    assert tunesmith("run").returncode == 2
    assert tunesmith("run", "--force", "data.csv").returncode == 2
    assert tunesmith("run", "--force", "README.md").returncode == 0
    assert (project / "README.md").read_text().startswith("# Tuning results")
    assert tunesmith("run").returncode == 0
