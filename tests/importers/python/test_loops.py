import ast
from pathlib import Path

import pytest

from tunesmith.importers.convert import convert, find
from tunesmith.importers.python.loops import runs_of
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.source import Source

HEAD = """
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
models = [SVC(), DecisionTreeClassifier(max_depth=3)]
grids = [{"C": [1, 2]}, {"criterion": ["gini", "entropy"]}]
setups = {
    "svc": {"model": SVC(), "grid": {"C": [1, 2]}},
    "tree": {"model": DecisionTreeClassifier(), "grid": {"criterion": ["gini", "entropy"]}},
}
found = []
n = 0
"""
DEEPER = "      s = GridSearchCV(model, grid, cv=3)\n      s.fit(X, y)\n"
CALL = "    s = GridSearchCV(model, grid, cv=3)\n    s.fit(X, y)\n"


def spaces(text: str) -> dict[str, object]:
    """The space of every search of a script, by its name."""
    source = Source(Path("a.py"), HEAD + text)
    return {one.name: convert(source, one).content["space"] for one in find(source)}


BOTH = {"s-SVC": {"C": [1, 2]}, "s-DecisionTreeClassifier": {"criterion": ["gini", "entropy"]}}


@pytest.mark.parametrize(
    "loop",
    [
        "for model, grid in zip(models, grids):\n",
        "for i, (model, grid) in enumerate(zip(models, grids)):\n    print(i)\n",
        (
            "for model, grid in [(SVC(), {'C': [1, 2]}), (DecisionTreeClassifier(),"
            " {'criterion': ['gini', 'entropy']})]:\n"
        ),
    ],
)
def test_a_search_in_a_loop_is_one_for_each_value(loop: str) -> None:
    assert spaces(f"{loop}{CALL}    found.append(s)\n") == BOTH


def test_values_of_a_mapping_are_found_by_their_keys() -> None:
    call = "    s = GridSearchCV(one['model'], one['grid'], cv=3)\n    s.fit(X, y)\n"
    assert list(spaces(f"for name, one in setups.items():\n{call}")) == ["s-svc", "s-tree"]
    assert list(spaces(f"for one in setups.values():\n{call}").values()) == list(BOTH.values())


def test_the_metric_may_be_what_changes() -> None:
    text = (
        "for score in ['accuracy', 'f1_macro']:\n"
        "    s = GridSearchCV(SVC(), {'C': [1, 2]}, scoring=score)\n    s.fit(X, y)\n"
    )
    source = Source(Path("a.py"), HEAD + text)
    drafts = [convert(source, one).content for one in find(source)]
    assert [one["objective"]["metric"] for one in drafts] == ["accuracy", "f1_macro"]
    assert [one["study"] for one in drafts] == ["a-accuracy", "a-f1_macro"]


@pytest.mark.parametrize(
    "text",
    [
        f"for model, grid in zip(models, other()):\n{CALL}",
        f"for model, grid in zip(models, grids):\n    if n: continue\n{CALL}",
        f"for model, grid in zip(models, grids):\n    grid = {{'C': [n]}}\n{CALL}",
        f"for model, grid in zip(models, grids):\n    print(n)\n{CALL}    n = 1\n",
        f"for model, grid in zip(models, grids):\n    found.append(grid)\n{CALL}",
        f"models.append(SVC())\nfor model, grid in zip(models, grids):\n{CALL}",
        f"for x in [1]:\n  for model, grid in zip(models, grids):\n{DEEPER}",
        f"for model, grid in zip(models, grids):\n{CALL}else:\n    pass\n",
        f"while n:\n    model, grid = models[0], grids[0]\n{CALL}",
        f"n = 2\nfor model, grid in [(SVC(gamma=n), grids[0])]:\n{CALL}",
    ],
)
def test_a_loop_whose_runs_are_not_certain_stays_one_search(text: str) -> None:
    module = PythonModule(ast.parse(HEAD + text))
    (call,) = [call for call, name in module.calls() if name.endswith("GridSearchCV")]
    assert runs_of(module, call) == []
