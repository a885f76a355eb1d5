import json
import sys
from pathlib import Path

import jsonschema
import pytest
from scipy.stats import loguniform
from tests.config.test_messages import BROKEN, GOOD, METRIC, written

from tunesmith.config.load import define, load_definition, located, project_root
from tunesmith.config.reference import reference_markdown
from tunesmith.config.schema import json_schema
from tunesmith.config.source import read_document
from tunesmith.errors import ConfigError, UsageError

EDITOR = jsonschema.Draft202012Validator(json_schema())
FULL = """\
$schema: tuning.schema.json
study: full
objective:
  steps:
    - {estimator: sklearn.preprocessing.StandardScaler}
    - {name: model, estimator: sklearn.svm.SVC, params: {cache_size: 100}}
  preprocess: auto
  random_state: 7
  data:
    path: [a.csv, b.csv]
    target: y
    groups: g
    weights: w
    rows: "age >= 18"
    holdout: {fraction: 0.2, stratify: true}
  cv: {method: stratified_group, folds: 4, shuffle: true, repeats: 2}
  metric: [recall, {name: fit_time, direction: minimize}]
  also: [{name: mine, scorer: pkg.metrics:mine, direction: minimize}]
space:
  - kernel: [rbf, poly]
    C: {float: [1.0e-3, 1000], log: true}
    degree: {int: [2, 5], when: {kernel: poly}}
    gamma: {values: [scale, auto], when: {kernel: [rbf, poly]}}
  - kernel: linear
    C: {scipy: loguniform, args: [0.1, 10]}
search: {method: bayesian, sampler: tpe, seed: 3, window: 4, start_with: [defaults, current]}
stop:
  trials: 50
  time: 1h30m
  any: [{target: 0.9}, {all: [{patience: 10}, {convergence: {window: 5}}]}]
outputs: {best: config/best.toml, report: out/r.md, trials: out/t.jsonl}
execution: {workers: 2, fit_timeout: 90s}
"""


def test_a_full_file_loads_and_fits_the_schema(tmp_path: Path) -> None:
    path = tmp_path / "tuning.yaml"
    path.write_text(FULL)
    definition = load_definition(path)
    assert definition.file.stop.time == 5400.0
    assert definition.file.execution.fit_timeout == 90.0
    assert len(definition.space.boxes) == 2
    assert definition.ledger == tmp_path / ".tunesmith/ledger.db"
    EDITOR.validate(read_document(path).data)


SCHEMA_SEES = (
    "a list", "unknown section", "missing sections", "unknown key", "text for a number",
    "zero trials", "bad study name", "bad import path", "bad direction",
    "misspelt splitter", "three bounds", "no kind", "unknown option", "empty list",
)  # fmt: skip


@pytest.mark.parametrize("case", SCHEMA_SEES)
def test_editors_see_what_a_schema_can_say(tmp_path: Path, case: str) -> None:
    data = read_document(written(tmp_path, BROKEN[case])).data
    with pytest.raises(jsonschema.ValidationError):
        EDITOR.validate(data)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize(
    "grid", [{"C": [1, 10], "kernel": ["rbf"]}, [{"C": [1, 10]}, {"kernel": ["rbf", "linear"]}]]
)
def test_a_scikit_learn_param_grid_is_a_space_as_it_is(tmp_path: Path, grid: object) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/parameters.json").write_text(json.dumps(grid))
    path = written(tmp_path, {"space": "space: config/parameters.json"})
    assert "C" in load_definition(path).space.names


def test_violations_in_a_space_file_point_into_it(tmp_path: Path) -> None:
    (tmp_path / "grid.json").write_text('{\n  "C": [1, 1]\n}')
    with pytest.raises(ConfigError) as caught:
        load_definition(written(tmp_path, {"space": "space: grid.json"}))
    assert str(caught.value) == "grid.json:2:3: C: the value 1 is listed twice."


