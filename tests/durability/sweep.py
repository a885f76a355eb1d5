"""Kill, or have the system refuse, at every named point, at every time that it is passed.

    python -m tests.durability.sweep [--some N --seed S]

A run, a resumed run, a report and a merge of histories are each gone through once to learn which
points they pass (``system/faults.py``), then once for every point and every time. After each, the
same thing is done without a fault, and all has to be as if nothing had happened: trials, scores,
outputs, and no finished fold evaluated again. An apply with a push is gone through in the same way
(``applied``). ``--some`` picks so many of each by chance.
"""

import argparse
import json
import random
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.durability import applied
from tests.durability.applied import command
from tests.durability.forks import in_fork
from tests.durability.kills import NOTED

from tunesmith.ledger.integrity import check_rows
from tunesmith.ledger.ledger import Ledger
from tunesmith.runs.tune import tune
from tunesmith.system import faults
from tunesmith.testing.projects import make_project

TUNING = """\
study: small
objective:
  estimator: noted.Noted
  data: {path: data.csv, target: kind}
  cv: 3
  metric: accuracy
space:
  max_depth: [1, 2, 3]
search: {method: grid}
execution: {workers: WORKERS, executor: EXECUTOR, share: off}
outputs: {history: outputs/history.jsonl, trials: outputs/trials.csv}
"""
N_FITS = 9
OUTPUTS = ("outputs/history.jsonl", "outputs/trials.csv", "config/best_parameters.yaml")
IN_WORKERS = ("worker.answer", "worker.answered", "journal.write", "run.send", "run.start_worker")
PRELOADED = (
    *("sklearn.tree", "sklearn.model_selection", "pandas", "tunesmith.objective.crossval"),
    *("tunesmith.execute.serial", "tunesmith.execute.processes", "tunesmith.search.grid"),
    *("tunesmith.reporting.markdown", "tunesmith.cli.report", "tunesmith.cli.merge_history"),
)
FINE = (0, 5, 74)
"""Exit codes of what the system has refused."""


@dataclass(frozen=True)
class Scene:
    """What is done, and what must come of it."""

    name: str
    prepare: Callable[[Path], None]
    do: Callable[[Path], int]
    n_workers: int = 1


@dataclass(frozen=True)
class Fault:
    """What happens where, and when."""

    scene: Scene
    kind: str
    point: str
    n: int

    def __str__(self) -> str:
        return f"{self.scene.name}: {self.kind}:{self.point}:{self.n}"


# -- what is done ------------------------------------------------------------------------------


def preload() -> None:
    """Import once, for all forks, what runs import when they need it."""
    for name in PRELOADED:
        import_module(name)


def project(folder: Path, executor: str = "serial") -> None:
    text = TUNING.replace("EXECUTOR", executor)
    text = text.replace("WORKERS", "1" if executor == "serial" else "2")
    make_project(folder, text=text, noted_py=NOTED)
    (folder / "fit_s").write_text("0")


def run(folder: Path) -> int:
    return int(tune(folder / "tuning.yaml").exit_code)


def half_run(folder: Path) -> None:
    project(folder)
    in_fork(folder, run, {faults.VARIABLE: "kill:ledger.commit:9"})


def finished(folder: Path) -> None:
    project(folder)
    in_fork(folder, run)
    for name in OUTPUTS:
        (folder / name).unlink()


def two_histories(folder: Path) -> None:
    finished(folder)
    in_fork(folder, command("report"))
    whole = (folder / OUTPUTS[0]).read_text().splitlines(keepends=True)
    (folder / "base").write_text("".join(whole[:3]))
    (folder / "ours").write_text("".join(whole[:4]))
    (folder / "theirs").write_text("".join(whole))


SCENES = (
    Scene("run", project, run),
    Scene("resume", half_run, run),
    Scene("report", finished, command("report")),
    Scene("merge", two_histories, command("merge-history", "base", "ours", "theirs")),
    Scene("workers", lambda folder: project(folder, "processes"), run, 2),
)


# -- doing it ----------------------------------------------------------------------------------


def state(folder: Path) -> dict[str, Any]:
    """All that must not depend on a fault."""
    with Ledger.open(folder / ".tunesmith/ledger.db", create=False) as ledger:
        told = list(ledger.load("small").history.completed)
    with closing(sqlite3.connect(folder / ".tunesmith/ledger.db")) as connection:
        check_rows(connection)
    outputs = {name: (folder / name).read_text() for name in OUTPUTS}
    merged = folder / "ours"
    return {
        "told": [(trial.key, [dict(fold.scores) for fold in trial.folds]) for trial in told],
        "merged": merged.read_text() if merged.exists() else "",
        **outputs,
    }


