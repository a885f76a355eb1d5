"""Further splits of the rows of a study, which its search has not used.

They are made one repeat at a time, when they are asked for, and depend on the seed of the folds and
the number of the repeat alone. So every process makes the same ones, and nothing is made for a
study that needs none.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from tunesmith.config.objective import CrossValidation
from tunesmith.data.folds import RANDOM, Split, choose_method, make_splits
from tunesmith.data.table import Rows
from tunesmith.errors import DataError
from tunesmith.history import FURTHER, further_folds

SHUFFLED = ("kfold", "stratified", "group", "stratified_group", *RANDOM, "group_shuffle_split")
"""Methods that split the same rows in another way if their seed is another one."""
FIXED = {
    "time_series": "a time series has one order, so that it cannot be split anew",
    "leave_one_group_out": "leaving out each group can be done in one way only",
    "predefined": "a column of the data fixes the folds",
    "splitter": "code of the project makes the folds",
}
N_CHECKED = 4
"""Repeats that are looked at before any is used: as many as the usual limit of fits allows."""
OWN_STREAM = 0x7EA5
"""Keeps these seeds apart from those that anybody writes into a configuration."""


@dataclass(frozen=True, eq=False)
class FurtherSplits:
    """Splits by fold number: ``FURTHER`` and below.

    Args:
        cv: the study's folds.
        rows: rows that the search saw.
        is_classifier: true if ``auto`` keeps classes together.
    """

    cv: CrossValidation
    rows: Rows
    is_classifier: bool
    _made: dict[int, list[Split]] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_made": {}}

    @cached_property
    def blocker(self) -> str:
        """Reason why the rows cannot be split anew; empty if they can."""
        method = choose_method(self.cv, self.rows, is_classifier=self.is_classifier)
        if method not in SHUFFLED:
            return FIXED[method]
        # Single rows have more ways than anybody needs, unless there is about one for each fold.
        if self.rows.groups is None and len(self.rows) > 2 * self.n_folds:
            return ""
        searched = make_splits(self.cv, self.rows, is_classifier=self.is_classifier)
        repeats = (
            [self[fold] for fold in further_folds(n, self.n_folds)] for n in range(N_CHECKED)
        )
        if not is_something_repeated(tests_of(searched), map(tests_of, repeats)):
            return ""
        what = "rows" if self.rows.groups is None else "groups"
        return f"these {what} can be split into {self.n_folds} folds in too few ways ({method})"

    @property
    def n_folds(self) -> int:
        """Number of folds of a repeat."""
        return self.cv.folds

    def __getitem__(self, fold: int) -> Split:
        """Return a split.

        Raises:
            DataError: the rows cannot be split anew.
        """
        repeat, number = divmod(FURTHER - fold, self.n_folds)
        if repeat not in self._made:
            self._made[repeat] = self._repeat(repeat)
        return self._made[repeat][number]

    def _repeat(self, repeat: int) -> list[Split]:
        method = choose_method(self.cv, self.rows, is_classifier=self.is_classifier)
        if method in FIXED:
            raise DataError(f"cv: {FIXED[method]}")
        sequence = np.random.SeedSequence([OWN_STREAM, self.cv.seed, repeat])
        changes = {"shuffle": True, "repeats": 1, "seed": int(sequence.generate_state(1)[0])}
        return make_splits(
            self.cv.model_copy(update=changes), self.rows, is_classifier=self.is_classifier
        )


def tests_of(splits: Iterable[Split]) -> list[np.ndarray]:
    """List the rows to test on."""
    return [split.test for split in splits]


def is_something_repeated(
    searched: Iterable[np.ndarray], repeats: Iterable[Iterable[np.ndarray]]
) -> bool:
    """Tell whether a repeat consists of splits that were there before it, so that it tells nothing.

    So it is if each group is a fold, or if a splitter looks at its seed only where groups are
    equal. Splits are told apart by the rows that they test on, in any order.

    Args:
        searched: rows to test on of each fold of the search.
        repeats: of each repeat.
    """
    known = {_mark(test) for test in searched}
    for repeat in repeats:
        made = {_mark(test) for test in repeat}
        if made <= known:
            return True
        known |= made
    return False


def _mark(test: np.ndarray) -> bytes:
    return np.sort(test).astype("<i8").tobytes()
