import ast

import pytest

from tunesmith.importers.draft import Draft
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.refusal import Refused
from tunesmith.importers.scikit.folds import put_folds

OF_SKLEARN = "sklearn.model_selection."


def folds(expression: str) -> object:
    module = PythonModule(ast.parse(f"from sklearn.model_selection import *\n{expression}"))
    last = module.tree.body[-1]
    assert isinstance(last, ast.Expr)
    draft = Draft("tool", "a.py:1")
    put_folds(draft, module, last.value)
    return draft.content["objective"]["cv"]


@pytest.mark.parametrize(
    ("expression", "section"),
    [
        ("7", 7),
        ("None", 5),
        ("folds", 5),
        ("KFold(4)", {"method": "kfold", "folds": 4}),
        ("StratifiedKFold(n_splits=n)", {"method": "stratified"}),
        (
            "KFold(n_splits=4, shuffle=True, random_state=3)",
            {"method": "kfold", "folds": 4, "shuffle": True, "seed": 3},
        ),
        ("KFold(4, random_state=None)", {"method": "kfold", "folds": 4}),
        ("TimeSeriesSplit(3, gap=2)", {"method": "time_series", "folds": 3, "gap": 2}),
        (
            "RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=1)",
            {"method": "stratified", "folds": 3, "repeats": 2, "shuffle": True, "seed": 1},
        ),
        (
            "ShuffleSplit(n_splits=3, test_size=0.3, random_state=1)",
            {"method": "shuffle_split", "folds": 3, "test_fraction": 0.3, "seed": 1},
        ),
        ("LeaveOneOut()", {"splitter": f"{OF_SKLEARN}LeaveOneOut"}),
        ("LeavePOut(2)", {"splitter": f"{OF_SKLEARN}LeavePOut", "params": {"p": 2}}),
        (
            "TimeSeriesSplit(3, max_train_size=9)",
            {
                "splitter": f"{OF_SKLEARN}TimeSeriesSplit",
                "params": {"n_splits": 3, "max_train_size": 9},
            },
        ),
        (
            "ShuffleSplit(3, test_size=10)",
            {
                "splitter": f"{OF_SKLEARN}ShuffleSplit",
                "params": {"n_splits": 3, "test_size": 10, "random_state": 0},
            },
        ),
    ],
)
def test_splitters(expression: str, section: object) -> None:
    assert folds(expression) == section


@pytest.mark.parametrize(
    "expression",
    [
        "GroupKFold(3, shuffle=True, random_state=1, odd=2)",
        "TimeSeriesSplit(3, odd=9)",
        "MySplits(3)",
        "1",
    ],
)
def test_refused(expression: str) -> None:
    with pytest.raises(Refused):
        folds(expression)
