"""``ci pull-request``: opened once, with what its checks need."""

import json

import pytest
from tests.cli.ci.conftest import typed_later
from tests.cli.conftest import Run
from tests.pipeline.git_host.servers import ForgeServer, GitLabServer, served

pytestmark = pytest.mark.usefixtures("repository")


def test_pull_requests(tunesmith: Run, server: ForgeServer) -> None:
    environ, ask = server.environ(), ("ci", "pull-request", "--json")
    server.forbids_pulls = True
    forbidden = tunesmith(*ask, **environ)
    assert forbidden.returncode == 0
    assert json.loads(forbidden.stdout)["number"] is None
    assert "compare/main...training/one?expand=1" in forbidden.stdout
    assert "not permitted to create" in forbidden.stderr
    server.forbids_pulls = False
    opened, again = (json.loads(tunesmith(*ask, **environ).stdout) for _ in range(2))
    assert (opened["number"], opened["is_new"], again["is_new"]) == (1, True, False)
    assert len(server.pulls) == 1
    on_main = tunesmith(
        *ask, **{**environ, "GITHUB_REF_NAME": "main", "GITHUB_REF": "refs/heads/main"}
    )
    assert "`main` is where pull requests go into" in on_main.stderr


def test_checks_of_our_own_pull_request(tunesmith: Run, server: ForgeServer) -> None:
    environ = server.environ()
    opened = tunesmith("ci", "pull-request", **environ)
    assert "was opened with the job's own token" in opened.stderr
    assert "Its checks do not start by themselves" in opened.stderr
    # What was committed since was pushed by the job, too: each time they are started.
    for _ in range(2):
        started = tunesmith("ci", "pull-request", "--dispatch", "pull-request.yml", **environ)
        assert "pull-request.yml is started on training/one" in started.stderr
    assert [d["ref"] for d in server.dispatched] == ["training/one"] * 2
    failed = tunesmith("ci", "pull-request", "--dispatch", "missing.yml", **environ)
    assert failed.returncode == 0
    assert "::warning title=Tunesmith::missing.yml could not be started" in failed.stderr
    fills = {"WORKFLOW": "missing.yml", "BRANCH": "training/one"}
    assert typed_later(tunesmith, server, failed.stderr, **fills) == "training/one"
    # A person's token opens what starts its checks by itself.
    server.pulls.clear()
    server.me = "ann"
    assert tunesmith("ci", "pull-request", **environ).stderr == ""


def test_a_missing_token_is_named(tunesmith: Run) -> None:
    with served(GitLabServer()) as server:
        environ = {**server.environ(), "TUNESMITH_TOKEN": "", "CI_JOB_TOKEN": "of-the-job-alone"}
        failed = tunesmith("ci", "pull-request", "--target", "main", **environ)
    assert "TUNESMITH_TOKEN is not set, and a job's own token may not do this" in failed.stderr
