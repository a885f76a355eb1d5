"""Definitions that this version and earlier ones have stored are read into the same fields.

``recorded_studies.json`` holds what each version of the ledger's schema stored of one study, as far
as the configuration of that version could say it.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tunesmith.config.load import define
from tunesmith.config.model import Definition
from tunesmith.errors import ConfigError
from tunesmith.history import Metric
from tunesmith.ledger.histories.portable import read_history, write_history
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.recorded_study import (
    RecordedFolds,
    RecordedGate,
    RecordedParameter,
    RecordedSpace,
    RecordedStudy,
)
from tunesmith.ledger.rows import json_text
from tunesmith.space import Float, Int, SearchSpace
from tunesmith.testing.records import make_record
from tunesmith.testing.strategies import spaces
from tunesmith.types import StopReason

ROOT = Path(__file__).parents[2]
VERSIONS: dict[str, Any] = json.loads(
    Path(__file__).with_name("recorded_studies.json").read_text("utf-8")
)
START = (("defaults", {"svc__C": 1.0}),)


@pytest.mark.parametrize("version", VERSIONS)
def test_definitions_of_every_schema_version_are_read(version: str) -> None:
    recorded = RecordedStudy.of(VERSIONS[version])
    assert recorded.folds == RecordedFolds("stratified", 2, None)
    assert (recorded.method, recorded.seed, recorded.shares_fits) == ("bayesian", 3, False)
    assert recorded.objective is not None
    assert recorded.objective.may_be_pipeline
    assert not recorded.is_program
    assert recorded.space.boxes[0]["svc__C"].bounds == (0.1, 10.0)
    assert recorded.space.is_log("svc__C")
    assert recorded.start == START
    assert recorded.current is None
    assert not recorded.is_edited
    assert recorded.section("stop")["trials"] == 5


@pytest.mark.parametrize("version", VERSIONS)
def test_keys_that_came_later_have_the_value_that_their_absence_means(version: str) -> None:
    recorded, number = RecordedStudy.of(VERSIONS[version]), int(version)
    names = frozenset({"svc__C", "svc__degree", "svc__kernel"})
    assert recorded.budget_parameter == ("max_iter" if number >= 3 else None)
    assert recorded.names == (names | {"max_iter"} if number >= 3 else names)
    assert recorded.selection == ("one_se" if number >= 4 else "best")
    assert recorded.gate == (RecordedGate(0.01) if number >= 4 else None)
    assert recorded.outer_folds == (3 if number >= 4 else None)
    assert recorded.has_current is (number >= 4)


def test_a_search_in_memory_has_no_objective() -> None:
    recorded = RecordedStudy.of(
        {"file": {"search": {"method": "grid"}}, "space": {"boxes": [{"C": [1, 2]}]}}
    )
    assert (recorded.objective, recorded.method, recorded.seed) == (None, "grid", None)
    assert (recorded.folds, recorded.names) == (RecordedFolds(), frozenset({"C"}))
    assert recorded.start is None


KEYS = (
    *("file", "space", "search", "objective", "cv", "gate", "budget", "boxes", "int", "float"),
    *("outer", "start", "incumbent", "execution", "selection"),
)
NOTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=5,
        )
    ),
)


@settings(max_examples=200, deadline=None)
@given(NOTHING)
def test_reading_never_fails(content: Any) -> None:
    recorded = RecordedStudy.of(content)
    assert recorded == RecordedStudy.of(content)
    for box in recorded.space.boxes:
        assert all(isinstance(parameter, RecordedParameter) for parameter in box.values())


def test_what_no_version_has_written_counts_as_missing() -> None:
    odd = {
        "file": {"selection": "worst", "gate": "yes", "search": [], "outer_folds": True},
        "space": {"boxes": [{"a": {"int": [1]}, "b": {"float": ["x", "y"]}}, 3]},
        "start": [["defaults", 3]],
        "outer": 0,
        "incumbent": [],
    }
    recorded = RecordedStudy.of(odd)
    assert (recorded.selection, recorded.gate, recorded.outer_folds) == ("best", None, None)
    assert [p.bounds for p in recorded.space.boxes[0].values()] == [None, None]
    assert (recorded.start, recorded.outer, recorded.current) == (None, None, None)
    # The key is there, so that nothing is guessed from the starting points.
    assert recorded.has_current


# -- definitions of the present version ----------------------------------------------------------

KINDS: list[dict[str, Any]] = [
    {"estimator": "sklearn.svm.SVC"},
    {
        "steps": [
            {"estimator": "sklearn.preprocessing.StandardScaler"},
            {"estimator": "sklearn.svm.SVC"},
        ]
    },
    {"factory": "model:make"},
    {
        "command": ["python", "train.py", "{alpha}"],
        "metrics_pattern": "score: (.*)",
        "metric": {"name": "score", "direction": "maximize"},
    },
]
SUBJECTS = st.sampled_from(KINDS)
SPLITS = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(["auto", "kfold", "shuffle_split", "time_series"]),
        "folds": st.integers(2, 12),
        "repeats": st.integers(1, 4),
        "test_fraction": st.floats(0.05, 0.9),
    },
)
MORE = st.fixed_dictionaries(
    {},
    optional={
        "selection": st.sampled_from(["best", "one_se", "simplest", "fastest"])
        | st.fixed_dictionaries(
            {"rule": st.sampled_from(["simplest", "fastest"])},
            optional={"within": st.floats(0, 1) | st.sampled_from(["0%", "2.5%", "100%"])},
        ),
        "gate": st.fixed_dictionaries(
            {}, optional={"min_improvement": st.floats(0, 1), "keep": st.booleans()}
        ),
        "outer_folds": st.integers(2, 9),
        "budget": st.fixed_dictionaries(
            {"parameter": st.just("epochs"), "max": st.integers(2, 99)}
        ),
        "execution": st.fixed_dictionaries({"share": st.sampled_from(["exact", "off"])}),
    },
)


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Any definition that the configuration accepts."""
    subject = draw(SUBJECTS)
    data = (
        {"path": "d.csv", "target": "y"}
        if "command" not in subject or draw(st.booleans())
        else None
    )
    objective = {"metric": "accuracy", "data": data, **subject}
    if data is not None:
        objective["cv"] = draw(SPLITS)
    search = {
        "method": draw(st.sampled_from(["grid", "random", "bayesian"])),
        "seed": draw(st.integers(0, 2**31)),
    }
    file = {"study": "s", "objective": objective, "search": search, "stop": {"trials": 3}}
    try:
        return define({**file, **draw(MORE), "space": draw(spaces())})
    except ConfigError:
        # Rules between sections; most of what is drawn keeps them.
        assume(False)
        raise


