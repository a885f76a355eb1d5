from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith.config.load import define
from tunesmith.config.model import Definition
from tunesmith.ledger.histories.portable import write_history
from tunesmith.ledger.ledger import Ledger
from tunesmith.pipeline.latest_record import HISTORY, LEDGER, RecordSources
from tunesmith.testing.records import make_record

RECORD = make_record([{"n": 1}, {"n": 2}], study="s")
FILE = {
    "study": "s",
    "objective": {
        "command": ["sh", "run.sh", "{n}"],
        "metrics_pattern": "score: (.*)",
        "metric": {"name": "score", "direction": "maximize"},
    },
    "space": {"n": [1, 2]},
    "stop": {"trials": 2},
    "outputs": {"history": "history.jsonl"},
}


@pytest.fixture
def definition(tmp_path: Path) -> Definition:
    (tmp_path / "history.jsonl").write_text(write_history([RECORD]))
    return define(FILE, root=tmp_path)


def in_ledger(definition: Definition, identity: str) -> None:
    """Begin a series without trials in the ledger."""
    head = RECORD.head
    with Ledger.open(definition.ledger) as ledger:
        study = ledger.begin_study(
            "s",
            identity,
            head.definition,
            context=head.context,
            metrics=RECORD.metrics,
            objectives=RECORD.objectives,
        )
        ledger.begin_run(study.id, dict(RECORD.runs[0].provenance))


def test_without_a_ledger_the_history_counts(definition: Definition) -> None:
    sources = RecordSources(definition)
    assert sources.in_ledger() is None
    found = sources.latest(RECORD.head.identity)
    assert found is not None
    assert (found.source, found.record.history.n_completed) == (HISTORY, 2)
    assert [head.identity for head in sources.last_heads()] == [RECORD.head.identity]


def test_a_history_that_continues_the_ledger_counts(definition: Definition) -> None:
    in_ledger(definition, RECORD.head.identity)
    found = RecordSources(definition).latest(RECORD.head.identity)
    assert found is not None
    assert found.source == HISTORY


def test_the_series_of_the_present_identity_counts(definition: Definition) -> None:
    in_ledger(definition, "another")
    sources = RecordSources(definition)
    for identity, source in (("another", LEDGER), (RECORD.head.identity, HISTORY)):
        found = sources.latest(identity)
        assert found is not None
        assert found.source == source
    assert [head.identity for head in sources.last_heads()] == ["another", RECORD.head.identity]


def test_a_history_of_the_same_trials_is_not_looked_into(definition: Definition) -> None:
    assert RecordSources(definition).history_instead_of(RECORD) is None


def test_without_a_history_there_is_none(definition: Definition) -> None:
    outputs = definition.file.outputs.model_copy(update={"history": None})
    without = replace(definition, file=definition.file.model_copy(update={"outputs": outputs}))
    assert RecordSources(without).committed is None
    assert RecordSources(without).in_history() is None
