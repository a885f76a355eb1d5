"""What DVC does with the stages of the tight mode: best parameters are an out of tuning."""

import json
from pathlib import Path

import pytest
from tests.pipeline.dvc.project import BEST, REPORT, Project

pytestmark = pytest.mark.slow


def test_a_manual_edit_is_shown_and_undone(tight: Project) -> None:
    assert (tight.trained, tight.evaluated, tight.changed()) == ([3], [8], {})
    assert "-->" in tight.dvc("dag", "--mermaid")
    written = tight.text(BEST)
    tight.edit(BEST, "max_depth: 3", "max_depth: 7")
    assert tight.changed()["tuning"] == [{"changed outs": {BEST: "modified"}}]
    told = tight.dvc("repro")
    assert "Running stage 'tuning'" in told
    assert "Stage 'training' didn't change" in told
    assert tight.text(BEST) == written
    (tight.root / BEST).unlink()
    tight.dvc("repro")
    assert tight.text(BEST) == written
    tight.dvc("repro", "-f", "tuning")
    assert tight.git("status", "--short") == ""
    assert (tight.trained, sum(tight.evaluated), tight.changed()) == ([3], 8, {})


def test_there_and_back(tight: Project) -> None:
    first = {name: tight.text(name) for name in (BEST, REPORT)}
    tight.edit(BEST, "max_depth: 3", "max_depth: 7")
    tight.edit("tuning.yaml", "[1, 2, 3, 4]", "[1, 2]")
    tight.dvc("repro")
    assert (tight.depth, tight.trained) == (2, [3, 2])
    tight.edit("tuning.yaml", "[1, 2]", "[1, 2, 3, 4]")
    assert "Running stage 'tuning'" in tight.dvc("repro")
    assert {name: tight.text(name) for name in first} == first
    assert (sum(tight.evaluated), tight.changed()) == (8, {})
    assert json.loads(tight.text("outputs/training_metrics.json")) == {"depth": 3}


def test_training_alone_takes_the_edit_and_tuning_stays_changed(tight: Project) -> None:
    tight.edit(BEST, "max_depth: 3", "max_depth: 7")
    tight.dvc("repro", "-s", "training")
    assert (tight.trained, list(tight.changed())) == ([3, 7], ["tuning"])
    tight.tunesmith("dvc", "init", "--loose", "--yes")
    # What people wrote is theirs now.
    told = tight.dvc("repro")
    assert "is kept: edited by hand" in told
    assert (tight.depth, tight.changed()) == (7, {})


def test_a_fresh_clone_is_up_to_date(tight: Project, tmp_path: Path) -> None:
    tight.git("clone", "-q", ".", str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    assert clone.changed() == {}
    clone.edit(BEST, "meta:", "# a word\nmeta:")
    clone.dvc("repro")
    assert "# a word" not in clone.text(BEST)
    assert (clone.depth, clone.evaluated, clone.changed()) == (3, [8, 0], {})


def test_a_value_set_for_an_out_is_overwritten(tight: Project) -> None:
    tight.dvc("exp", "run", "-q", "-S", f"{BEST}:params.max_depth=4")
    assert (tight.depth, tight.trained) == (3, [3])
