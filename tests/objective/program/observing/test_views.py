"""Runs find and change by each name of a file what they would in the project: real programs."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tunesmith.config.ledger_place import file_of
from tunesmith.config.load import define
from tunesmith.objective.program.build import build_program
from tunesmith.objective.program.objective import ProgramObjective
from tunesmith.objective.program.observing import seccomp
from tunesmith.objective.program.observing.reading import changed_names
from tunesmith.objective.program.observing.states import TOP
from tunesmith.objective.program.observing.views import unwatched, view_of
from tunesmith.objective.program.observing.workspace import LARGE_BYTES
from tunesmith.types import Fit

needs_watching = pytest.mark.skipif(bool(seccomp.refusal()), reason=seccomp.refusal() or "-")
Build = Callable[..., ProgramObjective]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """``build(script)``: the objective of a project in ``repo`` that runs a script of the shell."""
    (tmp_path / "repo").mkdir()
    subprocess.run(["git", "-C", str(tmp_path / "repo"), "init", "-q"], check=True)

    def make(script: str = "", **changes: Any) -> ProgramObjective:
        root = tmp_path / "repo"
        (root / "train.sh").write_text(script or (root / "train.sh").read_text())
        objective = {
            "command": ["sh", "train.sh", "{a}"],
            "metrics_pattern": r"score: (\S+)",
            "metric": {"name": "score", "direction": "maximize"},
            **changes,
        }
        sections = {"study": "s", "space": {"a": [1, 2]}, "search": {"method": "grid"}}
        definition = define({**sections, "objective": objective}, root=root)
        return build_program(definition, n_workers=1, restored={})

    return make


def one(objective: ProgramObjective) -> tuple[float, dict[str, str]]:
    """The score of ``a: 1``, and what the run has read."""
    (result,) = objective.evaluate(Fit(0, ({"a": 1},)))
    assert result.failure is None, result.failure
    assert result.reading is not None
    return result.scores["score"], dict(result.reading)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@needs_watching
def test_links_to_links_lead_to_the_same_file_before_and_after_it_is_written(
    build: Build, tmp_path: Path
) -> None:
    root, shared, deep = tmp_path / "repo", tmp_path / "shared", tmp_path / "outside" / "deep"
    for folder in (shared, deep):
        folder.mkdir(parents=True)
        (folder / "n").write_text("2\n")
    (tmp_path / "mid").symlink_to("outside")
    links = {"a": "b", "b": "../mid/deep", "c": "d", "d": "../shared/n", "loop": "loop"}
    for name, target in links.items():
        (root / name).symlink_to(target)
    reads = "cat loop; echo score: $(cat a/n)$(cat b/n)$(cat c)$(cat ../shared/n)\n"
    objective = build(reads)
    score, reading = one(objective)
    assert score == 2222
    assert {"a/n", "b/n", "c", "../shared/n", "loop"} <= {*reading}
    (deep / "n").write_text("3\n")
    view = objective.runner.watching.view
    assert changed_names(view, reading) == ["a/n", "b/n"]
    writes = "echo 4 > a/n; echo 5 > c; echo 6 > ../shared/m; cat ../shared/m\n"
    both = f"{writes}{reads.replace('$(cat c)', '$(cat d)')}"
    assert one(build(both))[0] == 4455
    assert ((deep / "n").read_text(), (shared / "n").read_text()) == ("3\n", "2\n")
    assert names(shared) == ["n"]


@needs_watching
def test_what_lies_beside_the_project_is_not_written(build: Build, tmp_path: Path) -> None:
    beside = tmp_path / "shared" / "sub"
    beside.mkdir(parents=True)
    (beside / "n").write_text("9\n")
    script = "cd ../shared/sub && echo $1 >> n && mkdir x && echo 3 > x/y && cd - > /dev/null\n"
    assert one(build(f"{script}echo score: $(tr -d '\\n' < ../shared/sub/n)\n"))[0] == 91
    assert ((beside / "n").read_text(), names(beside)) == ("9\n", ["n"])


@needs_watching
def test_a_link_within_the_project_leads_to_the_runs_own_files(
    build: Build, tmp_path: Path
) -> None:
    root = tmp_path / "repo"
    for name in ("v0", "v1"):
        (root / "results" / name).mkdir(parents=True)
        (root / "results" / name / "m").write_text("7\n")
    (root / "latest").symlink_to("results/v1")
    (root / "old").symlink_to("results/v0")
    subprocess.run(["git", "-C", str(root), "add", "-A"], check=True)
    script = "echo $1 > results/v1/m; echo score: $(cat latest/m)$(cat old/m)\n"
    objective = build(script)
    objective.runner.take_snapshot()
    # Edited while the study runs: the run has the file of before.
    (root / "results" / "v0" / "m").write_text("8\n")
    score, reading = one(objective)
    assert score == 17
    objective.runner.remove_leftovers()
    assert changed_names(build().runner.watching.view, reading) == ["old/m"]
    assert (root / "results" / "v1" / "m").read_text() == "7\n"


def submodule(tmp_path: Path) -> Path:
    source, root = tmp_path / "source", tmp_path / "repo"
    source.mkdir()
    (source / "n").write_text("4\n")
    (source / "lib.sh").write_text("n=$(cat mod/n)\n")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost"]
    git += ["-c", "protocol.file.allow=always"]
    for where, arguments in (
        (source, ["init", "-q"]),
        (source, ["add", "-A"]),
        (source, ["commit", "-qm", "one"]),
        (root, ["submodule", "--quiet", "add", str(source), "mod"]),
    ):
        subprocess.run([*git, *arguments], cwd=where, check=True)
    return root / "mod"


@needs_watching
def test_submodules_count_and_are_not_written(build: Build, tmp_path: Path) -> None:
    mod = submodule(tmp_path)
    objective = build(
        ". ./mod/lib.sh; echo $1 > mod/n; mkdir mod/out; echo score: $n$(cat mod/n)\n"
    )
    score, reading = one(objective)
    assert score == 41
    assert {"mod/lib.sh", "mod/n"} <= {*reading}
    assert ((mod / "n").read_text(), names(mod)) == ("4\n", [".git", "lib.sh", "n"])
    (mod / "unread").write_text("")
    view = objective.runner.watching.view
    assert changed_names(view, reading) == []
    (mod / "n").write_text("5\n")
    assert changed_names(view, reading) == ["mod/n"]


@needs_watching
def test_folders_of_many_files(build: Build, tmp_path: Path) -> None:
    many = tmp_path / "repo" / "data" / "many"
    many.mkdir(parents=True)
    for number in range(1500):
        (many / f"f{number}").write_text("1\n")
    (tmp_path / "repo" / ".gitignore").write_text("data/\n")
    objective = build("echo 7 > data/many/f5; echo score: $(cat data/many/* | grep -c 1)\n")
    score, reading = one(objective)
    assert score == 1499
    assert len([name for name in reading if name.startswith("data/many/f")]) == 1499
    assert (many / "f5").read_text() == "1\n"
    view = objective.runner.watching.view
    (many / "f77").write_text("2\n")
    (many / "new").write_text("1\n")
    assert changed_names(view, reading) == ["data/many", "data/many/f77"]


@needs_watching
def test_a_program_that_git_ignores_is_there_if_the_command_names_it(
    build: Build, tmp_path: Path
) -> None:
    root = tmp_path / "repo"
    (root / ".gitignore").write_text("prog\n")
    (root / "prog").write_text("#!/bin/sh\necho score: $1\n")
    (root / "prog").chmod(0o755)
    score, reading = one(build("-", command=["./prog", "{a}"]))
    assert (score, "prog" in reading) == (1, True)


# -- in the project's folder itself -----------------------------------------------------------

SHARED = """\
mkdir -p out; echo $1 > out/m; echo $1 >> log
[ -e local ] && s=9
echo score: $s$(cat in)$(cat out/m)
"""


@needs_watching
def test_in_a_shared_folder_what_a_run_leaves_does_not_count(build: Build, tmp_path: Path) -> None:
    root = tmp_path / "repo"
    (root / "in").write_text("3\n")
    objective = build(SHARED, workspace="shared")
    view = objective.runner.watching.view
    readings = [one(objective), one(objective)]
    for score, reading in readings:
        assert score == 31
        assert {"in", "local", "train.sh"} <= {*reading}
        assert changed_names(view, reading) == []
    assert (root / "log").read_text() == "1\n1\n"
    (root / "local").write_text("")
    (root / "in").write_text("4\n")
    assert sorted(changed_names(view, readings[1][1])) == ["in", "local"]


def test_a_shared_folder_that_is_not_watched_counts_as_a_whole(
    build: Build, tmp_path: Path
) -> None:
    root = tmp_path / "repo"
    (root / "in").write_text("3\n")
    (root / "data").mkdir()
    (root / "data" / "x").write_text("1\n")
    (root / "around").symlink_to("..")
    (root / ".gitignore").write_text("data/\nout/\nlog\n")
    objective = build(SHARED, workspace={"mode": "shared", "watch": "off"})
    score, reading = one(objective)
    view = objective.runner.watching.view
    assert (score, changed_names(view, reading)) == (31, [])
    assert {"in", "data/x", "train.sh", "."} <= {*reading}
    (root / "data" / "x").write_text("2\n")
    (root / "new").write_text("")
    view = build(workspace={"mode": "shared", "watch": "off"}).runner.watching.view
    assert sorted(changed_names(view, reading)) == [".", "data/x"]


# -- where the system refuses ------------------------------------------------------------------

WITHIN = """
import sys
from pathlib import Path
from tunesmith.config.ledger_place import file_of
from tunesmith.config.load import define
from tunesmith.types import Fit
from tunesmith.objective.program.build import build_program
sections = {
    "study": "inner",
    "space": {"a": [1, 2]},
    "search": {"method": "grid"},
    "objective": {
        "command": ["sh", "inner.sh", "{a}"],
        "metrics_pattern": "score: (.*)",
        "metric": {"name": "score", "direction": "maximize"},
    },
}
objective = build_program(define(sections, root="."), n_workers=1, restored={})
(result,) = objective.evaluate(Fit(0, ({"a": 1},)))
print("note:", objective.notes[0])
print("score:", len(result.reading), flush=True)
"""


@needs_watching
def test_a_study_within_a_run_is_not_watched_and_says_so(build: Build, tmp_path: Path) -> None:
    # A process can be watched once: the system refuses a second listener.
    root = tmp_path / "repo"
    (root / "within.py").write_text(WITHIN)
    (root / "inner.sh").write_text("echo score: $1\n")
    (root / "other").write_text("")
    objective = build("-", command=[sys.executable, "within.py", "{a}"])
    score, reading = one(objective)
    said = next(tmp_path.rglob("stdout.log")).read_text()
    watched_once = "this process is being watched in the same way, which works once only"
    assert f"note: runs are not watched: {watched_once}" in said
    # All files of the inner study's project, and the list of their names.
    assert score == len({"inner.sh", "other", "train.sh", "within.py", "."})
    # The outer run sees what the inner one reads.
    assert "inner.sh" in reading


def test_where_the_system_refuses_results_depend_on_everything(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a container does that allows no filters: the kernel's own answer to a filter too long.
    monkeypatch.setattr(seccomp, "_instructions", lambda _machine: [(0x06, 0, 0, 0)] * 5000)
    seccomp.refusal.cache_clear()
    try:
        root = tmp_path / "repo"
        with (root / "large").open("wb") as file:
            file.truncate(LARGE_BYTES + 1)
        objective = build("echo score: $1\n")
        assert objective.notes[0].startswith("runs are not watched: the system refuses it (Inv")
        assert one(objective)[1].keys() == {".", "large", "train.sh"}
        assert unwatched(objective_section(root)) == seccomp.refusal() != ""
    finally:
        monkeypatch.undo()
        seccomp.refusal.cache_clear()


def objective_section(root: Path) -> Any:
    sections = {"study": "s", "space": {"a": [1]}, "search": {"method": "grid"}}
    objective = {"command": ["sh", "{a}"], "metrics_pattern": "(.)", "metric": "accuracy"}
    metric = {"name": "score", "direction": "maximize"}
    return define(
        {**sections, "objective": {**objective, "metric": metric}}, root=root
    ).file.objective


CHROOT = """\
import os
try:
    os.chroot("/")
