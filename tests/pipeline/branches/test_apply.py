"""Parameters brought from branch to branch; the working tree is never touched."""

import sys
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
    snapshot,
)

from tunesmith.errors import StorageError, UsageError
from tunesmith.pipeline.branches import experiment
from tunesmith.pipeline.branches.apply import Applied
from tunesmith.pipeline.branches.apply import apply as bring
from tunesmith.pipeline.branches.chosen import TrialChoice
from tunesmith.pipeline.branches.states import find
from tunesmith.pipeline.parameters import origin
from tunesmith.pipeline.repository import Repository
from tunesmith.runs.tune import tune
from tunesmith.system.git import GitError
from tunesmith.testing.projects import TUNING
from tunesmith.testing.projects import make_project as make_study


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture
def repository(root: Path) -> Repository:
    return Repository.of(root)


@pytest.fixture
def loose(tmp_path: Path) -> Path:
    return make_project(tmp_path, LOOSE)


def tuned(root: Path, path: str = BEST, **params: Any) -> str:
    experiment.start(Repository.of(root), "one")
    return commit(root, {path: parameters(**params)}, "tuned", "tuning/one")


def apply(root: Path, *, force: bool = False, **choice: Any) -> Applied:
    return bring(Repository.of(root), "one", NAMES, TrialChoice(**choice), force=force)


def state(root: Path) -> str:
    return find(Repository.of(root), NAMES, "one").state


def test_the_way_from_tuning_to_main(root: Path) -> None:
    source = tuned(root, depth=5, learning_rate=0.005)
    assert state(root) == "tuned"
    (root / "dirty.txt").write_text("x")
    before = snapshot(root)
    done = apply(root)
    assert done.is_new
    assert snapshot(root) == before
    (root / "dirty.txt").unlink()
    assert done.changes == ("depth: 3 -> 5", "learning_rate: (none) -> 0.005")
    message = git(root, "log", "-1", "--format=%B", "training/one")
    assert message.startswith("tune: parameters of trial 7 of study churn: recall 0.875")
    assert "- depth: 3 -> 5" in message
    assert f"From tuning/one at {source} ({BEST})." in message
    trailers = git(root, "log", "-1", "--format=%(trailers:only,valueonly)", "training/one")
    assert trailers.split() == ["one", done.parameters.digest, source]
    assert git(root, "show", "--format=", "--name-only", "training/one") == BEST
    assert git(root, "show", f"training/one:{BEST}") == git(root, "show", f"tuning/one:{BEST}")
    assert state(root) == "applied"
    commit(root, {"outputs/training_metrics.json": "{}"}, "trained", "training/one")
    assert state(root) == "trained"
    git(root, "merge", "-q", "--no-ff", "-m", "merge", "training/one")
    assert state(root) == "merged"


def test_what_git_could_not_be_asked_is_not_taken_for_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_project(tmp_path, f"{STUDY}outputs: {{history: outputs/history.jsonl}}\n")
    tuned(root, depth=5)
    before, read = git(root, "rev-parse", "training/one"), Repository.read

    def refused(self: Repository, revision: str, path: str) -> str | None:
        if path.endswith("history.jsonl"):
            raise StorageError("git cat-file cannot be started")
        return read(self, revision, path)

    monkeypatch.setattr(Repository, "read", refused)
    with pytest.raises(StorageError):
        apply(root)
    assert git(root, "rev-parse", "training/one") == before


def test_applying_again_adds_nothing(root: Path) -> None:
    tuned(root, depth=5)
    first = apply(root)
    again = apply(root)
    assert (again.is_new, again.commit) == (False, first.commit)
    commit(root, {BEST: parameters(depth=6)}, "tuned again", "tuning/one")
    assert state(root) == "tuned"
    assert apply(root).changes == ("depth: 5 -> 6",)


