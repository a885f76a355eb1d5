"""Hypothesis strategies for parameters and spaces."""

from typing import Any

from hypothesis import strategies as st

from tunesmith.space import Box, Categorical, Condition, Float, Int, Parameter, SearchSpace

NAMES = ("alpha", "beta", "gamma", "delta")
json_scalars = (
    st.none() | st.booleans() | st.integers(-50, 50) | st.sampled_from(["x", "y", "1", "ü", ""])
)


def distinct(values: list[Any]) -> tuple[Any, ...]:
    """Values that JSON tells apart."""
    return tuple({repr(value): value for value in values}.values())


categoricals = st.lists(json_scalars, min_size=1, max_size=4).map(
    lambda values: Categorical(distinct(values))
)


@st.composite
def ints(draw: st.DrawFn) -> Int:
    """Whole numbers, some on a log scale, some with steps."""
    low = draw(st.integers(-5, 20))
    high = low + draw(st.integers(0, 30))
    # A logarithm needs a positive range.
    log = low > 0 and draw(st.booleans())
    return Int(low, high, log=log, step=1 if log else draw(st.integers(1, 7)))


@st.composite
def floats(draw: st.DrawFn, *, finite: bool = False) -> Float:
    """Real ranges; ``finite`` ones have steps."""
    low = draw(st.floats(-10, 10).map(lambda x: round(x, 3)))
    high = low + draw(st.floats(0.001, 10).map(lambda x: round(x, 3)))
    if finite:
        return Float(low, high, step=draw(st.sampled_from([0.1, 0.25, 1.0])))
    return Float(low, high, log=low > 0.001 and draw(st.booleans()))


def parameters(*, finite: bool = False) -> st.SearchStrategy[Parameter]:
    """Any kind of parameter."""
    return st.one_of(categoricals, ints(), floats(finite=finite))


@st.composite
def boxes(draw: st.DrawFn, *, finite: bool = False) -> Box:
    """One to four parameters, each of which may depend on a category before it, at any depth."""
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    by_name: dict[str, Parameter] = {name: draw(parameters(finite=finite)) for name in names}
    conditions = {}
    parents: list[tuple[str, Categorical]] = []
    for name, parameter in by_name.items():
        if draw(st.booleans()) and parents:
            # Often the latest one, which may depend on others itself.
            parent, category = parents[draw(st.sampled_from([-1, -1, 0]))]
            conditions[name] = (Condition(parent, (draw(st.sampled_from(category.choices)),)),)
        if isinstance(parameter, Categorical):
            parents.append((name, parameter))
    return Box(by_name, conditions)


def spaces(*, finite: bool = False) -> st.SearchStrategy[SearchSpace]:
    """One or two boxes."""
    lists = st.lists(boxes(finite=finite), min_size=1, max_size=2)
    return lists.map(lambda parts: SearchSpace(tuple(parts)))
