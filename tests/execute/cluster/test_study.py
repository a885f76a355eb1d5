"""Whole studies on a cluster: the same trials, bit for bit, as in this process."""

import re
import shutil
import sys
from pathlib import Path

import pytest
from sklearn.datasets import load_breast_cancer
from tests.execute.cluster.conftest import started
from tests.forest import TUNING, make_forest

import tunesmith
from tunesmith.errors import UsageError

pytestmark = pytest.mark.slow

PROGRAM = """
study: program
objective:
  command: [PYTHON, train.py, "{params}"]
  params_file: params.json
  metrics_file: metrics.json
  metric: {name: loss, direction: minimize}
space: {x: {float: [-1, 1]}}
search: {method: random, seed: 3}
stop: {trials: 4}
outputs: {best: best.yaml}
execution:
  slots: {gpu: 1}
"""
TRAIN = """
import json, os, sys
x = json.load(open(sys.argv[1]))["x"] + int(os.environ["CUDA_VISIBLE_DEVICES"])
json.dump({"loss": x * x}, open("metrics.json", "w"))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = make_forest(tmp_path / "project")
    (folder / "train.py").write_text(TRAIN)
    return folder


def trials(project: Path, text: str, execution: str) -> list[object]:
    """The trials of a study with another executor, with all scores."""
    (project / "tuning.yaml").write_text(text + execution)
    shutil.rmtree(project / ".tunesmith", ignore_errors=True)
    # The winner of the run before would be the first trial of this one.
    (project / "best.yaml").unlink(missing_ok=True)
    result = tunesmith.tune(project / "tuning.yaml", progress=False)
    return [
        (t.number, t.params, [(f.fold, f.scores) for f in t.folds])
        for t in result.record.history.completed
    ]


def test_an_estimator_of_the_project_has_the_same_scores(project: Path, cluster: str) -> None:
    serial = trials(project, TUNING, "execution: {executor: serial}\n")
    there = f"execution: {{executor: dask, options: {{scheduler: '{cluster}'}}}}\n"
    assert trials(project, TUNING, there) == serial
    here = "execution: {executor: dask, workers: 2}\n"
    assert trials(project, TUNING, here) == serial


def test_a_program_runs_there_with_a_device_of_its_own(
    project: Path, cluster: str, tmp_path: Path
) -> None:
    text = PROGRAM.replace("PYTHON", sys.executable)
    local = trials(project, text, "  executor: processes\n")
    there = "  executor: dask\n  options: {{scheduler: '{}'}}\n"
    # The workers of that cluster offer no GPU.
    with pytest.raises(UsageError, match="the worker offers no GPU"):
        trials(project, text, there.format(cluster))
    with (
        started(tmp_path, "scheduler") as scheduler,
        started(tmp_path, "worker", scheduler.address, threads=2, resources="GPU=1"),
    ):
        assert trials(project, text, there.format(scheduler.address)) == local


def test_wrong_options_are_named(project: Path) -> None:
    named = re.escape("schedular: dask has no such option. Did you mean `scheduler`")
    with pytest.raises(UsageError, match=named):
        trials(project, TUNING, "execution: {executor: dask, options: {schedular: x}}\n")


def test_models_of_a_cluster_are_kept(
    project: Path, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(project / "state"))
    there = f"execution: {{executor: dask, options: {{scheduler: '{cluster}'}}}}\n"
    (project / "tuning.yaml").write_text(f"{TUNING}{there}models: {{keep: 2}}\n")
    result = tunesmith.tune(project / "tuning.yaml", progress=False)
    average, ensemble = result.model("average"), result.model("ensemble")
    assert (average.n_fits, average.n_kept) == (0, 3)
    serial = f"{TUNING}models: {{keep: 2}}\nexecution: {{executor: serial}}\n"
    shutil.rmtree(project / ".tunesmith")
    (project / "best.yaml").unlink()
    (project / "tuning.yaml").write_text(serial)
    here = tunesmith.tune(project / "tuning.yaml", progress=False)
    assert [(m.trial, m.weight) for m in here.model("ensemble").members] == [
        (m.trial, m.weight) for m in ensemble.members
    ]
    X = load_breast_cancer(as_frame=True).data.head(20)
    same = here.model("average").model.predict_proba(X) == average.model.predict_proba(X)
    assert same.all()
    # Nor do workers hold on to models once their process of the search has them.
    folds = [fold for trial in result.record.history.completed for fold in trial.folds]
    assert all(fold.delivery is None for fold in folds)
