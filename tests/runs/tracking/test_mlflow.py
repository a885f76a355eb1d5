"""MLflow itself, with a store of its own in a folder; only if it is installed."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tunesmith.runs.tracking.send import send
from tunesmith.testing.records import make_record
from tunesmith.testing.trackers import METRICS, PARAMS, SCORES, SeenTrial, TrackerContract
from tunesmith.types import State

tracking = pytest.importorskip("mlflow.tracking", exc_type=ImportError)
# Its database takes seconds to make.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:::mlflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Artifacts go below the working folder.
    monkeypatch.chdir(tmp_path)


def runs_of(tracker: Any, study: str) -> list[Any]:
    experiment = tracker._client.get_experiment_by_name(study)
    return list(tracker._client.search_runs([experiment.experiment_id], max_results=100))


class TestMLflow(TrackerContract):
    @pytest.fixture
    def make(self, address: str) -> Callable[[], Any]:
        from tunesmith.runs.tracking.mlflow import MLflowTracker

        return lambda: MLflowTracker(address)

    def seen(self, tracker: Any, study: str) -> dict[int, SeenTrial]:
        states = {"FINISHED": State.COMPLETE, "FAILED": State.FAILED, "KILLED": State.PRUNED}
        runs = [run for run in runs_of(tracker, study) if "tunesmith.trial" in run.data.tags]
        found = {
            int(run.data.tags["tunesmith.trial"]): SeenTrial(
                states[run.info.status],
                run.data.metrics.get("accuracy"),
                float(run.data.params["x"]),
            )
            for run in runs
        }
        assert len(found) == len(runs)
        return found


def test_a_server_that_is_away_is_told_without_minutes_of_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tunesmith.runs.tracking.mlflow import PATIENCE, MLflowTracker

    for name in PATIENCE:
        monkeypatch.delenv(name, raising=False)
    # What the tracker sets is taken back after the test.
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "7")
    monkeypatch.setattr(os, "environ", os.environ.copy())
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    sent = send(
        make_record(PARAMS, SCORES, metrics=METRICS), MLflowTracker(f"http://127.0.0.1:{port}")
    )
    assert (sent.n_sent, sent.n_lacking) == (0, len(PARAMS))
    assert "onnect" in sent.problem
    # By MLflow's own settings, seven pauses of up to two minutes.
    assert 0 < sum(pauses) < 20
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "7"


def test_the_study_is_a_run_with_children(address: str) -> None:
    from tunesmith.runs.tracking.mlflow import MLflowTracker

    tracker = MLflowTracker(address)
    record = make_record(PARAMS, SCORES, metrics=METRICS, study="whole")
    send(record, tracker, {"report.md": "# Report\n"})
    runs = runs_of(tracker, "whole")
    (parent,) = [run for run in runs if "tunesmith.uid" in run.data.tags]
    assert {run.data.tags.get("mlflow.parentRunId") for run in runs} == {None, parent.info.run_id}
    assert parent.data.tags["tunesmith.best_trial"] == "2"
    assert parent.data.metrics == {"accuracy": 0.75, "loss": 1.75}
    assert parent.info.status == "FINISHED"
    (first,) = [run for run in runs if run.data.tags.get("tunesmith.trial") == "0"]
    history = tracker._client.get_metric_history(first.info.run_id, "accuracy.fold")
    assert [(m.step, m.value) for m in history] == [(0, 0.25), (1, 0.75)]
    (failed,) = [run for run in runs if run.data.tags.get("tunesmith.trial") == "1"]
    assert failed.data.tags["tunesmith.failure"] == "ValueError: boom"
    kept = tracker._client.list_artifacts(parent.info.run_id)
    assert [file.path for file in kept] == ["report.md"]
