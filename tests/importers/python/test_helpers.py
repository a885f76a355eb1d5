import ast

import pytest

from tunesmith.importers.python.helpers import calls_of_helper
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.refusal import Refused

HELPER = """\
from kit import One, Two, load
def run(model, grid, X, folds=3, kind="a"):
    if kind == "a":
        score = "f1"
    else:
        score = "r2"
    return Search(model, grid, cv=folds, scoring=score)
"""


def value(module: PythonModule, node: ast.expr) -> ast.expr:
    try:
        return module.value(node)[0] if isinstance(node, ast.Name) else node
    except Refused:
        return node


def searches(text: str) -> list[tuple[str, str]]:
    """Return the name and the call of each run, with names that it sets replaced by values."""
    module = PythonModule(ast.parse(text))
    call = next(c for c, name in module.calls() if name == "Search")
    runs = calls_of_helper(module, call, lambda path, call: None)
    found = []
    for run in runs:
        given = [*run.call.args, *(word.value for word in run.call.keywords)]
        values = [value(run.module, node) for node in given]
        found.append((run.words, ", ".join(map(ast.unparse, values))))
    return found


def test_each_call_is_a_run() -> None:
    text = "def main():\n    grid = {'n': [1, 2]}\n    run(One(), grid, load())\n"
    text += "run(Two(3), {}, X, 5, 'b')"
    assert searches(HELPER + text) == [
        ("One", "One(), {'n': [1, 2]}, 3, 'f1'"),
        ("Two", "Two(3), {}, 5, 'r2'"),
    ]


def test_a_single_call_needs_no_name() -> None:
    assert searches(f"{HELPER}run(grid={{}}, model=One(), X=X)") == [("", "One(), {}, 3, 'f1'")]


@pytest.mark.parametrize(
    "text",
    [
        "run(*parts)",
        "run(**parts)",
        "def run(model):\n    return model\nrun(One(), {}, X)",
        "\n".join(["run(One(), {}, X)"] * 17),
    ],
)
def test_without_certain_calls_there_are_no_runs(text: str) -> None:
    assert searches(f"{HELPER}{text}") == []


def test_without_a_call_the_defaults_count_and_are_told() -> None:
    module = PythonModule(ast.parse(HELPER))
    call = next(c for c, name in module.calls() if name == "Search")
    (run,) = calls_of_helper(module, call, lambda path, call: None)
    assert ast.unparse(run.call) == "Search(model, grid, cv=3, scoring=score)"
    assert "`folds`, `kind` are arguments of `run`, which this file does not call" in run.note


def test_inner_functions_see_the_arguments_of_the_outer_one() -> None:
    text = "from kit import One\ndef run(model, n=2):\n    def inner(n, m):\n"
    text += "        return Search(model, n)\n    return inner\nrun(One())"
    assert searches(text) == [("", "One(), n")]


def test_what_the_function_sets_keeps_its_name() -> None:
    text = HELPER.replace("    if kind", "    model = wrap(model)\n    if kind", 1)
    ((_, shown),) = searches(f"{text}run(One(), {{}}, X)")
    assert shown.startswith("wrap(model)")
