"""Further splits of rows in memory, and the reasons for which there are none."""

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
    check_cv,
)

from tunesmith.data.reseeded import MemoryRows, ReseededSplits, reseeded
from tunesmith.errors import DataError
from tunesmith.history import further_folds

# Said by scikit-learn of groups that a splitter does not ask for.
pytestmark = pytest.mark.filterwarnings("ignore:The groups parameter is ignored")
N = 60
ROWS = MemoryRows(np.arange(N).reshape(-1, 1), np.arange(N) % 3, np.arange(N) // 4)
RANDOM = (ShuffleSplit, StratifiedShuffleSplit, GroupShuffleSplit)


class Own(KFold):  # type: ignore[misc]
    """A splitter as somebody writes it."""


class Stubborn(KFold):  # type: ignore[misc]
    """Has a seed, and does not use it."""

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Any]:
        yield from KFold(self.n_splits, shuffle=True, random_state=5).split(X)


class Restless(KFold):  # type: ignore[misc]
    """Draws from a generator of its own."""

    rng = np.random.default_rng(0)

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Any]:
        seed = int(self.rng.integers(1000))
        yield from KFold(self.n_splits, shuffle=True, random_state=seed).split(X)


class Growing(KFold):  # type: ignore[misc]
    """Makes more folds the second time."""

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Any]:
        yield from KFold(self.n_splits + (self.random_state is not None)).split(X)


class Careless(KFold):  # type: ignore[misc]
    """Tests on rows that it trains on, if it shuffles."""

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Any]:
        for train, test in super().split(X):
            yield (train, test) if self.random_state is None else (np.arange(N), test)


def made(splitter: Any, rows: MemoryRows = ROWS) -> ReseededSplits | str:
    return reseeded(splitter, list(splitter.split(*rows)), rows)


@pytest.mark.parametrize(
    "splitter",
    [
        KFold(4, shuffle=True),
        StratifiedKFold(4),
        GroupKFold(3),
        StratifiedGroupKFold(3),
        RepeatedKFold(n_splits=4, n_repeats=3, random_state=7),
        RepeatedStratifiedKFold(n_splits=4, n_repeats=2),
        ShuffleSplit(4, test_size=0.2),
        StratifiedShuffleSplit(4, random_state=np.random.RandomState(3)),
        # Three of 15 groups: without a seed, some fold comes again by chance now and then.
        GroupShuffleSplit(4, random_state=1),
        Own(4, shuffle=True, random_state=1),
    ],
    ids=lambda splitter: type(splitter).__name__,
)
def test_every_repeat_is_a_split_of_its_own(splitter: Any) -> None:
    before = dict(vars(splitter))
    searched = list(splitter.split(*ROWS))
    further = reseeded(splitter, searched, ROWS)
    assert isinstance(further, ReseededSplits)
    assert further.n_folds == len(searched) // getattr(splitter, "n_repeats", 1)
    known = {test.tobytes() for _, test in searched}
    for repeat in range(3):
        splits = [
            further.split(fold, ROWS.X, ROWS.y) for fold in further_folds(repeat, further.n_folds)
        ]
        marks = {test.tobytes() for _, test in splits}
        assert not marks & known
        known |= marks
        if not isinstance(splitter, RANDOM):
            tested = np.concatenate([test for _, test in splits])
            assert sorted(tested) == list(range(N))
        for train, test in splits:
            assert not set(train) & set(test)
            if "Group" in type(splitter).__name__:
                assert not set(ROWS.groups[train]) & set(ROWS.groups[test])
    assert dict(vars(splitter)) == before
    # Any process makes the same ones, in any order.
    other = pickle.loads(pickle.dumps(further))
    for fold in (-9, -2):
        assert (
            other.split(fold, ROWS.X, ROWS.y)[1] == further.split(fold, ROWS.X, ROWS.y)[1]
        ).all()
    assert isinstance(again := reseeded(splitter, searched, ROWS), ReseededSplits)
    assert again.seed == further.seed


