from pathlib import Path

import pytest
import yaml

from tunesmith.errors import UsageError
from tunesmith.pipeline.dvc.lock import file_md5, read_lock, with_stage_of

LOCK = """\
schema: '2.0'
stages:
  tuning:
    cmd: tunesmith run
    deps:
    - path: data.csv
      hash: md5
      md5: 1bc29b36f623ba82aaf6724fd3b16718
      size: 3
    params:
      tuning.yaml:
        study: churn
        space:
          depth:
          - 1
          - 2
    outs:
    - path: outputs/tuning_results.md
      hash: md5
      md5: 0cc175b9c0f1b6a831c399e269772661
      size: 1
  training:
    cmd: python train.py
    outs:
    - path: model
      hash: md5
      md5: 92eb5ffee6ae2fec3ad71c777531578f.dir
      size: 7
      nfiles: 2
"""


def test_a_lock_is_read() -> None:
    stages = read_lock(LOCK)
    tuning = stages["tuning"]
    assert tuning.commands == ("tunesmith run",)
    assert tuning.deps == {"data.csv": "1bc29b36f623ba82aaf6724fd3b16718"}
    assert tuning.params["tuning.yaml"]["space"] == {"depth": [1, 2]}
    assert list(tuning.outs) == ["outputs/tuning_results.md"]
    assert stages["training"].outs["model"].endswith(".dir")


@pytest.mark.parametrize("wrong", [7, 1.5, "text", True, [[1]], {"a": 1}, ["text"]])
@pytest.mark.parametrize("key", ["cmd", "deps", "params", "outs"])
def test_a_stage_that_dvc_never_writes_is_refused_by_name(key: str, wrong: object) -> None:
    if (key, wrong) in [("cmd", "text"), ("cmd", ["text"]), ("cmd", [[1]])]:
        return
    text = yaml.safe_dump({"stages": {"tuning": {"cmd": "tunesmith run", key: wrong}}})
    with pytest.raises(UsageError, match=r"dvc\.lock: stage `tuning`: .*`dvc repro`"):
        read_lock(text)


@pytest.mark.parametrize("other", [LOCK, LOCK.rstrip("\n")])
def test_one_stage_is_taken_from_another_lock(other: str) -> None:
    mine = LOCK.replace("churn", "old").replace("python train.py", "python other.py")
    found = with_stage_of(mine, other, "tuning")
    assert found == LOCK.replace("python train.py", "python other.py")
    assert with_stage_of(LOCK, other, "training") == LOCK


def test_a_stage_that_was_not_there_is_added() -> None:
    before = LOCK.partition("  training:")[0]
    assert with_stage_of(before, LOCK, "training") == LOCK
    assert yaml.safe_load(with_stage_of("", LOCK, "tuning")) == yaml.safe_load(before)


def test_a_stage_that_is_nowhere_is_told() -> None:
    with pytest.raises(UsageError, match="no stage `evaluate`"):
        with_stage_of(LOCK, LOCK, "evaluate")


def test_digests_are_dvcs(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("a")
    assert file_md5(path) == read_lock(LOCK)["tuning"].outs["outputs/tuning_results.md"]
    assert file_md5(tmp_path) is None
    assert file_md5(tmp_path / "b") is None
