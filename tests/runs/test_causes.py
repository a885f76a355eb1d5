"""A new series of trials is told with its cause, whichever key of the configuration it is."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from tests.pipeline.repositories import git

from tunesmith.config.load import define, load_definition
from tunesmith.config.model import Definition, File
from tunesmith.ledger.records import StudyHead
from tunesmith.objective.crossval import CrossValObjective, build_objective
from tunesmith.runs.causes import RENEWED, Causes, blamed, read_files_changed
from tunesmith.runs.factory import identity
from tunesmith.runs.proposing import FORMER_WINDOW
from tunesmith.testing.projects import make_project

ESTIMATOR: dict[str, Any] = {
    "study": "s",
    "objective": {
        "estimator": "sklearn.ensemble.RandomForestClassifier",
        "data": {"path": "data.csv", "target": "kind"},
        "metric": "accuracy",
    },
    "space": {"max_depth": {"int": [1, 9]}, "criterion": ["gini", "entropy"]},
    "search": {"method": "bayesian", "sampler": "tpe"},
    "stop": {"trials": 9},
}
PROGRAM: dict[str, Any] = {
    **ESTIMATOR,
    "objective": {"command": ["python", "train.py", "{params}"], "metric": {"name": "loss"}},
}
SEVERAL = {**ESTIMATOR, "objective": {**ESTIMATOR["objective"], "metric": ["accuracy", "recall"]}}
BUDGET = {"budget": {"parameter": "n_estimators", "max": 9}}
STEPS = {"steps": [{"name": "a", "estimator": "sklearn.svm.SVC"}]}
PARTS = {"estimators": {"one": {"estimator": "sklearn.svm.SVC"}}}
CHANGES: dict[str, tuple[dict[str, Any], Any]] = {
    "study": (ESTIMATOR, "another"),
    "stop": (ESTIMATOR, {"trials": 10}),
    "outputs": (ESTIMATOR, {"report": "another.md"}),
    "selection": (ESTIMATOR, "one_se"),
    "gate": (ESTIMATOR, {}),
    "confirm": (ESTIMATOR | {"gate": {}}, "off"),
    "outer_folds": (ESTIMATOR, 3),
    "models": (ESTIMATOR, {}),
    "branches": (ESTIMATOR, {"tuning": "best/"}),
    "ledger": (ESTIMATOR, "another.db"),
    "budget": (ESTIMATOR, BUDGET["budget"]),
    "space": (ESTIMATOR, {"max_depth": {"int": [1, 8]}}),
    "search.method": (ESTIMATOR | {"search": {"method": "grid"}}, "random"),
    "search.sampler": (ESTIMATOR, "gp"),
    "search.seed": (ESTIMATOR, 7),
    "search.window": (ESTIMATOR, 7),
    "search.race": (ESTIMATOR, "off"),
    "search.start_with": (ESTIMATOR, ["defaults"]),
    "search.curves": (ESTIMATOR, False),
    "search.options": (ESTIMATOR, {"n_startup": 5}),
    "budget.parameter": (ESTIMATOR | BUDGET, "max_leaf_nodes"),
    "budget.min": (ESTIMATOR | BUDGET, 2),
    "budget.max": (ESTIMATOR | BUDGET, 27),
    "budget.factor": (ESTIMATOR | BUDGET, 2),
    "budget.rule": (ESTIMATOR | BUDGET, "halving"),
    "preference.rule": (SEVERAL | BUDGET, "knee"),
    "preference.weights": (SEVERAL | BUDGET, {"accuracy": 1.0, "recall": 2.0}),
    "gate.min_improvement": (ESTIMATOR | {"gate": {}}, 0.1),
    "gate.keep": (ESTIMATOR | {"gate": {}}, False),
    "execution.executor": (ESTIMATOR, "serial"),
    "execution.workers": (ESTIMATOR, 1),
    "execution.options": (ESTIMATOR | {"execution": {"executor": "dask"}}, {"n": 1}),
    "execution.share": (ESTIMATOR, "off"),
    "execution.fit_timeout": (ESTIMATOR, 60),
    "execution.memory": (PROGRAM, "1GB"),
    "execution.slots": (PROGRAM, {"gpu": 1}),
    "objective.command": (PROGRAM, ["python", "train.py", "--quick", "{params}"]),
    "objective.params_file": (PROGRAM, {"path": "params.yaml"}),
    "objective.overrides": (PROGRAM, "hydra"),
    "objective.metrics_file": (PROGRAM, {"path": "metrics.json"}),
    "objective.metrics_pattern": (PROGRAM, "loss=(?P<loss>.*)"),
    "objective.progress_file": (PROGRAM, "progress.jsonl"),
    "objective.seeds": (PROGRAM, 3),
    "objective.splits": (PROGRAM, "csv"),
    "objective.depends_on": (PROGRAM, ["train.py"]),
    "objective.workspace": (PROGRAM, {"mode": "shared"}),
    "objective.environment": (PROGRAM, {"set": {"A": "b"}}),
    "objective.artifacts": (PROGRAM, {"keep": ["model.pt"]}),
    "objective.predictions": (PROGRAM, "answers.csv"),
    "objective.retry": (PROGRAM, {"exit": 2}),
    "objective.grace": (PROGRAM, 3.0),
    "objective.estimator": (ESTIMATOR, "sklearn.tree.DecisionTreeClassifier"),
    "objective.steps": (ESTIMATOR, STEPS["steps"]),
    "objective.factory": (ESTIMATOR, "model:make"),
    "objective.estimators": (ESTIMATOR, PARTS["estimators"]),
    "objective.params": (ESTIMATOR, {"n_estimators": 20}),
    "objective.preprocess": (ESTIMATOR, "auto"),
    "objective.random_state": (ESTIMATOR, 5),
    "objective.data": (ESTIMATOR, {"path": "other.csv", "target": "kind"}),
    "objective.cv": (ESTIMATOR, 7),
    "objective.metric": (ESTIMATOR, "balanced_accuracy"),
    "objective.also": (ESTIMATOR, ["recall"]),
    "objective.subject_to": (SEVERAL, ["recall >= 0.5"]),
}
"""Every key of the configuration: a study, and another value of the key."""
SECTIONS = ("objective", "search", "budget", "preference", "execution", "gate")
"""Sections each of whose keys is changed alone; of the others, none changes the trials."""
NAMED = {
    *("gate", "space", "execution.share", "preference.weights", "budget"),
    *(key for key in CHANGES if key.startswith(("search.", "budget."))),
    *(key for key in CHANGES if key.startswith("objective.")),
} - {f"objective.{name}" for name in ("artifacts", "predictions", "retry", "grace")}
"""Keys that make a study another one."""


@dataclass
class Fixed:
    """An objective of which nothing changes, so that only the configuration does."""

    context: Mapping[str, str]


OBJECTIVE = Fixed({"data": "1"})


def study(content: Mapping[str, Any], root: Path) -> Definition:
    """The study of a configuration, whether or not its parts fit together."""
    made = define(ESTIMATOR | {"space": content["space"]}, root=root)
    file = File.model_validate({k: v for k, v in content.items() if k != "space"})
    return replace(made, file=file)


def changed(content: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """The configuration with another value of a key."""
    other = deepcopy(dict(content))
    section, _, name = key.rpartition(".")
    place = other.setdefault(section, {}) if section else other
    place[name] = value
    return other


def head_of(definition: Definition, **more: Any) -> StudyHead:
    """The series of a study that was run."""
    content = definition.as_json() | {"incumbent": None, **more}
    return head(OBJECTIVE.context, definition=content)


def head(
    context: Mapping[str, str], reading: Mapping[str, str] | None = None, **more: Any
) -> StudyHead:
    fields: dict[str, Any] = {
        "id": 1,
        "name": "s",
        "generation": 1,
        "identity": "identity",
        "definition": {},
    }
    return StudyHead(**{**fields, **more}, context=context, reading=reading or {})


def test_every_key_of_the_configuration_is_changed() -> None:
    """A key that somebody adds must be added here, too."""
    keys = {"space"}
    for name, field in File.model_fields.items():
        kinds = [field.annotation, *getattr(field.annotation, "__args__", ())]
        models = [k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]
        if name in SECTIONS:
            keys |= {f"{name}.{key}" for key in models[0].model_fields}
        if name not in SECTIONS or name in ("gate", "budget"):
            keys.add(name)
    # Its value is a revision, which needs a repository: another test.
    assert keys - {"gate.base"} == CHANGES.keys()


@pytest.mark.parametrize("key", CHANGES)
def test_the_key_that_changed_is_named(key: str, tmp_path: Path) -> None:
    content, value = CHANGES[key]
    before, now = study(content, tmp_path), study(changed(content, key, value), tmp_path)
    is_other = identity(before, OBJECTIVE) != identity(now, OBJECTIVE)
    assert is_other is (key in NAMED)
    for one, other in ((before, now), (now, before)):
        told = Causes(other, OBJECTIVE).told(head_of(one))
        if is_other:
            assert told == (
                f"`{key}` changed: a new series of trials begins, known evaluations are reused"
            )
        else:
            # Nothing that the user changed is to blame if the trials are others after all.
            assert RENEWED in told


@pytest.mark.parametrize("key", ["search.seed", "execution.share", "gate", "space"])
def test_what_changed_besides_without_effect_is_not_blamed(key: str, tmp_path: Path) -> None:
    content, value = CHANGES[key]
    now = changed(changed(content, key, value), "stop", {"trials": 50})
    now = changed(now, "execution.workers", 7)
    causes = Causes(study(now, tmp_path), OBJECTIVE)
    assert causes.reasons(head_of(study(content, tmp_path))) == [f"`{key}` changed"]


def test_keys_that_fit_together_only_are_named_together(tmp_path: Path) -> None:
    before = ESTIMATOR | {"search": {"method": "random"}}
    causes = Causes(study(ESTIMATOR, tmp_path), OBJECTIVE)
    assert causes.keys(head_of(study(before, tmp_path)).recorded) == [
        "search.method",
        "search.sampler",
    ]
    with_options = changed(ESTIMATOR, "search.options", {"n_startup": 5})
    causes = Causes(study(with_options, tmp_path), OBJECTIVE)
    told = causes.reasons(head_of(study(before, tmp_path)))
    assert told == ["`search.method`, `search.options` and `search.sampler` changed"]


def test_curves_and_sharing_turned_off_at_once_are_told(tmp_path: Path) -> None:
    """Either alone would have had the same effect."""
    now = changed(changed(ESTIMATOR, "search.curves", False), "execution.share", "off")
    keys = Causes(study(now, tmp_path), OBJECTIVE).keys(
        head_of(study(ESTIMATOR, tmp_path)).recorded
    )
    assert keys
    assert set(keys) <= {"search.curves", "execution.share"}


def test_another_base_and_other_parameters_of_the_base_are_told(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    best = tmp_path / "config/best_parameters.yaml"
    best.parent.mkdir()
    for depth in (3, 4):
        best.write_text(f"max_depth: {depth}\ncriterion: gini\n")
        commit(tmp_path)
    before = study(ESTIMATOR | {"gate": {"base": "HEAD"}}, tmp_path)
    earlier = head_of(before, incumbent={"max_depth": 4, "criterion": "gini"})
    other = study(ESTIMATOR | {"gate": {"base": "HEAD~1"}}, tmp_path)
    assert identity(before, OBJECTIVE) != identity(other, OBJECTIVE)
    assert Causes(other, OBJECTIVE).reasons(earlier) == ["`gate.base` changed"]
    best.write_text("max_depth: 5\ncriterion: gini\n")
    commit(tmp_path)
    assert Causes(before, OBJECTIVE).reasons(earlier) == ["the parameters of `HEAD` changed"]


def test_an_outer_search_names_the_number_of_folds(tmp_path: Path) -> None:
    two, three = (
        study(ESTIMATOR | {"outer_folds": n}, tmp_path).outer_searches("digest")[0] for n in (2, 3)
    )
    assert identity(two, OBJECTIVE) != identity(three, OBJECTIVE)
    assert Causes(three, OBJECTIVE).reasons(head_of(two)) == ["`outer_folds` changed"]


def test_defaults_of_earlier_versions_are_nobodys_change(tmp_path: Path) -> None:
    now = study(ESTIMATOR, tmp_path)
    content = now.as_json()
    content["file"]["search"]["window"] = FORMER_WINDOW
    del content["file"]["search"]["race"], content["file"]["search"]["curves"]
    earlier = head(OBJECTIVE.context, definition=content)
    assert Causes(now, OBJECTIVE).reasons(earlier) == [RENEWED]


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "parameters")


# -- dependencies of the scores ----------------------------------------------------------------


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Definition:
    return load_definition(make_project(tmp_path_factory.mktemp("project")))


@pytest.fixture(scope="module")
def objective(project: Definition) -> CrossValObjective:
    return build_objective(project)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((), ""),
        (("data",), "the data changed"),
        (("versions",), "library versions changed"),
        (("objective", "code", "data"),
         "the data changed, the project's code changed, the objective changed"),
    ],
)  # fmt: skip
def test_every_dependency_that_has_changed_is_blamed(
    project: Definition, objective: CrossValObjective, parts: tuple[str, ...], words: str
) -> None:
    context = {**objective.context, **dict.fromkeys(parts, "another digest")}
    before = head(context, definition=project.as_json())
    assert ", ".join(blamed(before, objective)) == words
    told = Causes(project, objective).told(before)
    if words:
        assert told == (
            f"{words}: a new series of trials begins; earlier results are kept, but not mixed in"
        )
    else:
        # The definition is the same, and only the trials that are proposed for it are others.
        assert told == f"{RENEWED}: a new series of trials begins, known evaluations are reused"


def test_keys_of_the_objective_stand_with_it(
    project: Definition, objective: CrossValObjective
) -> None:
    content = project.as_json()
    content["file"]["objective"]["params"] = {"min_samples_leaf": 3}
    content["file"]["search"]["seed"] = 99
    before = head({**objective.context, "objective": "another"}, definition=content)
    assert Causes(project, objective).reasons(before) == [
        "the objective changed (`objective.params`)",
        "`search.seed` changed",
    ]


@dataclass
class Reader:
    """An objective whose programs have read files."""

    names: list[str]

    def changed(self, reading: Mapping[str, str] | None) -> list[str]:
        return [name for name in self.names if name in (reading or {})]


def test_of_many_files_that_programs_have_read_one_is_named() -> None:
    before = head({}, {"a.py": "1", "b.py": "2", "c.py": "3"})
    assert read_files_changed(before, Reader([])) == []
    assert read_files_changed(before, Reader(["b.py"])) == ["b.py changed"]
    assert read_files_changed(before, Reader(["b.py", "c.py"])) == ["b.py and 1 more changed"]
    assert read_files_changed(replace(before, reading={}), Reader(["b.py"])) == []


def test_objectives_without_readings_change_no_file(
    objective: CrossValObjective, tmp_path: Path
) -> None:
    assert read_files_changed(head({}, {str(tmp_path): "1"}), objective) == []
