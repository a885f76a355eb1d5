"""Further splits of the rows of a study, which its search has not used.

They are made one repeat at a time, when they are asked for, and depend on the seed of the folds and
the number of the repeat alone. So every process makes the same ones, and nothing is made for a
study that needs none.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from math import comb
from typing import Any, TypeVar

import numpy as np

from tunesmith.config.objective import CrossValidation
from tunesmith.data.folds import RANDOM, Split, choose_method, make_splits
from tunesmith.data.table import Rows
from tunesmith.errors import DataError
from tunesmith.history import FURTHER
from tunesmith.types import MOST_REPEATS

T = TypeVar("T")

SHUFFLED = ("kfold", "stratified", "group", "stratified_group", *RANDOM, "group_shuffle_split")
"""Methods that split the same rows in another way if their seed is another one."""
DRAWN = (*RANDOM, "group_shuffle_split")
"""Methods whose splits are drawn one by one, so that the same one may come twice."""
FIXED = {
    "time_series": "a time series has one order, so that it cannot be split anew",
    "leave_one_group_out": "leaving out each group can be done in one way only",
    "predefined": "a column of the data fixes the folds",
    "splitter": "code of the project makes the folds",
}
N_CHECKED = 4
"""Repeats that must be possible before any is used."""
MOST_DRAWS = 40
"""Draws of a repeat, of which those splits are left out that were there before."""
ENOUGH_SAME = 3
"""Draws of a repeat that equal an earlier one, after which no more are made."""
PLENTY = 20
"""Ways to choose a test, by the splits in all repeats and by those in one, that need no count."""
ROWS_OF_A_FOLD, FEW_ROWS = 4, 50
"""Folds of so few rows, or of a table with so few, may come twice."""
OWN_STREAM = 0x7EA5
"""Keeps these seeds apart from those that anybody writes into a configuration."""


@dataclass(frozen=True, eq=False)
class FurtherSplits:
    """Splits by fold number: ``FURTHER`` and below.

    None of them is a split of the search or of an earlier repeat, by the rows that it tests on.

    Args:
        cv: the study's folds.
        rows: rows that the search saw.
        is_classifier: true if ``auto`` keeps classes together.
    """

    cv: CrossValidation
    rows: Rows
    is_classifier: bool
    _made: dict[int, list[Split]] = field(default_factory=dict, repr=False)
    _known: list[set[bytes]] = field(default_factory=list, repr=False)
    """Marks of the splits of the search, and of each repeat."""

    def __getstate__(self) -> dict[str, Any]:
        # Properties that are known already are as large as the rows.
        return {**self.__dict__, "_made": {}, "_known": []}

    @cached_property
    def blocker(self) -> str:
        """Reason why the rows cannot be split anew; empty if they can."""
        if self._method not in SHUFFLED:
            return FIXED[self._method]
        if not self._may_repeat or self._has_repeats(N_CHECKED):
            return ""
        what = "rows" if self.rows.groups is None else "groups"
        return (
            f"these {what} can be split into {self.n_folds} folds in too few ways ({self._method})"
        )

    @cached_property
    def n_repeats(self) -> int:
        """Number of repeats that can be made, none with a split of another: at most 20."""
        if self.blocker:
            return 0
        if not self._may_repeat or self._has_plenty:
            return MOST_REPEATS
        return next((n for n in range(MOST_REPEATS) if not self._has_repeats(n + 1)), MOST_REPEATS)

    @property
    def n_folds(self) -> int:
        """Number of folds of a repeat."""
        return self.cv.folds

    def __getitem__(self, fold: int) -> Split:
        """Return a split.

        Raises:
            DataError: the rows cannot be split anew, or not as often.
        """
        repeat, number = divmod(FURTHER - fold, self.n_folds)
        if repeat not in self._made:
            self._made[repeat] = self._repeat(repeat)
        if len(self._made[repeat]) < self.n_folds:
            raise DataError(f"cv: {self._method} can split these rows in too few ways")
        return self._made[repeat][number]

    @property
    def _method(self) -> str:
        return choose_method(self.cv, self.rows, is_classifier=self.is_classifier)

    @property
    def _may_repeat(self) -> bool:
        """True if a split might come twice: single rows have more ways than anybody needs."""
        if self.rows.groups is not None or self._method in DRAWN:
            return True
        return len(self.rows) <= max(ROWS_OF_A_FOLD * self.n_folds, FEW_ROWS)

    @property
    def _has_plenty(self) -> bool:
        """True if there are far more ways to choose a test than repeats have splits."""
        # Its seed decides only between groups that are equal.
        if self._method == "stratified_group":
            return False
        units = np.arange(len(self.rows)) if self.rows.groups is None else self.rows.groups
        return has_plenty(units, tests_of(self._drawn(0)))

    def _has_repeats(self, n: int) -> bool:
        """Tell whether n repeats can be made."""
        return all(len(self._marks(repeat + 1)) == self.n_folds for repeat in range(n))

    def _marks(self, place: int) -> set[bytes]:
        """Marks of the search, 0, or of a repeat, counted from 1."""
        while len(self._known) <= place:
            n = len(self._known)
            splits = self._searched() if n == 0 else self._repeat(n - 1)
            self._known.append(set(map(mark, tests_of(splits))))
        return self._known[place]

    def _searched(self) -> list[Split]:
        return make_splits(self.cv, self.rows, is_classifier=self.is_classifier)

    def _repeat(self, repeat: int) -> list[Split]:
        if self._method in FIXED:
            raise DataError(f"cv: {FIXED[self._method]}")
        if not self._may_repeat:
            return self._drawn(repeat)
        known = set[bytes]().union(*(self._marks(place) for place in range(repeat + 1)))
        draws = (self._drawn(repeat, draw) for draw in range(MOST_DRAWS))
        pairs = ([(mark(split.test), split) for split in draw] for draw in draws)
        return unseen(pairs, known, is_whole=self._method not in DRAWN)

    def _drawn(self, repeat: int, draw: int = 0) -> list[Split]:
        # The first draw has the seed that it had before there were others.
        numbers = [OWN_STREAM, self.cv.seed, repeat, *([draw] if draw else [])]
        seed = int(np.random.SeedSequence(numbers).generate_state(1)[0])
        changes = {"shuffle": True, "repeats": 1, "seed": seed}
        return make_splits(
            self.cv.model_copy(update=changes), self.rows, is_classifier=self.is_classifier
        )


def tests_of(splits: Iterable[Split]) -> list[np.ndarray]:
    """List the rows to test on."""
    return [split.test for split in splits]


def unseen(
    draws: Iterable[Sequence[tuple[bytes, T]]], known: Set[bytes], *, is_whole: bool
) -> list[T]:
    """Return as many splits as a draw has, none of which was there before; fewer if none are left.

    Splits are told apart by the rows that they test on, in any order. What was there before tells
    nothing new, and would make the error of a mean too small: so it is if each group is a fold, if
    a splitter looks at its seed only where groups are equal, or if few groups are drawn from.

    Args:
        draws: marks and splits of each draw.
        known: marks of earlier splits.
        is_whole: true if the splits of a draw belong together, because each row is in one test.
    """
    new: dict[bytes, T] = {}
    seen, n_same = set[frozenset[bytes]](), 0
    for draw in draws:
        if is_whole:
            new, whole = {}, frozenset(marked for marked, _ in draw)
            n_same += whole in seen
            seen.add(whole)
            # There are hardly more ways than these; large tables take seconds for each draw.
            if n_same == ENOUGH_SAME:
                break
        for marked, split in draw:
            if marked not in known and len(new) < len(draw):
                new.setdefault(marked, split)
        if len(new) == len(draw):
            break
    return list(new.values())


def has_plenty(units: np.ndarray, tests: Sequence[np.ndarray]) -> bool:
    """Tell whether there are far more ways to choose a test than repeats have splits.

    Args:
        units: of each row: its group, or the row itself.
        tests: rows to test on, of one repeat.
    """
    labels = np.unique(units, return_inverse=True)[1]
    least = min(len(np.unique(labels[test])) for test in tests)
    return comb(int(labels.max()) + 1, least) > PLENTY * MOST_REPEATS * len(tests) ** 2


def mark(test: np.ndarray) -> bytes:
    """Digest of the rows to test on, in any order."""
    return blake2b(np.sort(test).astype("<i8").tobytes(), digest_size=16).digest()
