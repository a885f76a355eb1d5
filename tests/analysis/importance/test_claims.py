from dataclasses import replace

import numpy as np

from tunesmith.analysis.importance.claims import Draws, claims


def draws(means: dict[str, float], spread: float, wobble: float = 0.0) -> Draws:
    rng = np.random.default_rng(0)
    single = {name: np.maximum(rng.normal(mean, spread, 400), 0) for name, mean in means.items()}
    return Draws(np.ones(400), single, {}, dict.fromkeys(means, wobble))


def test_a_leader_is_named_only_if_it_is_ahead_in_nearly_all_draws() -> None:
    clear = claims(draws({"a": 0.5, "b": 0.4, "c": 0.1}, 0.02), "")
    assert (clear.leader, clear.rivals) == ("a", ())
    near = claims(draws({"a": 0.5, "b": 0.4, "c": 0.1}, 0.05), "")
    assert (near.leader, near.rivals) == (None, ("a", "b"))


def test_the_error_of_the_sum_counts() -> None:
    sure, unsure = (claims(draws({"a": 0.5, "b": 0.4}, 0.01, w), "") for w in (0.0, 0.05))
    assert (sure.leader, unsure.leader) == ("a", None)
    assert unsure.errors["a"] > 0.1


def test_equal_shares_do_not_lead_each_other() -> None:
    same = Draws(np.ones(9), {"a": np.full(9, 0.5), "b": np.full(9, 0.5)}, {})
    assert claims(same, "").leader is None


def test_intervals_hold_nearly_all_draws() -> None:
    found = draws({"a": 0.5, "b": 0.02}, 0.05)
    stated = claims(found, "")
    for name, share in stated.shares:
        inside = np.abs(found.single[name] - share) <= stated.errors[name]
        assert inside.mean() >= 0.95


def test_the_contour_shows_a_sure_interaction_or_the_two_first() -> None:
    single = {name: np.full(9, share) for name, share in (("a", 0.5), ("b", 0.3), ("c", 0.2))}
    none = {("a", "b"): np.zeros(9), ("a", "c"): np.zeros(9)}
    assert claims(Draws(np.ones(9), single, none), "").pair == ("a", "b")
    some = {**none, ("c", "b"): np.full(9, 0.15)}
    assert claims(Draws(np.ones(9), single, some), "").pair == ("b", "c")
    assert claims(Draws(np.ones(9), single, {}), "").pair is None


def test_what_a_model_misses_widens_the_errors() -> None:
    good, poor = (
        claims(replace(draws({"a": 0.5, "b": 0.3}, 0.02), misfit=misfit), "")
        for misfit in (0.0, 0.5)
    )
    assert (good.leader, poor.leader) == ("a", "a")
    assert poor.errors["a"] > good.errors["a"] * 1.5 + 0.04
    assert claims(replace(draws({"a": 0.5, "b": 0.42}, 0.01), misfit=0.9), "").leader is None
