import json
from pathlib import Path

import pytest

from tunesmith.config.model import BestSection, OutputsSection
from tunesmith.errors import UsageError
from tunesmith.runs.outputs import write_outputs
from tunesmith.testing.records import make_record

RECORD = make_record([{"n": 1}, {"n": 2}])


def test_all_outputs_are_written_once(tmp_path: Path) -> None:
    outputs = OutputsSection(
        best=BestSection(path="b.json"), report="out/r.md", trials="out/t.jsonl"
    )
    first = write_outputs(RECORD, tmp_path, outputs)
    assert {w.path.name: w.changed for w in first} == {
        "b.json": True,
        "r.md": True,
        "t.jsonl": True,
    }
    assert not any(written.changed for written in write_outputs(RECORD, tmp_path, outputs))
    assert len((tmp_path / "out/t.jsonl").read_text().splitlines()) == 2


def test_committed_trials_hold_no_times(tmp_path: Path) -> None:
    write_outputs(RECORD, tmp_path, OutputsSection(trials="t.json"))
    text = (tmp_path / "t.json").read_text()
    assert "time" not in text
    assert json.loads(text)["trials"][0]["params"] == {"n": 1}


def test_trials_have_the_best_score_so_far(tmp_path: Path) -> None:
    record = make_record([{"n": n} for n in range(4)], [[0.5], "bad", [0.25], [0.75]])
    write_outputs(record, tmp_path, OutputsSection(trials="t.json"))
    rows = json.loads((tmp_path / "t.json").read_text())["trials"]
    assert [row["best_score"] for row in rows] == [0.5, 0.5, 0.5, 0.75]


def test_without_a_result_the_best_parameters_stay(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("n: 7\n")
    write_outputs(
        make_record([{"n": 1}], ["bad"]), tmp_path, OutputsSection(best=BestSection(path="b.yaml"))
    )
    assert (tmp_path / "b.yaml").read_text() == "n: 7\n"


def test_nothing_is_written_when_one_output_cannot_be_made(tmp_path: Path) -> None:
    record = make_record([{"n": None}])
    with pytest.raises(UsageError, match="TOML"):
        write_outputs(record, tmp_path, OutputsSection(best=BestSection(path="b.toml")))
    assert list(tmp_path.iterdir()) == []
