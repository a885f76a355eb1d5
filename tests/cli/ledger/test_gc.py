"""``tunesmith ledger gc``, as users call it."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from tunesmith.ledger.lock import run_lock

Run = Callable[..., "CompletedProcess[str]"]


def test_nothing_is_removed_without_yes(tunesmith: Run, ran: Path) -> None:
    file = ran / ".tunesmith" / "ledger.db"
    before = file.read_bytes()
    done = tunesmith("ledger", "gc", "--study", "small")
    assert done.returncode == 0, done.stderr
    assert "To be removed:\n  4 trials of 1 series\n  12 evaluations" in done.stdout
    assert "Nothing was removed" in done.stderr
    assert file.read_bytes() == before
    done = tunesmith("ledger", "gc", "--study", "smal")
    assert "no study `smal`. Did you mean `small`?" in done.stdout
    done = tunesmith("ledger", "gc", "--study", "small", "--yes", "--json")
    content = json.loads(done.stdout)
    assert (content["is_removed"], content["n_trials"], content["n_evaluations"]) == (True, 4, 12)
    assert "Nothing was removed" not in done.stderr
    assert tunesmith("status").returncode == 2
    assert "Nothing is to be removed" in tunesmith("ledger", "gc", "--study", "small").stdout


def test_what_may_go_has_to_be_said(tunesmith: Run, ran: Path) -> None:
    done = tunesmith("ledger", "gc")
    assert (done.returncode, "--older-than 90d" in done.stderr) == (2, True)
    done = tunesmith("ledger", "gc", "--older-than", "soon")
    assert (done.returncode, "no duration" in done.stderr) == (2, True)
    assert "Nothing is to be removed" in tunesmith("ledger", "gc", "--older-than", "1d").stdout


def test_a_run_is_not_disturbed(tunesmith: Run, ran: Path) -> None:
    with run_lock(ran / ".tunesmith" / "ledger.db", "small"):
        assert tunesmith("ledger", "gc", "--unused", "--yes").returncode == 75


def test_packs_go_by_study_or_age(tunesmith: Run, ran: Path) -> None:
    assert tunesmith("ledger", "push", "../shared").returncode == 0
    done = tunesmith("ledger", "gc", "../shared", "--unused")
    assert (done.returncode, "knows of no trials" in done.stderr) == (2, True)
    done = tunesmith("ledger", "gc", "../shared", "--study", "small")
    assert (done.returncode, "To be removed: 1 pack" in done.stdout) == (0, True)
    assert tunesmith("ledger", "gc", "../shared", "--older-than", "1d", "--yes").returncode == 0
    assert len(list((ran.parent / "shared").iterdir())) == 1
    assert tunesmith("ledger", "gc", "../shared", "--study", "small", "--yes").returncode == 0
    assert list((ran.parent / "shared").iterdir()) == []


def test_another_ledger_can_be_cleaned(tunesmith: Run, ran: Path) -> None:
    assert tunesmith("ledger", "push", "../other.db").returncode == 0
    done = tunesmith("ledger", "gc", "../other.db", "--unused", "--yes", "--json")
    assert json.loads(done.stdout)["n_evaluations"] == 12
    assert tunesmith("status").returncode == 0
