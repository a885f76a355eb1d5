"""Splits beyond those of a study's search."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.config.objective import CrossValidation
from tunesmith.data.folds import make_splits
from tunesmith.data.further import FIXED, SHUFFLED, FurtherSplits
from tunesmith.data.table import Rows
from tunesmith.errors import DataError
from tunesmith.history import further_folds


def rows(n: int = 40, *, has_groups: bool = False, folds: Any = None) -> Rows:
    labels = np.random.default_rng(0).integers(7, size=n) if has_groups else None
    return Rows(pd.DataFrame({"a": np.arange(n)}), np.arange(n) % 2, groups=labels, folds=folds)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SHUFFLED), st.integers(2, 4), st.integers(0, 9), st.integers(0, 5))
def test_every_repeat_is_a_whole_split_of_its_own(
    method: str, folds: int, seed: int, repeat: int
) -> None:
    has_groups = "group" in method
    wanted = "shuffle_split" if method == "group_shuffle_split" else method
    cv = CrossValidation(method=wanted, folds=folds, seed=seed)  # type: ignore[arg-type]
    further = FurtherSplits(cv, rows(has_groups=has_groups), is_classifier=True)
    # A few groups may have too few ways.
    assert not further.blocker or has_groups
    if has_groups and repeat >= further.n_repeats:
        return
    made = [further[fold] for fold in further_folds(repeat, folds)]
    if "shuffle_split" not in method:
        assert sorted(np.concatenate([split.test for split in made])) == list(range(40))
    groups = further.rows.groups
    for split in made:
        assert not set(split.train) & set(split.test)
        assert groups is None or not set(groups[split.train]) & set(groups[split.test])
    # In any order and in any process, the same splits.
    other: FurtherSplits = pickle.loads(pickle.dumps(further))
    assert [other[f].digest for f in reversed(further_folds(repeat, folds))] == [
        split.digest for split in reversed(made)
    ]


def test_no_repeat_is_one_of_the_search_or_of_another_seed() -> None:
    table, digests = rows(200), set[str]()
    for seed in (0, 1):
        cv = CrossValidation(folds=5, seed=seed, shuffle=True, repeats=3)
        searched = make_splits(cv, table, is_classifier=True)
        further = FurtherSplits(cv, table, is_classifier=True)
        wanted = [further[fold] for repeat in range(4) for fold in further_folds(repeat, 5)]
        digests |= {split.digest for split in (*searched, *wanted)}
    assert len(digests) == 2 * (15 + 20)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"method": "time_series"}, "time_series"),
        ({"method": "leave_one_group_out"}, "leave_one_group_out"),
        ({"column": "fold"}, "predefined"),
        ({"splitter": "tests.data.test_folds.Masks", "params": {"test_rows": 3}}, "splitter"),
    ],
)
def test_folds_that_can_be_made_in_one_way_only(keys: dict[str, Any], reason: str) -> None:
    table = rows(has_groups=reason == "leave_one_group_out", folds=np.arange(40) % 3)
    further = FurtherSplits(CrossValidation(**keys), table, is_classifier=True)
    assert further.blocker == FIXED[reason]
    with pytest.raises(DataError, match=further.blocker):
        further[-2]


def grouped(n_groups: int, n: int = 60) -> Rows:
    """Rows of groups that all differ in their shares of the classes."""
    labels = np.arange(n) % n_groups
    y = (np.arange(n) // n_groups < labels).astype(int)
    return Rows(pd.DataFrame({"a": np.arange(n)}), y, groups=labels)


@pytest.mark.parametrize(
    ("cv", "n_groups", "is_possible"),
    [
        # Each group is a fold, whatever the seed.
        ({"method": "group", "folds": 5}, 5, False),
        ({"method": "group", "folds": 5, "shuffle": True}, 5, False),
        # Three ways, one of which the search has: a later repeat is an earlier one.
        ({"method": "group", "folds": 2}, 3, False),
        ({"method": "group", "folds": 3}, 12, True),
        # scikit-learn looks at the seed only where the shares of two groups are equal.
        ({"method": "stratified_group", "folds": 3}, 9, False),
        ({"method": "shuffle_split", "folds": 3}, 3, False),
        ({"method": "shuffle_split", "folds": 3}, 20, True),
    ],
)
def test_groups_that_can_be_split_in_too_few_ways(
    cv: dict[str, Any], n_groups: int, is_possible: bool
) -> None:
    section, table = CrossValidation(**cv), grouped(n_groups)
    further = FurtherSplits(section, table, is_classifier=False)
    assert bool(further.blocker) is not is_possible
    assert is_possible or "groups can be split into" in further.blocker
    if not is_possible:
        with pytest.raises(DataError, match="too few ways"):
            [further[fold] for n in range(4) for fold in further_folds(n, section.folds)]


@pytest.mark.parametrize(
    ("cv", "n_groups", "n_repeats"),
    [
        # 28 pairs of 8 groups, and 10 or 15 of 5 or 6.
        ({"method": "shuffle_split", "folds": 4, "test_fraction": 0.25}, 8, 6),
        ({"method": "shuffle_split", "folds": 5, "test_fraction": 0.4}, 5, 0),
        ({"method": "shuffle_split", "folds": 2, "test_fraction": 0.33}, 6, 6),
        # Two of three folds have two of seven groups: 21 pairs.
        ({"method": "group", "folds": 3}, 7, None),
        ({"method": "group", "folds": 5}, 40, 20),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_no_split_of_few_groups_comes_twice(
    cv: dict[str, Any], n_groups: int, n_repeats: int | None, seed: int
) -> None:
    section, table = CrossValidation(**cv, seed=seed), grouped(n_groups, 120)
    further = FurtherSplits(section, table, is_classifier=False)
    possible = further.n_repeats
    # What the search has drawn twice itself is not missing.
    assert n_repeats is None or n_repeats <= possible <= n_repeats + 1
    assert possible == 0 or possible >= 4
    searched = [split.test for split in make_splits(section, table, is_classifier=False)]
    wanted = [further[f].test for n in range(possible) for f in further_folds(n, section.folds)]
    known = {tuple(np.sort(test)) for test in searched}
    assert len({tuple(np.sort(test)) for test in wanted} - known) == len(wanted)
    if 0 < possible < 20:
        with pytest.raises(DataError, match="too few ways"):
            further[further_folds(possible, section.folds)[0]]


def test_single_rows_that_are_drawn_do_not_come_twice() -> None:
    # One of 60 rows is tested on: 60 ways, which no number of groups gives away.
    cv = CrossValidation(method="shuffle_split", folds=5, test_fraction=1 / 60)
    further = FurtherSplits(cv, rows(60), is_classifier=False)
    assert 10 <= further.n_repeats <= 11
    wanted = [further[f].test for n in range(10) for f in further_folds(n, 5)]
    assert len(set(map(int, np.concatenate(wanted)))) == 50


def test_leaving_out_each_row_can_be_done_in_one_way() -> None:
    for n, is_possible in ((12, False), (40, True)):
        further = FurtherSplits(CrossValidation(folds=12), rows(n), is_classifier=False)
        assert bool(further.blocker) is not is_possible
