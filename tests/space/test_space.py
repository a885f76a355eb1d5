import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.space import Box, Categorical, Condition, Float, Int, SearchSpace
from tunesmith.space.expression import Expression
from tunesmith.testing.strategies import spaces
from tunesmith.types import Value


@given(spaces(), st.integers(0, 2**32))
def test_samples_lie_in_the_space_in_canonical_form(space: SearchSpace, seed: int) -> None:
    params = space.sample(np.random.default_rng(seed))
    assert params in space
    assert space.key(space.canonical(params)) == space.key(params)


@given(spaces(), st.integers(0, 2**32))
def test_the_same_generator_gives_the_same_point(space: SearchSpace, seed: int) -> None:
    first, second = (space.sample(np.random.default_rng(seed)) for _ in range(2))
    assert space.key(first) == space.key(second)


CONDITIONAL = SearchSpace(
    (
        Box(
            {
                "kernel": Categorical(("linear", "poly")),
                "degree": Int(2, 5),
                "coef": Categorical((True, False)),
                "extra": Float(0, 1),
            },
            {
                "degree": (Condition("kernel", ("poly",)),),
                "coef": (Condition("degree", (3, 4)),),
                "extra": (Condition("kernel", ("poly",)), Condition("coef", (True,))),
            },
        ),
    )
)


def test_inactive_parameters_are_dropped() -> None:
    found = CONDITIONAL.canonical({"kernel": "linear", "degree": 3, "coef": True})
    assert found == {"kernel": "linear"}
    assert CONDITIONAL.canonical({"kernel": "poly", "degree": 2}) == {"degree": 2, "kernel": "poly"}


def test_chains_of_conditions_hold() -> None:
    full: dict[str, Value] = {"kernel": "poly", "degree": 3, "coef": True, "extra": 0.5}
    assert CONDITIONAL.canonical(full) == dict(sorted(full.items()))
    with pytest.raises(ValueError, match="`extra` is missing"):
        CONDITIONAL.canonical({"kernel": "poly", "degree": 3, "coef": True})


def test_a_union_finds_the_box() -> None:
    space = SearchSpace.of({"a": Int(1, 3)}, {"b": Int(1, 3)})
    assert space.locate({"b": 2}) == (1, {"b": 2})
    with pytest.raises(ValueError, match=r"outside|unknown"):
        space.locate({"b": 9})


def test_constraints_are_part_of_the_space() -> None:
    box = Box({"low": Int(1, 9), "high": Int(1, 9)})
    space = SearchSpace((box,), (Expression("low < high"),))
    assert {"low": 1, "high": 2} in space
    assert {"low": 2, "high": 2} not in space
    rng = np.random.default_rng(0)
    assert all(p["low"] < p["high"] for p in (space.sample(rng) for _ in range(50)))  # type: ignore[operator]


def test_a_space_without_a_point_says_so() -> None:
    space = SearchSpace((Box({"a": Int(1, 9)}),), (Expression("a > 10"),))
    with pytest.raises(ValueError, match="met the constraints"):
        space.sample(np.random.default_rng(0))


def test_the_definition_tells_spaces_apart() -> None:
    one = SearchSpace.of({"a": Int(1, 3), "b": Int(1, 3)})
    same = SearchSpace.of({"b": Int(1, 3), "a": Int(1, 3)})
    other = SearchSpace.of({"a": Int(1, 3), "b": Int(1, 4)})
    assert one.to_json() == same.to_json() != other.to_json()


def test_a_point_belongs_to_the_box_in_which_all_of_it_counts() -> None:
    conditional = Box(
        {"kind": Categorical((None, False)), "rate": Float(0.0, 1.0)},
        {"rate": (Condition("kind", (False,)),)},
    )
    plain = Box({"kind": Categorical((None,)), "rate": Float(0.0, 1.0)})
    space = SearchSpace((conditional, plain))
    assert space.locate({"kind": None, "rate": 0.5}) == (1, {"kind": None, "rate": 0.5})
    assert space.locate({"kind": None}) == (0, {"kind": None})
    # What the first box alone knows is still dropped where it does not count.
    assert SearchSpace((conditional,)).canonical({"kind": None, "rate": 0.5}) == {"kind": None}
