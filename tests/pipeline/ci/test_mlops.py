"""The repository to copy, in its own workflows: real DVC, a bare remote, crashes and re-runs."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.pipeline.ci.harness import GitHub, Run, environment, git
from tests.pipeline.git_host.servers import GitHubServer, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # dozens of programs, one after the other

BEST, TUNED, LOCK = "config/best_parameters.yaml", "outputs/tuned_parameters.yaml", "dvc.lock"
STUCK = """\

import os
import time


def _count() -> int:
    with open("fits.log", "a") as log:
        log.write("fit\\n")
    with open("fits.log") as log:
        return len(log.readlines())


class Counted(SVC):
    def fit(self, X, y, sample_weight=None):
        if _count() == 5 and "STUCK" in os.environ:
            time.sleep(60)
        return super().fit(X, y, sample_weight)
"""


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    world = GitHubServer()
    with served(world):
        yield world


class Project:
    """A person's clone of a remote whose main branch has the template, run and committed."""

    def __init__(self, folder: Path, server: GitHubServer, *options: str) -> None:
        self.root, remote = folder / "project", folder / "remote.git"
        git(folder, "init", "-q", "--bare", "-b", "main", str(remote))
        git(folder, "clone", "-q", f"file://{remote}", str(self.root))
        git(self.root, "config", "user.name", "Ann")
        git(self.root, "config", "user.email", "ann@example.org")
        git(self.root, "switch", "-q", "-c", "main")
        self.call("tunesmith", "init", ".", "--template", "mlops", *options)
        self.change("tuning.yaml", "trials: 25", "trials: 3")
        self.change("tuning.yaml", "method: bayesian", "method: random")
        self.change("tuning.yaml", "folds: 5", "folds: 3")
        self.change(
            "tuning.yaml", "outputs:", "execution: {executor: serial, share: off}\n\noutputs:"
        )
        self.change(".gitignore", ".venv/", ".venv/\nfits.log")
        self.call("dvc", "init", "-q")
        self.call("dvc", "repro", "-q")
        self.push("first")
        self.github = GitHub(remote, server, folder)

    def call(self, *command: str) -> str:
        done = subprocess.run(
            command,
            cwd=self.root,
            env=environment(self.root),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def change(self, name: str, old: str, new: str) -> None:
        text = self.read(name)
        assert old in text
        (self.root / name).write_text(text.replace(old, new))

    def push(self, message: str) -> str:
        """Commit everything and push it; where the branch was before."""
        before = git(self.root, "rev-parse", "HEAD") if message != "first" else ""
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "-m", message)
        git(self.root, "push", "-q", "-u", "origin", "HEAD")
        return before

    def pull(self) -> None:
        git(self.root, "pull", "-q", "--ff-only")

    def shown(self, branch: str, name: str) -> str:
        return git(self.github.remote, "show", f"{branch}:{name}")


def only(runs: list[Run]) -> Run:
    (run,) = runs
    assert run.is_success, run.log
    return run


def test_from_a_wider_space_to_a_merge_with_a_crash_in_between(
    tmp_path: Path, server: GitHubServer
) -> None:
    """Best parameters belong to people."""
    project = Project(tmp_path, server)
    github = project.github
    project.call("tunesmith", "experiment", "start", "wider", "--push", "origin")
    git(project.root, "switch", "-q", "tuning/wider")
    project.change("tuning.yaml", "0.01, 1000.0", "0.1, 10.0")
    project.change("src/model.py", "SVC())", "Counted())")
    (project.root / "src/model.py").write_text(
        project.read("src/model.py").replace("\n\ndef build", STUCK + "\n\ndef build", 1)
    )
    before = project.push("look closer")

    crashed(github, before)
    tuned(project)
    rerun(project)
    applied(project, {BEST})
    base = git(github.remote, "merge-base", "main", "training/wider")
    trained(project, server, only(github.pushed("training/wider", base)))
    edited(project, server)
    merged(project)


def crashed(github: GitHub, before: str) -> None:
    """The time is over in the middle of a fit: DVC locks nothing, and nothing is committed."""
    github.variables = {"TUNESMITH_TIME_BUDGET": "10s", "STUCK": "1"}
    (run,) = github.pushed("tuning/wider", before)
    github.variables = {}
    assert run.step("Tune").outcome == "failure", run.log
    assert "exited with 143" in run.step("Tune").output
    assert run.step("Commit the results").outcome == "skipped"
    assert "# Tuning results" in run.summary.read_text()


