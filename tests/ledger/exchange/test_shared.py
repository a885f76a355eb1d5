from typing import Any

import pytest

from tunesmith.errors import DamagedError
from tunesmith.ledger.exchange.shared import (
    SharedRun,
    checked_row,
    checked_run,
    derived_uid,
)
from tunesmith.ledger.rows import evaluation_row
from tunesmith.testing.ledger import result


def a_run(**changes: Any) -> dict[str, Any]:
    study = {"name": "s", "identity": "i", "definition": "{}", "context": "{}"}
    study |= {"metrics": "[]", "n_objectives": 1, "created": "2026-01-01"}  # type: ignore[dict-item]
    run = {"started": "2026-01-01", "ended": None, "stopped_by": None, "provenance": "{}"}
    run |= {"n_evaluated": 0, "n_reused": 0, "n_fits": 0}  # type: ignore[dict-item]
    content = {"uid": "u", "study": study, "run": run}
    for name, value in changes.items():
        for part in (study, run, content):
            if name in part:
                part[name] = value
    return content


def test_what_a_ledger_writes_is_accepted() -> None:
    row = evaluation_row("k", result(0), 5)
    own = {name: value for name, value in row.items() if name not in ("run_id", "checksum")}
    assert checked_row(own) == own
    assert checked_run(a_run()).uid == "u"


@pytest.mark.parametrize(
    "changes",
    [
        {"uid": ""},
        {"uid": 3},
        {"name": "x" * 81},
        {"definition": "[]"},
        {"provenance": "no JSON"},
        {"n_fits": "many"},
        {"n_objectives": True},
        {"ended": 5},
        {"started": "a\0b"},
        {"study": None},
        {"run": []},
    ],
    ids=str,
)
def test_a_run_that_says_nothing_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(DamagedError):
        checked_run(a_run(**changes))


def test_joining_keeps_the_end_in_either_order() -> None:
    running = checked_run(a_run())
    ended = checked_run(a_run(ended="2026-01-02", n_fits=3))
    assert running.joined(ended) == ended.joined(running) == ended
    assert running.joined(running) == running
    assert isinstance(ended, SharedRun)


def test_names_of_older_runs_follow_from_what_they_record() -> None:
    content = a_run()
    names = [derived_uid(content["study"], content["run"], n) for n in (0, 0, 1)]
    assert names[0] == names[1] != names[2]
