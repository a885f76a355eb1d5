"""Real repositories for tests: a project with a bare remote beside it."""

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tunesmith.system.fingerprint import digest

BEST = "config/best_parameters.yaml"
TUNED = "outputs/tuned_parameters.yaml"
CONFIG = "tuning.yaml"
NAMES = (CONFIG,)
STUDY = """\
study: churn
objective:
  estimator: sklearn.svm.SVC
  data: {path: data.csv, target: y}
  metric: recall
space:
  depth: {int: [1, 9]}
search: {method: random, seed: 1}
stop: {trials: 3}
"""
LOOSE = f"{STUDY}outputs: {{tuned: {TUNED}}}\n"


def git(folder: Path, *arguments: str, given: str | None = None) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, input=given)
    return done.stdout.strip()


def parameters(*, meta: bool = True, trial: int = 7, mean: float = 0.875, **params: Any) -> str:
    """The text of a best-parameters file; edited where ``meta`` is of other params."""
    content: dict[str, Any] = {"params": params}
    if meta:
        found = {"study": "churn", "trial": trial, "metric": "recall", "mean": mean}
        content["meta"] = {**found, "digest": digest(params)}
    return str(yaml.safe_dump(content))


def make_project(folder: Path, study: str = STUDY, **files: str) -> Path:
    """A project with a commit on ``main``, cloned from a bare remote ``origin``."""
    copy(_made(study, tuple(sorted(files.items()))), folder, "project")
    return folder / "project"


def copy(made: Path, folder: Path, clone: str) -> None:
    """Copy ``remote.git`` and a clone of it from one folder to another."""
    for name in ("remote.git", clone):
        shutil.copytree(made / name, folder / name, symlinks=True)
    config = folder / clone / ".git/config"
    config.write_text(config.read_text().replace(str(made), str(folder)))


def new_place() -> Path:
    """Make a folder for repositories that are copied; it is there until the tests end."""
    return Path(tempfile.mkdtemp(dir=PLACE.name))


PLACE = tempfile.TemporaryDirectory(prefix="tunesmith-tests-")
"""Git takes a while to make a repository; a copy of one is there at once."""


@cache
def _made(study: str, files: tuple[tuple[str, str], ...]) -> Path:
    folder = new_place()
    remote, root = folder / "remote.git", folder / "project"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(remote)], check=True)
    subprocess.run(["git", "clone", "-q", str(remote), str(root)], check=True, capture_output=True)
    git(root, "config", "user.name", "Ann")
    git(root, "config", "user.email", "ann@example.org")
    git(root, "switch", "-q", "-c", "main")
    first = {CONFIG: study, BEST: parameters(depth=3, trial=0), **dict(files)}
    commit(root, first, "first")
    git(root, "push", "-q", "origin", "main")
    return folder


def commit(root: Path, files: dict[str, str], message: str, branch: str | None = None) -> str:
    """Commit files, on another branch if one is named; ends where it began."""
    if branch:
        git(root, "switch", "-q", branch)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message)
    found = git(root, "rev-parse", "HEAD")
    if branch:
        git(root, "switch", "-q", "-")
    return found


def snapshot(root: Path) -> tuple[str, str, dict[str, str]]:
    """All that a user sees of the working tree."""
    files = {
        p.name: p.read_text() for p in root.rglob("*") if p.is_file() and ".git" not in p.parts
    }
    return git(root, "status", "--porcelain=v2", "--branch"), git(root, "stash", "list"), files
