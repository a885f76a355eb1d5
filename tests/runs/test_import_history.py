"""A fresh clone goes on from the committed history, as the original place would."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunesmith import tune
from tunesmith.config.load import load_definition
from tunesmith.errors import UsageError
from tunesmith.runs.import_history import CommittedHistory, committed_history
from tunesmith.runs.result import Result
from tunesmith.study.progress import Progress
from tunesmith.testing.projects import make_project

TUNING = """\
study: small
objective:
  estimator: sklearn.ensemble.RandomForestClassifier
  params: {random_state: 0}
  data: {path: data.csv, target: kind, holdout: {fraction: 0.2}}
  cv: 3
  metric: accuracy
space:
  n_estimators: {int: [1, 4]}
  max_depth: {int: [1, 6]}
  max_features: {float: [0.2, 1.0]}
search: {method: METHOD, seed: 3}
stop: {trials: TRIALS}
execution: {workers: 1}
outputs:
  html: outputs/tuning.html
  trials: outputs/trials.csv
  tuned: outputs/tuned.yaml
  history: outputs/history.jsonl
  metrics: outputs/metrics.json
"""
HISTORY = "outputs/history.jsonl"


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=Ann", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def run(root: Path, trials: int | None = None) -> tuple[Result, list[str]]:
    said: list[str] = []
    overrides = {"trials": trials}
    definition = load_definition(root / "tuning.yaml", overrides=overrides)
    return tune(definition, say=said.append), said


def files(root: Path) -> dict[str, bytes]:
    state = (".git", ".tunesmith")
    found = [p for p in root.rglob("*") if p.is_file()]
    return {
        p.relative_to(root).as_posix(): p.read_bytes()
        for p in found
        if not set(state) & set(p.relative_to(root).parts)
    }


def trials(result: Result) -> list[Any]:
    return [(t.number, t.key, t.origin, t.folds[0].scores) for t in result.record.history.completed]


def history_of(root: Path) -> CommittedHistory | None:
    return committed_history(root, load_definition(root / "tuning.yaml").file.outputs.history)


def changed(root: Path, **sections: Any) -> None:
    path = root / "tuning.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **sections}))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A committed project whose study has been run; nobody writes into it."""
    root = tmp_path_factory.mktemp("original")
    make_project(root, method="bayesian", trials=8, text=TUNING)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    run(root)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "tuned")
    return root


@pytest.fixture
def clone(original: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "-q", str(original), "clone")
    return tmp_path / "clone"


def test_a_finished_study_evaluates_nothing_and_changes_no_byte(clone: Path) -> None:
    before = files(clone)
    result, said = run(clone)
    assert said == [f"8 trials taken from {HISTORY}"]
    assert (result.n_evaluated, result.n_fits) == (0, 0)
    assert files(clone) == before
    assert git(clone, "status", "--porcelain") == ""
    again, said = run(clone)
    assert (again.n_evaluated, said) == (0, [])
    assert files(clone) == before


