"""The whole walk through one repository, by commands alone, with real DVC and Git.

Whatever a message offers between backticks is typed as it stands.
"""

import json
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from tests.pipeline.dvc.project import environment
from tests.pipeline.walk.generator import BEST, Made

OFFER = re.compile(r"`((?:dvc|git|tunesmith) [^`]+)`")
ROW = re.compile(r"^\s+(deps|params|outs|metrics|plots): (\[.*\])$", re.MULTILINE)
QUEUE_S = 600
"""What DVC's worker may take, on a busy machine."""
DEPTH = re.compile(r"depth: (\d+)")


class LostError(AssertionError):
    """The walk has met a dead end, a false alarm, a miss or a lost value."""


@dataclass
class Walker:
    """Somebody in a project folder."""

    made: Made
    top: Path

    @classmethod
    def begin(cls, made: Made, top: Path) -> "Walker":
        walker = cls(made, top)
        for name, text in made.files.items():
            path = top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        walker.at_top("git init -q -b main && dvc init -q && git add -A && git commit -qm first")
        return walker

    @property
    def root(self) -> Path:
        return self.top / self.made.folder

    # -- typing ------------------------------------------------------------------------------

    def type(self, command: str, code: int | None = 0, at: Path | None = None) -> str:
        """What a command prints on both streams."""
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=at or self.root,
            env=environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
        )
        if code is not None and done.returncode != code:
            raise LostError(
                f"{self.made}: `{command}` ended with {done.returncode}:\n{done.stdout}"
            )
        return done.stdout

    def at_top(self, command: str) -> str:
        return self.type(command, at=self.top)

    def smith(self, words: str, code: int | None = 0) -> str:
        return self.type(f"tunesmith {words}{self._named(words)}", code)

    def _named(self, words: str) -> str:
        usual = self.made.config in ("tuning.yaml", "config/tuning.yaml")
        return "" if usual or "start" in words else f" -c {self.made.config}"

    def offered(self, text: str) -> list[str]:
        """What a message offers, as one would type it for this study."""
        return list(dict.fromkeys(OFFER.findall(text)))

    def commit(self, message: str) -> None:
        self.at_top(f"git add -A && git commit -qm '{message}'")

    # -- seeing ------------------------------------------------------------------------------

    @property
    def depth(self) -> int:
        """What training would take."""
        return int(DEPTH.search((self.root / BEST).read_text())[1])  # type: ignore[index]

    @property
    def trained(self) -> int:
        text = (self.root / "outputs/training_metrics.json").read_text()
        return int(json.loads(text)["depth"])

    @property
    def evaluated(self) -> int:
        """By the last run of the study."""
        with sqlite3.connect(self.root / ".tunesmith/ledger.db") as ledger:
            row = ledger.execute("select n_evaluated from run order by id desc limit 1").fetchone()
        return int(row[0])

    @property
    def runs(self) -> int:
        path = self.root / ".tunesmith/ledger.db"
        if not path.exists():
            return 0
        with sqlite3.connect(path) as ledger:
            return int(ledger.execute("select count(*) from run").fetchone()[0])

    def repro(self, *names: str) -> str:
        return self.type(f"dvc repro {' '.join(names)}", at=self.top / self.made.pipeline)

    def changed(self) -> dict[str, Any]:
        """What DVC takes for changed, of the study's own stages."""
        found = yaml.safe_load(self.at_top("dvc status --json"))
        inner = f"{self.made.pipeline}/dvc.yaml:".lstrip("/") if self.made.pipeline else ""
        own = [f"{inner}{name}" for name in (self.made.tuning, self.made.training)]
        return {name: why for name, why in found.items() if name in own}

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text()
        if old not in text:
            raise LostError(f"{self.made}: there is no {old!r} in {name}:\n{text}")
        path.write_text(text.replace(old, new))

    def sees(self, *, is_right: bool, why: str) -> str:
        """``verify`` has to say so."""
        text = self.smith("verify", None)
        if ("verified" in text and "not verified" not in text) != is_right:
            raise LostError(f"{self.made}: verify after {why}:\n{text}")
        return text

    def is_so(self, found: Any, wanted: Any, what: str) -> None:
        if found != wanted:
            raise LostError(f"{self.made}: {what}: {found!r} instead of {wanted!r}")


# -- the steps -----------------------------------------------------------------------------------


def sets_up(walker: Walker) -> None:
    """``dvc init``; a template's lines are written by hand, as the message says."""
    walker.smith("check")
    command = f"dvc init --{walker.made.coupling} --yes --stage {_plain(walker.made.tuning)}"
    for _ in range(3):
        told = walker.smith(command, None)
        rows = ROW.findall(told)
        if not rows:
            break
        _write_rows(walker, rows)
    told = walker.smith(command)
    walker.is_so("Nothing to do" in told, True, f"dvc init, asked again ({told})")
    walker.commit("a pipeline")


def _plain(name: str) -> str:
    return name.partition("@")[0]


