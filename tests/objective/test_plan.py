from collections.abc import Sequence

from tunesmith.objective.plan import PlannedFit, TrialCandidates, largest_last_ones_first, plan
from tunesmith.types import Fit, Params


def trial(number: int, a: int) -> TrialCandidates:
    return TrialCandidates(number, ({"a": a},))


def submodel_candidates(number: int, *values: int) -> TrialCandidates:
    """The last value is proposed, the others come along."""
    return TrialCandidates(number, tuple({"a": a} for a in values), len(values) - 1)


def owned(*numbers: int) -> tuple[tuple[tuple[int, int], ...], ...]:
    """One trial without a curve a candidate."""
    return tuple(((number, 0),) for number in numbers)


def halves(candidates: Sequence[Params]) -> list[tuple[int, ...]]:
    """Even and odd values of `a`."""
    parts = [
        tuple(i for i, params in enumerate(candidates) if params["a"] % 2 == rest)  # type: ignore[operator]
        for rest in (0, 1)
    ]
    return sorted(part for part in parts if part)


def test_every_trial_needs_every_fold() -> None:
    assert plan([trial(4, 1), trial(5, 2)], 2) == [
        PlannedFit(Fit(0, ({"a": 1},)), owned(4)),
        PlannedFit(Fit(1, ({"a": 1},)), owned(4)),
        PlannedFit(Fit(0, ({"a": 2},)), owned(5)),
        PlannedFit(Fit(1, ({"a": 2},)), owned(5)),
    ]


def test_what_is_known_is_left_out() -> None:
    found = plan([trial(0, 1)], 3, known={(0, 0, 1), (7, 0, 0)})
    assert [item.fit.fold for item in found] == [0, 2]
    assert plan([trial(0, 1)], 2, known={(0, 0, 0): 1, (0, 0, 1): 1}) == []


def test_candidates_of_a_group_share_a_fit() -> None:
    trials = [trial(number, a) for number, a in enumerate((1, 2, 3, 4))]
    found = plan(trials, 2, known={(1, 0, 1)}, groups=halves)
    assert [(item.owners, item.fit.fold) for item in found] == [
        (owned(0, 2), 0),
        (owned(0, 2), 1),
        (owned(1, 3), 0),
        (owned(3), 1),
    ]
    assert found[0].fit.candidates == ({"a": 1}, {"a": 3})


def test_a_group_can_be_taken_apart() -> None:
    shared = PlannedFit(Fit(1, ({"a": 1}, {"a": 3})), owned(0, 2))
    assert shared.alone() == [
        PlannedFit(Fit(1, ({"a": 1},)), owned(0)),
        PlannedFit(Fit(1, ({"a": 3},)), owned(2)),
    ]


def test_a_curve_comes_along_with_its_proposal() -> None:
    (found,) = plan([submodel_candidates(3, 1, 3, 5)], 1, groups=halves)
    assert found.fit == Fit(0, ({"a": 5},), ({"a": 1}, {"a": 3}))
    assert found.owners == (((3, 2),), ((3, 0),), ((3, 1),))
    assert found.alone() == [PlannedFit(Fit(0, ({"a": 5},)), (((3, 2),),))]


def test_what_is_known_of_a_curve_is_left_out() -> None:
    (found,) = plan(
        [submodel_candidates(3, 1, 3, 5)], 1, known={(3, 0, 0), (3, 2, 0)}, groups=halves
    )
    assert found.fit == Fit(0, (), ({"a": 3},))
    assert found.owners == (((3, 1),),)
    assert found.alone() == []


def test_curves_that_overlap_are_scored_once() -> None:
    (found,) = plan(
        [submodel_candidates(0, 1, 3, 5), submodel_candidates(1, 1, 3)], 1, groups=halves
    )
    assert found.fit == Fit(0, ({"a": 5}, {"a": 3}), ({"a": 1},))
    assert found.owners == (((0, 2),), ((0, 1), (1, 1)), ((0, 0), (1, 0)))


def test_curves_that_do_not_fit_together_are_fitted_apart() -> None:
    found = plan([submodel_candidates(0, 2, 1), submodel_candidates(1, 5, 3)], 1, groups=halves)
    assert [item.fit for item in found] == [
        Fit(0, ({"a": 1},), ({"a": 2},)),
        Fit(0, ({"a": 3},), ({"a": 5},)),
    ]


def test_repeats_without_a_curve_are_scored_by_themselves() -> None:
    (found,) = plan([trial(0, 1), trial(1, 1)], 1, groups=halves)
    assert found.fit.candidates == ({"a": 1}, {"a": 1})
    assert found.owners == owned(0, 1)


def test_the_last_fits_begin_with_the_largest_and_equal_ones_stay_in_order() -> None:
    planned = plan([trial(number, a) for number, a in enumerate((9, 1, 3, 7))], 2)

    def size(candidates: Sequence[Params]) -> float:
        return max(float(params["a"]) for params in candidates)  # type: ignore[arg-type]

    def order(n_last: int) -> list[tuple[int, int]]:
        found = largest_last_ones_first(planned, n_last, size)
        return [(item.first, item.fit.fold) for item in found]

    assert order(0) == [(n, fold) for n in (0, 1, 2, 3) for fold in (0, 1)]
    assert order(5) == [(0, 0), (0, 1), (1, 0), (3, 0), (3, 1), (2, 0), (2, 1), (1, 1)]
    assert order(99) == [(n, fold) for n in (0, 3, 2, 1) for fold in (0, 1)]
