"""Every remedy that is offered for a damaged pipeline is typed as it stands, and mends it."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable

import pytest
from tests.pipeline.dvc.project import BEST, REPORT, TUNED, Project, environment

OFFER = re.compile(r"`((?:dvc|git|tunesmith) [^`]+)`")
HISTORY = "outputs/history.jsonl"
FLAGS = "{cache: false, persist: true}"
NOTES = "train.py.log"
OUT = f"      - {TUNED}: {FLAGS}\n"
DATA, PARAMS = "    deps:\n      - data.csv\n", "    params:\n      - tuning.yaml"
Damage = Callable[[Project], None]

pytestmark = pytest.mark.slow


def typed(project: Project, command: str) -> tuple[int, str]:
    """Type a command at a terminal, and say yes if it asks.

    Returns:
        Its exit code, and what it prints on both streams.
    """
    ours, its = os.openpty()
    os.write(ours, b"y\n")
    try:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=project.root,
            env=environment(),
            text=True,
            stdin=its,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
        )
    finally:
        os.close(its)
        os.close(ours)
    return done.returncode, done.stdout


# -- what is broken, and the words that tell of it -------------------------------------------------


def edited(name: str, old: str, new: str = "") -> Damage:
    return lambda project: project.edit(name, old, new)


def without(name: str) -> Damage:
    return lambda project: (project.root / name).unlink()


def out_of_order(project: Project) -> None:
    head, tuning = project.text("dvc.yaml").split("  tuning:\n", 1)
    tuning, training = tuning.split("  training:\n", 1)
    end = re.search(r"^\S", training, re.MULTILINE)
    training, rest = (training[: end.start()], training[end.start() :]) if end else (training, "")
    stages = f"  training:\n{training.rstrip()}\n  tuning:\n{tuning.rstrip()}\n\n"
    project.write("dvc.yaml", f"{head}{stages}{rest}")


def frozen(project: Project) -> None:
    project.dvc("freeze", "tuning")


def never_run(project: Project) -> None:
    project.git("rm", "-q", "dvc.lock")
    project.git("commit", "-qm", "without a run of DVC")


def kept_by_dvc(project: Project) -> None:
    """Data that is in DVC's remote alone."""
    project.git("rm", "-q", "--cached", "data.csv")
    project.dvc("add", "-q", "data.csv")
    project.dvc("remote", "add", "-q", "-d", "store", str(project.root.parent / "store"))
    project.dvc("push", "-q", "data.csv")
    (project.root / "data.csv").unlink()
    shutil.rmtree(project.root / ".dvc/cache")


Case = dict[str, Damage]
DOCTOR: dict[str, Case] = {
    "the pipeline": {
        "is listed before `tuning`": out_of_order,
        f"{HISTORY} is no out of `tuning`": edited("dvc.yaml", f"      - {HISTORY}: {FLAGS}\n"),
        f"{TUNED} lacks": edited("dvc.yaml", f"{TUNED}: {FLAGS}", TUNED),
        f"{REPORT}: kept by Git": edited("dvc.yaml", f"{REPORT}: {FLAGS}", REPORT),
        "the study depends on data.csv": edited("dvc.yaml", f"{DATA}{PARAMS}", PARAMS),
        "DVC hashes __pycache__": without(".dvcignore"),
        f"{BEST} is missing": without(BEST),
    },
    "whose": {
        "is loose, but by the": edited("tuning.yaml", f"  tuned: {TUNED}\n"),
    },
}
VERIFY: dict[str, Case] = {
    "the study": {
        "ran another command": edited("dvc.yaml", "cmd: tunesmith run", "cmd: tunesmith run -q"),
        f"{NOTES} is not in it": edited("dvc.yaml", OUT, f"{OUT}      - {NOTES}: {FLAGS}\n"),
        "`space` changed since": edited("tuning.yaml", "[1, 2, 3, 4]", "[1, 2, 3]"),
        f"{TUNED}: has changed since": edited(TUNED, "max_depth: 3", "max_depth: 2"),
        f"{REPORT}: is missing": without(REPORT),
        "which is frozen": frozen,
    },
    "never run": {"has not been run by DVC yet": never_run},
    "a lost lock": {"lacks stage `tuning`": without("dvc.lock")},
    "data in Git": {"data.csv": without("data.csv")},
    "data in DVC": {"data.csv.dvc": kept_by_dvc},
}


@pytest.mark.parametrize("ask", ["doctor", "verify"])
def test_what_is_offered_helps(loose: Project, ask: str) -> None:
    loose.write(NOTES, "kept\n")
    wrong = []
    for case, damages in {"doctor": DOCTOR, "verify": VERIFY}[ask].items():
        there = Project(loose.root.parent / case.replace(" ", "-"))
        shutil.copytree(loose.root, there.root, symlinks=True)
        for damage in damages.values():
            damage(there)
        wrong += [f"{case}: {problem}" for problem in _unmended(there, f"tunesmith {ask}", damages)]
    assert not wrong, "\n\n".join(wrong)


def _unmended(project: Project, ask: str, damages: Case) -> list[str]:
    """What is not told of, or not mended by what is offered."""
    _, told = typed(project, ask)
    found = [f"{sign} is not told:\n{told}" for sign in damages if sign not in told]
    # A sentence on what would happen offers nothing.
    sentences = [one for one in re.split(r"[.:;] |\n", told) if "would" not in one]
    offered = list(dict.fromkeys(c for one in sentences for c in OFFER.findall(one)))
    for command in offered:
        code, said = typed(project, command)
        found += [f"`{command}` ended with {code}:\n{said}"] if code else []
    code, again = typed(project, ask)
    left = [sign for sign in damages if sign in again and ask == "tunesmith doctor"]
    if code or left:
        found.append(f"{left} after {offered}:\n{again}\nbefore it:\n{told}")
    return found
