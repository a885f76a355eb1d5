"""``tunesmith doctor --repair`` and ``tunesmith ledger copy``, as users call them."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from tunesmith.ledger.lock import run_lock

Run = Callable[..., "CompletedProcess[str]"]


def damaged(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    content[5000] ^= 1
    file.write_bytes(content)


def test_a_damaged_ledger_is_told_repaired_and_gone_on_from(tunesmith: Run, project: Path) -> None:
    serial = ("--workers", "1", "--quiet")
    assert tunesmith("run", "--trials", "6", *serial).returncode == 0
    file = project / ".tunesmith" / "ledger.db"
    damaged(file)
    for command in (["run", *serial], ["status"], ["trials"], ["doctor"], ["best"]):
        done = tunesmith(*command)
        assert done.returncode in (74, 2), done.stderr
        text = done.stderr + done.stdout
        assert "ledger.db: damaged: " in text
        assert "doctor --repair" in text
        assert "defect" not in text
    done = tunesmith("doctor", "--repair")
    assert done.returncode == 0, done.stderr
    assert "Saved into" in done.stdout
    assert "kept as ledger.db.damaged-" in done.stdout
    done = tunesmith("run", "--trials", "6", "--json", *serial)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["n_told"] == 6
    assert found["n_evaluated"] < 18
    done = tunesmith("doctor", "--repair", "--json")
    assert json.loads(done.stdout)["is_damaged"] is False


def test_a_ledger_in_use_is_not_repaired(tunesmith: Run, project: Path) -> None:
    assert tunesmith("run", "--trials", "2", "--workers", "1", "--quiet").returncode == 0
    file = project / ".tunesmith" / "ledger.db"
    damaged(file)
    before = file.read_bytes()
    with run_lock(file, "small"):
        assert tunesmith("doctor", "--repair").returncode == 75
    assert file.read_bytes() == before


def test_a_copy_is_whole_and_overwrites_nothing(tunesmith: Run, project: Path) -> None:
    assert "there is no ledger" in tunesmith("ledger", "copy", "copy.db").stderr
    assert tunesmith("run", "--trials", "2", "--workers", "1", "--quiet").returncode == 0
    assert tunesmith("ledger", "copy", "copy.db").returncode == 0
    done = tunesmith("compare", "copy.db")
    assert done.returncode == 0, done.stderr
    before = (project / "copy.db").read_bytes()
    done = tunesmith("ledger", "copy", "copy.db")
    assert (done.returncode, (project / "copy.db").read_bytes()) == (2, before)
    assert "exists" in done.stderr