def test_what_is_missing_is_said(root: Path, repository: Repository) -> None:
    with pytest.raises(UsageError, match=r"there is no experiment `one`\. Begin one"):
        apply(root)
    experiment.start(repository, "one")
    with pytest.raises(UsageError, match="no tuned parameters yet"):
        apply(root)
    with pytest.raises(UsageError, match="Did you mean `one`"):
        bring(repository, "onee", NAMES)
    with pytest.raises(UsageError, match=r"no configuration on `tuning/one` \(looked for x.yaml\)"):
        bring(repository, "one", ["x.yaml"])


def test_edited_parameters_are_not_applied_unasked(root: Path) -> None:
    tuned(root, depth=5)
    text = parameters(depth=5).replace("depth: 5", "depth: 9")
    commit(root, {BEST: text}, "by hand", "tuning/one")
    with pytest.raises(UsageError, match="edited after it was written") as caught:
        apply(root)
    assert "--force" in str(caught.value)
    done = apply(root, force=True)
    assert done.changes == ("depth: 3 -> 9",)
    assert len(done.insisted) == 1
    message = git(root, "log", "-1", "--format=%B", "training/one")
    assert "edited by hand" in message.splitlines()[0]
    assert f"- Overruled: {BEST} on `tuning/one` was edited" in message


def test_stale_parameters_are_not_applied_unasked(root: Path) -> None:
    tuned(root, depth=5)
    text = f"# a comment\n{STUDY}execution: {{workers: 2}}\n"
    commit(root, {CONFIG: text, "notes.py": "x = 1\n"}, "changes no trial", "tuning/one")
    assert apply(root).is_new
    text = STUDY.replace("[1, 9]", "[1, 12]").replace("trials: 3", "trials: 5")
    commit(root, {CONFIG: text, "data.csv": "a,y\n"}, "config", "tuning/one")
    with pytest.raises(UsageError, match=r"tuning\.yaml has changed .* \(stop, space\)") as caught:
        apply(root)
    assert "data.csv has changed on `tuning/one` since" in str(caught.value)
    commit(root, {BEST: parameters(depth=6)}, "tuned again", "tuning/one")
    assert apply(root).changes == ("depth: 5 -> 6",)


def test_code_that_the_study_reaches_makes_it_stale(tmp_path: Path) -> None:
    study = STUDY.replace("sklearn.svm.SVC", "model.Tree")
    code = {"model.py": "import helper\n", "src/helper.py": "", "other.py": ""}
    root = make_project(tmp_path, study, **code)
    tuned(root, depth=5)
    commit(root, {"other.py": "x = 1\n"}, "elsewhere", "tuning/one")
    assert apply(root).is_new
    commit(root, {"src/helper.py": "x = 1\n"}, "reached", "tuning/one")
    with pytest.raises(UsageError, match=r"^src/helper\.py has changed on `tuning/one`"):
        apply(root)


def test_a_training_branch_with_edits_of_its_own_is_left_alone(root: Path) -> None:
    tuned(root, depth=5)
    own = parameters(meta=False, depth=4)
    tip = commit(root, {BEST: own}, "mine", "training/one")
    with pytest.raises(UsageError, match="on `training/one` has changes of its own"):
        apply(root)
    assert git(root, "rev-parse", "training/one") == tip
    assert apply(root, force=True).changes == ("depth: 4 -> 5",)


def test_comments_on_the_training_branch_are_no_edits(root: Path) -> None:
    tuned(root, depth=5)
    commit(root, {BEST: f"# ours\n{parameters(depth=3, trial=0)}"}, "comment", "training/one")
    assert apply(root).is_new


# -- whose parameters ----------------------------------------------------------------------------


def test_where_the_file_is_peoples_it_gets_what_the_study_found(loose: Path) -> None:
    tuned(loose, TUNED, depth=5)
    done = apply(loose)
    assert done.where == TUNED
    assert done.files == (BEST,)
    assert git(loose, "show", f"training/one:{BEST}") == git(loose, "show", f"tuning/one:{TUNED}")
    assert state(loose) == "applied"


