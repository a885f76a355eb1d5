from typing import Any

import numpy as np
from sklearn.linear_model import LinearRegression

from tunesmith.models.material import FoldRows, Material, ModelSource
from tunesmith.models.predictions import predictions_of
from tunesmith.types import Params

X = np.arange(8.0)[:, None]
Y = np.array([0.0, 1, 2, 2, 4, 5, 7, 7])
TESTS = [np.array([0, 1, 2, 3]), np.array([4, 5, 6, 7])]


class Source:
    n_folds = 2

    def key(self, params: Params, fold: int) -> str:
        return f"{sorted(params.items())}/{fold}"

    def unfitted(self, params: Params) -> Any:
        return LinearRegression(**params)

    def fold_model(self, params: Params, fold: int) -> Any:
        other = TESTS[1 - fold]
        return self.unfitted(params).fit(X[other], Y[other])

    def test_rows(self, fold: int) -> FoldRows:
        return FoldRows(X[TESTS[fold]], Y[TESTS[fold]], TESTS[fold])

    def fold_score(self, model: Any, fold: int) -> float:
        return float(model.score(X[TESTS[fold]], Y[TESTS[fold]]))


def test_models_are_fitted_once() -> None:
    source = Source()
    assert isinstance(source, ModelSource)
    material = Material(source)
    answers = material.answers({"fit_intercept": True})
    assert material.n_fits == 2
    assert len(material.models({"fit_intercept": True})) == 2
    assert material.n_fits == 2
    assert not material.has({"fit_intercept": True})
    assert answers[0].n_rows == 4


def test_predictions_are_those_of_the_fold_models() -> None:
    table = predictions_of(Material(Source()), {3: {"fit_intercept": False}}, {"file_row": X[:, 0]})
    assert list(table.columns) == ["trial", "row", "fold", "file_row", "target", "prediction"]
    model = LinearRegression(fit_intercept=False).fit(X[TESTS[1]], Y[TESTS[1]])
    assert np.array_equal(table["prediction"][:4], model.predict(X[:4]))
    assert table["target"].tolist() == Y.tolist()
    assert predictions_of(Material(Source()), {}).empty
