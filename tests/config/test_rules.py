import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tunesmith.config.model import File
from tunesmith.config.rules import COMMON_SCORERS, check_rules
from tunesmith.errors import Violation, dotted
from tunesmith.space import SearchSpace
from tunesmith.space.parse import parse_space

GOOD: dict[str, Any] = {
    "study": "s",
    "objective": {"estimator": "a.B", "data": {"path": "d.csv", "target": "y"}, "metric": "r2"},
    "search": {"method": "random"},
    "stop": {"trials": 5},
}


def space_of(data: Any) -> SearchSpace:
    space, violations = parse_space(data)
    assert space is not None, violations
    return space


def broken(root: Path, changes: dict[str, Any], space: Any = None) -> list[Violation]:
    file = File.model_validate({**GOOD, **changes})
    inputs = {"the configuration itself": root / "tuning.yaml"}
    return check_rules(file, space_of(space or {"a": [1, 2]}), root, inputs)


def objective(**changes: Any) -> dict[str, Any]:
    return {"objective": {**GOOD["objective"], **changes}}


def test_the_good_one_is_good(tmp_path: Path) -> None:
    assert broken(tmp_path, {}) == []


@pytest.mark.parametrize(
    ("changes", "where", "words"),
    [
        ({"outputs": {"trials": "d.csv"}}, "outputs.trials", "would replace the data"),
        ({"outputs": {"best": "tuning.yaml"}}, "outputs.best", "replace the configuration itself"),
        ({"outputs": {"best": "a.json", "trials": "x/../a.json"}}, "outputs.trials", "`best`"),
        ({"outputs": {"best": "a\0b.json"}}, "outputs.best", "null byte"),
        ({"outputs": {"best": "/a.json"}}, "outputs.best", "outside the project"),
        ({"outputs": {"report": ".git/a.md"}}, "outputs.report", "into .git"),
        ({"ledger": "l.csv", "outputs": {"trials": "l.csv"}}, "outputs.trials", "the ledger"),
        ({"search": {"method": "random", "seed": 2**32}}, "search.seed", "at most 4,294,967,295"),
        (objective(random_state=-1), "objective.random_state", "at least 0"),
        (objective(cv={"seed": 2**40}), "objective.cv.seed", "at most"),
        (objective(data={"path": "", "target": "y"}), "objective.data.path", "no file is named"),
        (objective(cv={"method": "group"}), "objective.cv.method", "needs `objective.data.groups`"),
        (objective(cv={"splitter": "a.B", "method": "kfold"}), "objective.cv.splitter", "keep one"),
        (objective(cv={"method": "stratified", "stratify": False}), "objective.cv.stratify", "con"),
        (objective(params={"a": 1}), "objective.params.a", "fixed here and varied"),
        ({"search": {"method": "gird"}}, "search.method", "unknown method `gird`"),
        ({"search": {"method": "grid", "sampler": "tpe"}}, "search.sampler", "belongs to"),
        ({"search": {"start_with": [{"b": 1}]}}, "search.start_with[0]", "outside the space"),
        ({"ledger": ":memory:"}, "ledger", "a database in memory, which keeps nothing"),
        ({"ledger": "sqlite://"}, "ledger", "a database in memory"),
        ({"ledger": ""}, "ledger", "a database in memory"),
        ({"execution": {"executor": "proceses"}}, "execution.executor", "unknown executor"),
    ],
)  # fmt: skip
def test_broken_rules(tmp_path: Path, changes: dict[str, Any], where: str, words: str) -> None:
    found = broken(tmp_path, changes)
    assert [dotted(violation.path) for violation in found] == [where]
    assert words in found[0].message


@pytest.mark.parametrize("name", ["d.csv/x.md", "d.csv/deep/x.md"])
def test_an_output_below_a_file_is_seen(tmp_path: Path, name: str) -> None:
    (tmp_path / "d.csv").write_text("a,y\n")
    found = broken(tmp_path, {"outputs": {"report": name}})
    assert [violation.message for violation in found] == ["d.csv is a file, not a folder."]


def test_names_of_steps_are_those_of_a_pipeline(tmp_path: Path) -> None:
    steps = [{"name": name, "estimator": "a.B"} for name in ("a", "a", "b__c")]
    found = broken(
        tmp_path, {"objective": {**GOOD["objective"], "estimator": None, "steps": steps}}
    )
    assert [dotted(violation.path) for violation in found] == [
        "objective.steps[1].name",
        "objective.steps[2].name",
    ]


def test_an_output_through_a_link_to_the_data_is_seen(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a,y\n")
    (tmp_path / "t.csv").symlink_to(tmp_path / "d.csv")
    assert "the data" in broken(tmp_path, {"outputs": {"trials": "t.csv"}})[0].message


@pytest.mark.parametrize(
    ("stop", "words"),
    [
        ({}, "nothing ends this search"),
        ({"first_failures": 3}, "nothing ends this search"),
        ({"target": 0.9, "patience": 3}, "`patience` and `target` may never end"),
        ({"all": [{"trials": 3}, {"target": 0.9}]}, "`all` may never end"),
    ],
)
def test_a_search_that_may_never_end_is_refused(
    tmp_path: Path, stop: dict[str, Any], words: str
) -> None:
    found = broken(tmp_path, {"stop": stop}, {"a": {"float": [0.0, 1.0]}})
    assert words in found[0].message


@pytest.mark.parametrize(
    "stop",
    [{"time": "5m"}, {"fits": 5}, {"any": [{"trials": 5}]}, {"all": [{"trials": 5}, {"fits": 9}]}],
)
def test_a_search_that_ends_is_let_through(tmp_path: Path, stop: dict[str, Any]) -> None:
    assert broken(tmp_path, {"stop": stop}, {"a": {"float": [0.0, 1.0]}}) == []


def test_a_billion_points_are_counted_not_listed(tmp_path: Path) -> None:
    wide = {name: {"int": [1, 1000]} for name in "abc"}
    found = broken(tmp_path, {"search": {"method": "grid"}, "stop": {}}, wide)
    assert found[0].message == "the grid has 1,000,000,000 points."


@pytest.mark.parametrize("name", ["fit_time", "score_time", "roc_auc"])
def test_known_metrics_need_no_scorer(tmp_path: Path, name: str) -> None:
    assert broken(tmp_path, objective(metric=name)) == []


def test_scikit_learn_has_the_common_scorers() -> None:
    from sklearn.metrics import get_scorer_names

    assert set(get_scorer_names()) >= COMMON_SCORERS


def test_a_definition_with_a_common_metric_is_read_without_scikit_learn() -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tunesmith.config.load import define\n"
        "objective = {'estimator': 'sklearn.svm.SVC', 'metric': 'accuracy',\n"
        "             'data': {'path': 'd.csv', 'target': 'y'}}\n"
        "define({'study': 's', 'objective': objective, 'space': {'C': [1.0, 2.0]},\n"
        "        'search': {'method': 'grid'}}, root=Path('.'))\n"
        "print('sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