def n_repeated(folder: Path) -> int:
    """Fits that were begun again."""
    log = folder / "truth.log"
    lines = [line.split(" ", 2) for line in log.read_text().splitlines()]
    begun = Counter(what for verb, _, what in lines if verb == "begin")
    return sum(begun.values()) - len(begun)


def points(scene: Scene, folder: Path) -> Iterator[tuple[str, int]]:
    """(point, how often it is passed) of a scene."""
    scene.prepare(folder)
    log = folder / "points.log"
    code = in_fork(folder, scene.do, {faults.LOG_VARIABLE: str(log)})
    assert code == 0, (folder / "run.log").read_text()
    found = Counter(log.read_text().split())
    if scene.n_workers > 1:
        # All others are gone through in one process, which is cheaper.
        yield from ((point, min(found[point], 4)) for point in IN_WORKERS if found[point])
    else:
        yield from sorted(found.items())


def all_faults(folder: Path) -> list[Fault]:
    """Every fault there is."""
    found = []
    for scene in SCENES:
        for point, n in points(scene, folder / scene.name):
            kinds = ("kill",) if point in ("run.send", "worker.answer") else ("kill", "fail")
            kinds = kinds if point != "worker.answered" else ("kill",)
            found += [Fault(scene, kind, point, k + 1) for kind in kinds for k in range(n)]
    return found


def suffer(fault: Fault, origin: Path, folder: Path, wanted: dict[str, Any]) -> list[str]:
    """Let it happen, do the same again without it, and tell what is wrong then."""
    scene, plan = fault.scene, f"{fault.kind}:{fault.point}:{fault.n}"
    shutil.copytree(origin, folder)
    once = {faults.ONCE_VARIABLE: str(folder / "happened")}
    code = in_fork(folder, scene.do, {faults.VARIABLE: plan, **once})
    wrong = [] if code in (*FINE, -9) else [f"it ended with {code}"]
    if not (folder / "happened").exists() and scene.n_workers == 1:
        wrong.append("it did not happen")
    again = in_fork(folder, scene.do)
    said = (folder / "run.log").read_text()
    if again != 0:
        wrong.append(f"the next one ended with {again}: {said[-700:]}")
        return wrong
    wrong += [f"{part} differs" for part, is_same in _compared(folder, wanted) if not is_same]
    if "defect in Tunesmith" in said:
        wrong.append("a defect was told")
    if (n := n_repeated(folder) - n_repeated(origin)) > scene.n_workers:
        wrong.append(f"{n} fits were repeated")
    return wrong


def _compared(folder: Path, wanted: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    found = state(folder)
    for part, value in wanted.items():
        yield part, found[part] == value


def sweep(chosen: Callable[[list[Fault]], list[Fault]]) -> tuple[Counter[str], list[str]]:
    """Go through faults; returns how many of each scene, and what was wrong."""
    preload()
    n_tried: Counter[str] = Counter()
    wrong: list[str] = []
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        faults_there = chosen(all_faults(folder))
        wanted, origins = {}, {}
        for scene in SCENES:
            scene_folder = folder / scene.name
            wanted[scene.name] = state(scene_folder)
            origins[scene.name] = folder / f"{scene.name}-before"
            (folder / "fresh").mkdir()
            scene.prepare(folder / "fresh")
            if not (folder / "fresh" / "truth.log").exists():
                (folder / "fresh" / "truth.log").touch()
            (folder / "fresh").rename(origins[scene.name])
        for number, fault in enumerate(faults_there):
            place = folder / f"try-{number}"
            found = suffer(fault, origins[fault.scene.name], place, wanted[fault.scene.name])
            wrong += [f"{fault}: {what}" for what in found]
            n_tried[fault.scene.name] += 1
            shutil.rmtree(place, ignore_errors=True)
    return n_tried, wrong


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--some", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    chance, known = random.Random(options.seed), [0, 0]

    def chosen(found: list[Any]) -> list[Any]:
        points = {(getattr(fault, "scene", None), fault.point) for fault in found}
        known[:] = [known[0] + len(points), known[1] + len(found)]
        return found if options.some is None else chance.sample(found, options.some)

    n_tried, wrong = sweep(chosen)
    n_applied, wrong_there = applied.sweep(chosen)
    n_tried, wrong = n_tried + n_applied, [*wrong, *wrong_there]
    print(f"{known[0]} points, {known[1]} faults; tried {sum(n_tried.values())}:", end=" ")
    print(json.dumps(n_tried))
    for line in wrong:
        print(line)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
