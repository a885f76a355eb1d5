"""``ci report``: on the job's summary and as a comment."""

from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.pipeline.git_host.servers import ForgeServer, GitLabServer, served
from tests.pipeline.repositories import git

pytestmark = pytest.mark.usefixtures("repository")


def test_a_report_never_fails(tunesmith: Run, project: Path, server: ForgeServer) -> None:
    environ = {**server.environ(), "GITHUB_STEP_SUMMARY": str(project / "summary.md")}
    (project / "summary.md").write_text("before\n")
    first = tunesmith("ci", "report", **environ)
    assert "training/one has no open pull request" in first.stdout
    assert (project / "summary.md").read_text().startswith("before\n_There is no tuning report")
    server.add_pull("training/one")
    (project / "note.md").write_text("# A note\n")
    second = tunesmith("ci", "report", "--file", "note.md", **environ)
    assert "The comment on pull request 1 is created." in second.stdout
    assert "[CI run](https://forge.example/ann/churn/actions/runs/7)" in server.bodies(1)[0]
    for more in (
        {"GITHUB_TOKEN": "wrong"},
        {"GITHUB_TOKEN": ""},
        {"GITHUB_STEP_SUMMARY": str(project)},
    ):
        done = tunesmith("ci", "report", **{**environ, **more})
        assert done.returncode == 0
        assert done.stderr.startswith("::warning title=Tunesmith::the report is not shown")
        assert len(done.stderr.splitlines()) == 1
    (project / "summary.md").write_text("x" * 1_000_000)
    assert "the job's summary is full" in tunesmith("ci", "report", **environ).stderr
    git(project, "checkout", "-q", "--detach")
    tag = {**environ, "GITHUB_REF": "refs/tags/v1", "GITHUB_REF_TYPE": "tag"}
    assert "A tag has no open pull request" in tunesmith("ci", "report", **tag).stdout
    (project / "tuning.yaml").write_text("study: [\n")
    broken = tunesmith("ci", "report", **environ)
    assert (broken.returncode, broken.stderr.count("::warning")) == (0, 1)


def test_reports_of_a_matrix_and_of_a_number(tunesmith: Run, server: ForgeServer) -> None:
    environ = server.environ()
    server.add_pull("other")
    for name in ("3.12", "3.13"):
        assert tunesmith("ci", "report", "--id", name, "--number", "1", **environ).returncode == 0
    heads = [body.splitlines()[0] for body in server.bodies(1)]
    assert heads == ["<!-- tunesmith:small:3.12 -->", "<!-- tunesmith:small:3.13 -->"]
    assert tunesmith("ci", "report", "--id", "a-->b", **environ).returncode == 2
    links = [f"--link=n{n}=https://forge.example/{'x' * 900}/{n}" for n in range(80)]
    done = tunesmith("ci", "report", "--number", "1", *links, **environ)
    assert "The comment on pull request 1 is created." in done.stdout
    assert len(server.bodies(1)[-1]) <= 65_536
    assert "more links did not fit" in server.bodies(1)[-1]


def test_a_merge_request(tunesmith: Run, project: Path) -> None:
    with served(GitLabServer()) as server:
        server.add_pull("training/one")
        done = tunesmith("ci", "report", **server.environ())
        assert "The comment on pull request 1 is created." in done.stdout
        failed = tunesmith("ci", "report", **{**server.environ(), "TUNESMITH_TOKEN": "x" * 9})
    assert (failed.returncode, failed.stderr.count("WARNING")) == (0, 1)
