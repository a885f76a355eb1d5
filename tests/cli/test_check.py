"""``check``: the plan of a study, before anything is evaluated."""

import json
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.cli.conftest import Run

from tunesmith.cli.check import _definition

CONDITIONAL = """\
study: pair
objective:
  estimators:
    tree: {estimator: sklearn.tree.DecisionTreeClassifier}
    bayes: {estimator: sklearn.naive_bayes.GaussianNB}
  data: {path: data.csv, target: kind}
  cv: 3
  metric: accuracy
space:
  - {estimator: tree, max_depth: {int: [1, 2]}}
  - {estimator: bayes}
search: {method: grid}
"""


def test_check_shows_the_plan(tunesmith: Run, snapshot: SnapshotAssertion) -> None:
    assert tunesmith("check").stdout == snapshot


def test_check_knows_what_the_ledger_knows(tunesmith: Run, finished: Path) -> None:
    text = tunesmith("check").stdout
    assert "12 trials of this study finished, 36 scores known" in text


def test_an_unchanged_project_is_not_checked_again(tunesmith: Run, finished: Path) -> None:
    first, again = tunesmith("check").stdout, tunesmith("check").stdout
    assert "Nothing has changed since" not in first
    assert again.startswith(first)
    assert "`tunesmith check --anew`" in again.removeprefix(first)
    assert tunesmith("check", "--anew").stdout == first
    assert json.loads(tunesmith("check", "--json").stdout)["checked_before"] is not None
    anew = json.loads(tunesmith("check", "--json", "--anew").stdout)
    assert anew["checked_before"] is None
    with (finished / "data.csv").open("a") as file:
        file.write((finished / "data.csv").read_text().splitlines()[1] + "\n")
    assert "Nothing has changed since" not in tunesmith("check").stdout


def test_a_mistake_is_told_however_often_it_was_checked(tunesmith: Run, finished: Path) -> None:
    assert tunesmith("check").returncode == 0
    (finished / "data.csv").unlink()
    for _ in range(2):
        assert "data.csv does not exist" in tunesmith("check").stderr


def test_check_shows_each_part_of_a_union(
    tunesmith: Run, project: Path, snapshot: SnapshotAssertion
) -> None:
    (project / "union.yaml").write_text(CONDITIONAL)
    assert tunesmith("check", "-c", "union.yaml").stdout == snapshot


def test_check_counts_folds_and_reads_data_without_project_code(
    tunesmith: Run, project: Path
) -> None:
    (project / "mine.py").write_text("raise SystemExit('project code was run')\n")
    text = (project / "tuning.yaml").read_text()
    text = text.replace("sklearn.tree.DecisionTreeClassifier", "mine.Model")
    (project / "tuning.yaml").write_text(text)
    assert "36 at most (12 trials × 3 folds)" in tunesmith("check").stdout
    (project / "data.csv").unlink()
    done = tunesmith("check")
    assert done.returncode == 2
    assert "data.csv does not exist" in done.stderr


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["a", "true", None, True, 0.1], '[a, "true", null, true, 0.1]'),
        ({"int": [1, 9], "when": {"k": ["x:y", 'q"']}}, '{int: [1, 9], when: {k: [x:y, q"]}}'),
    ],
)
def test_definitions_are_written_as_people_write_them(value: object, text: str) -> None:
    assert _definition(value) == text
