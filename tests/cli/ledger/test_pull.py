"""``tunesmith ledger pull``, as users call it."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., "CompletedProcess[str]"]


@pytest.mark.parametrize("remote", ["shared.db", "shared"])
def test_a_clone_takes_all_and_evaluates_nothing(
    tunesmith: Run, ran: Path, clone: Path, remote: str
) -> None:
    place = str(ran.parent / remote)
    assert tunesmith("ledger", "push", place).returncode == 0
    done = tunesmith("ledger", "pull", place, cwd=clone)
    assert done.returncode == 0, done.stderr
    # An exchange makes no study, so there is nothing to show yet.
    assert tunesmith("status", cwd=clone).returncode == 2
    run = ("run", "--trials", "4", "--workers", "1", "--quiet", "--json")
    found = json.loads(tunesmith(*run, cwd=clone).stdout)
    assert (found["n_told"], found["n_evaluated"]) == (4, 0)
    best = [tunesmith("best", "--json", cwd=folder).stdout for folder in (ran, clone)]
    assert json.loads(best[0])["params"] == json.loads(best[1])["params"]
    stats = json.loads(tunesmith("ledger", "stats", "--json", cwd=clone).stdout)
    assert (stats["n_saved"], stats["n_saved_elsewhere"]) == (12, 12)
    # What goes back is what came.
    assert "Nothing new" in tunesmith("ledger", "push", place, cwd=clone).stdout


def test_a_damaged_pack_is_named_after_all_others_were_taken(
    tunesmith: Run, ran: Path, clone: Path
) -> None:
    shared = ran.parent / "shared"
    assert tunesmith("ledger", "push", str(shared)).returncode == 0
    assert tunesmith("run", "--trials", "6", "--workers", "1", "--quiet").returncode == 0
    before = {path.name for path in shared.iterdir()}
    assert tunesmith("ledger", "push", str(shared)).returncode == 0
    (new,) = {path.name for path in shared.iterdir()} - before
    (shared / new).write_bytes((shared / new).read_bytes()[:50])
    done = tunesmith("ledger", "pull", str(shared), cwd=clone)
    assert done.returncode == 74
    assert new in done.stderr
    assert "12 evaluations" in done.stdout


def test_a_remote_that_is_not_there_is_told(tunesmith: Run, clone: Path) -> None:
    done = tunesmith("ledger", "pull", "nowhere", cwd=clone)
    assert (done.returncode, "no such folder" in done.stderr) == (74, True)
    done = tunesmith("ledger", "pull", "nowhere.db", cwd=clone)
    assert (done.returncode, "there is no ledger" in done.stderr) == (74, True)
    assert not (clone / ".tunesmith").exists()