except OSError:
    pass
print("score: 1")
"""


@needs_watching
def test_who_changes_what_paths_mean_depends_on_everything(build: Build, tmp_path: Path) -> None:
    (tmp_path / "repo" / "train.py").write_text(CHROOT)
    (tmp_path / "repo" / "other").write_text("")
    objective = build("-", command=[sys.executable, "train.py", "{a}"])
    (result,) = objective.evaluate(Fit(0, ({"a": 1},)))
    assert result.warning.startswith("watching: a program has changed what paths mean")
    assert {".", "other", "train.py"} <= {*(result.reading or ())}


KILLED = """\
i=0
while [ $i -lt 5 ]; do
  timeout 0.02 find . /usr/share -name nothing > /dev/null; yes | head -1; i=$((i+1))
done
cat in > /dev/null; sh -c 'exec sh -c "cat in2"'; echo score: $1
"""


@needs_watching
def test_programs_that_are_killed_or_replaced_hide_nothing(build: Build, tmp_path: Path) -> None:
    for name in ("in", "in2", "unread"):
        (tmp_path / "repo" / name).write_text("")
    objective = build(KILLED)
    (result,) = objective.evaluate(Fit(0, ({"a": 1},)))
    assert (result.scores, result.warning) == ({"score": 1.0}, "")
    assert {"in", "in2"} <= {*(result.reading or ())}
    assert "." not in (result.reading or ())


# The last one has the name of a file of the project, but for its suffix.
@pytest.mark.parametrize("place", ["l [1]?.db", "state/l.db", "sqlite:///{root}/runs.db", "train"])
def test_the_ledger_is_nothing_that_a_run_finds(tmp_path: Path, place: str) -> None:
    root = tmp_path.resolve()
    (root / "train.sh").write_text("echo score: $1\n")
    location = place.format(root=root)
    ledger = file_of(location, root)
    assert ledger is not None
    ledger.parent.mkdir(exist_ok=True)
    sections = {
        "study": "s",
        "ledger": location,
        "space": {"a": [1, 2]},
        "search": {"method": "grid"},
        "objective": {
            "command": ["sh", "train.sh", "{a}"],
            "metrics_pattern": r"score: (\S+)",
            "metric": {"name": "score", "direction": "maximize"},
            "workspace": {"watch": "off"},
        },
    }
    file = define(sections, root=root).file
    before = view_of(root, file, frozenset())
    assert before.files() == ["train.sh"]
    # All that a run leaves there: it changes while the runs of programs read the project.
    journal = ledger.with_name(f"{ledger.name}.s.journal")
    journal.mkdir()
    ends = ("", "-wal", "-shm", "-journal", ".s.lock", ".s.stamp", ".s.check", ".damaged-1-ab")
    beside = [ledger.with_name(ledger.name + end) for end in ends]
    for path in (*beside, journal / "1"):
        path.write_text("x")
    after = view_of(root, file, frozenset())
    assert after.files() == ["train.sh"]
    assert after.everything() == before.everything()
    # Another file with a similar name is the project's own.
    (root / "l.csv").write_text("x")
    assert view_of(root, file, frozenset()).files() == ["l.csv", "train.sh"]


@needs_watching
def test_outputs_that_appear_in_a_shared_folder_are_no_change(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    (root / "train.sh").write_text("ls; ls data; echo score: $1\n")
    (root / "data").mkdir()
    sections = {
        "study": "s",
        "ledger": "state/l.db",
        "space": {"a": [1, 2]},
        "search": {"method": "grid"},
        "objective": {
            "command": ["sh", "train.sh", "{a}"],
            "metrics_pattern": r"score: (\S+)",
            "metric": {"name": "score", "direction": "maximize"},
            "workspace": "shared",
        },
    }
    definition = define(sections, root=root)
    _, reading = one(build_program(definition, n_workers=1, restored={}))
    view = view_of(root, definition.file, frozenset())
    assert {TOP, "data"} <= {*reading}
    for name in ("outputs/tuning_results.md", "config/best_parameters.yaml", "state/l.db-wal"):
        (root / name).parent.mkdir()
        (root / name).write_text("ours")
    # Empty while no worker has anything to write into it.
    (root / "state" / "l.db.s.journal").mkdir()
    assert changed_names(view, reading) == []
    for name, changed in {"config/other.yaml": TOP, "data/x": "data", "state/more": TOP}.items():
        (root / name).write_text("theirs")
        assert changed_names(view, reading) == [changed], name
        (root / name).unlink()
