"""Faults while what a study has found is brought to the training branch, here and on a remote.

A study is really run and committed on ``tuning/one``, and `experiment apply --push origin` is gone
through once for every named point and every time that it is passed, each Git command among them.
After each, either side has the branch as it was or with the one commit that was wanted, and nothing
else has changed: files, outputs, ledger, other branches. Then the command is given again, and both
sides have the same.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn.datasets import load_iris
from tests.durability.forks import in_fork
from tests.pipeline.repositories import BEST, git, make_project, parameters

from tunesmith.pipeline.branches import experiment
from tunesmith.pipeline.repository import Repository
from tunesmith.system import faults

STUDY = """\
study: small
objective:
  estimator: sklearn.tree.DecisionTreeClassifier
  data: {path: data.csv, target: kind}
  cv: 3
  metric: accuracy
space: {max_depth: [2, 3]}
search: {method: grid}
execution: {workers: 1, executor: serial}
outputs: {history: outputs/history.jsonl}
"""
TUNING, TRAINING = "tuning/one", "training/one"
NAME = "apply"
ONLY_KILLED = ("git.called",)
SETTLE_S = 5.0
PRELOADED = ("tunesmith.cli.experiment", "tunesmith.cli.run", "sklearn.tree", "tunesmith.runs.tune")


@dataclass(frozen=True)
class Fault:
    """What happens where, and when."""

    kind: str
    point: str
    n: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.point}:{self.n}"


@dataclass(frozen=True)
class Sides:
    """Where the training branch is."""

    here: str
    there: str


def command(*arguments: str) -> Callable[[Path], int]:
    def do(_folder: Path) -> int:
        from tunesmith.cli import main

        sys.argv = ["tunesmith", *arguments]
        try:
            main()
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    return do


APPLY = command("experiment", "apply", "one", "--push", "origin")


def prepare(folder: Path) -> None:
    """A study that was run and committed on its branch, of which a remote knows."""
    for name in PRELOADED:
        import_module(name)
    table = load_iris(as_frame=True).frame.rename(columns={"target": "kind"})
    files = {"data.csv": table.to_csv(index=False), BEST: parameters(max_depth=1, trial=0)}
    root = make_project(folder, STUDY, **files)
    experiment.start(Repository.of(root), "one", remote="origin")
    git(root, "switch", "-q", TUNING)
    assert in_fork(root, command("run", "-q"), log=folder / "run.log") == 0
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "tuned")
    git(root, "push", "-q", "origin", TUNING)
    git(root, "switch", "-q", "main")


def copied(origin: Path, folder: Path) -> Path:
    """The same project and its remote, elsewhere."""
    shutil.copytree(origin, folder, symlinks=True)
    config = folder / "project/.git/config"
    config.write_text(config.read_text().replace(str(origin), str(folder)))
    return folder / "project"


def points(origin: Path, folder: Path) -> Counter[str]:
    """The points that an apply passes, and how often; it is really made."""
    root, log = copied(origin, folder), folder / "points.log"
    environ = {faults.LOG_VARIABLE: str(log)}
    code = in_fork(root, APPLY, environ, log=folder / "run.log")
    assert code == 0, (folder / "run.log").read_text()
    return Counter(log.read_text().split())


def all_faults(found: Counter[str]) -> Iterator[Fault]:
    """Every fault there is."""
    for point, n in sorted(found.items()):
        kinds = ("kill",) if point in ONLY_KILLED else ("kill", "fail")
        yield from (Fault(kind, point, k + 1) for kind in kinds for k in range(n))


def sides(folder: Path) -> Sides:
    """The branch on both sides."""
    here = git(folder / "project", "rev-parse", TRAINING)
    return Sides(here, git(folder / "remote.git", "rev-parse", TRAINING))


def others(folder: Path) -> dict[str, str]:
    """All that an apply must leave alone: files, outputs, the ledger, other branches."""
    root = folder / "project"
    files = (path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts)
    found = {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    for place in ("project", "remote.git"):
        refs = git(folder / place, "for-each-ref", "--format=%(refname) %(objectname)")
        for line in refs.splitlines():
            name, commit = line.split()
            if not name.endswith(TRAINING):
                found[f"{place} {name}"] = commit
    return {**found, "status": git(root, "status", "--porcelain=v2", "--branch")}


def tree(folder: Path, place: str, commit: str) -> tuple[str, str]:
    """What a commit holds, and what it was made on."""
    return (
        git(folder / place, "rev-parse", f"{commit}^{{tree}}"),
        git(folder / place, "rev-parse", f"{commit}^"),
    )


def suffer(fault: Fault, origin: Path, folder: Path, wanted: tuple[str, str]) -> list[str]:
    """Let it happen, look, give the command again, and tell what is wrong."""
    root, log = copied(origin, folder), folder / "run.log"
    before, old = others(folder), sides(folder)
    environ = {faults.VARIABLE: str(fault), faults.ONCE_VARIABLE: str(folder / "happened")}
    code = in_fork(root, APPLY, environ, log=log)
    wrong = [] if code in (2, 74, -9) else [f"it ended with {code}"]
    if not (folder / "happened").exists():
        wrong.append("it did not happen")
    settle(folder)
    wrong += list(_looked_at(folder, old, before, wanted))
    again = in_fork(root, APPLY, log=log)
    if again == 2 and "git fetch" in log.read_text():
        # The push had arrived, and was not heard of: as the message says.
        git(root, "fetch", "-q", "origin")
        again = in_fork(root, APPLY, log=log)
    said = log.read_text()
    if again != 0:
        wrong.append(f"the next one ended with {again}: {said[-600:]}")
    now = sides(folder)
    if now.here != now.there or tree(folder, "project", now.here) != wanted:
        wrong.append(f"the next one leaves {now}")
    if others(folder) != before:
        wrong.append("the next one changed something else")
    if re.search("defect in Tunesmith|Traceback", said):
        wrong.append("a defect was told")
    return wrong


def settle(folder: Path) -> None:
    """Git commands that outlive the process which has started them end by themselves."""
    end = time.monotonic() + SETTLE_S
    while any(locks(folder)) and time.monotonic() < end:
        time.sleep(0.05)


def locks(folder: Path) -> Iterator[Path]:
    """What Git's commands lock while they work."""
    for place in ("project/.git", "remote.git"):
        yield from (folder / place).rglob("*.lock")


