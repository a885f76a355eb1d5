"""Reading spaces."""

from tunesmith.space.parse import parse_space


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
