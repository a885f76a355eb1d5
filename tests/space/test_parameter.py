import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.space import Categorical, Distribution, Float, Int, Parameter
from tunesmith.space.parameter import canonical_json
from tunesmith.space.parse import parse_space
from tunesmith.testing.strategies import parameters

units = st.floats(0, 1, exclude_max=True)


@given(parameters(), units)
def test_every_quantile_is_a_value_in_canonical_form(parameter: Parameter, u: float) -> None:
    value = parameter.at(u)
    assert canonical_json(parameter.canonical(value)) == canonical_json(value)


@given(parameters(), units)
def test_unit_is_the_inverse_of_at(parameter: Parameter, u: float) -> None:
    value = parameter.at(u)
    found = parameter.unit(value)
    assert 0 <= found <= 1
    back = parameter.at(min(found, math.nextafter(1.0, 0.0)))
    if parameter.n_levels is None:
        assert back == pytest.approx(value, rel=1e-6, abs=1e-9)
    else:
        assert canonical_json(back) == canonical_json(value)


@given(parameters(finite=True))
def test_levels_are_the_values_in_order(parameter: Parameter) -> None:
    assert parameter.n_levels is not None
    levels = [parameter.level(index) for index in range(parameter.n_levels)]
    assert len({canonical_json(level) for level in levels}) == parameter.n_levels
    assert [canonical_json(parameter.canonical(level)) for level in levels] == [
        canonical_json(level) for level in levels
    ]


@given(parameters())
def test_a_definition_reads_back(parameter: Parameter) -> None:
    definition = json.loads(canonical_json(parameter.to_json()))
    space, violations = parse_space({"x": definition})
    assert violations == []
    assert space is not None
    assert space.boxes[0].parameters["x"] == parameter


def test_numbers_are_folded_where_the_parameter_is_a_number() -> None:
    assert canonical_json(Int(0, 10**7).canonical(3e6)) == "3000000"
    assert canonical_json(Float(0, 1e7).canonical(3000000)) == "3000000.0"
    assert Categorical((3e6, "x")).canonical(3000000) == 3e6


def test_choices_are_told_apart_as_json_does() -> None:
    parameter = Categorical((1, 1.0, True, "1"))
    assert [parameter.index(value) for value in (1, 1.0, True, "1")] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="not one of"):
        parameter.index(False)


def test_log_ranges_are_even_over_orders_of_magnitude() -> None:
    assert [Float(1e-4, 1, log=True).at(u) for u in (0.25, 0.5, 0.75)] == [1e-3, 1e-2, 0.1]


def test_every_whole_number_has_the_same_share() -> None:
    parameter = Int(1, 3)
    found = [parameter.at(u / 300) for u in range(300)]
    assert [found.count(n) for n in (1, 2, 3)] == [100, 100, 100]


@pytest.mark.parametrize("wrong", ["3", None, True, math.nan, math.inf, 3.5, 11, -1])
def test_what_is_no_value_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"is not|is outside"):
        Int(0, 10).canonical(wrong)  # type: ignore[arg-type]


def test_distributions_keep_their_quantiles() -> None:
    from scipy import stats

    parameter = Distribution("gamma", (2.0,), {"scale": 3.0})
    assert parameter.at(0.3) == pytest.approx(stats.gamma(2.0, scale=3.0).ppf(0.3))
    assert parameter.unit(parameter.at(0.3)) == pytest.approx(0.3)
    assert isinstance(Distribution("poisson", (4.0,)).at(0.5), int)


def test_the_last_step_of_a_ladder_never_leaves_the_range() -> None:
    ladder = Float(0.562, 0.562 + 19 * 0.1, step=0.1)
    last = ladder.level((ladder.n_levels or 0) - 1)
    assert last <= ladder.high
    assert ladder.canonical(last) == last
