"""The generated workflows, run: from a push to a tuning branch to a reviewed pull request."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.pipeline.ci.harness import GitHub, GitLab, Run, environment, git
from tests.pipeline.git_host.servers import GitHubServer, GitLabServer, served

from tunesmith.pipeline.ci.sticky import mark
from tunesmith.testing.projects import TUNING, make_project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # dozens of programs, one after the other

TRAIN = """\
import json
from pathlib import Path
from ruamel.yaml import YAML

params = YAML(typ="safe").load(Path("config/best_parameters.yaml").read_text())["params"]
print("training with", params)
Path("outputs").mkdir(exist_ok=True)
Path("outputs/training_metrics.json").write_text(json.dumps({"depth": params["max_depth"], "x": 1}))
"""
BEST, METRICS = "config/best_parameters.yaml", "outputs/training_metrics.json"


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    world = GitHubServer()
    with served(world):
        yield world


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A person's clone of a remote, with workflows."""
    project = tmp_path / "project"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(tmp_path / "remote.git"))
    git(tmp_path, "clone", "-q", f"file://{tmp_path / 'remote.git'}", str(project))
    git(project, "config", "user.name", "Ann")
    git(project, "config", "user.email", "ann@example.org")
    git(project, "switch", "-q", "-c", "main")
    make_project(project, trials=4, text=TUNING + "execution: {executor: serial}\n")
    (project / "train.py").write_text(TRAIN)
    (project / "requirements.txt").write_text("tunesmith\n")
    (project / ".gitignore").write_text("__pycache__/\n")
    tunesmith(project, "ci", "init", "github", "--training", "python train.py")
    commit(project, "first")
    return project


@pytest.fixture
def github(project: Path, tmp_path: Path, server: GitHubServer) -> GitHub:
    return GitHub(tmp_path / "remote.git", server, tmp_path)


