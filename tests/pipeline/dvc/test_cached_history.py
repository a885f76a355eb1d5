"""A history that DVC keeps in its cache, and Git does not have: it counts as any other."""

import re
import shutil
from pathlib import Path

import pytest
from tests.pipeline.dvc.project import Project

HISTORY = "outputs/history.jsonl"
OLD, WIDER = "[1, 2, 3, 4]", "[1, 2, 3, 4, 5]"

pytestmark = pytest.mark.slow


@pytest.fixture
def cached(loose: Project) -> Project:
    """Two commits with different data, and nothing else in Git; their histories in DVC's cache."""
    loose.edit("dvc.yaml", f"{HISTORY}: {{cache: false, persist: true}}", HISTORY)
    loose.git("rm", "-q", "--cached", HISTORY)
    loose.git("checkout", "-q", "--orphan", "anew")
    loose.dvc("repro", "-q", "tuning")
    loose.commit("old data")
    rows = loose.text("data.csv").splitlines(keepends=True)
    loose.write("data.csv", "".join(rows[:-1]))
    loose.dvc("repro", "-q", "tuning")
    loose.commit("new data")
    assert loose.git("log", "--format=%s", "anew", "--", HISTORY) == ""
    assert loose.evaluated[-1] == 8
    return loose


def test_clones_and_temporary_workspaces_evaluate_only_what_is_new(
    cached: Project, tmp_path: Path
) -> None:
    place = str(tmp_path / "clone")
    cached.git("clone", "-q", "--single-branch", "-b", "anew", f"file://{cached.root}", place)
    clone = Project(tmp_path / "clone")
    assert not (clone.root / HISTORY).exists()
    # Nothing else has them: without the cache all is evaluated anew.
    clone.dvc("repro", "-q", "-f", "tuning")
    assert clone.evaluated == [8]
    clone.git("clean", "-qfdx", "-e", ".dvc")
    clone.git("checkout", "-q", ".")
    shutil.rmtree(clone.root / ".dvc/cache")
    clone.dvc("cache", "dir", "--local", str(cached.root / ".dvc/cache"))
    clone.edit("tuning.yaml", OLD, WIDER)
    clone.dvc("repro", "-q", "tuning")
    assert clone.evaluated[-1] == 2  # the folds of one value
    clone.git("checkout", "-q", "anew", "--", "tuning.yaml")
    clone.git("checkout", "-q", "anew~1", "--", "data.csv")
    clone.dvc("repro", "-q", "tuning")
    assert clone.evaluated[-1] == 0
    told = cached.dvc("exp", "run", "--temp", "-S", f"tuning.yaml:space.max_depth={WIDER}")
    assert re.findall(r"(\d+) fits made, (\d+) scores of earlier fits", told) == [("2", "8")]
