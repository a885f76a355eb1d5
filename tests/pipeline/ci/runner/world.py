"""Repositories for situations: made once, and copied for each."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from tests.pipeline.ci.runner.situation import FEATURE, TRAINING, TUNING, Situation

from tunesmith.config.load import load_definition
from tunesmith.pipeline.ci.workflows import Wishes, workflows

MEMORY = Path("/dev/shm")  # noqa: S108 - a disk takes its time for thousands of small files
PLACE = tempfile.TemporaryDirectory(
    prefix="tunesmith-hunt-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None
)
BEST, REPORT, METRICS = (
    "config/best_parameters.yaml",
    "outputs/tuning_results.md",
    "outputs/training_metrics.json",
)
CONFIG = """\
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
SETTINGS = """\
[gc]
auto = 0
[maintenance]
auto = false
[protocol "file"]
allow = always
"""
LFS = """\
[filter "lfs"]
clean = git-lfs clean -- %f
smudge = git-lfs smudge -- %f
process = git-lfs filter-process
required = true
"""
AUC = {"default": 0.9, "stale": 0.5, "here": 0.8}
IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (
        ("NAME", "Ann"),
        ("EMAIL", "ann@example.org"),
        ("DATE", "2026-01-01T00:00Z"),
    )
}


def environment() -> dict[str, str]:
    """Without anything of the CI or the person that runs this."""
    home = Path(PLACE.name)
    taken = ("GITHUB_", "CI", "GITLAB_", "GIT_", "TUNESMITH_", "COV")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(taken)}
    return {
        **kept,
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": str(home / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "NO_COLOR": "1",
    }


def git(folder: Path, *arguments: str, who: bool = True) -> str:
    command = ["git", "-C", str(folder), *arguments]
    environ = {**environment(), **(IDENTITY if who else {})}
    done = subprocess.run(command, capture_output=True, text=True, env=environ)
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return done.stdout.strip()


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def lock(**stages: int) -> str:
    """A ``dvc.lock``."""
    content = {
        n: {"cmd": n, "outs": [{"path": f"{n}.md", "md5": f"{v:032x}"}]} for n, v in stages.items()
    }
    return str(yaml.safe_dump({"schema": "2.0", "stages": content}, sort_keys=False))


@dataclass
class World:
    """One repository, on both sides, and the fork of somebody else."""

    folder: Path
    remote: Path
    person: Path

    def tips(self) -> dict[str, str]:
        listed = git(self.remote, "for-each-ref", "--format=%(refname) %(objectname)")
        return dict(line.split(" ") for line in listed.splitlines())

    def show(self, revision: str, path: str) -> str:
        return git(self.remote, "show", f"{revision}:{path}")


@cache
def template(default: str, stale: str, folder: str, extras: tuple[bool, bool]) -> Path:
    has_submodule, has_lfs = extras
    place = Path(tempfile.mkdtemp(dir=PLACE.name))
    home = Path(PLACE.name)
    (home / "gitconfig").write_text(SETTINGS + (LFS if shutil.which("git-lfs") else ""))
    remote, person = place / "remote.git", place / "person"
    git(place, "init", "-q", "--bare", f"--initial-branch={default}", "--template=", str(remote))
    git(place, "init", "-q", f"--initial-branch={default}", "--template=", str(person))
    git(person, "remote", "add", "origin", f"file://{remote}")
    _first(person, folder, default, has_submodule, has_lfs)
    project = person / folder
    write(project, **{"code.py": "2\n"})
    _commit(person, "second")
    git(person, "tag", "first", "HEAD~1")
    if stale:
        git(person, "switch", "-q", "-c", stale, "first")
        write(project, **{METRICS: f'{{"auc": {AUC["stale"]}}}\n'})
        _commit(person, "an old result")
        git(person, "switch", "-q", default)
    for branch in (TUNING, TRAINING, FEATURE):
        git(person, "switch", "-q", "-c", branch, default)
        for n in range(2):
            write(project, **{"code.py": f"# {branch} {n}\n"})
            _commit(person, f"{branch} {n}")
    git(person, "switch", "-q", "-c", "fork", default)
    write(project, **{"code.py": "# the fork's\n"})
    _commit(person, "from outside")
    # A fork's commits are in the repository, under a ref that is no branch.
    branches = [
        f"refs/heads/{n}" for n in (default, TUNING, TRAINING, FEATURE, *([stale] if stale else []))
    ]
    git(person, "tag", "-d", "first")
    git(person, "tag", "v1", TUNING)
    git(person, "push", "-q", "origin", *branches, "v1", "fork:refs/pull/7/head")
    git(person, "switch", "-q", "-c", "merge", default)
    git(person, "merge", "-q", "--no-ff", "-m", "merge", "fork")
    git(person, "push", "-q", "origin", "merge:refs/pull/7/merge")
    git(person, "switch", "-q", "--detach", default)
    git(person, "merge", "-q", "--no-ff", "-m", "merge", TRAINING)
    git(person, "push", "-q", "origin", "HEAD:refs/pull/8/merge", f"{TRAINING}:refs/pull/8/head")
    queue = f"gh-readonly-queue/{default}/pr-7-0123456789"
    git(person, "push", "-q", "origin", f"merge:refs/heads/{queue}")
    git(person, "switch", "-q", default)
    for root in (remote, person):
        git(root, "repack", "-adq")
        git(root, "prune-packed", "-q")
    git(remote, "pack-refs", "--all")
    return place


def _first(person: Path, folder: str, default: str, has_submodule: bool, has_lfs: bool) -> None:
    project = person / folder
    write(
        project,
        **{
            "tuning.yaml": CONFIG,
            "code.py": "1\n",
            "requirements.txt": "# all is here\n",
            BEST: "params: {depth: 3}\n",
            METRICS: f'{{"auc": {AUC["default"]}}}\n',
            "dvc.lock": lock(other=1, tuning=1),
            "data.csv": "x,y\n1,0\n",
        },
    )
    write(person, **{".gitattributes": "*.md filter=lfs -text\n" if has_lfs else "\n"})
    definition = load_definition(project / "tuning.yaml")
    for git_host in ("github", "gitlab"):
        wishes = Wishes(training="tunesmith train", default=default)
        write(person, **workflows(git_host, definition, person, wishes))
    if has_submodule:
        git(person, "init", "-q", "--template=", "vendor")
        git(person / "vendor", "commit", "-q", "--allow-empty", "-m", "theirs")
        write(person, **{".gitmodules": '[submodule "vendor"]\npath = vendor\nurl = ./vendor\n'})
    _commit(person, "first")


def _commit(root: Path, message: str) -> str:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message)
    return git(root, "rev-parse", "HEAD")


def make(situation: Situation, folder: Path) -> World:
    """The repositories of a situation."""
    s = situation
    source = template(s.default, s.stale, s.folder, (s.has_submodule, s.has_lfs))
    for name in ("remote.git", "person"):
        shutil.copytree(source / name, folder / name, symlinks=True)
    world = World(folder, folder / "remote.git", folder / "person")
    git(world.person, "remote", "set-url", "origin", f"file://{world.remote}")
    if s.takes_options:
        git(world.remote, "config", "receive.advertisePushOptions", "true")
    return world
