"""``tunesmith ci`` as a step of a workflow calls it, and as a person does."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.pipeline.git_host.servers import ForgeServer, GitHubServer, GitLabServer, served


@pytest.fixture(autouse=True)
def _repository(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git(project, "init", "-q", "-b", "main")
    git(project, "config", "user.name", "Ann")
    git(project, "config", "user.email", "ann@example.org")
    (project / ".gitignore").write_text("summary.md\n")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "first")
    git(project, "switch", "-q", "-c", "training/one")


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def server() -> Iterator[ForgeServer]:
    with served(GitHubServer()) as server:
        yield server


def test_the_commands_are_listed_and_found(tunesmith: Run) -> None:
    listed = tunesmith("ci", "--help").stdout
    assert "metrics-diff" in listed
    assert "Did you mean `report`?" in tunesmith("ci", "reprot").stderr


def test_outside_of_ci(tunesmith: Run, finished: Path) -> None:
    shown = tunesmith("ci", "report", "--link", "a page=https://forge.example/p")
    assert shown.stdout.startswith("# Tuning results: `small`")
    assert shown.stdout.rstrip().endswith("[a page](https://forge.example/p)")
    for command in (["dispatch", "x.yml", "--ref", "y"], ["pull-request"], ["apply"]):
        refused = tunesmith("ci", *command)
        assert refused.returncode == 2
        assert (
            "this is no CI job of a Git host that is known here (github, gitlab)" in refused.stderr
        )


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


def test_a_dry_run_sends_nothing(tunesmith: Run, project: Path, server: ForgeServer) -> None:
    best = project / "config/best_parameters.yaml"
    best.parent.mkdir()
    best.write_text("params: {max_depth: 3}\nmeta: {study: small, trial: 4}\n")
    environ = server.environ()
    assert "## Parameters" in tunesmith("ci", "report", "--dry-run", **environ).stdout
    words = tunesmith("ci", "pull-request", "--dry-run", **environ).stdout
    assert words.startswith("training/one -> main: Train with trial 4 of small\n")
    given = ("dispatch", "x.yml", "--ref", "y", "--input", "a=1", "--dry-run")
    assert (
        "x.yml on y with {'a': '1'} would be started." in tunesmith("ci", *given, **environ).stdout
    )
    assert "config/best_parameters.yaml" in tunesmith("ci", "commit", "-m", "x", "--dry-run").stdout
    tuning = {**environ, "GITHUB_REF_NAME": "tuning/one", "GITHUB_REF": "refs/heads/tuning/one"}
    assert "would get" in tunesmith("ci", "apply", "--dry-run", **tuning).stdout
    assert server.seen == []
    assert git(project, "status", "--porcelain") == "?? config/"


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
    # A person's token opens what starts its checks by itself.
    server.pulls.clear()
    server.me = "ann"
    assert tunesmith("ci", "pull-request", **environ).stderr == ""


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


def test_a_missing_token_is_named(tunesmith: Run) -> None:
    with served(GitLabServer()) as server:
        environ = {**server.environ(), "TUNESMITH_TOKEN": "", "CI_JOB_TOKEN": "of-the-job-alone"}
        failed = tunesmith("ci", "pull-request", "--target", "main", **environ)
    assert "TUNESMITH_TOKEN is not set, and a job's own token may not do this" in failed.stderr


def test_what_is_pushed_is_not_unsaid(tunesmith: Run, project: Path, server: ForgeServer) -> None:
    """A workflow that cannot be started does not make a push undone."""
    from tunesmith.cli.ci.dispatch import start
    from tunesmith.errors import UsageError
    from tunesmith.pipeline.git_host.github import GitHub

    with pytest.raises(UsageError, match=r"training/one is pushed, but missing\.yml could not"):
        start(GitHub(server.environ()), "missing.yml", "training/one")


def test_workflows_are_started(tunesmith: Run, server: ForgeServer) -> None:
    environ = server.environ()
    done = tunesmith("ci", "dispatch", "t.yml", "--ref", "b", "--input", "a=b=c", **environ)
    assert done.returncode == 0
    assert server.dispatched == [{"workflow": "t.yml", "ref": "b", "inputs": {"a": "b=c"}}]
    wrong = tunesmith("ci", "dispatch", "t.yml", "--ref", "b", "--input", "a", **environ)
    assert "--input: expected NAME=VALUE, found 'a'" in wrong.stderr
    assert tunesmith("ci", "dispatch", "missing.yml", "--ref", "b", **environ).returncode == 2


def test_a_merge_request(tunesmith: Run, project: Path) -> None:
    with served(GitLabServer()) as server:
        server.add_pull("training/one")
        done = tunesmith("ci", "report", **server.environ())
        assert "The comment on pull request 1 is created." in done.stdout
        failed = tunesmith("ci", "report", **{**server.environ(), "TUNESMITH_TOKEN": "x" * 9})
    assert (failed.returncode, failed.stderr.count("WARNING")) == (0, 1)


def test_metrics(tunesmith: Run, project: Path) -> None:
    metrics = project / "outputs/training_metrics.json"
    metrics.parent.mkdir()
    metrics.write_text('{"recall": 0.5}')
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "metrics")
    metrics.write_text('{"recall": 0.75}')
    found = json.loads(tunesmith("ci", "metrics-diff", "--base", "HEAD", "--json").stdout)
    assert found["metrics"] == [
        {
            "file": "outputs/training_metrics.json",
            "metric": "recall",
            "before": 0.5,
            "after": 0.75,
            "change": 0.25,
        }
    ]
    assert "0.75  new" in tunesmith("ci", "metrics-diff").stdout
    marked = tunesmith("ci", "metrics-diff", "--base", "HEAD", "--markdown").stdout
    assert "| `recall` | 0.5 | 0.75 | +0.25 (+50.00%) |" in marked
    both = tunesmith("ci", "metrics-diff", "--json", "--markdown")
    assert both.returncode == 2


def test_results_are_committed(tunesmith: Run, finished: Path) -> None:
    (finished / "more.txt").write_text("x")
    done = json.loads(tunesmith("ci", "commit", "-m", "tune", "more.txt", "--json").stdout)
    named = ["config/best_parameters.yaml", "more.txt", "outputs/tuning_results.md"]
    assert done["files"] == named
    assert "nothing has changed" in tunesmith("ci", "commit", "-m", "tune").stdout
    outside = tunesmith("ci", "commit", "-m", "tune", "../x")
    assert "../x is not in the repository" in outside.stderr


def test_workflows_are_written_once(tunesmith: Run, project: Path) -> None:
    ask = ("ci", "init", "github", "--training", "python train.py")
    dry = tunesmith(*ask, "--dry-run")
    assert "  create    .github/workflows/tuning.yml" in dry.stdout
    assert not (project / ".github").exists()
    assert tunesmith(*ask).returncode == 0
    assert tunesmith(*ask).stdout.count("unchanged") == 3
    other = tunesmith(*ask, "--main", "trunk", "--time-budget", "1h")
    assert other.returncode == 2
    assert "+    timeout-minutes: 90" in other.stdout
    assert "Overwrite what differs with --force" in other.stderr
    assert tunesmith(*ask, "--main", "trunk", "--force").returncode == 0
    assert "--target trunk" in (project / ".github/workflows/training.yml").read_text()
    for wrong in ("soon", "0s"):
        assert tunesmith(*ask, "--time-budget", wrong).returncode == 2


def test_workflows_that_could_not_run_are_refused(tunesmith: Run, project: Path) -> None:
    ask = ("ci", "init", "github", "--training", "python train.py")
    (project / "requirements.txt").write_text("numpy\n")
    refused = tunesmith(*ask)
    assert refused.returncode == 2
    assert "requirements.txt does not name `tunesmith`" in refused.stderr
    assert not (project / ".github").exists()
    (project / "requirements.txt").write_text("numpy\ntunesmith\n")
    (project / ".github/workflows").mkdir(parents=True)
    (project / ".github/workflows/tests.yml").write_text("on: pull_request\n")
    done = tunesmith(*ask)
    assert done.returncode == 0
    assert ".github/workflows/tests.yml runs on pull requests too" in done.stderr


def test_a_pipeline_of_ones_own_stays(tunesmith: Run, project: Path) -> None:
    (project / ".gitlab-ci.yml").write_text("test: {script: [make]}\n")
    done = tunesmith("ci", "init", "gitlab", "--training", "python train.py")
    assert done.returncode == 0
    assert "add to it `include: [{local: .gitlab/tunesmith.yml}]`" in done.stderr
    assert (project / ".gitlab-ci.yml").read_text() == "test: {script: [make]}\n"


def test_a_run_has_a_time_budget(process: Run, tunesmith: Run) -> None:
    spent = process("run", "-q", TUNESMITH_TIME_BUDGET="1ms")
    assert spent.returncode == 143
    assert "The time budget of 1ms is spent." in spent.stderr
    for wrong in ("soon", "0s"):
        refused = tunesmith("run", "--time-budget", wrong)
        assert refused.returncode == 2
        assert "--time-budget: " in refused.stderr
    done = tunesmith(
        "run", "-q", "--workers", "1", TUNESMITH_TIME_BUDGET="1h", TUNESMITH_TRIALS="2"
    )
    assert done.returncode == 0
    assert "2 trials" in done.stdout