def _write_rows(walker: Walker, rows: list[tuple[str, str]]) -> None:
    path = walker.top / walker.made.pipeline / "dvc.yaml"
    data = yaml.safe_load(path.read_text())
    stage = data["stages"][_plain(walker.made.tuning)]
    inner = stage.get("do", stage)
    for key, row in rows:
        inner[key] = json.loads(row)
    path.write_text(yaml.safe_dump(data, sort_keys=False))


def runs_first(walker: Walker) -> None:
    walker.repro(walker.made.tuning, walker.made.training)
    walker.commit("tuned and trained")
    walker.is_so((walker.depth, walker.trained), (3, 3), "depth after the first run")
    walker.is_so(walker.changed(), {}, "dvc status after the first run")
    walker.sees(is_right=True, why="the first run")
    told = walker.smith("doctor", None)
    bad = [line for line in told.splitlines() if "dvc" in line and not _is_well(line)]
    walker.is_so(bad, [], "doctor")


def _is_well(line: str) -> bool:
    return not re.search(r"mends|decide|adopt", line)


def replaces_data(walker: Walker) -> None:
    """New data is noticed by DVC, by ``status`` and by ``verify``; old data costs nothing."""
    (walker.root / "data.csv").write_text("1\n")
    walker.is_so(walker.made.tuning in _names(walker.changed()), True, "dvc sees new data")
    walker.is_so("stale" in walker.smith("status"), True, "status sees new data")
    told = walker.sees(is_right=False, why="new data")
    _take_a_way_out(walker, told, "new data")
    walker.repro(walker.made.tuning, walker.made.training)
    walker.is_so((walker.depth, walker.trained), (1, 1), "depth with new data")
    walker.commit("new data")
    (walker.root / "data.csv").write_text("9\n")
    walker.repro(walker.made.tuning, walker.made.training)
    walker.is_so((walker.evaluated, walker.depth), (0, 3), "evaluations with old data")
    walker.commit("old data")


def _names(changed: dict[str, Any]) -> set[str]:
    return {name.rpartition(":")[2] for name in changed}


def _take_a_way_out(walker: Walker, told: str, why: str, *, is_wrong: bool = True) -> None:
    """Each command that is offered works, in a copy of its own; the last one in place."""
    offered = walker.offered(told)
    if not offered:
        raise LostError(f"{walker.made}: no way out of {why}:\n{told}")
    for number, command in enumerate(offered):
        copy = walker.top.with_name(f"{walker.top.name}-{number}")
        shutil.copytree(walker.top, copy, symlinks=True)
        there = replace(walker, top=copy)
        there.type(command)
        if is_wrong:
            there.sees(is_right=True, why=f"`{command}`, offered after {why}")
        shutil.rmtree(copy)
    walker.type(offered[-1])


def edits_by_hand(walker: Walker) -> None:
    walker.edit(BEST, "depth: 3", "depth: 2")
    if walker.made.coupling == "tight":
        told = walker.sees(is_right=False, why="an edit")
        _take_a_way_out(walker, told, "an edit")
        walker.is_so(walker.depth, 3, "depth after an edit was undone")
    else:
        told = walker.sees(is_right=True, why="an edit of people's own file")
        walker.repro(walker.made.tuning, walker.made.training)
        walker.is_so((walker.depth, walker.trained), (2, 2), "an edit")
        told = walker.smith("verify")
        _take_a_way_out(walker, told, "an edit", is_wrong=False)
    walker.repro(walker.made.tuning, walker.made.training)
    walker.is_so((walker.depth, walker.trained), (3, 3), "depth after the way back")
    walker.at_top("git add -A && (git diff --cached --quiet || git commit -qm back)")
    walker.sees(is_right=True, why="the way back")


def experiments(walker: Walker) -> None:
    """Branches: nothing that was applied is lost by the next ``dvc repro``."""
    walker.smith("experiment start wider")
    _goes_on(walker, "begun", lambda: _widen(walker), "tuning")
    walker.commit("tuned")
    walker.at_top("git switch -q main")
    _goes_on(walker, "tuned")
    runs = walker.runs
    _goes_on(walker, "applied")
    walker.is_so((walker.depth, walker.trained), (4, 4), "what was applied")
    walker.is_so(walker.runs, runs, "runs of the study on the training branch")
    walker.commit("trained")
    walker.sees(is_right=True, why="applied parameters")
    walker.repro(walker.made.training)
    walker.is_so(walker.depth, 4, "what was applied, after dvc repro")
    walker.at_top("git switch -q main")
    _goes_on(walker, "trained")
    walker.is_so((_state(walker), walker.depth), ("merged", 4), "the experiment")
    walker.sees(is_right=True, why="a merge")
    walker.repro(walker.made.tuning, walker.made.training)
    walker.is_so((walker.depth, walker.trained), (4, 4), "after the merge and dvc repro")
    walker.at_top("git add -A && (git diff --cached --quiet || git commit -qm merged)")
    walker.sees(is_right=True, why="a merge and dvc repro")


