"""Weights & Biases itself, offline; only if it is installed."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tunesmith.runs.tracking.send import send
from tunesmith.testing.records import make_record
from tunesmith.testing.trackers import METRICS, PARAMS, SCORES, SeenTrial, TrackerContract
from tunesmith.types import State

wandb = pytest.importorskip("wandb", exc_type=ImportError)
# Its service is a process that takes seconds to start.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:::wandb"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def _service() -> Iterator[None]:
    yield
    wandb.teardown()


def run_of(folder: Path) -> dict[str, Any]:
    """Read a run: its facts, its config, its summary, its steps, and the code of its end."""
    from tunesmith.runs.tracking.wandb import records

    (file,) = folder.glob("*.wandb")
    seen: dict[str, Any] = {"config": {}, "summary": {}, "steps": []}
    for record in records(file):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            seen["run"] = record.run
        if kind in ("run", "config"):
            config = record.run.config if kind == "run" else record.config
            seen["config"] |= {_key(item): json.loads(item.value_json) for item in config.update}
        if kind == "summary":
            values = {_key(item): json.loads(item.value_json) for item in record.summary.update}
            seen["summary"] |= values
        if kind == "history":
            seen["steps"].append({_key(i): json.loads(i.value_json) for i in record.history.item})
        if kind == "exit":
            seen["exit"] = record.exit.exit_code
    return seen


def _key(item: Any) -> str:
    return str(item.key or "/".join(item.nested_key))


def tracker_at(folder: Path) -> Any:
    from tunesmith.runs.tracking.wandb import WandbTracker

    return WandbTracker(str(folder))


def runs_below(folder: Path, study: str) -> dict[str, dict[str, Any]]:
    """Read the runs of a study, by the last part of their ids."""
    runs = [run_of(path) for path in (folder / "wandb").glob("offline-run-*")]
    mine = [seen for seen in runs if seen["run"].project == study]
    found = {seen["run"].run_id.rpartition("-")[2]: seen for seen in mine}
    assert len(found) == len(mine)
    return found


class TestWandb(TrackerContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> Callable[[], Any]:
        return lambda: tracker_at(tmp_path)

    def seen(self, tracker: Any, study: str) -> dict[int, SeenTrial]:
        found = {}
        for number, run in runs_below(tracker._root, study).items():
            if number != "study":
                state = State(run["summary"]["state"])
                assert run["exit"] == int(state is State.FAILED)
                mean = run["summary"].get("accuracy")
                found[int(number)] = SeenTrial(state, mean, run["config"]["x"])
        return found


def test_a_study_is_a_group_of_runs(tmp_path: Path) -> None:
    record = make_record(PARAMS, SCORES, metrics=METRICS, study="one")
    for texts in ({}, {"report.md": "# Report\n"}, {"report.md": "# Report\n"}):
        assert send(record, tracker_at(tmp_path), texts).problem == ""
    runs = runs_below(tmp_path, "one")
    assert runs.keys() == {"0", "1", "2", "3", "study"}
    assert len({run["run"].run_group for run in runs.values()}) == 1
    study = runs["study"]
    assert study["summary"]["best_trial"] == 2
    assert (study["summary"]["accuracy"], study["config"]["search"]) == (0.75, "grid")
    (report,) = (tmp_path / "wandb").glob("offline-run-*-study/files/report.md")
    assert report.read_text() == "# Report\n"
    trial = runs["2"]
    assert [step["folds/accuracy"] for step in trial["steps"]] == [0.5, 1.0]
    assert trial["config"]["kind"] == PARAMS[2]["kind"]
    assert runs["1"]["summary"]["failure"] == "ValueError: boom"


def test_what_is_gone_from_the_folder_is_not_written_again(tmp_path: Path) -> None:
    record = make_record(PARAMS[:2], SCORES[:2], metrics=METRICS, study="one")
    send(record, tracker_at(tmp_path))
    for path in (tmp_path / "wandb").glob("offline-run-*-0/*.wandb"):
        path.unlink()
    (written,) = (tmp_path / "wandb").glob("tunesmith-*.txt")
    assert send(record, tracker_at(tmp_path)).n_sent == 0
    # A line that was cut off does not count.
    written.write_text(written.read_text().replace("1\n", "") + "1")
    assert send(record, tracker_at(tmp_path)).n_sent == 1
    assert len(list((tmp_path / "wandb").glob("offline-run-*-1"))) == 1


def test_nothing_of_this_machine_is_written(tmp_path: Path) -> None:
    record = make_record(PARAMS[:1], SCORES[:1], metrics=METRICS, study="one")
    send(record, tracker_at(tmp_path))
    host = os.uname().nodename.encode()
    # As the format writes a text: a name of two letters is in many files by chance.
    written = bytes([len(host)]) + host
    files = [path for path in (tmp_path / "wandb").rglob("*.wandb") if path.is_file()]
    assert len(files) == 2
    assert not any(written in path.read_bytes() for path in files)
    assert not list((tmp_path / "wandb").rglob("requirements.txt"))


def test_long_records_are_read_piece_by_piece(tmp_path: Path) -> None:
    record = make_record(
        [{"x": 1, "kind": "y" * 100_000}], [[0.5, 1.0]], metrics=METRICS, study="one"
    )
    tracker = tracker_at(tmp_path)
    assert send(record, tracker).problem == ""
    assert runs_below(tmp_path, "one")["0"]["config"]["kind"] == "y" * 100_000