def _looked_at(
    folder: Path, old: Sides, before: dict[str, str], wanted: tuple[str, str]
) -> Iterator[str]:
    now = sides(folder)
    for place, tip, was in (
        ("project", now.here, old.here),
        ("remote.git", now.there, old.there),
    ):
        if tip != was and tree(folder, place, tip) != wanted:
            yield f"{place} has half of it"
        checked = ["git", "-C", str(folder / place), "fsck", "--strict", "--no-dangling"]
        if subprocess.run(checked, capture_output=True, check=False).returncode:
            yield f"{place} is damaged"
    if now.here != old.here and now.there == old.there:
        yield "the branch moved here and not on the remote"
    if others(folder) != before:
        yield "something else has changed"
    if left := [path.name for path in locks(folder)]:
        yield f"locks are left: {left}"


def sweep(chosen: Callable[[list[Fault]], list[Fault]]) -> tuple[Counter[str], list[str]]:
    """Go through faults; returns how many, and what was wrong."""
    wrong: list[str] = []
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        origin = folder / "origin"
        origin.mkdir()
        prepare(origin)
        found = chosen(list(all_faults(points(origin, folder / "whole"))))
        wanted = tree(folder / "whole", "project", sides(folder / "whole").here)
        for number, fault in enumerate(found):
            place = folder / f"try-{number}"
            wrong += [f"{NAME}: {fault}: {what}" for what in suffer(fault, origin, place, wanted)]
            shutil.rmtree(place, ignore_errors=True)
    return Counter({NAME: len(found)}), wrong
