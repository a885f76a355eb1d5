import json

import pytest

from tunesmith.errors import UsageError
from tunesmith.pipeline.dvc.stages import Coupling, coupling, read_stages, tuning_stage

PIPELINE = """\
stages:
  prepare:
    cmd: [python prepare.py, python check.py]
    outs: [data]
  tuning:
    cmd: tunesmith run -c config/tuning.yaml -q
    deps: [data]
    outs:
      - outputs/tuning_results.md: {cache: false, persist: true}
      - ./config/best_parameters.yaml:
          cache: false
    metrics:
      - outputs/tuning_metrics.json: {cache: false}
"""


def test_stages_are_read_in_their_order() -> None:
    stages = read_stages(PIPELINE)
    assert list(stages) == ["prepare", "tuning"]
    assert stages["prepare"].commands == ("python prepare.py", "python check.py")
    assert stages["tuning"].deps == ("data",)
    assert stages["tuning"].outs["outputs/tuning_results.md"] == {"cache": False, "persist": True}
    assert stages["tuning"].metrics == ("outputs/tuning_metrics.json",)


def test_the_stage_that_tunes_is_found_by_its_command() -> None:
    stages = read_stages(PIPELINE)
    found = tuning_stage(stages, "config/tuning.yaml")
    assert found is not None
    assert found.name == "tuning"
    assert tuning_stage(stages, "tuning.yaml") is None


def test_a_stage_that_names_the_configuration_goes_first() -> None:
    text = "stages:\n  a: {cmd: tunesmith run}\n  b: {cmd: [sh x.sh, tunesmith run -c b.yaml]}\n"
    stages = read_stages(text)
    found = [tuning_stage(stages, config) for config in ("tuning.yaml", "b.yaml")]
    assert [stage and stage.name for stage in found] == ["a", "b"]


def test_how_training_hangs_on_tuning() -> None:
    stage = read_stages(PIPELINE)["tuning"]
    assert coupling(stage, "config/best_parameters.yaml") is Coupling.TIGHT
    assert coupling(stage, "other.yaml") is Coupling.LOOSE
    assert coupling(None, "other.yaml") is Coupling.NONE


@pytest.mark.parametrize(
    ("command", "does"),
    [
        ("tunesmith run", True),
        ("tunesmith run --config=tuning.yaml", True),
        ("tunesmith run -c ./tuning.yaml", True),
        (".venv/bin/tunesmith run && echo done", True),
        ("env X=1 python -m tunesmith run", True),
        ("tunesmith check", False),
        ("tunesmith run -c other.yaml", False),
        ("echo 'tunesmith run", False),
        ("tunesmith", False),
    ],
)
def test_commands_that_run_a_study(command: str, does: bool) -> None:
    stage = read_stages(f"stages: {{a: {json.dumps({'cmd': command})}}}")["a"]
    assert stage.runs("tuning.yaml") is does


@pytest.mark.parametrize("text", ["stages: [a]\n", "stages: {a: 3}\n", "- a\n"])
def test_another_shape_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"dvc\.yaml"):
        read_stages(text)


def test_broken_yaml_is_told_with_its_place() -> None:
    with pytest.raises(UsageError, match=r"dvc\.yaml:3:1"):
        read_stages("stages:\n  a: {\n")


@pytest.mark.parametrize("text", ["", "stages:\n", "plots: []\n", "vars: []\n"])
def test_no_stages(text: str) -> None:
    assert read_stages(text) == {}


@pytest.mark.parametrize("key", ["cmd", "wdir", "deps", "params", "outs", "metrics", "plots"])
@pytest.mark.parametrize("value", ["5", "{a: {b: c}}", "[[x]]", "[1]", "!!binary aGk="])
@pytest.mark.parametrize("other", ["", "vars: [{x: 1}]\n"])
def test_a_key_of_another_shape_is_told(key: str, value: str, other: str) -> None:
    rest = "" if key == "cmd" else "    cmd: echo ${x}\n" if other else "    cmd: echo\n"
    with pytest.raises(UsageError, match=r"^dvc\.yaml(: |:\d)"):
        read_stages(f"{other}stages:\n  train:\n    {key}: {value}\n{rest}")