def check(recorded: RecordedStudy, definition: Definition) -> None:
    """The fields are the values of the configuration."""
    file, objective = definition.file, definition.file.objective
    gate, budget, cv = file.gate, file.budget, objective.cv
    chosen = file.selection
    assert (recorded.selection, recorded.within) == (chosen.rule, chosen.within)
    assert recorded.gate == (gate and RecordedGate(gate.min_improvement, gate.keep, gate.base))
    assert recorded.outer_folds == file.outer_folds
    assert recorded.budget_parameter == (budget and budget.parameter)
    assert (recorded.method, recorded.seed) == (file.search.method, file.search.seed)
    assert recorded.shares_fits is (file.execution.share == "exact")
    assert recorded.is_program is (objective.command is not None)
    assert recorded.folds == RecordedFolds(cv.method, cv.repeats, cv.test_fraction)
    assert recorded.objective is not None
    assert recorded.objective.estimator == objective.estimator
    assert recorded.objective.may_be_pipeline is bool(objective.steps or objective.factory)
    check_space(recorded.space, definition.space)


def check_space(recorded: RecordedSpace, space: SearchSpace) -> None:
    """Names, ranges and scales are those of the space."""
    assert [list(box) for box in recorded.boxes] == [sorted(box.parameters) for box in space]
    assert recorded.constraints == tuple(one.text for one in space.constraints)
    for then, now in zip(recorded.boxes, space, strict=True):
        for name, parameter in now.parameters.items():
            is_range = isinstance(parameter, Int | Float)
            ends = (float(parameter.low), float(parameter.high)) if is_range else None  # type: ignore[union-attr]
            assert then[name].bounds == ends
            assert then[name].is_log is (is_range and parameter.log)  # type: ignore[union-attr]


@settings(max_examples=60, deadline=None)
@given(definitions())
def test_every_definition_is_read_back_with_its_own_values(definition: Definition) -> None:
    stored = json_text(definition.as_json())
    recorded = RecordedStudy.of(json.loads(stored))
    check(recorded, definition)
    assert recorded == RecordedStudy.of(definition.as_json())
    assert recorded.is_like(RecordedStudy.of(definition.as_json()))


@settings(max_examples=15, deadline=None)
@given(drawn=definitions())
def test_ledger_and_history_give_back_the_same(
    drawn: Definition, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place, metrics = tmp_path_factory.mktemp("ledger") / "ledger.db", (Metric("accuracy"),)
    content = drawn.as_json() | {"start": [["grid", {"a": 1}]], "incumbent": None}
    with Ledger.open(place) as ledger:
        head = ledger.begin_study(
            "s", "i", content, context={}, metrics=metrics, objectives=metrics
        )
        run_id = ledger.begin_run(head.id, {"definition": content})
        ledger.end_run(run_id, StopReason.of_criterion("3 trials"), 0, 0, 0)
        record = ledger.load("s")
    expected = RecordedStudy.of(content)
    assert record.recorded == record.head.recorded == head.recorded == expected
    (read,) = read_history(write_history([record])).values()
    assert read.recorded == read.head.recorded == expected
    check(read.recorded, drawn)


def test_a_definition_is_read_once_for_each_record() -> None:
    record = make_record([{"n": 1}])
    assert record.head.recorded is record.head.recorded
    assert record.recorded is record.recorded


READ_BY_KEY = re.compile(r"(definition\)?(\.get\(|\[\")|provenance\[\"definition\"\]\[)")


def test_no_stored_definition_is_read_by_its_keys() -> None:
    files = (ROOT / "src/tunesmith").rglob("*.py")
    # In this module `definition` is a part of a JSON Schema.
    others = [file for file in files if file.name not in ("reference.py", "schema.py", "parse.py")]
    # Importers and searches write a definition, and have none that was stored.
    others = [file for file in others if not {"importers", "sklearn"} & {*file.parts}]
    found = [str(file) for file in others if READ_BY_KEY.search(file.read_text("utf-8"))]
    assert found == []


@pytest.mark.parametrize("subject", KINDS)
def test_every_kind_of_objective_is_drawn(subject: dict[str, Any]) -> None:
    # A kind that the configuration refused would never be looked at above.
    data = {"path": "d.csv", "target": "y"}
    objective = {"metric": "accuracy", "data": data, **subject}
    definition = define({"study": "s", "objective": objective, "space": {"alpha": [1, 2]}})
    check(RecordedStudy.of(json.loads(json_text(definition.as_json()))), definition)