def tuned(project: Project) -> None:
    """The next run makes what is missing, and no fit twice."""
    github = project.github
    first = (github.runs[-1].workspace / "fits.log").read_text().splitlines()
    run = github.dispatch("tuning.yml", "tuning/wider")
    assert run.is_success, run.log
    again = (run.workspace / "fits.log").read_text().splitlines()
    # A run tries the estimator out with one small fit; then the fit in flight is made again.
    assert len(first) > 1
    assert len(first) + len(again) <= 2 + 9 + 1
    files = git(github.remote, "show", "--format=", "--name-only", "tuning/wider").splitlines()
    assert {BEST, TUNED, LOCK, "outputs/history.jsonl", "outputs/tuning_results.md"} <= set(files)
    assert not [name for name in files if name.startswith(("models", "processed_data", "."))]


def rerun(project: Project) -> None:
    """Without the cache of the ledger, too: the history that was committed has all of it."""
    github = project.github
    tip = git(github.remote, "rev-parse", "tuning/wider")
    github.caches.clear()
    run = github.dispatch("tuning.yml", "tuning/wider")
    assert run.is_success, run.log
    assert not (run.workspace / "fits.log").exists()
    assert "nothing has changed, so nothing was committed" in run.step("Commit the results").output
    assert git(github.remote, "rev-parse", "tuning/wider") == tip


def applied(project: Project, files: set[str]) -> None:
    """A person looks at the report, and brings the parameters over."""
    project.pull()
    project.call("tunesmith", "experiment", "apply", "wider", "--push", "origin")
    brought(project, files)


def brought(project: Project, files: set[str]) -> None:
    base = git(project.github.remote, "merge-base", "main", "training/wider")
    changed = git(project.github.remote, "diff", "--name-only", base, "training/wider")
    assert set(changed.splitlines()) == files


def trained(project: Project, server: GitHubServer, run: Run) -> None:
    assert "Running stage 'evaluation'" in run.step("Train").output
    assert "Running stage 'tuning'" not in run.step("Train").output
    (pull,) = server.pulls
    assert (pull.source, pull.target) == ("training/wider", "main")
    (body,) = server.bodies(1)
    assert "outputs/evaluation_metrics.json" in body
    assert "\n\nFrom trial " in body
    assert body.count("| parameter | current |") <= 1
    metrics = json.loads(project.shown("training/wider", "outputs/training_metrics.json"))
    assert 0.9 < metrics["roc_auc"] <= 1
    done = subprocess.run(
        ["dvc", "status", "-q"],
        cwd=run.workspace,
        env=environment(project.root),
    )
    assert done.returncode == 0, "what was trained must be what DVC knows"


def edited(project: Project, server: GitHubServer) -> None:
    """A reviewer changes a value: that trains, tunes nothing, and the review says so."""
    git(project.root, "switch", "-q", "training/wider")
    project.pull()
    project.change(BEST, "classify__C: ", "classify__C: 1")
    run = only(project.github.pushed("training/wider", project.push("C ten times as large")))
    assert "Running stage 'training'" in run.step("Train").output
    assert "Running stage 'tuning'" not in run.step("Train").output
    assert "is updated" in run.step("Show the report").output
    review = only(project.github.pull_request(1))
    assert "edited by hand since trial" in review.step("Verify").output
    (body,) = server.bodies(1)
    assert "edited by hand" in body


def merged(project: Project) -> None:
    project.pull()
    git(project.root, "switch", "-q", "main")
    git(project.root, "merge", "-q", "--no-ff", "-m", "merge", "training/wider")
    git(project.root, "push", "-q", "origin", "main")
    assert "merged" in project.call("tunesmith", "experiment", "list")
    told = project.call("dvc", "repro")
    assert "Running stage 'tuning'" not in told
    project.call("tunesmith", "verify")


def test_parameters_that_dvc_holds_to_the_study(tmp_path: Path, server: GitHubServer) -> None:
    """Best parameters are an out of tuning: all of it is brought over, and tampering is found."""
    project = Project(tmp_path, server, "--tight")
    github = project.github
    project.call("tunesmith", "experiment", "start", "wider", "--push", "origin")
    git(project.root, "switch", "-q", "tuning/wider")
    project.change("tuning.yaml", "0.01, 1000.0", "0.1, 10.0")
    project.push("look closer")
    run = github.dispatch("tuning.yml", "tuning/wider", apply=True)
    assert run.is_success, run.log
    outputs = ("history.jsonl", "trials.csv", "tuning_report.html", "tuning_results.md")
    files = {BEST, LOCK, "tuning.yaml", "outputs/tuning_metrics.json"}
    brought(project, files | {f"outputs/{name}" for name in outputs})
    trained(project, server, only(github.dispatched()))

    git(project.root, "fetch", "-q", "origin")
    git(project.root, "switch", "-q", "training/wider")
    project.pull()
    project.change(BEST, "classify__C: ", "classify__C: 1")
    project.call("dvc", "commit", "-q", "-f", "tuning")
    project.push("nothing to see here")
    (review,) = github.pull_request(1)
    assert review.step("Verify").outcome == "failure"
    assert BEST in review.step("Verify").output
    assert "edited by hand since trial" in review.step("Verify").output
