"""Whatever a message offers: what is wrong, where, and the words that offer it."""

import sys
from collections.abc import Callable

from tests.remedies.place import (
    BEST,
    HISTORY,
    LEDGER,
    OUTPUTS,
    REPORT,
    TUNED,
    Case,
    Place,
    commands,
    edited,
    in_turn,
    nothing,
    without,
)

from tunesmith.ledger.ledger import Ledger

PROGRAM = """\
study: small
objective:
  command: [sh, -c, "COMMAND"]
  metrics_pattern: "loss=(?P<loss>.*)"
  metric: {name: loss, direction: minimize}
space: {x: [1, 2, 3]}
search: {method: grid}
execution: {workers: 1}
"""
Arrange = Callable[[Place], object]
START = "tunesmith experiment start NAME"
ONE = {"NAME": "one"}
TRAINED = " --training 'python train.py'"
CI = f"tunesmith ci init github{TRAINED}"


def empty_ledger(place: Place) -> None:
    Ledger.open(place.path(LEDGER)).close()


def damaged(place: Place) -> None:
    """A ledger with a row that is not as it was written."""
    content = bytearray(place.path(LEDGER).read_bytes())
    at = content.rindex(b"max_depth")
    content[at : at + 9] = bytes(9)
    place.path(LEDGER).write_bytes(content)


def killed(place: Place) -> None:
    """A run that was killed when it had evaluated something."""
    program = f"{sys.executable} -m tunesmith run -q --workers 1"
    code, said = place.type(f"TUNESMITH_FAULT=kill:ledger.committed:4 {program}")
    assert code == 137, said


def program(command: str, *steps: str, **environ: str) -> Arrange:
    """A study of a program instead."""

    def arrange(place: Place) -> None:
        place.write("tuning.yaml", PROGRAM.replace("COMMAND", command))
        place.environ |= environ
        for step in steps:
            place.type(step)

    return arrange


def interrupted(place: Place) -> None:
    """The time is up while the second run of the program sleeps, however slow the machine is."""
    mark = place.root.parent / "begun"
    second = "[ -e $MARK ] && [ ! -e $MARK.2 ] && touch $MARK.2 && sleep 60"
    text = f"{second}; touch $MARK; echo loss={{x}}"
    program(text, "tunesmith run -q --time-budget 5s", MARK=str(mark))(place)


def below(place: Place) -> None:
    """A project in a part of the repository."""
    place.do("mkdir part && cp tuning.yaml data.csv train.py part")
    place.root = place.root / "part"


def filtered(name: str) -> Arrange:
    """Reports pass through a filter of Git's that this clone does not have."""

    def arrange(place: Place) -> None:
        place.write(".gitattributes", f"{REPORT} filter={name} -text\n")
        # `git lfs install` sets up a person's Git, not a clone.
        place.environ["GIT_CONFIG_GLOBAL"] = str(place.root.parent / "gitconfig")

    return arrange


