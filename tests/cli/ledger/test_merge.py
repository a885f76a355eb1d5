"""``tunesmith ledger merge``, as users call it."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

Run = Callable[..., "CompletedProcess[str]"]


def test_several_ledgers_become_one(tunesmith: Run, ran: Path, clone: Path) -> None:
    run = ("run", "--trials", "6", "--workers", "1", "--quiet")
    assert tunesmith(*run, cwd=clone).returncode == 0
    files = [str(folder / ".tunesmith" / "ledger.db") for folder in (ran, clone)]
    for _ in range(2):
        done = tunesmith("ledger", "merge", *files, "--into", "all.db", cwd=ran.parent)
        assert done.returncode == 0, done.stderr
    stats = json.loads(tunesmith("ledger", "stats", "all.db", "--json", cwd=ran.parent).stdout)
    assert (stats["n_evaluations"], stats["n_runs"], stats["n_trials"]) == (12 + 18, 2, 0)


def test_a_ledger_is_merged_into_the_projects(tunesmith: Run, ran: Path, clone: Path) -> None:
    run = ("run", "--trials", "6", "--workers", "1", "--quiet", "--json")
    file = str(ran / ".tunesmith" / "ledger.db")
    moves = json.loads(tunesmith("ledger", "merge", file, "--json", cwd=clone).stdout)["moves"]
    assert [(move["n_new"], move["n_known"]) for move in moves] == [(12, 0)]
    found = json.loads(tunesmith(*run, cwd=clone).stdout)
    assert (found["n_told"], found["n_evaluated"]) == (6, 6)
