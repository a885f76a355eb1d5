import ast

import pytest

from tunesmith.importers.draft import Draft
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.refusal import Refused
from tunesmith.importers.scikit.estimator import is_classifier, put_estimator

IMPORTS = """\
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC
import lightgbm
"""


def objective(expression: str) -> object:
    module = PythonModule(ast.parse(f"{IMPORTS}{expression}"))
    draft = Draft("tool", "a.py:1")
    last = module.tree.body[-1]
    assert isinstance(last, ast.Expr)
    put_estimator(draft, module, last.value)
    return draft.content["objective"]


def test_pipelines() -> None:
    steps = [
        {"name": "pca", "estimator": "sklearn.decomposition.PCA", "params": {"n_components": 2}},
        {"name": "svc", "estimator": "sklearn.svm.SVC"},
    ]
    assert objective("make_pipeline(PCA(n_components=2), SVC())") == {"steps": steps}
    text = "steps = [('pca', PCA(n_components=2)), ('svc', SVC())]\nPipeline(steps)"
    assert objective(text) == {"steps": steps}
    assert objective("make_pipeline(PCA(2), SVC())") == {"steps": steps}


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("SVC(1.0)", "more arguments"),
        ("lightgbm.LGBMClassifier(1)", "must all be named"),
        ("Unknown()", "no import"),
        ("models[0]", "not made by a call"),
        ("SVC(C=c)", "no value that this file tells"),
        ("make_pipeline(SVC(), SVC())", "two steps"),
        ("Pipeline([('a', make_pipeline(SVC()))])", "within a pipeline"),
    ],
)
def test_refused(expression: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        objective(expression)


def test_kinds() -> None:
    assert is_classifier("sklearn.preprocessing.StandardScaler") is None
    assert is_classifier("xgboost.XGBClassifier") is True
