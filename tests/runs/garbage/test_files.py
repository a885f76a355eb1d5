import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tunesmith.config.load import load_definition
from tunesmith.config.model import Definition
from tunesmith.models.answers import FoldAnswers
from tunesmith.models.store import FoldModel, ModelStore, pack
from tunesmith.objective.program.checkpoints import Checkpoints
from tunesmith.objective.program.folds import ProgramFold
from tunesmith.runs.garbage.files import Leftover, leftovers
from tunesmith.testing.projects import make_project


@pytest.fixture
def definition(tmp_path: Path) -> Definition:
    return load_definition(make_project(tmp_path))


def test_checkpoints_go_with_their_study_or_by_age(definition: Definition) -> None:
    folder = definition.root / ".tunesmith" / "checkpoints" / "small"
    states = Checkpoints(folder, "epochs", "c")
    for n in range(2):
        with states.of({"epochs": 3, "n": n}, ProgramFold(0)) as state:
            (state / "weights").write_text("x" * 10)
    (old, new) = sorted(folder.glob("c/*/3"))
    moment = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
    os.utime(old.with_suffix(".done"), (moment, moment))
    assert leftovers(definition, ["small"], [], [], None) == []
    found = leftovers(definition, ["small"], [], [], "2021-01-01T00:00:00+00:00")
    assert [one.path for one in found] == [old.with_suffix(".done"), old]
    for one in found:
        one.remove()
    assert sorted(folder.glob("c/*/3")) == [new]
    (gone,) = leftovers(definition, ["small"], ["small"], [], None)
    assert (gone.kind, gone.path, gone.n_bytes) == ("checkpoints", folder, 10)


@pytest.mark.parametrize("part", ["models", "answers"])
def test_models_go_if_none_of_a_file_is_needed(definition: Definition, part: str) -> None:
    folder = definition.root / ".tunesmith" / part / "small"
    store = ModelStore(folder, b"secret", 1 << 20)
    answers = FoldAnswers({"predict": np.zeros(2)})
    for keys in (("a", "b"), ("c",)):
        assert store.write(pack(0, [FoldModel(key, answers, "model") for key in keys]))
    assert leftovers(definition, ["small"], [], ["b", "c"], None) == []
    (found,) = leftovers(definition, ["small"], [], ["b"], None)
    assert found.kind == "models"
    found.remove()
    assert {key for head in store.heads().values() for key in head.keys} == {"a", "b"}


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    for _ in range(2):
        Leftover("logs", tmp_path / "link").remove()
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "kept" / "file").read_text() == "mine"
