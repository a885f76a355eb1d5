"""``tunesmith ledger push``, as users call it."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tunesmith.cli.common.moving import VARIABLE

Run = Callable[..., "CompletedProcess[str]"]


@pytest.mark.parametrize("remote", ["../shared.db", "../shared"])
def test_a_second_push_has_nothing_to_do(tunesmith: Run, ran: Path, remote: str) -> None:
    done = tunesmith("ledger", "push", remote)
    assert done.returncode == 0, done.stderr
    assert "12 evaluations of" in done.stdout
    assert "which had 0 of them" in done.stdout
    done = tunesmith("ledger", "push", remote, "--json")
    (move,) = json.loads(done.stdout)["moves"]
    assert (move["n_new"], move["n_known"], move["damaged"]) == (0, 12, {})
    assert "Nothing new" in tunesmith("ledger", "push", remote).stdout


def test_the_remote_may_be_in_a_variable(tunesmith: Run, ran: Path) -> None:
    assert tunesmith("ledger", "push").returncode == 2
    assert tunesmith("ledger", "push", **{VARIABLE: "../shared"}).returncode == 0
    assert list((ran.parent / "shared").iterdir())


def test_a_password_is_never_shown(tunesmith: Run, ran: Path) -> None:
    url = "postgresql://me:hunter2@127.0.0.1:1/db?password=hunter2"
    for name in ("push", "pull"):
        done = tunesmith("ledger", name, url)
        assert done.returncode == 74
        assert "hunter2" not in done.stdout + done.stderr
        assert "127.0.0.1" in done.stderr
    done = tunesmith("ledger", "stats", url)
    assert "hunter2" not in done.stdout + done.stderr


def test_what_cannot_be_pushed_is_told(tunesmith: Run, project: Path) -> None:
    done = tunesmith("ledger", "push", "../shared")
    assert (done.returncode, "there is no ledger" in done.stderr) == (2, True)
    assert tunesmith("run", "--trials", "1", "--workers", "1", "--quiet").returncode == 0
    done = tunesmith("ledger", "push", ".tunesmith/ledger.db")
    assert (done.returncode, "the same ledger" in done.stderr) == (2, True)
    assert not (project.parent / "shared").exists()
