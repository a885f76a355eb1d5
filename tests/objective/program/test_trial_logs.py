from pathlib import Path
from typing import Any

import pytest

from tunesmith.config.model import File
from tunesmith.objective.program.trial_logs import TrialLogs, runs_folder


def file(**sections: Any) -> File:
    return File.model_validate({"study": "s", "objective": {"metric": "r2"}, **sections})


@pytest.fixture
def logs(tmp_path: Path) -> TrialLogs:
    """Logs of two runs; a third one was made elsewhere."""
    for key, out, err in (
        ("one", "told\n", ""),
        ("two", "\x1b[1mbold\x1b[0m", "token hush-hush-7\n"),
    ):
        (tmp_path / key).mkdir()
        (tmp_path / key / "stdout.log").write_text(out)
        (tmp_path / key / "stderr.log").write_text(err)
    return TrialLogs(tmp_path, {1: "two", 0: "one", 2: "elsewhere"})


def test_logs_come_by_fold_and_empty_ones_are_left_out(logs: TrialLogs) -> None:
    assert [(log.fold, log.path.name) for log in logs.read({}, only_errors=False)] == [
        (0, "stdout.log"),
        (1, "stdout.log"),
        (1, "stderr.log"),
    ]
    assert [log.fold for log in logs.read({}, only_errors=True)] == [1]


def test_secrets_and_control_characters_are_left_out(logs: TrialLogs) -> None:
    own = {"API_TOKEN": "hush-hush-7"}
    texts = [log.text for log in logs.read(own, only_errors=False)]
    assert texts[0] == "told"
    assert not any("hush-hush-7" in text or "\x1b" in text for text in texts)


def test_runs_of_another_machine_have_left_no_folder(logs: TrialLogs) -> None:
    assert logs.exist
    assert not TrialLogs(logs.folder, {0: "elsewhere"}).exist
    assert TrialLogs(logs.folder, {0: "elsewhere"}).read({}, only_errors=False) == []


def test_studies_of_one_name_in_two_ledgers_have_different_folders(tmp_path: Path) -> None:
    usual, other = runs_folder(tmp_path, file()), runs_folder(tmp_path, file(ledger="other.db"))
    assert usual == tmp_path.resolve() / ".tunesmith/runs/s"
    assert other.name.startswith("s-")
    assert other != usual