@pytest.mark.parametrize(
    ("splitter", "why"),
    [
        (LeaveOneOut(), "LeaveOneOut has no `random_state`"),
        (TimeSeriesSplit(3), "TimeSeriesSplit can split these rows in too few ways"),
        (PredefinedSplit(np.arange(N) % 3), "PredefinedSplit has no `random_state`"),
        (check_cv(list(KFold(3).split(ROWS.X))), "they are a fixed list"),
        (Stubborn(3), "Stubborn can split these rows in too few ways"),
        (Restless(3), "the splits of Restless do not depend on its `random_state` alone"),
        (Growing(3), "Growing cannot be made anew: cv: Growing makes 4 folds with another seed"),
        (Careless(3), "Careless trains and tests on the same rows with another seed"),
    ],
    ids=lambda one: one if isinstance(one, str) else type(one).__name__,
)
def test_splitters_that_cannot_be_made_anew_say_why(splitter: Any, why: str) -> None:
    found = made(splitter)
    assert isinstance(found, str)
    assert found.startswith(why)


def test_as_many_groups_as_folds_can_be_split_in_one_way() -> None:
    rows = ROWS._replace(groups=np.arange(N) // 20)
    assert made(GroupKFold(3), rows) == "GroupKFold can split these rows in too few ways"


def test_a_later_repeat_may_be_the_first_one_that_repeats_another() -> None:
    # Three groups make two folds in three ways: the search has one of them.
    rows = ROWS._replace(groups=np.arange(N) // 20)
    found = [made(GroupKFold(2, shuffle=True, random_state=seed), rows) for seed in range(5)]
    assert set(found) == {"GroupKFold can split these rows in too few ways"}


@pytest.mark.parametrize("test_size", [2, 3])
def test_groups_that_are_drawn_do_not_come_twice(test_size: int) -> None:
    # Eight groups: 28 pairs, or 56 of three.
    rows = ROWS._replace(groups=np.arange(N) % 8)
    splitter = GroupShuffleSplit(4, test_size=test_size, random_state=3)
    further = made(splitter, rows)
    assert isinstance(further, ReseededSplits)
    n = further.n_repeats(rows.X, rows.y)
    assert n == {2: 6, 3: 13}[test_size]
    wanted = [further.split(f, rows.X, rows.y)[1] for r in range(n) for f in further_folds(r, 4)]
    searched = [test for _, test in splitter.split(*rows)]
    assert len({test.tobytes() for test in (*wanted, *searched)}) == 4 * n + 4
    with pytest.raises(DataError, match="too few ways"):
        further.split(further_folds(n, 4)[0], rows.X, rows.y)


def test_groups_that_the_search_keeps_whole_are_never_torn() -> None:
    # Consecutive folds happen to keep these groups together; shuffled ones do not.
    assert made(KFold(3)) == "KFold would tear groups apart that these folds keep whole"
    assert not isinstance(made(KFold(3, shuffle=True, random_state=0)), str)


def test_masks_are_row_numbers() -> None:
    masks = [
        (np.isin(np.arange(N), a), np.isin(np.arange(N), b)) for a, b in KFold(3).split(ROWS.X)
    ]
    by_masks = reseeded(Own(3), masks, ROWS._replace(groups=None))
    by_numbers = reseeded(Own(3), list(KFold(3).split(ROWS.X)), ROWS._replace(groups=None))
    assert isinstance(by_masks, ReseededSplits)
    assert isinstance(by_numbers, ReseededSplits)
    assert by_masks.seed == by_numbers.seed


def test_another_number_of_folds_is_told() -> None:
    further = ReseededSplits(ShuffleSplit(4), 3, 0)
    with pytest.raises(DataError, match="makes 4 folds with another seed, and not 3"):
        further.split(-2, ROWS.X, ROWS.y)
