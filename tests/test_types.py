"""The public names as an editor sees them: mypy knows the type of each."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import tunesmith
from tunesmith.types import Fit, Params

SCRIPT = """\
import tunesmith
from tunesmith.sklearn import BayesSearchCV, GridSearchCV, RandomizedSearchCV

space = tunesmith.SearchSpace.of({"C": tunesmith.Float(0.1, 10.0, log=True)})
definition = tunesmith.define({"study": "small"}, root="project")
loaded = tunesmith.load_definition("tuning.yaml")
result = tunesmith.tune(definition)
best = result.record.history.best()
params, meta = tunesmith.read_parameters("best_parameters.yaml")
"""
KNOWN = {
    "space": "SearchSpace",
    "space.names": "list[str]",
    "definition": "Definition",
    "definition.file": "File",
    "definition.file.study": "str",
    "definition.file.stop.trials": "int | None",
    "definition.file.objective.cv.folds": "int",
    "definition.space": "SearchSpace",
    "definition.root": "Path",
    "loaded": "Definition",
    "result": "Result",
    "result.best_params": "dict[str, Any] | None",
    "result.best_score": "float | None",
    "result.summary": "Summary",
    "result.summary.gate": "GateVerdict | None",
    "result.figures.history": "StudyFigure",
    "result.report()": "Report",
    "result.model()": "Built",
    "best": "Trial | None",
    "params": "dict[str, Any]",
    "tunesmith.params()": "dict[str, Any]",
    "tunesmith.checkpoint_dir()": "Path | None",
    "tunesmith.Int(1, 3)": "Int",
    "tunesmith.sklearn.GridSearchCV": "GridSearchCV",
    "tunesmith.__version__": "str",
}
"""Types of expressions, without the modules that they come from."""
NO_TYPE = ("Any", "object", "builtins.object")


@pytest.fixture(scope="module")
def revealed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Type of each expression and each public name, as mypy tells it."""
    folder = tmp_path_factory.mktemp("typed")
    names = [*dir(tunesmith)]
    shown = [*KNOWN, *(f"tunesmith.{name}" for name in names)]
    lines = [f"reveal_type({expression})" for expression in shown]
    (folder / "script.py").write_text(SCRIPT + "\n".join(lines) + "\n")
    # Of the package, the types count and not its own mistakes.
    options = ["--strict", "--follow-imports=silent", "--config-file=", "--no-incremental"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "script.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    types = re.findall(r'script\.py:(\d+): note: Revealed type is "(.*)"', done.stdout)
    first = SCRIPT.count("\n") + 1
    return {shown[int(line) - first]: kind for line, kind in types}


@pytest.mark.slow
def test_every_public_name_has_a_type(revealed: dict[str, str]) -> None:
    unknown = [name for name in dir(tunesmith) if revealed[f"tunesmith.{name}"] in NO_TYPE]
    assert unknown == []


@pytest.mark.slow
def test_objects_of_a_study_have_types(revealed: dict[str, str]) -> None:
    plain = {one: re.sub(r"\b(?:\w+\.)+(?=\w)", "", revealed[one]) for one in KNOWN}
    wrong = {
        one: kind
        for one, kind in plain.items()
        # A class is shown by its constructor.
        if kind != KNOWN[one] and not kind.endswith(f"-> {KNOWN[one]}")
    }
    assert wrong == {}


def test_every_public_name_is_in_the_reference() -> None:
    page = (Path(__file__).parents[1] / "docs/api.md").read_text()
    listed = set(re.findall(r"^<!-- ::: tunesmith\.([\w]+)", page, re.MULTILINE))
    assert {*dir(tunesmith)} - listed == {"__version__"}


def test_what_a_training_did_not_give_is_trained_alone() -> None:
    fit = Fit(3, ({"a": 1}, {"a": 2}), ({"a": 4}, {"a": 8}))

    def alone(params: Params, fold: int) -> str:
        return f"{params['a']} on {fold}"

    assert fit.results(["one", None, "four", "eight"], alone=alone) == [
        "one",
        "2 on 3",
        "four",
        "eight",
    ]
    # Extra candidates come all or not at all.
    assert fit.results(["one", "two", "four", None], alone=alone) == ["one", "two"]
    assert fit.results([None] * 4, alone=alone) == ["1 on 3", "2 on 3"]
