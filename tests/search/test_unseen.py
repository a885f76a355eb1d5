"""Repeats are avoided, exhaustion is exact, and huge spaces stay cheap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import UsageError
from tunesmith.history import History, Metric, TrialLog
from tunesmith.search.unseen import _shuffled, n_units, params_at, sampled, unseen
from tunesmith.space import Box, Categorical, Condition, Distribution, Float, Int, SearchSpace
from tunesmith.space.expression import Expression
from tunesmith.types import Params

SMALL = SearchSpace.of({"n": Int(0, 9), "k": Categorical(("a", "b"))})
IMPOSSIBLE = SearchSpace((Box({"x": Float(0, 1), "y": Float(0, 1)}),), (Expression("x > y + 1"),))


def knowing(space: SearchSpace, *points: Params) -> History:
    log = TrialLog((Metric("score"),))
    for params in points:
        log.ask(params, space.key(params), "test")
    return log.view()


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(n=st.integers(1, 400), seed=st.integers(0, 50))
def test_shuffled_comes_past_every_number_once(n: int, seed: int) -> None:
    assert sorted(_shuffled(n, rng(seed))) == list(range(n))


def test_shuffled_takes_numbers_beyond_64_bits() -> None:
    numbers = _shuffled(10**40, rng())
    first = [next(numbers) for _ in range(100)]
    assert len(set(first)) == 100
    assert max(first) > 10**38


def test_a_stubborn_proposer_is_replaced_by_what_is_left() -> None:
    history = knowing(SMALL, {"k": "a", "n": 1})
    found = unseen(lambda: {"k": "a", "n": 1}, SMALL, history, 3, rng())
    keys = {SMALL.key(params) for params in found}
    assert len(keys) == 3
    assert not any(history.has(key) for key in keys)


def test_what_is_left_is_chosen_by_the_generator() -> None:
    seen = {SMALL.key(unseen(lambda: None, SMALL, knowing(SMALL), 1, rng(i))[0]) for i in range(40)}
    assert len(seen) > 12


def test_the_last_points_of_a_space_are_found() -> None:
    everything = [{"k": k, "n": n} for k in ("a", "b") for n in range(10)]
    history = knowing(SMALL, *everything[2:])
    found = unseen(lambda: sampled(SMALL, rng()), SMALL, history, 5, rng())
    assert sorted(map(SMALL.key, found)) == sorted(map(SMALL.key, everything[:2]))
    assert unseen(lambda: sampled(SMALL, rng()), SMALL, knowing(SMALL, *everything), 5, rng()) == []


def test_proposals_that_break_a_constraint_are_dropped() -> None:
    space = SearchSpace((Box({"a": Int(0, 9), "b": Int(0, 9)}),), (Expression("a + b == 18"),))
    assert unseen(lambda: {"a": 1, "b": 1}, space, knowing(space), 2, rng()) == [{"a": 9, "b": 9}]


def test_a_needle_in_a_finite_haystack_is_found_where_sampling_gives_up() -> None:
    space = SearchSpace(
        (Box({"a": Int(1, 400), "b": Int(1, 400)}),), (Expression("a == 400 and b == 400"),)
    )
    assert sampled(space, rng()) is None
    found = unseen(lambda: sampled(space, rng()), space, knowing(space), 2, rng(), tries=1)
    assert found == [{"a": 400, "b": 400}]


def test_an_endless_space_without_points_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="constraints"):
        unseen(lambda: sampled(IMPOSSIBLE, rng()), IMPOSSIBLE, knowing(IMPOSSIBLE), 1, rng())


def test_a_discrete_distribution_can_be_used_up() -> None:
    space = SearchSpace.of({"n": Distribution("binom", (2, 0.5))})
    generator = rng()
    everything: list[Params] = [{"n": 0}, {"n": 1}, {"n": 2}]
    found = unseen(lambda: sampled(space, generator), space, knowing(space), 5, generator)
    assert sorted(map(space.key, found)) == sorted(map(space.key, everything))


def test_a_huge_space_is_never_listed() -> None:
    space = SearchSpace.of({f"p{i}": Int(0, 999_999) for i in range(12)})
    point = space.sample(rng())
    found = unseen(lambda: point, space, knowing(space, point), 50, rng(), tries=1)
    assert len({space.key(params) for params in found}) == 50


def test_params_at_walks_conditions_and_boxes() -> None:
    conditional = Box(
        {"a": Categorical(("x", "y")), "b": Float(0, 1)}, {"b": (Condition("a", ("y",)),)}
    )
    one = SearchSpace((conditional,))
    assert n_units(one) == 2
    assert params_at(one, [0.1, 0.5]) == {"a": "x"}
    assert params_at(one, [0.9, 0.5]) == {"a": "y", "b": 0.5}
    two = SearchSpace((conditional, Box({"n": Int(1, 4)})))
    assert n_units(two) == 3
    assert params_at(two, [0.4, 0.9, 0.5]) == {"a": "y", "b": 0.5}
    assert params_at(two, [0.99, 0.99, 0.0]) == {"n": 4}
