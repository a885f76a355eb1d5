"""``tunesmith ledger stats``, as users call it."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

Run = Callable[..., "CompletedProcess[str]"]


def test_a_ledger_says_what_it_holds_and_has_saved(tunesmith: Run, ran: Path) -> None:
    done = tunesmith("ledger", "stats")
    assert done.returncode == 0, done.stderr
    assert "holds  12 evaluations of 1 run, 0 of them by 0 runs elsewhere" in done.stdout
    assert "saved  0 evaluations" in done.stdout
    content = json.loads(tunesmith("ledger", "stats", "--json").stdout)
    assert content["kind"] == "ledger stats"
    assert (content["n_trials"], content["saved_fits"]) == (4, 0.0)


def test_runs_from_elsewhere_stay_attributed(tunesmith: Run, ran: Path, clone: Path) -> None:
    assert tunesmith("run", "--trials", "6", "--workers", "1", "-q", cwd=clone).returncode == 0
    file = str(ran / ".tunesmith" / "ledger.db")
    assert tunesmith("ledger", "merge", file, cwd=clone).returncode == 0
    done = tunesmith("ledger", "stats", "--runs", cwd=clone)
    lines = [line.split()[1:4] for line in done.stdout.splitlines() if "  small  " in line]
    assert sorted(lines) == [["small", "12", "elsewhere"], ["small", "18", "here"]]
    content = json.loads(tunesmith("ledger", "stats", "--runs", "--json", cwd=clone).stdout)
    assert {run["is_elsewhere"] for run in content["runs"]} == {True, False}
    assert all(run["machine"] for run in content["runs"])


def test_a_folder_says_what_it_holds(tunesmith: Run, ran: Path) -> None:
    assert tunesmith("ledger", "push", "../shared").returncode == 0
    done = tunesmith("ledger", "stats", "../shared")
    assert "holds  12 evaluations of 1 run in 1 pack, 0 of them damaged" in done.stdout
    content = json.loads(tunesmith("ledger", "stats", "../shared", "--json").stdout)
    assert (content["n_evaluations"], content["n_packs"], content["damaged"]) == (12, 1, {})
