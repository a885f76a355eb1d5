"""How evaluations were made is kept, and shared ones of earlier versions no longer count."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.ledger.test_schema import without_later

from tunesmith import tune
from tunesmith.cli.verify import command
from tunesmith.config.load import load_definition
from tunesmith.history import FoldResult
from tunesmith.ledger import integrity
from tunesmith.ledger.histories.portable import read_history
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.outdated import may_have_shared
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.rows import checksum
from tunesmith.pipeline.staleness import staleness
from tunesmith.pipeline.verify.verify import Refit, verify
from tunesmith.runs.plan.planner import plan_run
from tunesmith.runs.result import Result
from tunesmith.sharing.checks import fresh_answers
from tunesmith.testing.projects import make_project

TUNING = """\
study: small
objective:
  estimator: sklearn.ensemble.RandomForestClassifier
  params: {random_state: 0}
  data: {path: data.csv, target: kind}
  cv: 2
  metric: accuracy
space:
  n_estimators: [2, 4]
  max_depth: [1, 3]
search: {method: grid}
execution: {workers: 1}
outputs: {history: outputs/history.jsonl}
"""
HISTORY = "outputs/history.jsonl"
STEPS = """\
  steps:
    - {name: scale, estimator: sklearn.preprocessing.StandardScaler}
    - {name: model, estimator: sklearn.svm.SVC}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_project(tmp_path, text=TUNING)
    return tmp_path


def run(root: Path) -> tuple[Result, str]:
    said: list[str] = []
    result = tune(load_definition(root / "tuning.yaml"), say=said.append)
    return result, "\n".join(said)


def folds(result: Result) -> list[FoldResult]:
    return [fold for trial in result.record.history.completed for fold in trial.folds]


def change(root: Path, old: str, new: str) -> None:
    path = root / "tuning.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def age(root: Path) -> Path:
    """Make it the ledger of a version that did not say how fits were made."""
    path = root / ".tunesmith/ledger.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.row_factory = sqlite3.Row
        for row in connection.execute("SELECT rowid, * FROM evaluation").fetchall():
            value = checksum("evaluation", {**dict(row), "made": None})
            text = "UPDATE evaluation SET made = NULL, checksum = ? WHERE rowid = ?"
            connection.execute(text, (value, row["rowid"]))
        for statement in without_later(4):
            connection.execute(statement)
        connection.execute("ALTER TABLE evaluation DROP COLUMN made")
        connection.execute("DROP TABLE sharing_check")
        connection.execute("UPDATE tunesmith SET schema_version = 4")
    content = path.read_bytes()
    path.unlink()
    integrity.write_new(path, content)
    age_history(root)
    return path


def age_history(root: Path) -> None:
    """The same for the history."""
    text = (root / HISTORY).read_text().replace('"schema_version": 2', '"schema_version": 1')
    text = re.sub(r',"ways":\[[^]]*\]', "", text).replace('"law":2,', "")
    assert "law" not in text
    assert "ways" not in text
    (root / HISTORY).write_text(text)


def test_evaluations_say_how_they_were_made(root: Path) -> None:
    result, _ = run(root)
    assert {(fold.ways, fold.n_sharing) for fold in folds(result)} == {(("Forest",), 2)}
    lines = (root / HISTORY).read_text().splitlines()
    assert json.loads(lines[2])["folds"][0]["ways"] == ["Forest"]
    read = read_history((root / HISTORY).read_text())["small"]
    assert next(iter(read.history.completed)).folds[0].ways == ("Forest",)
    with Ledger.open(root / ".tunesmith/ledger.db") as ledger:
        assert len(ledger.passed_checks()) == 1


def test_a_check_that_has_passed_is_not_made_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def counted(*given: Any) -> Any:
        made.append(1)
        return fresh_answers(*given)

    monkeypatch.setattr("tunesmith.sharing.kernel.fresh_answers", counted)
    change(root, "workers: 1", "executor: serial")
    run(root)
    assert len(made) == 1
    change(root, "max_depth: [1, 3]", "max_depth: [2, 4]")
    result, _ = run(root)
    assert result.n_evaluated == 8
    assert len(made) == 1


def test_without_sharing_nothing_comes_from_shared_fits(root: Path) -> None:
    shared, _ = run(root)
    change(root, "workers: 1", "workers: 1, share: off")
    alone, _ = run(root)
    assert (alone.n_evaluated, alone.n_reused) == (8, 0)
    assert {(fold.ways, fold.n_sharing) for fold in folds(alone)} == {((), 1)}
    assert [dict(f.scores) for f in folds(alone)] == [dict(f.scores) for f in folds(shared)]
    assert run(root)[0].n_evaluated == 0
    change(root, ", share: off", "")
    assert run(root)[0].n_evaluated == 0


