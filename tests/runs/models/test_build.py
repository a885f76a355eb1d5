import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

import tunesmith
from tunesmith.errors import UsageError
from tunesmith.runs.result import Result

X, Y = make_classification(90, 5, random_state=0)


@pytest.fixture(scope="module")
def result() -> Result:
    return tunesmith.tune(
        LogisticRegression(),
        X,
        Y,
        space={"C": [0.01, 0.1, 1.0, 10.0]},
        search="grid",
        cv=3,
        metric="roc_auc",
        models={},
        workers=1,
        progress=False,
    )


def test_results_give_models_of_every_kind(result: Result) -> None:
    best, average, ensemble = (result.model(kind) for kind in ("best", "average", "ensemble"))
    assert np.array_equal(best.model.predict_proba(X), result.best_estimator().predict_proba(X))
    assert (average.n_fits, ensemble.n_fits) == (0, 0)
    assert ensemble.worth is not None
    assert ensemble.worth.chosen >= (result.best_score or 1) - 1e-12
    for built in (best, average, ensemble):
        assert built.cost is not None
        assert built.cost.n_models == len(getattr(built.model, "models_", [0]))
    with pytest.raises(UsageError, match="no kind `mean`"):
        result.model("mean")


def test_results_give_exact_predictions(result: Result) -> None:
    table = result.oof_predictions()
    expected = cross_val_predict(
        LogisticRegression(**(result.best_params or {})), X, Y, cv=3, method="predict_proba"
    )
    told = table.sort_values("row")[["probability_0", "probability_1"]].to_numpy()
    assert np.array_equal(told, expected)
    assert len(result.oof_predictions(2)) == 2 * len(X)


def test_functions_give_no_models() -> None:
    found = tunesmith.tune(
        lambda params: params["x"], space={"x": [1.0, 2.0]}, search="grid", progress=False
    )
    with pytest.raises(UsageError, match="gives no models"):
        found.model()
