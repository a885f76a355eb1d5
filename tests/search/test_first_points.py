"""The first points visit every branch of a space, then spread evenly."""

from itertools import islice

import pytest

from tunesmith.history import FoldResult, Metric, TrialLog
from tunesmith.search.first_points import branch_of, branches, first_points, middle
from tunesmith.search.sobol import sobol_points
from tunesmith.space import Box, Categorical, Condition, Float, Int, SearchSpace
from tunesmith.testing.sampler import SPACES

DEEP = SearchSpace(
    (
        Box(
            {
                "learner": Categorical(("tree", "svm", "linear")),
                "depth": Int(1, 9),
                "kernel": Categorical(("rbf", "poly")),
                "gamma": Float(1e-4, 1.0, log=True),
                "degree": Int(2, 4),
                "scale": Categorical((True, False)),
                "rate": Categorical((0.1, 0.001, 0.01)),
            },
            {
                "depth": (Condition("learner", ("tree",)),),
                "kernel": (Condition("learner", ("svm",)),),
                "gamma": (Condition("kernel", ("rbf",)),),
                "degree": (Condition("kernel", ("poly",)),),
            },
        ),
    )
)


def test_branches_are_the_choices_on_which_others_depend() -> None:
    found = [dict(branch.choices) for branch in branches(DEEP)]
    # Each learner once before a second kernel.
    assert found == [
        {"learner": "tree"},
        {"learner": "svm", "kernel": "rbf"},
        {"learner": "linear"},
        {"learner": "svm", "kernel": "poly"},
    ]


def test_boxes_are_branches() -> None:
    space = SearchSpace.of({"a": Int(1, 3)}, {"b": Int(1, 3)})
    assert [branch.box for branch in branches(space)] == [0, 1]
    assert branch_of(space, {"b": 2}) == branches(space)[1]


def test_a_flat_space_has_one_branch_and_its_middle() -> None:
    space = SearchSpace.of(
        {"x": Float(1e-4, 1.0, log=True), "k": Categorical(("p", "q")), "n": Categorical((9, 1, 5))}
    )
    (branch,) = branches(space)
    assert middle(space, branch, 0) == pytest.approx({"k": "p", "n": 5, "x": 0.01})


def test_the_middle_of_a_branch_has_the_parameters_of_that_branch() -> None:
    points = [middle(DEEP, branch, number) for number, branch in enumerate(branches(DEEP))]
    assert points[1] == pytest.approx(
        {"gamma": 0.01, "kernel": "rbf", "learner": "svm", "rate": 0.01, "scale": False}
    )
    # Other categories take turns.
    assert [point["scale"] for point in points] == [True, False, True, False]


@pytest.mark.parametrize("name", SPACES)
def test_every_branch_of_every_kind_of_space_is_entered(name: str) -> None:
    space = SPACES[name]
    for number, branch in enumerate(branches(space)):
        params = middle(space, branch, number)
        if space.allows(params):
            canonical = space.canonical(params)
            assert list(canonical) == list(params)
            if len(space.boxes) == 1:
                assert branch_of(space, canonical) == branch


def test_known_branches_are_left_out_and_the_rest_is_spread_evenly() -> None:
    log = TrialLog((Metric("score"),))
    params = DEEP.canonical({"learner": "tree", "depth": 2, "scale": True, "rate": 0.1})
    trial = log.ask(params, DEEP.key(params), "defaults")
    log.tell(trial.completed([FoldResult(0, {"score": 1.0})]))
    found = list(islice(first_points(DEEP, log.view(), seed=3, n_middles=3), 4))
    assert [point["learner"] for point in found[:2]] == ["svm", "linear"]
    assert found[2:] == list(islice(sobol_points(DEEP, 3, skip=1), 2))


def test_many_branches_are_not_all_listed() -> None:
    names = [f"c{i}" for i in range(20)]
    box = Box(
        {**{n: Categorical(("a", "b")) for n in names}, "x": Float(0, 1)},
        {"x": tuple(Condition(n, ("a",)) for n in names)},
    )
    assert 0 < len(branches(SearchSpace((box,)))) <= 64
