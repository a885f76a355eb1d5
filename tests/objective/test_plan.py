from collections.abc import Sequence

from tunesmith.history import Trial
from tunesmith.objective.objective import Fit
from tunesmith.objective.plan import PlannedFit, plan
from tunesmith.types import Params


def trial(number: int, a: int) -> Trial:
    return Trial(number, {"a": a}, f"k{a}", "grid")


def halves(candidates: Sequence[Params]) -> list[tuple[int, ...]]:
    """Even and odd values of `a`."""
    parts = [
        tuple(i for i, params in enumerate(candidates) if params["a"] % 2 == rest)  # type: ignore[operator]
        for rest in (0, 1)
    ]
    return sorted(part for part in parts if part)


def test_every_trial_needs_every_fold() -> None:
    assert plan([trial(4, 1), trial(5, 2)], 2) == [
        PlannedFit((4,), Fit(0, ({"a": 1},))),
        PlannedFit((4,), Fit(1, ({"a": 1},))),
        PlannedFit((5,), Fit(0, ({"a": 2},))),
        PlannedFit((5,), Fit(1, ({"a": 2},))),
    ]


def test_what_is_known_is_left_out() -> None:
    found = plan([trial(0, 1)], 3, known={(0, 1), (7, 0)})
    assert [item.fit.fold for item in found] == [0, 2]
    assert plan([trial(0, 1)], 2, known={(0, 0): 1, (0, 1): 1}) == []


def test_candidates_of_a_group_share_a_fit() -> None:
    trials = [trial(number, a) for number, a in enumerate((1, 2, 3, 4))]
    found = plan(trials, 2, known={(1, 1)}, groups=halves)
    assert [(item.numbers, item.fit.fold) for item in found] == [
        ((0, 2), 0),
        ((0, 2), 1),
        ((1, 3), 0),
        ((3,), 1),
    ]
    assert found[0].fit.candidates == ({"a": 1}, {"a": 3})


def test_a_group_can_be_taken_apart() -> None:
    shared = PlannedFit((0, 2), Fit(1, ({"a": 1}, {"a": 3})))
    assert shared.alone() == [
        PlannedFit((0,), Fit(1, ({"a": 1},))),
        PlannedFit((2,), Fit(1, ({"a": 3},))),
    ]
