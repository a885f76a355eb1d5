import json
import os
from pathlib import Path

from tunesmith.objective.program.results.stream import ProgressFollower


def test_progress_is_followed_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    follower = ProgressFollower(file, {"loss": "val_loss", "acc": "acc"})
    assert follower.new() == []
    with file.open("a") as opened:

        def write(text: str) -> None:
            opened.write(text)
            opened.flush()

        write('{"step": 1, "val_loss": 0.9, "other": 1}\n{"step": 2, "val')
        assert follower.new() == [(1, {"loss": 0.9})]
        write('_loss": 0.8}\n')
        assert follower.new() == [(2, {"loss": 0.8})]
        write('{"step": 3, "metric": "acc", "value": 0.5}\nnot json\n[1]\n{"step": true}\n')
        write('{"step": 4, "val_loss": NaN}\n{"step": -1, "val_loss": 1}\n{"val_loss": 1}\n')
        assert follower.new() == [(3, {"acc": 0.5})]
        assert follower.new() == []


def test_progress_that_is_no_file_is_ignored(tmp_path: Path) -> None:
    fifo = tmp_path / "p"
    os.mkfifo(fifo)
    assert ProgressFollower(fifo, {"loss": "loss"}).new() == []
    link = tmp_path / "link"
    (tmp_path / "real").write_text(json.dumps({"step": 1, "loss": 1}) + "\n")
    link.symlink_to(tmp_path / "real")
    assert ProgressFollower(link, {"loss": "loss"}).new() == []


def test_the_last_line_counts_without_an_end_once_the_program_has_ended(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    follower = ProgressFollower(file, {"loss": "loss"})
    file.write_text('{"step": 1, "loss": 0.9}\n{"step": 2, "loss": 0.8}')
    assert follower.new() == [(1, {"loss": 0.9})]
    assert follower.new() == []
    assert follower.rest() == [(2, {"loss": 0.8})]
    assert follower.rest() == []
    file.write_text('{"step": 1, "loss": "0.9"}\n{"step": 2, "los')
    assert ProgressFollower(file, {"loss": "loss"}).rest() == []
