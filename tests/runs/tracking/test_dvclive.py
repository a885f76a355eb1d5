"""DVCLive itself, and DVC as the reader of its folders; only if it is installed."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tunesmith.runs.tracking.send import send
from tunesmith.testing.records import make_record
from tunesmith.testing.trackers import METRICS, PARAMS, SCORES, SeenTrial, TrackerContract
from tunesmith.types import State

pytest.importorskip("dvclive", exc_type=ImportError)
pytestmark = pytest.mark.slow


def tracker_at(folder: Path) -> Any:
    from tunesmith.runs.tracking.dvclive import DVCLiveTracker

    return DVCLiveTracker(str(folder))


class TestDVCLive(TrackerContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> Callable[[], Any]:
        return lambda: tracker_at(tmp_path)

    def seen(self, tracker: Any, study: str) -> dict[int, SeenTrial]:
        found = {}
        for folder in tracker._root.glob(f"{study}/*/[0-9]*/"):
            metrics = json.loads((folder / "metrics.json").read_text())
            params = YAML(typ="safe").load(folder / "params.yaml")
            state = State(metrics["state"])
            mean = metrics["accuracy"] if state is State.COMPLETE else None
            found[int(folder.name)] = SeenTrial(state, mean, params["x"])
        return found


def test_dvc_reads_the_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dvc.repo import Repo

    monkeypatch.chdir(tmp_path)
    Repo.init(no_scm=True).close()
    record = make_record(PARAMS, SCORES, metrics=METRICS, study="one")
    for texts in ({}, {"report.md": "# Report\n"}):
        assert send(record, tracker_at(Path("dvclive")), texts).problem == ""
    (study,) = (tmp_path / "dvclive" / "one").iterdir()
    assert (study / "report.md").read_text() == "# Report\n"
    trials = [f"{number:06d}" for number in range(4)]
    assert sorted(path.name for path in study.iterdir() if path.is_dir()) == [
        *trials,
        "best",
        "study",
    ]
    files = [str(study / name / "metrics.json") for name in ("000002", "best")]
    with Repo() as repo:
        shown = repo.metrics.show(targets=files)[""]["data"]
    (trial, best) = (shown[str(Path(file).relative_to(tmp_path))]["data"] for file in files)
    assert (trial["accuracy"], trial["loss"], trial["state"]) == (0.75, 1.75, "complete")
    assert (best["trial"], best["accuracy"], best["n_trials"]) == (2, 0.75, 4)
    lines = (study / "000002" / "plots" / "metrics" / "accuracy.tsv").read_text().splitlines()
    assert lines == ["step\taccuracy", "0\t0.5", "1\t1.0"]
    failed = json.loads((study / "000001" / "metrics.json").read_text())
    assert failed["failure"] == "ValueError: boom"
    # No experiment, no commit, and no file of the project was made.
    assert {path.name for path in tmp_path.iterdir()} == {".dvc", ".dvcignore", "dvclive"}


def test_a_repository_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    monkeypatch.chdir(tmp_path)
    record = make_record(PARAMS, SCORES, metrics=METRICS, study="one")
    assert send(record, tracker_at(Path("dvclive"))).problem == ""
    # DVCLive by itself would make and stage the files of DVC.
    assert {path.name for path in tmp_path.iterdir()} == {".git", "dvclive"}
    assert not (tmp_path / ".git" / "index").exists()


def test_a_version_that_looks_for_it_in_another_way_is_refused() -> None:
    from tunesmith.errors import StorageError
    from tunesmith.runs.tracking.dvclive import _without_repository

    with pytest.raises(StorageError, match="would change your repository"):
        _without_repository(object)


def test_nothing_is_posted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def posted(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setenv("DVC_STUDIO_TOKEN", "token")
    monkeypatch.setattr("dvclive.studio.post_live_metrics", posted)
    record = make_record(PARAMS, SCORES, metrics=METRICS, study="one")
    assert send(record, tracker_at(tmp_path)).problem == ""
