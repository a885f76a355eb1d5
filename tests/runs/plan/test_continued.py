"""Every number that a plan promises is what the run does, whatever was edited before."""

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tunesmith.config.load import define
from tunesmith.config.model import Definition
from tunesmith.errors import UsageError
from tunesmith.runs.plan.planner import plan_run
from tunesmith.runs.plan.run_plan import RunPlan
from tunesmith.runs.result import Result
from tunesmith.runs.tune import tune
from tunesmith.testing.projects import make_project

Sections = dict[str, Any]
Edit = Callable[[Sections, Path], None]


def begun(method: str) -> Sections:
    """A study with a gate, an edited file of parameters, and a history."""
    return {
        "study": "s",
        "objective": {
            "estimator": "sklearn.tree.DecisionTreeClassifier",
            "params": {"random_state": 0},
            "data": {"path": "data.csv", "target": "kind"},
            "cv": 3,
            "metric": "accuracy",
        },
        "space": {"max_depth": [1, 2, 3], "criterion": ["gini", "entropy"]},
        "search": {"method": method, "seed": 3},
        "stop": {"trials": 5},
        "gate": {},
        "execution": {"executor": "serial"},
        "outputs": {"best": "best.yaml", "tuned": "tuned.yaml", "history": "h.jsonl"},
    }


def parameter_added(sections: Sections, _root: Path) -> None:
    sections["space"] = {**sections["space"], "min_samples_leaf": [1, 4]}


def parameter_removed(sections: Sections, _root: Path) -> None:
    sections["space"] = {"max_depth": [1, 2, 3]}


def parameter_renamed(sections: Sections, _root: Path) -> None:
    sections["space"] = {"max_leaf_nodes": [2, 3, 5], "criterion": ["gini", "entropy"]}


def default_changed(sections: Sections, _root: Path) -> None:
    sections["objective"] = {**sections["objective"], "params": {"random_state": 1}}


def folds_changed(sections: Sections, _root: Path) -> None:
    sections["objective"] = {**sections["objective"], "cv": 4}


def more_trials(sections: Sections, _root: Path) -> None:
    sections["stop"] = {"trials": 6}


def fewer_trials(sections: Sections, _root: Path) -> None:
    sections["stop"] = {"trials": 4}


def value_added_to_the_file(_sections: Sections, root: Path) -> None:
    (root / "best.yaml").write_text("max_depth: 2\ncriterion: gini\nmin_samples_leaf: 1\n")


def file_edited(_sections: Sections, root: Path) -> None:
    (root / "best.yaml").write_text("max_depth: 3\ncriterion: entropy\n")


def file_lacks_a_value(_sections: Sections, root: Path) -> None:
    (root / "best.yaml").write_text("max_depth: 2\n")


def file_removed(_sections: Sections, root: Path) -> None:
    (root / "best.yaml").unlink(missing_ok=True)


def cloned(_sections: Sections, root: Path) -> None:
    shutil.rmtree(root / ".tunesmith")


def sharing_turned_off(sections: Sections, _root: Path) -> None:
    sections["execution"] = {"executor": "serial", "share": "off"}


EDITS: tuple[Edit, ...] = (
    parameter_added,
    parameter_removed,
    parameter_renamed,
    default_changed,
    folds_changed,
    more_trials,
    fewer_trials,
    value_added_to_the_file,
    file_edited,
    file_lacks_a_value,
    file_removed,
    cloned,
    sharing_turned_off,
)


def compare(plan: RunPlan, result: Result, what: str) -> None:
    """Compare the numbers of a plan with those of the run that followed."""
    further = sum(map(len, result.record.further.values()))
    assert plan.n_scores is not None, what
    assert plan.n_known is not None, what
    assert plan.confirm is not None, what
    promised = plan.n_scores - plan.n_known
    assert plan.confirm.n_fits is not None, what
    # What follows the search is promised as the most that it may take.
    made = result.n_evaluated - promised
    assert 0 <= made <= min(plan.confirm.n_fits, further), (what, plan.confirm, further)
    # A limit that was lowered takes no trial away.
    assert plan.n_trials is not None, what
    assert plan.n_completed is not None, what
    assert max(plan.n_trials, plan.n_completed) == result.record.history.n_completed, what
    assert plan.start == tuple(result.record.head.recorded.start or ()), what


def promises_nothing(definition: Definition, what: str) -> None:
    """A study that has ended has nothing left, and the plan says so."""
    plan = plan_run(definition)
    assert plan.n_known == plan.n_scores, what
    assert (plan.n_completed or 0) >= (plan.n_trials or 0), what
    assert plan.confirm is not None, what
    assert plan.confirm.n_fits == 0, (what, plan.confirm)


@pytest.mark.parametrize(("method", "seed"), [("random", 1), ("grid", 2), ("random", 3)])
def test_a_plan_promises_what_the_run_does(tmp_path: Path, method: str, seed: int) -> None:
    root = make_project(tmp_path).parent
    (root / "best.yaml").write_text("max_depth: 2\ncriterion: gini\n")
    sections, rng = begun(method), random.Random(seed)
    edits = rng.sample(EDITS, len(EDITS))
    done = ["begun"]
    for number, edit in enumerate([None, *edits]):
        before = dict(sections)
        if edit is not None:
            edit(sections, root)
            done.append(edit.__name__)
        definition = define(sections, root=root)
        what = " > ".join(done)
        try:
            plan = plan_run(definition)
        except UsageError as refusal:
            # The file of parameters holds some that the space no longer has: the run refuses, too.
            with pytest.raises(UsageError, match=re.escape(str(refusal))):
                tune(definition, progress=False)
        else:
            compare(plan, tune(definition, progress=False), what)
            promises_nothing(definition, what)
        # Every other edit is taken back, so that earlier series go on.
        if number % 2 == 0:
            sections = before
            done.append("taken back")


def test_a_value_that_is_added_to_the_file_later_promises_no_fit(tmp_path: Path) -> None:
    root = make_project(tmp_path).parent
    (root / "best.yaml").write_text("max_depth: 2\n")
    definition = define(begun("grid"), root=root)
    tune(definition, progress=False)
    (root / "best.yaml").write_text("max_depth: 2\ncriterion: entropy\n")
    plan = plan_run(definition)
    assert plan.confirm is not None
    assert (plan.confirm.n_fits, plan.start) == (0, ())
    assert tune(definition, progress=False).n_evaluated == 0


def test_an_earlier_series_goes_on(tmp_path: Path) -> None:
    root = make_project(tmp_path).parent
    first = begun("random")
    second = {**first, "space": {"max_depth": [1, 2, 3]}}
    for sections in (first, second):
        tune(define(sections, root=root), progress=False)
    plan = plan_run(define(first, root=root))
    assert plan.n_completed == plan.n_trials
    assert "no further fits" in (plan.confirm.text if plan.confirm else "")
