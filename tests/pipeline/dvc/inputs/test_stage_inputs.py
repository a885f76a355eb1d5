from pathlib import Path

import pytest

from tunesmith.config.load import load_definition
from tunesmith.pipeline.dvc.inputs.stage_inputs import StageInputs
from tunesmith.pipeline.dvc.stages import stages_at

STUDY = """\
study: s
objective:
  command: [python, train.py, "{a}"]
  metrics_pattern: "score: (.*)"
  metric: {name: score, direction: maximize}
space: {a: [1, 2]}
search: {method: grid}
"""
STAGES = """\
stages:
  prepare:
    cmd: python prepare.py
    outs: [data/ready.csv]
  training:
    cmd: python final.py
    deps: [config/best_parameters.yaml, data/extra.csv, helper.py, late.csv]
    outs: [model.pkl]
  evaluation:
    cmd: python late.py
    deps: [model.pkl]
    outs: [late.csv]
"""
FILES = {
    "tuning.yaml": STUDY,
    "dvc.yaml": STAGES,
    "train.py": "import helper\nopen('data/ready.csv')\nopen('unkept.csv')\n",
    "helper.py": "",
    "data/ready.csv": "",
    "data/extra.csv": "",
    "unkept.csv": "",
}


@pytest.fixture
def inputs(tmp_path: Path) -> StageInputs:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    definition = load_definition(tmp_path / "tuning.yaml")
    return StageInputs(definition, stages_at(tmp_path / "dvc.yaml"), "tuning")


def test_code_is_what_the_program_consists_of(inputs: StageInputs) -> None:
    assert {"train.py", "helper.py"} <= set(inputs.own)
    assert "data/ready.csv" not in inputs.own


def test_outs_of_later_stages_are_no_inputs(inputs: StageInputs) -> None:
    assert {"config/best_parameters.yaml", "model.pkl", "late.csv"} <= set(inputs.later_outs)
    assert "data/ready.csv" not in inputs.later_outs


def test_data_of_training_stages_are_shared_and_code_is_not(inputs: StageInputs) -> None:
    assert inputs.shared(["training"]) == {"data/extra.csv": "training"}
    assert inputs.lacking(["data/extra.csv"], ()) == ["data/extra.csv"]
    assert inputs.lacking(["data/extra.csv"], ["data"]) == []


def test_data_that_the_program_names_count_if_somebody_keeps_them(inputs: StageInputs) -> None:
    assert inputs.named == {"data/ready.csv": "train.py"}


def test_what_is_added_is_told(inputs: StageInputs) -> None:
    found = inputs.completed(["training"], (), ["config/best_parameters.yaml"])
    assert {"train.py", "data/extra.csv", "data/ready.csv"} <= set(found.paths)
    assert found.depends_on is not None
    assert "data/extra.csv" in found.depends_on
    shared, named = found.notes
    assert shared.startswith("`tuning` depends on data/extra.csv, as `training` does; so does the")
    assert named == "`tuning` depends on data/ready.csv, which train.py names."