FILES = {
    "no configuration": Case(
        nothing,
        "tunesmith status",
        "no configuration in this folder",
        "tunesmith init",
        start="empty",
        code=2,
    ),
    "no configuration for the doctor": Case(
        nothing,
        "tunesmith doctor",
        "none in this folder",
        "tunesmith init",
        start="empty",
        code=None,
    ),
    "an empty configuration": Case(
        lambda place: place.write("tuning.yaml", ""),
        "tunesmith check",
        "found an empty file",
        "tunesmith init… --force",
    ),
    "not run yet": Case(nothing, "tunesmith status", "has not been run yet", "tunesmith run"),
    "nothing to copy": Case(
        nothing, "tunesmith ledger copy copy.db", "there is no ledger", "tunesmith run"
    ),
    "a ledger without a study": Case(
        empty_ledger, "tunesmith status", "there is no study in it", "tunesmith run"
    ),
    "no trial is complete": Case(
        program("exit {x}", "tunesmith run -q"),
        "tunesmith best",
        "no complete trial yet",
        "tunesmith status",
        is_mended=False,
    ),
    "a program that fails": Case(
        program("exit {x}"),
        "tunesmith run -q",
        "shows what the program of trial 0 has printed",
        "tunesmith logs …",
        is_mended=False,
    ),
    "no such trial": Case(
        nothing,
        "tunesmith adopt --trial 99",
        "does not exist",
        "tunesmith trials",
        start="finished",
        is_mended=False,
    ),
    "parameters that are gone": Case(
        without(BEST),
        "tunesmith status",
        "not there; ",
        "tunesmith report",
        start="finished",
    ),
    "a run that was killed": Case(
        nothing, "tunesmith status", "the last run was cut off", "tunesmith run", start="killed"
    ),
    "a run that was killed, verified": Case(
        nothing,
        "tunesmith verify",
        "was cut off before it wrote its files",
        "tunesmith run",
        start="killed",
        code=None,
    ),
    "an interrupted run": Case(
        interrupted,
        "tunesmith status",
        "interrupted by SIGTERM; ",
        "tunesmith run",
    ),
    "another end of the search": Case(
        commands("tunesmith run -q --trials 2"),
        "tunesmith status",
        "`stop` has changed; ",
        "tunesmith run",
    ),
    "an edit that is kept": Case(
        edited(BEST, "max_depth: 3", "max_depth: 1"),
        "tunesmith run -q",
        f"{BEST} is kept",
        "tunesmith adopt",
        start="finished",
    ),
    "a damaged ledger": Case(
        damaged, "tunesmith status", "damaged", "tunesmith doctor --repair", start="finished"
    ),
    "a repaired ledger": Case(
        damaged,
        "tunesmith doctor --repair",
        "The damaged file is kept",
        "tunesmith run",
        start="finished",
    ),
    "a history that cannot be read": Case(
        in_turn(
            lambda place: place.commit("tuned"),
            edited(HISTORY, '"schema_version": ', '"schema_version": 9'),
        ),
        "tunesmith run -q",
        "nothing in it can be read",
        "git checkout HEAD -- …",
        start="finished",
    ),
}
VERIFIED = {
    "a report that is missing, from the ledger": Case(
        without(REPORT), "tunesmith verify", "is missing", "tunesmith report", start="finished"
    ),
    "a report that is missing, by a run": Case(
        without(REPORT), "tunesmith verify", "is missing", "tunesmith run", start="finished"
    ),
    "an edit of what the study found": Case(
        edited(TUNED, "max_depth: 3", "max_depth: 1"),
        "tunesmith verify",
        f"{TUNED}: ",
        "tunesmith report",
        start="finished",
    ),
    "an edit of what is managed": Case(
        in_turn(
            edited("tuning.yaml", OUTPUTS, f"outputs: {{history: {HISTORY}}}\n"),
            commands("tunesmith run -q"),
            edited(BEST, "max_depth: 3", "max_depth: 1"),
        ),
        "tunesmith verify",
        "edited by hand",
        "tunesmith run",
        start="finished",
    ),
    "an edit by a person": Case(
        edited(BEST, "max_depth: 3", "max_depth: 1"),
        "tunesmith verify",
        "edited by hand",
        "tunesmith adopt",
        start="finished",
    ),
    "a study that is stale": Case(
        edited("tuning.yaml", "[1, 2, 3, 4]", "[1, 2, 3]"),
        "tunesmith verify",
        "is stale",
        "tunesmith run",
        start="finished",
    ),
    "scores that come out differently": Case(
        program("echo loss=$(({x} + SHIFT))", "SHIFT=0 tunesmith run -q", SHIFT="1"),
        "tunesmith verify --refit 2",
        "as recorded",
        "tunesmith run --restart",
        code=None,
    ),
}
REPOSITORIES = {
    "no repository": Case(
        nothing, "tunesmith experiment list", "is in no Git repository", "git init", start="empty"
    ),
    "no experiments": Case(
        nothing, "tunesmith experiment list", "There are no experiments", START, ONE
    ),
    "no such experiment": Case(
        nothing, "tunesmith experiment status one", "there is no experiment", START, ONE
    ),
    "no remote": Case(
        commands("git remote remove origin"),
        "tunesmith experiment start one --push origin",
        "there is no remote",
        "git remote add origin URL",
        {"URL": "../remote.git"},
    ),
    "a branch in the way": Case(
        commands("git branch tuning"),
        "tunesmith experiment start one",
        "Git keeps none below it",
        "git branch -m … …-before",
    ),
    "a name that the remote has": Case(
        commands(
            "git push -q origin main:refs/heads/tuning/one && git update-ref -d"
            " refs/remotes/origin/tuning/one"
        ),
        "tunesmith experiment start one --push origin",
        "origin has `tuning/one` already",
        "git fetch …",
        code=2,
    ),
    "results of before": Case(
        in_turn(lambda place: place.commit("tuned"), commands("tunesmith experiment start one")),
        "tunesmith experiment status one",
        "with results of before",
        "git switch … && git branch -D …",
        start="finished",
        code=2,
    ),
    "an edit on the branch to tune on": Case(
        in_turn(
            commands("tunesmith experiment start one && git switch -q tuning/one"),
            lambda place: place.commit("tuned"),
            edited(TUNED, "max_depth: 3", "max_depth: 1"),
            commands("git commit -q -a -m edited && git switch -q main"),
        ),
        "tunesmith experiment apply one",
        "was edited after it was written by the study",
        "tunesmith run",
        start="finished",
        typed="git switch -q tuning/one && {} && git commit -q -a -m again && git switch -q main",
    ),
    "a detached HEAD": Case(
        commands("git switch -q --detach"),
        "tunesmith ci commit -m tuned",
        "HEAD is detached",
        "git switch BRANCH",
        {"BRANCH": "main"},
        start="finished",
    ),
    "another branch than was named": Case(
        commands("git switch -q -c other"),
        "tunesmith ci commit -m tuned --branch main",
        "names `main`",
        "git switch …",
        start="finished",
    ),
    "Git LFS that is not set up": Case(
        filtered("lfs"),
        "tunesmith ci commit -m tuned",
        "passes through Git's filter `lfs`",
        "git lfs install",
        start="finished",
    ),
    "another filter that is not set up": Case(
        filtered("vault"),
        "tunesmith ci commit -m tuned",
        "passes through Git's filter `vault`",
        "git config filter.….clean COMMAND",
        {"COMMAND": "cat"},
        start="finished",
    ),
    "branches that start no workflow": Case(
        in_turn(
            commands(CI),
            edited("tuning.yaml", OUTPUTS, f"{OUTPUTS}branches: {{tuning: hpo/}}\n"),
        ),
        "tunesmith doctor",
        "no workflow runs for",
        "tunesmith ci init … --force",
        typed=f"{{}}{TRAINED}",
        code=None,
    ),
    "a new project in a repository": Case(
        nothing,
        "tunesmith init part --template mlops --force",
        "is inside a repository",
        "tunesmith ci init …",
        typed="cd part && {} && git add -N .. && test -d ../.github",
        is_mended=False,
    ),
    "a clone that does not join histories": Case(
        nothing, f"{CI} --force", "join by themselves", "git config merge.….driver '…'"
    ),
}
PIPELINES = {
    "no DVC project": Case(
        nothing, "tunesmith dvc init --yes", "no DVC project here or above", "dvc init"
    ),
    "no DVC project in a part": Case(
        below, "tunesmith dvc init --yes", "no DVC project here or above", "dvc init --subdir"
    ),
    "an output that DVC tracks": Case(
        in_turn(
            commands("dvc init -q && mkdir -p outputs && echo x > outputs/tuning_results.md"),
            commands("dvc add -q outputs/tuning_results.md"),
        ),
        "tunesmith dvc init --yes",
        "is tracked by",
        "dvc remove ….dvc",
    ),
    "nothing that trains": Case(
        in_turn(commands("dvc init -q"), without("train.py")),
        "tunesmith dvc init --yes",
        "No stage trains",
        "tunesmith dvc init --training 'python my_script.py'",
        typed="{} --yes",
    ),
}