def test_an_edit_on_the_tuning_branch_is_a_choice_to_make(loose: Path) -> None:
    tuned(loose, TUNED, depth=5)
    commit(
        loose, {BEST: parameters(depth=5).replace("depth: 5", "depth: 6")}, "by hand", "tuning/one"
    )
    with pytest.raises(UsageError, match=r"not what the study found.*\(depth: 5 -> 6\)") as caught:
        apply(loose)
    assert "--take winner" in str(caught.value)
    assert "--take edited" in str(caught.value)
    assert apply(loose, take="edited").changes == ("depth: 3 -> 6",)
    assert state(loose) == "applied"
    assert apply(loose, take="winner").changes == ("depth: 6 -> 5",)


def test_older_values_of_people_give_way(loose: Path) -> None:
    commit(loose, {BEST: "depth: 4\n"}, "by hand, long ago")
    tuned(loose, TUNED, depth=5)
    assert apply(loose).changes == ("depth: 4 -> 5",)


def test_what_a_gate_holds_back_stays(tmp_path: Path) -> None:
    root = make_project(tmp_path, f"{LOOSE}gate: {{min_improvement: 0.1}}\n")
    tuned(root, TUNED, depth=5)
    with pytest.raises(UsageError, match="keeps the current parameters"):
        apply(root)
    assert apply(root, take="winner").is_new


def test_tampering_with_what_the_study_found_is_seen(loose: Path) -> None:
    tuned(loose, TUNED, depth=5)
    commit(
        loose,
        {TUNED: parameters(depth=5).replace("depth: 5", "depth: 6")},
        "tampered",
        "tuning/one",
    )
    with pytest.raises(UsageError, match=f"{TUNED} on `tuning/one` was edited"):
        apply(loose)


def test_other_formats_are_written_as_named(tmp_path: Path) -> None:
    outputs = f"outputs: {{tuned: {TUNED}, best: config/best.json}}\n"
    root = make_project(tmp_path, f"{STUDY}{outputs}")
    tuned(root, TUNED, depth=5)
    apply(root)
    assert git(root, "show", "training/one:config/best.json").startswith('{\n  "params"')


# -- other places --------------------------------------------------------------------------------


def test_a_branch_that_somebody_stands_on_is_left_alone(root: Path, tmp_path: Path) -> None:
    tuned(root, depth=5)
    other = tmp_path / "other place"
    git(root, "worktree", "add", "-q", str(other), "training/one")
    with pytest.raises(UsageError, match=r"is checked out in .*other place"):
        apply(root)
    git(other, "switch", "-q", "--detach")
    assert apply(other).is_new


def test_branches_of_the_remote_count(root: Path, repository: Repository, tmp_path: Path) -> None:
    tuned(root, depth=5)
    repository.push("origin", ["tuning/one", "training/one"])
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(tmp_path / "remote.git"), str(clone))
    assert state(clone) == "tuned"
    assert apply(clone).is_new
    fresh = Repository.of(clone)
    assert set(fresh.local_branches()) == {"main", "training/one"}
    fresh.push("origin", ["training/one"])
    # Here, the remote is ahead now, and what is to be brought is known already.
    git(root, "fetch", "-q")
    assert state(root) == "applied"
    commit(root, {BEST: parameters(depth=6)}, "tuned again", "tuning/one")
    ahead = git(root, "rev-parse", "origin/training/one")
    assert apply(root).is_new
    assert git(root, "rev-parse", "training/one~1") == ahead
    # Both go on by themselves: neither side is lost.
    commit(clone, {"x": "1"}, "theirs", "training/one")
    fresh.push("origin", ["training/one"])
    mine = git(root, "rev-parse", "training/one")
    with pytest.raises(GitError, match=r"origin refused the push.*rejected.*\n  Fetch and look"):
        repository.push("origin", ["training/one"])
    git(root, "fetch", "-q")
    with pytest.raises(UsageError, match=r"have parted.*\n.*git pull --rebase"):
        apply(root)
    assert git(root, "rev-parse", "training/one") == mine
    with pytest.raises(GitError, match=r"no remote `nowhere`\. Known: origin"):
        repository.push("nowhere", ["training/one"])
    git(root, "remote", "set-url", "origin", str(tmp_path / "gone.git"))
    with pytest.raises(GitError, match="origin could not be reached"):
        repository.push("origin", ["training/one"])


