"""Configurations from elsewhere, moved onto a space."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.runs.experience.mapping import mapped
from tunesmith.space import Box, Categorical, Condition, Float, Int, SearchSpace
from tunesmith.space.expression import Expression
from tunesmith.types import Params

FLAT = SearchSpace.of(
    {
        "depth": Int(2, 10, step=2),
        "rate": Float(0.01, 0.1, log=True),
        "features": Categorical((0.3, 0.6, 1.0)),
        "kind": Categorical(("a", "b")),
    }
)


def test_values_are_moved_to_the_nearest_of_the_space() -> None:
    wanted: Params = {"depth": 5, "rate": 0.5, "features": 0.7, "kind": "b", "unknown": 1}
    found = mapped(FLAT, wanted, {})
    assert found == {"depth": 6, "rate": 0.1, "features": 0.6, "kind": "b"}


def test_what_cannot_be_mapped_gets_its_default_or_the_middle() -> None:
    found = mapped(FLAT, {"depth": 4, "rate": 0.02, "kind": "c"}, {"kind": "b", "features": 7.0})
    assert found == {"depth": 4, "rate": 0.02, "features": 0.6, "kind": "b"}


def test_a_point_of_which_less_than_half_is_mapped_is_none() -> None:
    assert mapped(FLAT, {"depth": 4}, {}) is None
    assert mapped(FLAT, {"depth": 4, "rate": 0.02}, {}) is not None
    assert mapped(FLAT, {"depth": True, "rate": "0.02"}, {}) is None


def test_a_broken_constraint_is_none() -> None:
    space = SearchSpace(FLAT.boxes, (Expression("depth < 5"),))
    assert mapped(space, {"depth": 9, "rate": 0.02}, {}) is None


def test_the_box_that_fits_best_is_taken_and_conditions_hold() -> None:
    vectors = Box(
        {"kernel": Categorical(("linear", "rbf")), "gamma": Float(0.1, 1.0), "C": Float(1, 10)},
        {"gamma": (Condition("kernel", ("rbf",)),)},
    )
    space = SearchSpace((Box({"depth": Int(1, 9), "other": Int(1, 9)}), vectors))
    assert mapped(space, {"kernel": "linear", "gamma": 0.5, "C": 2.0}, {}) == {
        "kernel": "linear",
        "C": 2.0,
    }
    found = mapped(space, {"kernel": "rbf", "gamma": 5.0, "C": 2.0}, {})
    assert found == {"kernel": "rbf", "gamma": 1.0, "C": 2.0}


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["depth", "rate", "features", "kind"]),
        st.one_of(
            st.integers(-(10**9), 10**9),
            st.floats(allow_nan=False, allow_infinity=False),
            st.sampled_from(["a", "b", None, True, [1]]),
        ),
    )
)
def test_a_mapped_point_lies_in_the_space(wanted: dict[str, object]) -> None:
    found = mapped(FLAT, wanted, {})  # type: ignore[arg-type]
    assert found is None or found == FLAT.canonical(found)
