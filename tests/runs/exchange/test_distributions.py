"""Parameters in Optuna's words: every point of any space is in the distributions."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from tunesmith.runs.exchange.distributions import boxes, read, told
from tunesmith.space import Box, Categorical, Float, Int, Parameter, SearchSpace


def one(*parameters: Parameter, values: list[Any]) -> Any:
    """Distribution of a name that has these parameters in as many boxes, and the values in it."""
    space = SearchSpace(tuple(Box({"x": parameter}) for parameter in parameters))
    found = told(space, [{"x": value} for value in values])["x"]
    for value in values:
        assert found.distribution._contains(found.distribution.to_internal_repr(found.value(value)))
    return found


def test_ranges_stay_as_they_are() -> None:
    assert one(Float(0.1, 1), values=[0.5]).distribution == FloatDistribution(0.1, 1)
    log = one(Float(0.1, 1, log=True), values=[0.5]).distribution
    assert log == FloatDistribution(0.1, 1, log=True)
    step = one(Float(0.1, 1, step=0.1), values=[0.5]).distribution
    assert step == FloatDistribution(0.1, 1, step=0.1)
    assert one(Int(2, 9, step=3), values=[5]).distribution == IntDistribution(2, 8, step=3)
    assert one(Int(1, 9, log=True), values=[5]).distribution == IntDistribution(1, 9, log=True)
    assert one(Int(3, 3), values=[3]).distribution == IntDistribution(3, 3)


def test_ranges_of_several_boxes_are_joined() -> None:
    joined = one(Int(1, 4), Int(3, 9), values=[2, 9]).distribution
    assert joined == IntDistribution(1, 9)
    joined = one(Int(1, 4, log=True), Float(0.5, 2), values=[4, 0.5]).distribution
    assert joined == FloatDistribution(0.5, 4)
    assert one(Int(0, 4, step=2), Int(1, 5, step=2), values=[0, 5]).distribution.step == 1


def test_values_beyond_the_space_widen_it() -> None:
    assert one(Int(0, 8, step=4), values=[4, 5]).distribution == IntDistribution(0, 8)
    assert one(Float(1, 2), values=[0.5]).distribution == FloatDistribution(0.5, 2)
    budget = told(SearchSpace((Box({"x": Int(1, 2)}),)), [{"x": 1, "epochs": n} for n in (3, 9)])
    assert budget["epochs"].distribution == IntDistribution(3, 9)


def test_choices_that_optuna_cannot_tell_apart_are_texts() -> None:
    plain = one(Categorical(("sqrt", None, 0.5)), values=[None])
    assert plain.distribution == CategoricalDistribution(("sqrt", None, 0.5))
    listed: list[tuple[Any, ...]] = [(1, 1.0, True), ([1, 2], [3]), ({"a": 1}, "b")]
    for choices in listed:
        found = one(Categorical(choices), values=list(choices))
        assert found.is_json
        assert len(found.distribution.choices) == len(choices)
    mixed = one(Categorical(("auto",)), Int(1, 5), values=["auto", 3])
    assert mixed.distribution == CategoricalDistribution(("auto", 3))


@pytest.mark.parametrize(
    ("distribution", "written"),
    [
        (FloatDistribution(0.1, 1, log=True), {"float": [0.1, 1], "log": True}),
        (FloatDistribution(0, 1, step=0.25), {"float": [0, 1], "step": 0.25}),
        (IntDistribution(1, 9), {"int": [1, 9]}),
        (IntDistribution(1, 9, step=2), {"int": [1, 9], "step": 2}),
        (IntDistribution(4, 4), [4]),
        (CategoricalDistribution(("a", None)), ["a", None]),
    ],
    ids=str,
)
def test_distributions_are_read(distribution: BaseDistribution, written: Any) -> None:
    assert read(distribution) == written


def test_trials_of_the_same_names_make_a_box() -> None:
    x, k = IntDistribution(1, 9), CategoricalDistribution(("a", "b"))
    assert boxes([{"x": x}, {"k": k, "x": x}, {}, {"x": x}]) == [
        {"x": {"int": [1, 9]}},
        {"k": ["a", "b"], "x": {"int": [1, 9]}},
    ]


@pytest.mark.parametrize(
    ("several", "written"),
    [
        ([FloatDistribution(0, 1), FloatDistribution(0, 2)], {"float": [0, 2]}),
        (
            [IntDistribution(1, 9, step=2), IntDistribution(1, 5, step=2)],
            {"int": [1, 9], "step": 2},
        ),
        ([IntDistribution(1, 9, step=2), IntDistribution(2, 8, step=2)], {"int": [1, 9]}),
        (
            [FloatDistribution(0.1, 1, log=True), FloatDistribution(0.01, 0.5, log=True)],
            {"float": [0.01, 1], "log": True},
        ),
        ([FloatDistribution(0, 3, step=1), FloatDistribution(0, 2)], {"float": [0, 3]}),
        ([FloatDistribution(0, 3, step=1)], {"float": [0, 3], "step": 1}),
    ],
    ids=str,
)
def test_ranges_that_trials_have_changed_hold_all_of_them(
    several: list[BaseDistribution], written: Any
) -> None:
    assert boxes([{"x": one} for one in several]) == [{"x": written}]


NUMBERS = st.one_of(
    st.builds(
        lambda low, width, step: Int(low, low + width, step=step),
        *(st.integers(-9, 9), st.integers(0, 30), st.integers(1, 4)),
    ),
    st.builds(
        lambda low, width, log: Float(low, low + width, log=log),
        *(st.floats(1e-6, 5), st.floats(0.1, 10), st.booleans()),
    ),
    st.builds(
        lambda low, n, step: Float(low, low + n * step, step=step),
        *(st.sampled_from([0.0, 0.1, -1.5]), st.integers(1, 9), st.sampled_from([0.1, 0.3, 1.0])),
    ),
)
VALUES: list[Any] = [1, 1.0, True, None, "a", "b", 0.5, [1], {"a": None}]
CHOICES = st.lists(
    st.sampled_from(VALUES),
    min_size=1,
    max_size=5,
    unique_by=repr,
).map(lambda values: Categorical(tuple(values)))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(NUMBERS, CHOICES), min_size=1, max_size=3), st.data())
def test_every_point_is_in_the_distribution(parameters: list[Parameter], data: Any) -> None:
    units = st.floats(0, 1, exclude_max=True)
    values = [p.at(data.draw(units)) for p in parameters for _ in range(2)]
    found = one(*parameters, values=values)
    # Different values stay different.
    assert len({repr(found.value(v)) for v in values}) == len(set(map(repr, values)))
