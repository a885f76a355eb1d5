import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from tests.models.test_material import Source, X

from tunesmith.errors import UsageError
from tunesmith.models.build import RankedTrial, average_of, candidates_for, cost_of, ensemble_of
from tunesmith.models.material import Material

CANDIDATES = [RankedTrial(4, {"fit_intercept": True}), RankedTrial(1, {"fit_intercept": False})]


def test_the_average_is_that_of_the_fold_models() -> None:
    material = Material(Source())
    built = average_of(material, CANDIDATES[0])
    models = [Source().fold_model(CANDIDATES[0].params, fold) for fold in (0, 1)]
    assert np.allclose(built.model.predict(X), sum(m.predict(X) for m in models) / 2)
    assert (built.n_fits, built.members[0].trial, built.members[0].weight) == (2, 4, 1.0)


def test_the_ensemble_tells_its_worth() -> None:
    built = ensemble_of(Material(Source()), CANDIDATES, sign=1, default=1)
    assert built.worth is not None
    assert built.single is not None
    assert built.default is not None
    assert sum(one.weight for one in built.members) == pytest.approx(1)
    assert built.worth.chosen >= built.default.chosen
    with pytest.raises(UsageError, match="needs a trial"):
        ensemble_of(Material(Source()), [], sign=1)


def test_candidates_that_must_be_in_are_in() -> None:
    many = [RankedTrial(number, {"n": number}) for number in range(9)]
    chosen = candidates_for(Material(Source()), many, always_in=(7,))
    assert [one.number for one in chosen] == [0, 1, 2, 3, 4, 7]


def test_costs_are_measured() -> None:
    built = average_of(Material(Source()), CANDIDATES[0])
    cost = cost_of(built.model, X)
    assert cost.n_models == 2
    assert cost.n_bytes > 100
    assert cost.ms_per_1000 > 0


def test_a_model_that_no_file_can_hold_is_refused_with_the_reason() -> None:
    X = np.arange(20.0)[:, None]
    front = FunctionTransformer(lambda rows: rows + 1)
    model = make_pipeline(front, LinearRegression()).fit(X, X[:, 0])
    with pytest.raises(UsageError, match="cannot be stored") as told:
        cost_of(model, X)
    assert "make it a function of a module" in str(told.value)
    assert "lambda" in str(told.value)
