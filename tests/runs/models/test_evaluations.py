from dataclasses import replace
from pathlib import Path

from tunesmith import tune
from tunesmith.config.load import load_definition
from tunesmith.ledger.histories.portable import read_history, write_history
from tunesmith.runs.models.evaluations import evaluation_of
from tunesmith.testing.projects import TUNING, make_project

SERIAL = f"{TUNING}execution: {{executor: serial}}\n"


def test_ledger_and_history_agree_and_another_score_does_not(tmp_path: Path) -> None:
    definition = load_definition(make_project(tmp_path, text=SERIAL, trials=3))
    record = tune(definition, progress=False).record
    again = read_history(write_history((record,)))["small"]
    digests = [evaluation_of(record, trial) for trial in record.history]
    assert digests == [evaluation_of(again, trial) for trial in again.history]
    assert len(set(digests)) == 3
    trial = record.history[0]
    worse = replace(trial.folds[0], scores={"accuracy": 0.5})
    changed = replace(trial, folds=(worse, *trial.folds[1:]))
    assert evaluation_of(record, changed) != digests[0]
    other = replace(record, head=replace(record.head, identity="another"))
    assert evaluation_of(other, trial) != digests[0]