FLAT = f"{STUDY}outputs: {{best: {{path: params.json, at: train}}, tuned: {TUNED}}}\n"


def test_a_file_keeps_its_shape_on_the_training_branch(tmp_path: Path) -> None:
    before = '{"train": {"depth": 3, "seed": 1},\n "data": "x.csv"}\n'
    root = make_project(tmp_path, FLAT, **{"params.json": before})
    tuned(root, TUNED, depth=5)
    assert state(root) == "tuned"
    assert apply(root).changes == ("depth: 3 -> 5",)
    assert git(root, "show", "training/one:params.json") == before.strip().replace("3", "5")
    assert state(root) == "applied"
    assert not apply(root).is_new
    commit(root, {"params.json": before.replace("3", "4")}, "edited", "training/one")
    assert "edited there" in find(Repository.of(root), NAMES, "one").note


def test_a_file_without_an_origin_gets_that_of_the_committed_trials(tmp_path: Path) -> None:
    outputs = "outputs: {best: {path: best.json, meta: false}, history: outputs/history.jsonl}\n"
    root = make_project(tmp_path)
    make_study(root, trials=2, text=TUNING + outputs)
    commit(root, {".gitignore": ".tunesmith/\n", "best.json": '{"max_depth": 1}'}, "a study")
    experiment.start(Repository.of(root), "one")
    git(root, "switch", "-q", "tuning/one")
    tune(root / "tuning.yaml")
    commit(root, {}, "tuned")
    done = apply(root)
    assert origin(done.parameters).startswith("trial ")
    assert git(root, "log", "-1", "--format=%s", "training/one").startswith("tune: parameters of t")


# -- programs that read a file of their own -------------------------------------------------------

PROGRAM = """\
study: churn
objective:
  command: [python, train.py]
  params_file: {path: train.py, names: {depth: Config.depth}}
  metrics_pattern: "recall (.*)"
  metric: {name: recall, direction: maximize}
space:
  depth: {int: [1, 9]}
search: {method: random, seed: 1}
stop: {trials: 3}
"""
TRAIN = "class Config:  # é\r\n    depth = 3  # found by hand\r\nprint('recall', Config.depth)\r\n"


def test_constants_of_a_training_script_are_set_on_the_training_branch(tmp_path: Path) -> None:
    root = make_project(tmp_path, PROGRAM, **{"train.py": TRAIN})
    git(root, "config", "core.autocrlf", "false")
    tuned(root, depth=5)
    # What else is edited there is no concern of the study.
    edited = f"{TRAIN}# more\r\n"
    commit(root, {"train.py": edited}, "more", "training/one")
    done = apply(root)
    assert done.files == (BEST, "train.py")
    shown = Repository.of(root).read("training/one", "train.py")
    assert shown == edited.replace("depth = 3", "depth = 5")
    assert not apply(root).is_new
    commit(root, {"train.py": TRAIN.replace("= 3", "= 8")}, "mine", "training/one")
    with pytest.raises(UsageError, match=r"train\.py on `training/one` has changes of its own"):
        apply(root)


def test_a_secret_in_the_command_is_no_other_configuration(tmp_path: Path) -> None:
    # The history is recorded without it, and the committed configuration has it.
    token = "ghp_" + "a1B2" * 9
    command = f"[{sys.executable}, train.py, --token={token}]"
    text = PROGRAM.replace("[python, train.py]", command)
    text += f"outputs: {{best: {BEST}, history: outputs/history.jsonl}}\n"
    root = make_project(tmp_path, text, **{"train.py": TRAIN})
    experiment.start(Repository.of(root), "one")
    git(root, "switch", "-q", "tuning/one")
    assert tune(root / CONFIG).exit_code == 0
    assert token not in (root / "outputs/history.jsonl").read_text()
    git(root, "add", "-f", "outputs", BEST)
    git(root, "commit", "-qm", "tuned")
    git(root, "switch", "-q", "main")
    assert apply(root).is_new