def test_shared_fits_of_earlier_versions_no_longer_count(root: Path) -> None:
    before, _ = run(root)
    history = (root / HISTORY).read_bytes()
    age(root)
    definition = load_definition(root / "tuning.yaml")
    found = verify(definition)
    (only,) = (finding for finding in found.findings if finding.level == "failure")
    assert only.found.startswith("8 of 8 evaluations come from shared fits of an earlier Tunesmith")
    assert "`tunesmith run" in only.fix
    with Ledger.open(root / ".tunesmith/ledger.db") as ledger:
        assert "8 of 8 evaluations" in staleness(definition, ledger.load("small")).words
    result, said = run(root)
    assert "8 of 8 evaluations come from shared fits of an earlier Tunesmith" in said
    assert result.n_evaluated == 8
    assert not result.record.outdated
    assert [dict(f.scores) for f in folds(result)] == [dict(f.scores) for f in folds(before)]
    assert (root / HISTORY).read_bytes() == history
    assert verify(definition).is_verified


def test_single_fits_of_earlier_versions_stay(root: Path) -> None:
    change(root, "workers: 1", "workers: 1, share: off")
    run(root)
    age(root)
    assert run(root)[0].n_evaluated == 0
    change(root, ", share: off", "")
    assert run(root)[0].n_evaluated == 0


def test_a_pipeline_may_have_shared_its_first_steps(root: Path) -> None:
    change(root, "  estimator: sklearn.ensemble.RandomForestClassifier\n", STEPS)
    change(root, "  params: {random_state: 0}\n", "")
    change(root, "  n_estimators: [2, 4]\n  max_depth: [1, 3]\n", "  C: [0.1, 1.0]\n")
    result, _ = run(root)
    assert {fold.ways for fold in folds(result)} == {("prefix",)}
    age(root)
    result, said = run(root)
    assert "4 of 4 evaluations" in said
    assert result.n_evaluated == 4


def test_an_old_history_is_evaluated_anew_and_brought_up_to_date(root: Path) -> None:
    run(root)
    history = (root / HISTORY).read_text()
    age_history(root)
    (root / ".tunesmith/ledger.db").unlink()
    found = verify(load_definition(root / "tuning.yaml"))
    (only,) = (finding for finding in found.findings if finding.level == "failure")
    assert only.found.startswith("8 of 8 evaluations")
    result, _ = run(root)
    assert result.n_evaluated == 8
    assert (root / HISTORY).read_text() == history


def test_recorded_scores_are_held_against_single_fits(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(root)
    definition = load_definition(root / "tuning.yaml")
    found = verify(definition, Refit(3, 0, is_unshared=True))
    assert (found.n_refit, found.is_verified) == (3, True)
    monkeypatch.chdir(root)
    given = ["--refit", "2", "--unshared", "--seed", "1"]
    called = CliRunner().invoke(command, given)
    assert "2 folds evaluated again, each by a fit of its own (--seed 1)" in called.output
    called = CliRunner().invoke(command, ["--unshared"])
    assert "say how many folds" in str(called.exception)


def test_the_plan_says_what_is_not_shared_and_what_sharing_costs(root: Path) -> None:
    plan = plan_run(load_definition(root / "tuning.yaml"))
    assert (plan.is_shared, plan.not_shared) == (True, ())
    change(root, "{random_state: 0}", "{random_state: 0, oob_score: true}")
    plan = plan_run(load_definition(root / "tuning.yaml"))
    assert plan.not_shared == (
        "along `n_estimators`: `oob_score` is set, and is not among the parameters tried",
    )
    change(root, "{method: grid}", "{method: random}")
    assert plan_run(load_definition(root / "tuning.yaml")).not_shared == plan.not_shared


@pytest.mark.parametrize(
    ("objective", "study", "is_shared"),
    [
        ({"estimator": "sklearn.svm.SVC"}, "s", False),
        ({"estimator": "xgboost.XGBClassifier"}, "s", True),
        ({"steps": [{"estimator": "a.B"}]}, "s", True),
        ({"factory": "model:make"}, "s", True),
        ({"command": ["python", "train.py"]}, "s", False),
        (None, "GridSearchCV-Pipeline", True),
        (None, "GridSearchCV-SVC", False),
    ],
)
def test_what_may_have_been_shared_is_told_from_the_definition(
    objective: Any, study: str, is_shared: bool
) -> None:
    file = {} if objective is None else {"objective": objective}
    assert may_have_shared(RecordedStudy.of({"file": file}), study) is is_shared
    if objective is not None:
        off = {**file, "execution": {"share": "off"}}
        assert not may_have_shared(RecordedStudy.of({"file": off}), study)
