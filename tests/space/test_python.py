"""Spaces as Python code writes them."""

import numpy as np
import pytest
from optuna import distributions
from scipy import stats

from tunesmith.errors import UsageError
from tunesmith.space import Categorical, Distribution, Float, Int
from tunesmith.space.python import from_python


def test_scipy_distributions_become_ranges_where_they_are() -> None:
    space = from_python(
        {
            "a": stats.uniform(1, 4),
            "b": stats.loguniform(1e-3, 10),
            "c": stats.randint(2, 9),
            "d": stats.expon(scale=2.0),
            "e": [1, None, "x"],
            "f": np.logspace(0, 2, 3),
        }
    )
    assert space.boxes[0].parameters == {
        "a": Float(1.0, 5.0),
        "b": Float(1e-3, 10.0, log=True),
        "c": Int(2, 8),
        "d": Distribution("expon", (), {"scale": 2.0}),
        "e": Categorical((1, None, "x")),
        "f": Categorical((1.0, 10.0, 100.0)),
    }


def test_numpy_scalars_become_plain_values() -> None:
    space = from_python({"a": np.array([1, 2]), "b": [np.float64(0.5), np.bool_(True)]})
    choices = space.boxes[0].parameters
    assert choices["a"] == Categorical((1, 2))
    assert [type(v) for v in choices["b"].choices] == [float, bool]  # type: ignore[union-attr]


def test_objects_are_refused_with_the_way_out() -> None:
    with pytest.raises(UsageError, match="named `estimators` instead"):
        from_python({"model": [object()]})
    with pytest.raises(UsageError, match="expected a list"):
        from_python({"C": 3})
    with pytest.raises(UsageError, match="expected a list"):
        from_python({"kernel": "rbf"})


def test_optuna_distributions_become_parameters() -> None:
    space = from_python(
        {
            "a": distributions.FloatDistribution(0, 1),
            "b": distributions.FloatDistribution(1e-3, 1, log=True),
            "c": distributions.IntDistribution(1, 10),
            "d": distributions.IntDistribution(2, 10, step=4),
            "e": distributions.IntDistribution(1, 100, log=True),
            "f": distributions.CategoricalDistribution(["x", None, 2]),
        }
    )
    assert space.boxes[0].parameters == {
        "a": Float(0.0, 1.0),
        "b": Float(1e-3, 1.0, log=True),
        "c": Int(1, 10),
        "d": Int(2, 10, step=4),
        "e": Int(1, 100, log=True),
        "f": Categorical(("x", None, 2)),
    }