def tunesmith(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["tunesmith", *arguments],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def commit(project: Path, message: str) -> str:
    """Commit all and push; the commit before."""
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", message)
    git(project, "push", "-q", "origin", "HEAD")
    return git(project, "rev-parse", "HEAD~1") if message != "first" else ""


def only(runs: list[Run]) -> Run:
    (run,) = runs
    assert run.is_success, run.log
    return run


def test_from_a_push_to_a_reviewed_pull_request(
    project: Path, github: GitHub, server: GitHubServer
) -> None:
    tunesmith(project, "experiment", "start", "one", "--push", "origin")
    run = tuned(project, github)
    tip = git(github.remote, "rev-parse", "tuning/one")
    nothing_new(github, run, tip)
    applied(project, github)
    trained(github, server)
    trained_again(project, github, server)
    reviewed(github, server)


def tuned(project: Path, github: GitHub) -> Run:
    git(project, "switch", "-q", "tuning/one")
    (project / "tuning.yaml").write_text((project / "tuning.yaml").read_text() + "# wider\n")
    run = only(github.pushed("tuning/one", commit(project, "look wider")))
    assert run.workflow == "tuning.yml"
    shown = git(github.remote, "show", "--format=%an%n%s", "--name-only", "tuning/one")
    author, subject, _, *files = shown.splitlines()
    assert (author, subject) == ("github-actions[bot]", "tune: results of tuning/one")
    assert files == [BEST, "outputs/tuning_results.md"]
    assert run.summary.read_text().startswith("# Tuning results: `small`")
    assert "[HTML report](https://forge.example/artifacts/1)" in run.summary.read_text()
    assert run.artifacts["tuning-report.html"].read_text().startswith("<!doctype html>")
    assert "has no open pull request" in run.step("Show the report").output
    return run


def nothing_new(github: GitHub, before: Run, tip: str) -> None:
    """The same again, from the ledger of the run before."""
    run = github.dispatch("tuning.yml", "tuning/one")
    assert run.is_success, run.log
    assert "nothing has changed, so nothing was committed" in run.step("Commit the results").output
    assert git(github.remote, "rev-parse", "tuning/one") == tip
    assert "4 trials; 0 fits made" in run.step("Tune").output
    own = "https://forge.example/ann/churn/actions/runs"
    texts = [r.summary.read_text() for r in (before, run)]
    assert texts[0].partition("\n---")[0] == texts[1].partition("\n---")[0]
    assert f"{own}/2" in texts[1]


def applied(project: Path, github: GitHub) -> None:
    git(project, "pull", "-q", "--rebase", "origin", "tuning/one")
    tunesmith(project, "experiment", "apply", "one", "--push", "origin")
    base = git(github.remote, "merge-base", "main", "training/one")
    assert git(github.remote, "diff", "--name-only", base, "training/one") == BEST


def trained(github: GitHub, server: GitHubServer) -> None:
    base = git(github.remote, "merge-base", "main", "training/one")
    run = only(github.pushed("training/one", base))
    assert run.workflow == "training.yml"
    assert "training with" in run.step("Train").output
    (pull,) = server.pulls
    assert (pull.source, pull.target) == ("training/one", "main")
    assert pull.title.startswith("Train with trial ")
    (body,) = server.bodies(pull.number)
    assert body.startswith(f"{mark('small')}\n# Tuning results: `small`\n\n**Wrote trial ")
    assert "| `depth` | – |" in body
    # What was done, the change, where it comes from: each once, and before everything else.
    assert body.index("| parameter |") < body.index("## Metrics") < body.index("\n\nFrom trial ")
    assert body.count("| parameter |") == 1
    metrics = json.loads(git(github.remote, "show", f"training/one:{METRICS}"))
    assert metrics["x"] == 1
    assert github.pushed("training/one", git(github.remote, "rev-parse", "training/one~1")) == []


def trained_again(project: Path, github: GitHub, server: GitHubServer) -> None:
    git(project, "switch", "-q", "training/one")
    git(project, "pull", "-q", "--rebase", "origin", "training/one")
    (project / "train.py").write_text(TRAIN.replace('"x": 1', '"y": 2'))
    run = only(github.pushed("training/one", commit(project, "another metric")))
    assert "The comment on pull request 1 is updated." in run.step("Show the report").output
    (body,) = server.bodies(1)
    assert "| `y` | – | 2 | new |" in body
    assert len(server.pulls) == 1


def reviewed(github: GitHub, server: GitHubServer) -> None:
    """From a fork: the token may only read, so the summary has it alone."""
    server.is_read_only = True
    (before,) = server.bodies(1)
    run = only(github.pull_request(1))
    assert (
        "::warning title=Tunesmith::the report is not shown" in run.step("Show the report").output
    )
    assert "## Metrics" in run.summary.read_text()
    assert server.bodies(1) == [before]


def test_training_on_gitlab(project: Path, tmp_path: Path) -> None:
    tunesmith(project, "ci", "init", "gitlab", "--training", "python train.py")
    git(project, "switch", "-q", "-c", "training/one")
    (project / "config").mkdir()
    (project / BEST).write_text("params: {max_depth: 3}\n")
    commit(project, "parameters")
    remote = tmp_path / "remote.git"
    git(remote, "config", "receive.advertisePushOptions", "true")
    with served(GitLabServer()) as server:
        gitlab = GitLab(remote, server, tmp_path)
        first, second = (
            gitlab.run("training", "training/one"),
            gitlab.run("training", "training/one"),
        )
    assert (first[0], second[0]) == (0, 0), first[1] + second[1]
    assert json.loads(git(remote, "show", f"training/one:{METRICS}"))["depth"] == 3
    assert "The comment on pull request 1 is created." in first[1]
    assert "nothing has changed, so nothing was committed" in second[1]
    assert [pull.source for pull in server.pulls] == ["training/one"]
    assert "| `depth` | – | 3 | new |" in server.bodies(1)[0]
