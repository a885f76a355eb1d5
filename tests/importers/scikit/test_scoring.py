import ast
from typing import Any

import pytest

from tunesmith.importers.draft import Draft
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.refusal import Refused
from tunesmith.importers.scikit.scoring import put_metric

IMPORTS = "from sklearn.metrics import *\nfrom sklearn.metrics import f1_score, make_scorer\n"
IMPORTS += "from sklearn.metrics import mean_squared_error\n"


def objective(expression: str, estimator: str = "sklearn.svm.SVC") -> Any:
    module = PythonModule(ast.parse(f"{IMPORTS}{expression}"))
    last = module.tree.body[-1]
    assert isinstance(last, ast.Expr)
    draft = Draft("tool", "a.py:1")
    draft.put(("objective", "estimator"), estimator)
    put_metric(draft, module, last.value, None)
    return draft.content["objective"]["metric"]


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("None", "accuracy"),
        ("'roc_auc'", "roc_auc"),
        ("make_scorer(f1_score, average='macro')", "f1_macro"),
        (
            "make_scorer(mean_squared_error, greater_is_better=False)",
            "neg_mean_squared_error",
        ),
        ("{'a': 'f1', 'b': 'accuracy'}", "f1"),
    ],
)
def test_scorers(expression: str, name: str) -> None:
    assert objective(expression) == name


def test_the_score_of_a_regressor() -> None:
    assert objective("None", "sklearn.linear_model.Ridge") == "r2"


@pytest.mark.parametrize(
    "expression",
    [
        "'mean_squared_error'",
        "make_scorer(mean_squared_error)",
        "make_scorer(f1_score, pos_label=2)",
        "make_scorer(mine)",
        "scorer()",
    ],
)
def test_refused(expression: str) -> None:
    with pytest.raises(Refused):
        objective(expression)


def test_an_estimator_without_an_equal_score() -> None:
    with pytest.raises(Refused, match="no metric here equals"):
        objective("None", "sklearn.preprocessing.StandardScaler")
