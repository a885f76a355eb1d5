"""A real repository with real DVC: a table, a study of four points and a program that trains."""

import os
import sqlite3
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests.preloaded import programs

from tunesmith.testing.projects import make_project

BEST = "config/best_parameters.yaml"
TUNED = "outputs/tuned_parameters.yaml"
REPORT = "outputs/tuning_results.md"
TUNING = """\
study: small  # of four points
objective:
  estimator: sklearn.tree.DecisionTreeClassifier
  data: {path: data.csv, target: kind}
  cv: 2
  metric: accuracy
space:
  max_depth: [1, 2, 3, 4]  # deep enough
search: {method: grid}
execution: {executor: serial}
"""
TRAIN = """\
import json
from pathlib import Path

import yaml

params = yaml.safe_load(Path("config/best_parameters.yaml").read_text())["params"]
with Path("trained.log").open("a") as log:
    log.write(json.dumps(params) + "\\n")
Path("outputs").mkdir(exist_ok=True)
Path("outputs/training_metrics.json").write_text(json.dumps({"depth": params["max_depth"]}))
"""
PERSON = {"NAME": "Ann", "EMAIL": "ann@example.org"}


def environment() -> dict[str, str]:
    """No settings of the user's, a person for commits, and this Python's programs first."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "CI", "GIT_"))}
    person = {f"GIT_{who}_{k}": v for who in ("AUTHOR", "COMMITTER") for k, v in PERSON.items()}
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return {
        **kept,
        **person,
        **settings,
        "PATH": programs.path(),
        "DVC_NO_ANALYTICS": "1",
        "NO_COLOR": "1",
    }


@dataclass(frozen=True)
class Project:
    """A working tree, told what to do as a person would."""

    root: Path

    @classmethod
    def make(cls, root: Path, *options: str) -> "Project":
        """A repository whose pipeline ``tunesmith dvc init`` has written; nothing has run."""
        project = cls(root)
        make_project(root, text=TUNING)
        (root / "train.py").write_text(TRAIN)
        (root / ".gitignore").write_text("trained.log\n.tunesmith/\n")
        project.do("git", "init", "-q", "-b", "main")
        project.dvc("init", "-q")
        project.tunesmith("dvc", "init", "--yes", *options)
        return project

    def start(self, *command: str) -> "subprocess.Popen[str]":
        """A command that goes on in the background, started anew: signals are for it."""
        environ = {**environment(), "PATH": programs.path(preloaded=False)}
        return subprocess.Popen(
            command, cwd=self.root, env=environ, text=True, stdout=subprocess.DEVNULL
        )

    def do(self, *command: str, code: int = 0) -> str:
        """What a command prints, on both streams."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    def dvc(self, *arguments: str, code: int = 0) -> str:
        return self.do("dvc", *arguments, code=code)

    def git(self, *arguments: str) -> str:
        return self.do("git", *arguments)

    def tunesmith(self, *arguments: str, code: int = 0) -> str:
        return self.do("tunesmith", *arguments, code=code)

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def changed(self) -> dict[str, Any]:
        """What ``dvc status`` reports, by stage; empty where all is up to date."""
        found = yaml.safe_load(self.dvc("status", "--json"))
        assert isinstance(found, dict)
        return found

    def text(self, name: str) -> str:
        return (self.root / name).read_text()

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        assert old in self.text(name)
        self.write(name, self.text(name).replace(old, new))

    def params(self, name: str = BEST) -> dict[str, Any]:
        found = yaml.safe_load(self.text(name))["params"]
        assert isinstance(found, dict)
        return found

    @property
    def depth(self) -> int:
        """What training would take now."""
        return int(self.params()["max_depth"])

    @property
    def trained(self) -> list[int]:
        """What every training took, in order."""
        log = self.root / "trained.log"
        rows = log.read_text().splitlines() if log.exists() else []
        return [int(yaml.safe_load(row)["max_depth"]) for row in rows]

    @property
    def evaluated(self) -> list[int]:
        """How many folds every run of the study has evaluated, in order."""
        with sqlite3.connect(self.root / ".tunesmith/ledger.db") as ledger:
            rows = ledger.execute("select n_evaluated from run order by id")
            return [int(n or 0) for (n,) in rows]
