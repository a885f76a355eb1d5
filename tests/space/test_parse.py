import numpy as np
import pytest
from scipy import stats

from tunesmith.errors import UsageError
from tunesmith.space import Categorical, Distribution, Float, Int
from tunesmith.space.parse import from_python, parse_space


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


def test_all_violations_come_at_once() -> None:
    space, violations = parse_space({"a": [], "b": {"int": [3, 1]}, "c": {"float": ["x", 1]}})
    assert space is None
    assert [v.path[0] for v in violations] == ["a", "b", "c"]


def test_parameters_may_be_called_anything() -> None:
    space, violations = parse_space({"parameters": [1, 2], "values": [3]})
    assert violations == []
    assert space is not None
    assert space.names == ["parameters", "values"]


def test_constraints_among_the_parameters_are_noticed() -> None:
    space, (violation,) = parse_space({"a": [1, 2], "constraints": ["a > 1"]})
    assert space is None
    assert "parameters: {…}, constraints: […]" in violation.hint
    # An estimator may well have such a parameter.
    assert parse_space({"constraints": ["none", "linear"]})[0] is not None