def test_a_raised_limit_evaluates_the_same_new_trials(
    original: Path, clone: Path, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    subprocess.run(["cp", "-r", str(original), str(there)], check=True)
    expected, _ = run(there, 11)
    found, _ = run(clone, 11)
    assert trials(found) == trials(expected)
    assert len(trials(found)) == 11
    assert 0 < found.n_fits <= 3 * 3 + 1
    assert files(clone) == files(there)
    # And the other way round: what the clone has found, the original place need not evaluate.
    result, said = run(there, 11)
    assert (result.n_evaluated, said) == (0, [])


def test_what_a_colleague_has_found_since_is_taken(original: Path, clone: Path) -> None:
    run(clone, 4)
    assert len(run(clone, 4)[0].record.history) == 8
    (clone / HISTORY).write_bytes(files(original)[HISTORY])
    run(clone, 10)
    longer = files(clone)[HISTORY]
    (clone / ".tunesmith/ledger.db").unlink()
    (clone / HISTORY).write_bytes(files(original)[HISTORY])
    run(clone)
    (clone / HISTORY).write_bytes(longer)
    result, said = run(clone, 10)
    assert (said, result.n_evaluated) == ([f"2 trials taken from {HISTORY}"], 0)


def test_where_the_file_is_missing_the_commit_has_it(clone: Path) -> None:
    before = files(clone)
    (clone / HISTORY).unlink()
    result, _ = run(clone)
    assert result.n_evaluated == 0
    assert files(clone) == before


def test_restart_takes_nothing(clone: Path) -> None:
    definition = load_definition(clone / "tuning.yaml", overrides={"trials": 2})
    result = tune(definition, restart=True)
    assert result.n_evaluated > 0
    # The rest is evaluated anew, too, though the commit has it.
    (clone / HISTORY).write_text(git(clone, "show", f"HEAD:{HISTORY}"))
    result, said = run(clone, 3)
    assert (said, len(result.record.history)) == ([], 3)


def lines(root: Path) -> list[str]:
    return (root / HISTORY).read_text().splitlines(keepends=True)


def rewritten(root: Path, line: int, **changes: Any) -> None:
    found = lines(root)
    found[line] = json.dumps({**json.loads(found[line]), **changes}) + "\n"
    (root / HISTORY).write_text("".join(found))


def a_line_of_another_merge(root: Path) -> None:
    found = lines(root)
    (root / HISTORY).write_text("".join([*found[:4], *found[3:]]))


def without_the_start(root: Path) -> None:
    definition = json.loads(lines(root)[0])["definition"]
    rewritten(root, 0, definition={k: v for k, v in definition.items() if k != "start"})


ODD: Mapping[str, tuple[Any, str]] = {
    "another study": (lambda root: rewritten(root, 0, study="big"), "it is of study `big`"),
    "other metrics": (
        lambda root: rewritten(root, 0, metrics=[["loss", "minimize"]]),
        "its metrics are not those of the study",
    ),
    "no start": (without_the_start, "it does not say what was tried first"),
    "other folds": (
        lambda root: rewritten(root, 2, folds=[{"scores": {"accuracy": 0.5}}]),
        "trial 0 has 1 folds, not 3",
    ),
    "other points": (
        # No trial that the run of two trials below tries again: trial 1 is the winner.
        lambda root: rewritten(root, 7, params={"max_depth": "deep"}),
        "trial 5 is not in the space",
    ),
    "empty": (lambda root: (root / HISTORY).write_text(""), ""),
    "other data": (
        lambda root: (root / "data.csv").write_text(
            "\n".join((root / "data.csv").read_text().splitlines()[:-5])
        ),
        "is left out: the data changed since it was written; a new series of trials begins",
    ),
    "other search": (
        lambda root: changed(root, search={"method": "random", "seed": 3}),
        "is left out: `search.method` changed since it was written",
    ),
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study without curves, and without Git; nobody writes into it."""
    root = tmp_path_factory.mktemp("plain")
    make_project(root, method="random", trials=8, text=PLAIN)
    run(root)
    return root


PLAIN = """\
study: small
objective:
  estimator: sklearn.tree.DecisionTreeClassifier
  data: {path: data.csv, target: kind}
  cv: 3
  metric: accuracy
space:
  max_depth: {int: [1, 6]}
  min_impurity_decrease: {float: [0.0, 0.1]}
search: {method: METHOD, seed: 3, curves: false}
stop: {trials: TRIALS}
execution: {workers: 1}
outputs: {history: outputs/history.jsonl}
"""


@pytest.mark.parametrize(
    ("damage", "line", "why", "n_lost"),
    [
        (a_line_of_another_merge, 5, "it stands there twice", 0),
        (lambda root: rewritten_text(root, 4, "null"), 5, "expected a JSON object", 3),
        (lambda root: rewritten_text(root, 6, '{"trial": 4, "ori'), 7, "no whole JSON", 3),
        (lambda root: rewritten_text(root, 4, "======="), 5, "a conflict marker", 3),
    ],
)
def test_bad_lines_are_named_and_all_others_count(
    plain: Path, tmp_path: Path, damage: Any, line: int, why: str, n_lost: int
) -> None:
    root = Path(shutil.copytree(plain, tmp_path / "copy"))
    shutil.rmtree(root / ".tunesmith")
    before = lines(root)
    damage(root)
    result, said = run(root)
    assert f"{HISTORY}:{line} is left out: {why}" in said[0]
    assert result.n_evaluated == n_lost
    assert lines(root)[2:] == before[2:]


def rewritten_text(root: Path, line: int, text: str) -> None:
    found = lines(root)
    found[line] = text + "\n"
    (root / HISTORY).write_text("".join(found))


def replaced(root: Path, pattern: str, by: str) -> None:
    path = root / HISTORY
    path.write_text(re.sub(pattern, by, path.read_text()))


@pytest.mark.parametrize(
    "damage",
    [
        lambda root: rewritten(root, 0, schema_version=9),
        lambda root: (root / HISTORY).write_text("trial,score\n0,0.5\n"),
        lambda root: (root / HISTORY).write_bytes(b"\xff\xfe\x00"),
        # Of another version, without a head, and a head whose trials are all torn.
        lambda root: replaced(root, r'"tunesmith-history"', '"tunesmith-history-9"'),
        lambda root: replaced(root, r"\A.*\n", ""),
        lambda root: replaced(root, r'(?m)^(\{"trial": .{20}).*$', r"\1"),
    ],
)
def test_where_nothing_can_be_read_nothing_is_evaluated_or_written(
    clone: Path, damage: Any
) -> None:
    damage(clone)
    before = files(clone)
    with pytest.raises(UsageError, match=rf"{HISTORY}[: ][\s\S]*(git checkout|Name another file)"):
        run(clone)
    assert files(clone) == before


def test_what_a_run_is_not_going_to_write_again_is_kept(clone: Path) -> None:
    rewritten(clone, 3, params={"max_depth": "deep"})
    before = (clone / HISTORY).read_bytes()
    _, said = run(clone, 2)
    (kept,) = (clone / "outputs").glob("history.jsonl.kept-*")
    assert kept.read_bytes() == before
    assert any(kept.name in text for text in said)


def test_two_branches_that_tuned_join_by_themselves(clone: Path) -> None:
    """Real Git, with the driver that ``dvc init`` names."""
    driver = f"{sys.executable} -m tunesmith merge-history %O %A %B"
    git(clone, "config", "merge.tunesmith-history.driver", driver)
    (clone / ".gitattributes").write_text(f"{HISTORY} merge=tunesmith-history\n")
    (clone / ".gitignore").write_text("outputs/*\n!outputs/history.jsonl\nconfig\n.tunesmith\n")
    git(clone, "rm", "-rq", "--cached", ".")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "the history alone")
    told = {}
    for branch, space in (("deep", {"max_depth": {"int": [5, 6]}}), ("more", None)):
        git(clone, "checkout", "-qb", branch, "main")
        if space is not None:
            changed(clone, space=space)
        result, _ = run(clone, 2 if space else 11)
        told[branch] = {key for _, key, *_ in trials(result)}
        git(clone, "commit", "-qam", branch)
    git(clone, "merge", "-q", "deep")
    assert "<<<<" not in (clone / HISTORY).read_text()
    found = history_of(clone)
    assert found is not None
    assert [one.history.n_completed for one in found.series] == [11, 2]
    keys = {trial.key for one in found.series for trial in one.history.completed}
    assert keys == told["deep"] | told["more"]


@pytest.mark.parametrize("case", ODD)
def test_another_history_is_left_alone_and_told(clone: Path, case: str) -> None:
    damage, message = ODD[case]
    changed(clone, outputs={"history": HISTORY})
    damage(clone)
    result, said = run(clone, 2)
    # What was committed before it was damaged still counts, evaluation by evaluation.
    is_known = case != "other data"
    assert (result.n_reused > 0) == (is_known and case != "other search")
    assert len(result.record.history) == 2
    assert message in " ".join(said)
    assert len(said) == bool(message) + is_known


def test_nested_searches_come_along(tmp_path: Path) -> None:
    root = tmp_path / "nested"
    text = TUNING.replace(", holdout: {fraction: 0.2}", "") + "outer_folds: 2\n"
    make_project(root, method="random", trials=2, text=text)
    run(root)
    before = files(root)
    (root / ".tunesmith/ledger.db").unlink()
    result, said = run(root)
    assert (result.n_evaluated, files(root)) == (0, before)
    assert said[0] == f"2 trials taken from {HISTORY}"


def without_points(line: str) -> str:
    """A line of a history without the number of points that its trial is the best of."""
    return re.sub(r'"n_points": \d+, ', "", line)


def test_after_an_interruption_the_clone_goes_on(original: Path, tmp_path: Path) -> None:
    root = tmp_path / "cut"
    subprocess.run(["cp", "-r", str(original), str(root)], check=True)
    finished = files(root)
    (root / ".tunesmith/ledger.db").unlink()
    (root / "config/best_parameters.yaml").unlink()
    (root / HISTORY).write_text("")

    def interrupt(progress: Progress) -> None:
        if progress.n_completed == 4:
            os.kill(os.getpid(), signal.SIGINT)

    cut = tune(root / "tuning.yaml", observer=interrupt)
    assert cut.exit_code == 130
    assert 4 <= len(cut.record.history) < 8
    (root / ".tunesmith/ledger.db").unlink()
    result, said = run(root)
    assert said == [f"{len(cut.record.history)} trials taken from {HISTORY}"]
    assert 0 < result.n_fits <= 3 * (8 - len(cut.record.history)) + 1
    # The commit at which results were found is another one, and in the report.
    for name in ("outputs/trials.csv", "outputs/tuned.yaml", "config/best_parameters.yaml"):
        assert files(root)[name] == finished[name]
    # A history holds the points that trials were told as, not those that came along with them: a
    # trial whose own point is known from the commit's history is not fitted again for the others.
    own, theirs = ([without_points(line) for line in lines(one)[2:]] for one in (root, original))
    assert own == theirs


def test_without_the_key_there_is_no_history(tmp_path: Path) -> None:
    make_project(tmp_path)
    assert history_of(tmp_path) is None


GRID = """\
study: small
objective:
  estimator: sklearn.tree.DecisionTreeClassifier
  params: {random_state: 0}
  data: {path: data.csv, target: kind}
  cv: 2
  metric: accuracy
space: {max_depth: [1, 2, 3, 4]}
search: {method: grid}
execution: {executor: serial}
outputs: {history: outputs/history.jsonl}
"""


def tuned(root: Path, message: str) -> Result:
    result, _ = run(root)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message)
    return result


def test_evaluations_of_every_history_count_whatever_the_search(tmp_path: Path) -> None:
    there, clone = tmp_path / "there", tmp_path / "clone"
    make_project(there, text=GRID)
    git(there, "init", "-q", "-b", "main")
    data = (there / "data.csv").read_text()
    tuned(there, "tuned")
    (there / "data.csv").write_text(data + data.splitlines()[-1] + "\n")
    assert tuned(there, "other data").n_evaluated == 8
    git(tmp_path, "clone", "-q", str(there), str(clone))
    wider = GRID.replace("[1, 2, 3, 4]", "[1, 2, 3, 4, 5]")
    (clone / "tuning.yaml").write_text(wider)
    result, said = run(clone)
    assert (result.n_evaluated, result.n_reused) == (2, 8)  # one value, two folds
    assert said[-1] == f"8 evaluations are known from other versions of {HISTORY}"
    # Back to old data: another commit's history knows it.
    (clone / "data.csv").write_text(data)
    result, said = run(clone)
    assert (result.n_evaluated, result.n_reused) == (2, 8)
    (clone / "tuning.yaml").write_text(GRID)
    assert run(clone)[0].n_evaluated == 0
    # The same bytes as if all had been evaluated here.
    found = files(clone)
    subprocess.run(["rm", "-rf", str(clone / ".tunesmith"), str(clone / ".git")], check=True)
    (clone / HISTORY).unlink()
    assert run(clone)[0].n_evaluated == 8
    trials = files(clone)[HISTORY].splitlines()[2:]  # after where they come from
    assert trials == found[HISTORY].splitlines()[2:]


def test_what_scores_depend_on_has_to_be_the_same(tmp_path: Path) -> None:
    root = tmp_path / "project"
    make_project(root, text=GRID)
    run(root)
    for old, new in (("cv: 2", "cv: 3"), ("random_state: 0", "random_state: 1")):
        subprocess.run(["rm", "-rf", str(root / ".tunesmith")], check=True)
        (root / "tuning.yaml").write_text(GRID.replace(old, new))
        result, _ = run(root)
        assert result.n_reused == 0
        (root / "tuning.yaml").write_text(GRID)
        run(root)
