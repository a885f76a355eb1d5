"""The last lines of a run in a terminal."""

from dataclasses import replace

import pytest

from tunesmith.analysis.summary import summarise
from tunesmith.history import Failure, FoldResult, TrialLog
from tunesmith.reporting.terminal import closing_text
from tunesmith.testing.records import SCORE, make_record


@pytest.mark.parametrize(
    ("kind", "is_of_the_machine"), [("timeout", True), ("worker-died", True), ("exit", False)]
)
def test_failures_of_the_machine_can_be_tried_again(kind: str, is_of_the_machine: bool) -> None:
    made = make_record([{"n": 0}, {"n": 1}])
    log = TrialLog((SCORE,))
    for number in range(2):
        trial = log.ask({"n": number}, f'{{"n":{number}}}', "grid")
        log.tell(trial.completed([FoldResult(0, {}, failure=Failure(kind, "it ended"))]))
    record = replace(made, history=log.view())
    closing = closing_text(summarise(record, with_effects=False), record, [])
    assert f"failed: 2 x {kind}: it ended" in closing
    assert closing.count("`tunesmith run --restart` evaluates everything anew") == is_of_the_machine