def _widen(walker: Walker) -> None:
    walker.edit(walker.made.config, "- 3\n", "- 3\n  - 4\n")


def _state(walker: Walker) -> str:
    content = json.loads(walker.smith("experiment status wider --json"))
    return str(content["experiments"][0]["state"])


def _goes_on(walker: Walker, state: str, before: Any = None, branch: str = "") -> None:
    """Do what ``experiment status`` names."""
    content = json.loads(walker.smith("experiment status wider --json"))["experiments"][0]
    walker.is_so(content["state"], state, "state of the experiment")
    command = content["next"].partition(", and ")[0]
    if before is not None:
        walker.at_top(f"git switch -q {branch}/wider")
        before()
    walker.type(command)


def clones(walker: Walker) -> None:
    """A clone has no ledger, and evaluates only what is new."""
    there = walker.top.with_name(f"{walker.top.name}-clone")
    walker.at_top(f"git clone -q . {there}")
    clone = replace(walker, top=there)
    clone.sees(is_right=True, why="a clone")
    text = (clone.root / walker.made.config).read_text()
    clone.edit(walker.made.config, "- 3\n", "- 3\n  - 9\n")
    clone.repro(walker.made.tuning)
    clone.is_so(clone.evaluated, 1, "evaluations of one more value in a clone")
    clone.sees(is_right=True, why="one more value in a clone")
    (clone.root / walker.made.config).write_text(text)
    clone.repro(walker.made.tuning)
    clone.is_so(clone.evaluated, 0, "evaluations of the search before, in a clone")
    shutil.rmtree(there)


def queue(walker: Walker) -> None:
    """DVC's queue: nothing is evaluated twice, and after ``apply`` status and verify agree."""
    config = f"{walker.made.folder}/{walker.made.config}".lstrip("/")
    target = f"{walker.made.pipeline}/dvc.yaml:".lstrip("/") if walker.made.pipeline else ""
    fits = walker.top.with_name(f"{walker.top.name}-fits")
    known = yaml.safe_load((walker.root / walker.made.config).read_text())["space"]["depth"]
    wanted = [1, 2, 3, 4, 7]
    walker.at_top(
        f"dvc exp run -q --queue -n longer -S '{config}:space.depth={json.dumps(wanted)}'"
        f" '{target}{walker.made.tuning}'"
    )
    walker.sees(is_right=True, why="an experiment in the queue")
    walker.at_top(f"FITS_LOG='{fits}' dvc queue start -q")
    _await_queue(walker)
    made = sorted(map(int, fits.read_text().split()))
    walker.is_so(made, sorted({*wanted} - {*known}), "evaluations in another place")
    walker.sees(is_right=True, why="an experiment in another place")
    walker.at_top("dvc exp apply longer")
    status = walker.smith("status")
    told = walker.sees(is_right=True, why="dvc exp apply")
    walker.is_so("up to date" in status, True, f"status beside verify ({status}; {told})")
    walker.is_so(walker.depth, 7, "what dvc exp apply brought")
    runs = walker.runs
    walker.repro(walker.made.tuning)
    is_idle = walker.runs == runs or walker.evaluated == 0
    walker.is_so(is_idle, True, "nothing evaluated after dvc exp apply")
    walker.at_top("git checkout -q . && git clean -qfd -e .tunesmith")


def _await_queue(walker: Walker) -> None:
    """Until the worker, which runs in the background, has done all."""
    deadline = time.monotonic() + QUEUE_S
    while time.monotonic() < deadline:
        if not re.search("Queued|Running", told := walker.at_top("dvc queue status")):
            break
        time.sleep(1)
    if "Success" not in told:
        logs = walker.type("dvc queue logs longer", None, at=walker.top)
        raise LostError(f"{walker.made}: the queue:\n{told}\n{logs}")
    walker.at_top("dvc queue stop")


def workflows(walker: Walker) -> None:
    """Workflows that call the stages where they are."""
    (walker.root / "requirements.txt").write_text("tunesmith\n")
    (walker.top / "requirements.txt").write_text("tunesmith\n")
    walker.smith("ci init github")
    found = list(walker.top.glob(".github/workflows/*.yml"))
    walker.is_so(len(found) >= 3, True, "workflows")
    lines = [line for path in found for line in path.read_text().splitlines() if " repro " in line]
    walker.is_so(any(walker.made.tuning in line for line in lines), True, f"tuning in {lines}")


STEPS = (
    sets_up,
    runs_first,
    replaces_data,
    edits_by_hand,
    experiments,
    clones,
    queue,
    workflows,
)


def walk(made: Made, top: Path, names: Sequence[str] = ()) -> None:
    """The steps, one after the other.

    Args:
        made: the repository.
        top: where it is put.
        names: of steps to take after the first two; all by default.

    Raises:
        LostError: with the step's words.
    """
    walker = Walker.begin(made, top)
    for step in STEPS:
        if not names or step in STEPS[:2] or step.__name__ in names:
            step(walker)
