"""The goals of CONTRIBUTING.md that have been reached stay reached."""

import ast
import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
MOST = {
    "loose modules": 8,
    "files in the fullest folder": 20,
    # Lower it whenever a test file gets its module's name; a new module comes with one.
    "modules without a test file of their name": 182,
    "class names twice": 0,
    # None so far; a signature that an outside protocol dictates would be the only excuse.
    "functions with more than 5 positional parameters": 0,
    "functions with a local `found`, %": 3,
    "functions that take `definition`": 40,
    "functions of more than 45 lines": 2,
    "docstrings that open with a question word, %": 1,
    '"where" in 10,000 words of docstrings': 9,
    '"where" in 10,000 words of documents': 9,
}
LEAST = {
    '"you" in 1,000 words of documents': 8,
    "comment lines in 100 lines of code": 3,
}


@pytest.fixture(scope="module")
def figures() -> Any:
    spec = importlib.util.spec_from_file_location("house", ROOT / "tools/house.py")
    assert spec is not None
    assert spec.loader is not None
    house = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(house)
    return house.figures(ROOT)


@pytest.mark.parametrize("name", MOST)
def test_there_is_no_more_of_it(figures: Any, name: str) -> None:
    assert figures[name] <= MOST[name]


@pytest.mark.parametrize("name", LEAST)
def test_there_is_enough_of_it(figures: Any, name: str) -> None:
    assert figures[name] >= LEAST[name]


def test_no_property_has_a_deadline() -> None:
    # How long an example takes says how busy a machine is; tests/conftest.py turns deadlines off.
    files = [*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("src/tunesmith/testing/*.py")]
    assert [f for f in files if re.search(r"\bdeadline=(?!None\b)", f.read_text())] == []


def test_deep_json_is_never_a_defect() -> None:
    # Whoever expects text that is no JSON has to expect JSON that is nested too deep, too.
    lacking = []
    for file in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            expected = _expected(node)
            if "ValueError" not in expected:
                continue
            parts = [part for statement in node.body for part in ast.walk(statement)]  # type: ignore[attr-defined]
            reads = any(
                isinstance(part, ast.Call) and ast.unparse(part.func) in ("json.loads", "json.load")
                for part in parts
            )
            general = {"RecursionError", "Exception", "BaseException"}
            if reads and not expected & general:
                lacking.append(f"{file.name}:{node.lineno}")  # type: ignore[attr-defined]
    assert lacking == []


def _expected(node: ast.AST) -> set[str]:
    """Names of the exceptions that a ``try`` or a ``with suppress(…)`` expects."""
    if isinstance(node, ast.Try):
        kinds = [handler.type for handler in node.handlers if handler.type is not None]
        parts = [kind.elts if isinstance(kind, ast.Tuple) else [kind] for kind in kinds]
        return {ast.unparse(one) for part in parts for one in part}
    calls = [item.context_expr for item in node.items] if isinstance(node, ast.With) else []
    return {
        ast.unparse(one)
        for call in calls
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "suppress"
        for one in call.args
    }