def test_an_unreadable_space_file_hides_no_other_violation(tmp_path: Path) -> None:
    for name, content in (
        ("big.json", b" " * (2 << 20)),
        ("latin.json", b"\xff"),
        ("bad.json", b"{"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigError) as caught:
            load_definition(written(tmp_path, {"space": f"space: {name}", "stop": "stop: {x: 1}"}))
        assert len(caught.value.violations) == 2
        assert name in str(caught.value)


def test_what_the_command_line_broke_is_not_in_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_definition(written(tmp_path, {}), overrides={"time": "soon", "seed": -1})
    assert [str(v.place) for v in caught.value.violations] == ["--seed", "--time"]


def test_errors_from_further_down_are_located(tmp_path: Path) -> None:
    path = written(tmp_path, {"objective": METRIC.format("r2").replace(": {est", ":\n  {est")})
    text = (
        "data.target: no such column\n  Hint: none\nspace.C: odd\nelse.where: odd\nseven words: odd"
    )
    assert str(located(UsageError(text), path)).replace(str(path), "F").splitlines() == [
        "F:3:40: objective.data.target: no such column",
        "  Hint: none",
        "F:4:9: space.C: odd",
        "else.where: odd",
        "seven words: odd",
    ]


def test_overrides_replace_single_keys(tmp_path: Path) -> None:
    path = written(tmp_path, {"stop": "stop: {trials: 10, patience: 4}"})
    changes = {"trials": 3, "time": "5m", "seed": 9, "workers": None}
    file = load_definition(path, overrides=changes).file
    assert (file.stop.trials, file.stop.patience, file.stop.time) == (3, 4, 300.0)
    assert file.search.seed == 9
    assert file.execution.workers is None


def test_the_project_is_around_config_and_studies(tmp_path: Path) -> None:
    assert project_root(tmp_path / "tuning.yaml") == tmp_path
    assert project_root(tmp_path / "config/tuning_config.json") == tmp_path
    assert project_root(tmp_path / "studies/grid.yaml") == tmp_path


def test_loading_imports_nothing_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')")
    objective = GOOD["objective"].replace("sklearn.svm.SVC", "trap.Model")
    sys.path.insert(0, str(tmp_path))
    try:
        load_definition(written(tmp_path, {"objective": objective}))
    finally:
        sys.path.remove(str(tmp_path))
    assert "trap" not in sys.modules


def test_the_reference_speaks_of_every_key() -> None:
    text = reference_markdown()
    for key in ("study", "stratify", "window", "first_failures", "fit_timeout", "test_fraction"):
        assert f"| `{key}` |" in text


def test_a_definition_from_python_is_that_of_a_file(tmp_path: Path) -> None:
    objective = {"estimator": "a.B", "data": {"path": "d.csv", "target": "y"}, "metric": "r2"}
    rest = {"study": "s", "objective": objective, "search": {"seed": 3}, "stop": {"trials": 9}}
    (tmp_path / "tuning.json").write_text(
        json.dumps({**rest, "space": {"C": {"float": [0.1, 10.0], "log": True}, "k": ["a", "b"]}})
    )
    read = load_definition(tmp_path / "tuning.json")
    written = define({**rest, "space": {"C": loguniform(0.1, 10), "k": ("a", "b")}}, root=tmp_path)
    assert (written.file, written.space) == (read.file, read.space)
    assert define({**rest, "space": read.space}, root=tmp_path).space is read.space


def test_a_definition_from_python_tells_every_violation() -> None:
    with pytest.raises(ConfigError) as caught:
        define({"study": "a b", "objective": {}, "space": {"C": {"float": [3, 1]}}})
    text = str(caught.value)
    for part in ("study", "objective.data", "objective.metric", "space.C"):
        assert part in text
    with pytest.raises(UsageError, match="`estimators`"):
        define({"study": "s", "space": {"model": [object()]}})


def test_a_path_may_be_a_text(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    assert load_definition(str(path)) == load_definition(path)
