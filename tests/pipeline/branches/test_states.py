"""Where experiments stand, from Git alone, on real repositories."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.repositories import (
    BEST,
    CONFIG,
    LOOSE,
    NAMES,
    STUDY,
    TUNED,
    commit,
    git,
    make_project,
    parameters,
)

from tunesmith.errors import UsageError
from tunesmith.pipeline.branches import experiment
from tunesmith.pipeline.branches.apply import apply
from tunesmith.pipeline.branches.states import Experiment, experiments, find
from tunesmith.pipeline.branches.ways import UNCHANGED
from tunesmith.pipeline.repository import Repository


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path, LOOSE)


def one(root: Path, name: str = "one") -> Experiment:
    return find(Repository.of(root), NAMES, name)


def listed(root: Path, *, with_gone: bool = False) -> list[Experiment]:
    return experiments(Repository.of(root), NAMES, with_gone=with_gone)


def states(root: Path, *, with_gone: bool = False) -> dict[str, str]:
    return {e.name: e.state for e in listed(root, with_gone=with_gone)}


def begin(root: Path, name: str, **params: Any) -> None:
    """An experiment, tuned if there are params."""
    experiment.start(Repository.of(root), name)
    if params:
        commit(root, {TUNED: parameters(**params)}, "tuned", f"tuning/{name}")


def applied(root: Path, name: str = "one", **params: Any) -> None:
    begin(root, name, **params)
    apply(Repository.of(root), name, NAMES)


def test_each_state_and_what_is_next(root: Path) -> None:
    begin(root, "begun")
    begin(root, "tuned", depth=4)
    applied(root, "applied", depth=5)
    applied(root, "trained", depth=6)
    commit(root, {"outputs/training_metrics.json": "{}"}, "trained", "training/trained")
    applied(root, "merged", depth=7)
    git(root, "merge", "-q", "--no-ff", "-m", "merge", "training/merged")
    found = {e.name: e for e in listed(root)}
    assert [e.state for e in found.values()] == list(found) == sorted(found)
    assert {e.name: e.next for e in found.values()} == {
        "applied": "git switch training/applied, train, and commit the metrics",
        "begun": "git switch tuning/begun && tunesmith run, and commit",
        "merged": "",
        "trained": "git push origin training/trained, and open a pull request",
        "tuned": "tunesmith experiment apply tuned",
    }


def test_metrics_of_tuning_are_none_of_training(root: Path) -> None:
    text = LOOSE.replace("outputs: {", "outputs: {metrics: outputs/tuning_metrics.json, ")
    commit(root, {CONFIG: text}, "metrics")
    applied(root, depth=5)
    commit(root, {"outputs/tuning_metrics.json": "{}"}, "tuned there", "training/one")
    assert one(root).state == "applied"


def test_a_later_search_is_not_applied_yet(root: Path) -> None:
    applied(root, depth=5)
    commit(root, {TUNED: parameters(depth=6)}, "again", "tuning/one")
    assert one(root).state == "tuned"
    assert one(root).note == "what was found since is not on the training branch"


def test_an_edit_after_it_was_applied_is_told(root: Path) -> None:
    applied(root, depth=5)
    text = parameters(depth=5).replace("depth: 5", "depth: 6")
    commit(root, {BEST: text}, "by hand", "training/one")
    assert (one(root).state, one(root).note) == (
        "applied",
        "parameters were edited there since",
    )


def test_brought_over_by_a_merge(root: Path) -> None:
    begin(root, "one", depth=5)
    commit(root, {BEST: parameters(depth=5)}, "taken over", "tuning/one")
    git(root, "switch", "-q", "training/one")
    git(root, "merge", "-q", "tuning/one")
    git(root, "switch", "-q", "main")
    assert one(root).state == "applied"
    assert not apply(Repository.of(root), "one", NAMES).is_new
    commit(root, {"outputs/training_metrics.json": "{}"}, "trained", "training/one")
    git(root, "merge", "-q", "training/one")
    assert one(root).state == "merged"


def test_squashed_merges_and_deleted_branches(root: Path) -> None:
    applied(root, "kept", depth=5)
    git(root, "merge", "-q", "--squash", "training/kept")
    git(root, "commit", "-q", "-m", "squashed, all lines of its message lost")
    assert one(root, "kept").note == "into main, squashed"
    applied(root, "gone", depth=6)
    message = git(root, "log", "-1", "--format=%B", "training/gone")
    git(root, "merge", "-q", "--squash", "training/gone")
    git(root, "commit", "-q", "-m", f"Wider (#7)\n\n* {message}\n\n* train")
    git(root, "branch", "-q", "-D", "tuning/gone")
    assert states(root) == {"gone": "merged", "kept": "merged"}
    git(root, "branch", "-q", "-D", "training/gone")
    assert states(root) == {"kept": "merged"}
    assert states(root, with_gone=True) == {"gone": "merged", "kept": "merged"}
    assert one(root, "gone").note == "its branches are gone"
    # What was on main before is no merge.
    begin(root, "back", depth=5)
    assert one(root, "back").state == "tuned"


def test_half_an_experiment(root: Path) -> None:
    applied(root, depth=5)
    git(root, "branch", "-q", "-D", "tuning/one")
    assert one(root).state == "applied"
    begin(root, "two", depth=5)
    git(root, "branch", "-q", "-D", "training/two")
    assert one(root, "two").note == "there is no branch training/two"
    with pytest.raises(UsageError, match=r"no branch `training/two`\.\n  Fetch it"):
        apply(Repository.of(root), "two", NAMES)
    subprocess.run(["sh", "-c", one(root, "two").next], cwd=root, check=True, capture_output=True)
    assert one(root, "two").state == "tuned"


def in_shell(root: Path, command: str) -> None:
    """Do what a message says, without its words on what comes after."""
    typed = command.partition(", and ")[0]
    subprocess.run(["sh", "-c", typed], cwd=root, check=True, capture_output=True)


def test_the_winner_of_before_leaves_a_way_out(root: Path) -> None:
    report = "outputs/tuning_results.md"
    commit(root, {TUNED: parameters(depth=3), BEST: parameters(depth=3), report: "1"}, "before")
    begin(root, "idle")
    assert one(root, "idle").state == "begun"
    assert not apply(Repository.of(root), "idle", NAMES).is_new
    way = one(root, "idle").note.partition("`")[2].rstrip("`")
    in_shell(root, way)
    assert "idle" not in states(root)
    # More trials, and the same winner: the file that training reads stays as it is.
    begin(root, "same")
    commit(root, {report: "2"}, "more trials", "tuning/same")
    assert (one(root, "same").state, one(root, "same").note) == ("applied", UNCHANGED)
    in_shell(root, one(root, "same").next)
    assert one(root, "same").state == "merged"
    # The same values of another trial.
    begin(root, "other")
    commit(root, {TUNED: parameters(depth=3, trial=9), report: "3"}, "again", "tuning/other")
    apply(Repository.of(root), "other", NAMES)
    assert (one(root, "other").state, one(root, "other").note) == ("applied", UNCHANGED)
    assert one(root, "other").next == "git push origin training/other, and open a pull request"
    in_shell(root, one(root, "other").next)


def test_training_without_metrics_is_noted_by_dvc(root: Path) -> None:
    run, train = "tune: {cmd: tunesmith run}", f"train: {{cmd: make, params: [{BEST}: [params]]}}"
    commit(root, {"dvc.yaml": f"stages: {{{run}, {train}}}\n"}, "a pipeline")
    applied(root, depth=5)
    assert one(root).state == "applied"
    commit(root, {"dvc.lock": "stages: {train: {cmd: make}}\n"}, "trained", "training/one")
    assert one(root).state == "trained"


def test_what_was_trained_before_says_nothing_of_an_experiment(root: Path) -> None:
    report = "outputs/tuning_results.md"
    commit(root, {TUNED: parameters(depth=3), BEST: parameters(depth=3), report: "1"}, "tuned")
    commit(root, {"outputs/training_metrics.json": "{}"}, "trained")
    begin(root, "same")
    commit(root, {report: "2"}, "more trials", "tuning/same")
    assert (one(root, "same").state, one(root, "same").note) == ("applied", UNCHANGED)
    # Squashed, there is nothing of its commits on the main branch, and no other parameters.
    in_shell(root, "git merge -q --squash tuning/same && git commit -qm squashed")
    assert (one(root, "same").state, one(root, "same").next) == ("merged", "")


def test_hostile_branches_are_inert(root: Path) -> None:
    head = git(root, "rev-parse", "HEAD")
    names = ["$(touch${IFS}pwned)", "`id`", "a;b", "-x", "é", "\u202eexe", "x" * 200, "a/b"]
    for name in names:
        git(root, "update-ref", "--", f"refs/heads/tuning/{name}", head)
    found = listed(root)
    assert {e.state for e in found} == {"incomplete"}
    assert {e.name for e in found} == set(names)
    assert not (root / "pwned").exists()
    assert json.dumps([e.note for e in found]).isascii()
    assert all(e.note.isprintable() and e.next.isprintable() for e in found)
    broken = commit(root, {CONFIG: "outputs: [\x07"}, "broken")
    git(root, "branch", "tuning/broken", broken)
    git(root, "branch", "training/broken", head)
    assert one(root, "broken").note == "its configuration is missing or cannot be read"


def test_branches_of_remotes(root: Path, tmp_path: Path) -> None:
    applied(root, depth=5)
    Repository.of(root).push("origin", ["tuning/one", "training/one"])
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(tmp_path / "remote.git"), str(clone))
    git(clone, "remote", "rename", "origin", "up/stream")
    assert one(clone).state == "applied"
    git(clone, "switch", "-q", "--detach")
    git(clone, "branch", "-q", "-D", "main")
    assert one(clone).state == "applied"
    shallow = tmp_path / "shallow"
    url = f"file://{tmp_path / 'remote.git'}"
    git(tmp_path, "clone", "-q", "--depth=1", "--no-single-branch", url, str(shallow))
    assert one(shallow).state == "incomplete"
    assert "git fetch --unshallow" in one(shallow).note
    git(shallow, "branch", "-q", "training/one", "origin/training/one")
    with pytest.raises(UsageError, match="fetch --unshallow"):
        apply(Repository.of(shallow), "one", NAMES)


def test_a_bare_clone_is_enough(root: Path, tmp_path: Path) -> None:
    begin(root, "one", depth=5)
    Repository.of(root).push("origin", ["tuning/one", "training/one"])
    bare = tmp_path / "remote.git"
    assert one(bare).state == "tuned"
    assert apply(Repository.of(bare), "one", NAMES).is_new
    assert one(bare).state == "applied"


def test_projects_in_folders_of_one_repository(tmp_path: Path) -> None:
    root = make_project(tmp_path, STUDY)
    folder = "models/churn"
    commit(root, {f"{folder}/{CONFIG}": LOOSE, f"{folder}/{BEST}": parameters(depth=3)}, "two")
    experiment.start(Repository.of(root), "one")
    commit(root, {f"{folder}/{TUNED}": parameters(depth=5)}, "tuned", "tuning/one")
    names = [f"{folder}/{CONFIG}"]
    assert find(Repository.of(root / folder), names, "one").state == "tuned"
    with pytest.raises(UsageError, match=r"of the project in models/churn\.\n  Ask there: `cd "):
        one(root)
    assert listed(root) == []
    experiment.start(Repository.of(root), "top", project="")
    assert states(root) == {"top": "begun"}
    assert [e.name for e in experiments(Repository.of(root), names)] == ["one"]
    done = apply(Repository.of(root / folder), "one", names)
    assert done.files == (f"{folder}/{BEST}",)
    assert find(Repository.of(root), names, "one").state == "applied"


def test_without_commits_there_is_nothing(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert states(tmp_path) == {}


def test_many_branches_take_few_calls(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock would tell of the machine: what is counted is how often Git is called."""
    n, head = 200, git(root, "rev-parse", "HEAD")
    lines = []
    for i in range(n):
        text = parameters(depth=10 + i)
        for kind, path in (("tuning", TUNED), ("training", "x")):
            lines.append(f"commit refs/heads/{kind}/e{i:03}\ncommitter A <a@b> 0 +0000\ndata 1\nx")
            lines.append(f"from {head}\nM 644 inline {path}\ndata {len(text)}\n{text}")
    git(root, "fast-import", "--quiet", given="\n".join(lines) + "\n")
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(trace))
    found = listed(root)
    monkeypatch.delenv("GIT_TRACE2_EVENT")
    assert [e.state for e in found] == ["tuned"] * n
    assert trace.read_text().count('"event":"start"') < n + 30
