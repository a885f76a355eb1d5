import getpass
import json
import os
import platform
import re
import socket
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.provenance import ci_run, collect, git_state
from tunesmith.testing.ledger import METRICS
from tunesmith.types import StopReason

CONTEXT = {"data": "d" * 32, "code": "c" * 32}


def git(root: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Ann Canary", "-c", "user.email=ann@canary.example"]
    command = ["git", *who, "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "canary-folder"
    root.mkdir()
    git(root, "init", "--initial-branch=main")
    (root / "train.py").write_text("n = 1\n")
    git(root, "add", ".")
    git(root, "commit", "--message=canary message")
    return root


# -- what is in it ----------------------------------------------------------------------------


def test_it_says_all_that_a_run_depended_on(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_RUN_ID", raising=False)
    monkeypatch.setenv("CI_JOB_URL", "https://ci.example/jobs/7")
    found = collect(project, {"study": "churn"}, CONTEXT, 42)
    assert found["definition"] == {"study": "churn"}
    assert found["context"] == CONTEXT
    assert found["seed"] == 42
    assert found["git"]["commit"] == git(project, "rev-parse", "HEAD")
    assert found["python"] == platform.python_version()
    assert {"numpy", "scikit-learn"} <= found["packages"].keys()
    assert found["machine"].keys() == {"system", "release", "architecture", "cpu", "n_cores"}
    assert found["machine"]["n_cores"] == len(os.sched_getaffinity(0))
    assert found["ci_run"] == "https://ci.example/jobs/7"
    assert json.loads(json.dumps(found)) == found


def test_the_run_adds_when_it_began_and_ended(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l.db") as ledger:
        head = ledger.begin_study(
            "s", "i", {}, context=CONTEXT, metrics=METRICS, objectives=METRICS
        )
        run = ledger.begin_run(head.id, collect(tmp_path, {}, CONTEXT, 1))
        ledger.end_run(run, StopReason.of_criterion("done"), 1, 0, 1)
        (record,) = ledger.load().runs
    times = [datetime.fromisoformat(str(time)) for time in (record.started, record.ended)]
    assert [time.utcoffset() for time in times] == [timedelta(0)] * 2
    assert record.provenance["context"] == CONTEXT


# -- Git --------------------------------------------------------------------------------------


def test_a_clean_tree_is_clean_whatever_lies_beside(project: Path) -> None:
    (project / "untracked.csv").touch()
    state = git_state(project)
    assert state is not None
    assert (state["branch"], state["is_dirty"], state["diff"]) == ("main", False, None)


def test_different_changes_have_different_digests(project: Path) -> None:
    digests = set()
    for content in ("n = 2\n", "n = 3\n"):
        (project / "train.py").write_text(content)
        for _ in range(2):
            state = git_state(project)
            assert state is not None
            assert state["is_dirty"]
            digests.add(state["diff"])
    git(project, "add", ".")
    state = git_state(project)
    assert state is not None
    assert state["diff"] in digests
    assert len(digests) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", digest) for digest in digests)


def test_no_branch_is_no_reason_to_fail(project: Path) -> None:
    git(project, "checkout", "--detach")
    state = git_state(project)
    assert state is not None
    assert state["branch"] is None


def test_outside_git_or_without_a_commit_there_is_no_state(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None
    git(tmp_path, "init")
    assert git_state(tmp_path) is None


def test_without_the_program_there_is_no_state(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(project))
    assert git_state(project) is None


def test_another_users_clone_is_read_too(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert git_state(project) is not None


def test_inside_a_hook_of_another_repository_it_is_still_the_projects(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    state = git_state(project)
    assert state is not None
    assert state["remote"] is None


@pytest.mark.parametrize("setting", ["core.fsmonitor", "diff.external", "diff.x.textconv"])
def test_looking_runs_no_program_of_the_repository(project: Path, setting: str) -> None:
    trap, trace = project.parent / "trap", project.parent / "trace"
    trap.write_text(f"#!/bin/sh\ntouch '{trace}'\n")
    trap.chmod(0o755)
    git(project, "config", setting, str(trap))
    (project / ".git" / "info" / "attributes").write_text("*.py diff=x\n")
    (project / "train.py").write_text("n = 2\n")
    state = git_state(project)
    assert state is not None
    assert state["is_dirty"]
    assert not trace.exists()


def test_looking_changes_nothing(project: Path) -> None:
    (project / "train.py").touch()
    before = (project / ".git" / "index").stat().st_mtime_ns
    git_state(project)
    assert (project / ".git" / "index").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("remote", "kept"),
    [
        ("https://github.com/o/r.git", "https://github.com/o/r.git"),
        ("https://canary@github.com/o/r.git", "https://github.com/o/r.git"),
        ("https://ann:canary@github.com/o/r.git", "https://github.com/o/r.git"),
        ("https://ann:can@ry-canary@github.com/o/r.git", "https://github.com/o/r.git"),
        ("https://ann:can/canary@github.com/o/r.git", "https://github.com/o/r.git"),
        ("https://github.com/o/r.git?private_token=canary", "https://github.com/o/r.git"),
        ("https://github.com/o/r.git;canary#canary", "https://github.com/o/r.git"),
        ("ssh://canary@host:22/r.git", "ssh://host:22/r.git"),
        ("git@github.com:o/r.git", "github.com:o/r.git"),
        ("oauth2:canary@host:o/r.git", "host:o/r.git"),
        ("ext::sh -c canary", None),
        ("/home/canary/r.git", None),
        ("file:///home/canary/r.git", None),
        ("../canary", None),
    ],
)
def test_a_remote_is_kept_without_login(project: Path, remote: str, kept: str | None) -> None:
    git(project, "remote", "add", "origin", remote)
    state = git_state(project)
    assert state is not None
    assert state["remote"] == kept


# -- what is not in it ------------------------------------------------------------------------


def test_nothing_of_the_environment_the_user_or_the_host_is_in_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["USER", "LOGNAME", "HOSTNAME", "API_KEY", "EDITOR", "GIT_AUTHOR_NAME", "CI"]
    for name in (*names, "PYTHONPATH", "DATABASE_URL", "GITHUB_TOKEN", "PIP_INDEX_URL"):
        monkeypatch.setenv(name, "canary-value")
    monkeypatch.setenv("CI_JOB_URL", "https://ann:canary@ci.example/7?private_token=canary")
    monkeypatch.delenv("GITHUB_RUN_ID", raising=False)
    git(project, "remote", "add", "origin", "https://ann:canary@github.com/o/r.git")
    (project / "train.py").write_text("password = 'canary'\n")
    text = json.dumps(collect(project, {}, CONTEXT, 1))
    assert "canary" not in text.lower()
    assert str(Path.home()) not in text
    for word in (socket.gethostname(), getpass.getuser()):
        assert not re.search(rf"\b{re.escape(word)}\b", text)


def test_what_arrives_from_the_configuration_is_cleaned_before_it_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "canary-token")
    definition: dict[str, Any] = {"ledger": "postgresql://ann:canary@db/x", "note": "canary-token"}
    with Ledger.open(tmp_path / "l.db") as ledger:
        head = ledger.begin_study("s", "i", {}, context={}, metrics=METRICS, objectives=METRICS)
        ledger.begin_run(head.id, collect(tmp_path, definition, {}, 1))
    for file in tmp_path.iterdir():
        assert b"canary" not in file.read_bytes()


def test_the_address_of_a_run_on_github() -> None:
    environ = {
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_RUN_ID": "12",
        "CI_JOB_URL": "https://elsewhere",
    }
    assert ci_run(environ) == "https://github.com/o/r/actions/runs/12"
    assert ci_run({}) is None
