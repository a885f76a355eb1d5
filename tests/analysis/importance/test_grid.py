import numpy as np
import pytest
from tests.analysis.importance.situations import LARGE, large, of_table

from tunesmith.analysis.importance.claims import claims
from tunesmith.analysis.importance.grid import CompleteGrid, complete_grid
from tunesmith.space import Grid, SearchSpace
from tunesmith.space.parse import parse_space

RNG = np.random.default_rng(0)


def space_of(written: object) -> SearchSpace:
    space, violations = parse_space(written)
    assert space is not None, violations
    return space


def test_without_noise_the_shares_are_those_of_the_table() -> None:
    space = space_of(LARGE)
    grid = Grid(space)
    points = [point for i in range(grid.n_numbers) if (point := grid.point(i)) is not None]
    # Folds differ by an offset alone, which is no noise of comparisons.
    scores = [large(point) + np.array([0.0, 0.1, -0.3]) for point in points]
    found = complete_grid(space, points[::-1], scores[::-1])
    assert found is not None
    stated = claims(found.draws(np.random.default_rng(0)), "")
    truth = of_table(["a", "b", "c"], found.cells)
    assert dict(stated.shares) == pytest.approx(truth, abs=1e-6)
    assert all(error < 1e-6 for error in stated.errors.values())
    assert stated.leader == "b"
    (pair,) = [i for i in stated.interactions if i.strength > 1e-6]
    assert {pair.first, pair.second} == {"b", "c"}
    assert stated.pair == ("b", "c")


def test_terms_add_up_to_the_variance() -> None:
    table = RNG.normal(size=(3, 4, 2, 5))
    found = CompleteGrid(("a", "b", "c"), table)
    assert sum(found.terms().values()) == pytest.approx(found.cells.var())


def test_noise_alone_differs_in_one_grid_of_twenty() -> None:
    rng = np.random.default_rng(1)
    grids = [CompleteGrid(("a", "b"), rng.normal(size=(3, 3, 5))) for _ in range(400)]
    assert 0.03 < np.mean([grid.differs for grid in grids]) < 0.07


def test_the_noise_of_the_folds_is_taken_out() -> None:
    rng = np.random.default_rng(2)
    means = []
    for _ in range(60):
        table = np.arange(4)[:, None, None] + rng.normal(0, 2, size=(4, 4, 6))
        means.append(dict(claims(CompleteGrid(("a", "idle"), table).draws(rng), "").shares))
    # Of the measured means, a third of the variance is noise.
    assert np.mean([mean["a"] for mean in means]) > 0.85
    assert np.mean([mean["idle"] for mean in means]) < 0.2


def test_of_one_fold_the_highest_interaction_may_be_noise() -> None:
    table = np.add.outer([0.0, 1, 2], [0.0, 0.1, 0.2]) + RNG.normal(0, 0.1, (3, 3))
    found = CompleteGrid(("a", "b"), table[..., None])
    assert found.residual is None
    stated = claims(found.draws(np.random.default_rng(0)), "")
    assert stated.leader == "a"
    assert stated.errors["b"] > 0.005


@pytest.mark.parametrize(
    "written",
    [
        {"a": [1, 2], "b": {"int": [1, 2], "log": True}},
        {"a": [1, 2], "b": {"values": [1, 2], "when": {"a": 1}}},
        [{"a": [1], "b": [1, 2]}, {"a": [2], "b": [1, 2]}],
        {"parameters": {"a": [1, 2], "b": [1, 2]}, "constraints": ["a <= b"]},
        {"a": [1, 2], "b": {"float": [0, 1]}},
    ],
)
def test_other_spaces_are_no_tables(written: object) -> None:
    points = [{"a": a, "b": b} for a in (1, 2) for b in (1, 2)]
    assert complete_grid(space_of(written), points, [np.zeros(2)] * 4) is None


def test_trials_must_be_all_points_in_equal_numbers() -> None:
    space = space_of({"a": [1, 2], "b": [True, False]})
    points = [{"a": a, "b": b} for a in (1, 2) for b in (True, False)]
    scores = [np.array([float(i), i + 1.0]) for i in range(4)]
    assert complete_grid(space, points[:3], scores[:3]) is None
    assert complete_grid(space, [*points, points[0]], [*scores, scores[0]]) is None
    twice = complete_grid(space, points * 2, scores * 2)
    assert twice is not None
    assert twice.cells.tolist() == [[-1.5, -0.5], [0.5, 1.5]]


def test_many_terms_of_noise_do_not_add_up() -> None:
    rng = np.random.default_rng(5)
    table = np.arange(2.0).reshape(2, *[1] * 8) + rng.normal(0, 0.5, (*[2] * 8, 3))
    stated = claims(CompleteGrid(tuple("abcdefgh"), table).draws(rng), "")
    assert stated.leader == "a"
    assert all(share <= stated.errors[name] for name, share in stated.shares if name != "a")
