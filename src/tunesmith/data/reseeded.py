"""Further splits of rows in memory: the splitter of a study, made anew with other seeds."""

import warnings
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from tunesmith.data.further import MOST_DRAWS, N_CHECKED, has_plenty, mark, unseen
from tunesmith.errors import DataError
from tunesmith.history import FURTHER
from tunesmith.system.fingerprint import array_digest
from tunesmith.types import MOST_REPEATS

Pair = tuple[np.ndarray, np.ndarray]
"""Numbers of the rows to train on and to test on."""
OWN_STREAM = 0x7EA6
"""Keeps these seeds apart from those that anybody gives to a splitter."""
TRUSTED = "sklearn."
"""Modules of splitters that are known to depend on their seed alone."""


class MemoryRows(NamedTuple):
    """Rows, targets and groups as ``cross_val_score`` passes them to a splitter."""

    X: Any
    y: Any
    groups: Any


@dataclass(frozen=True, eq=False)
class ReseededSplits:
    """Splits by fold number: ``FURTHER`` and below.

    Args:
        splitter: of the study; it stays as it is.
        n_folds: number of folds of a repeat.
        seed: of all repeats.
        groups: of the rows, for splitters that keep groups together.
        searched: marks of the splits of the search.
    """

    splitter: Any
    n_folds: int
    seed: int
    groups: Any = None
    searched: frozenset[bytes] = frozenset()
    _made: dict[int, list[Pair]] = field(init=False, default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_made": {}}

    def split(self, fold: int, X: Any, y: Any) -> Pair:
        """Return one split.

        Args:
            fold: ``FURTHER`` or below.
            X: rows of the study.
            y: their targets, or ``None``.

        Raises:
            DataError: the splitter makes another number of folds this time, or none that are new.
        """
        repeat, number = divmod(FURTHER - fold, self.n_folds)
        made = self.repeat(repeat, X, y)
        if len(made) < self.n_folds:
            name = type(self.splitter).__name__
            raise DataError(f"cv: {name} can split these rows in too few ways")
        return made[number]

    def repeat(self, repeat: int, X: Any, y: Any) -> list[Pair]:
        """Splits of a repeat; fewer than usual if too few are left that were not there before."""
        for earlier in range(repeat + 1):
            if earlier not in self._made:
                self._made[earlier] = self._repeat(earlier, X, y)
        return self._made[repeat]

    def n_repeats(self, X: Any, y: Any, most: int = MOST_REPEATS) -> int:
        """Return the number of repeats that can be made, none with a split of another.

        Args:
            X: rows of the study.
            y: their targets, or ``None``.
            most: number that is enough.
        """
        if most > N_CHECKED and self._has_plenty(X, y):
            return most
        too_few = (n for n in range(most) if len(self.repeat(n, X, y)) < self.n_folds)
        return next(too_few, most)

    def _has_plenty(self, X: Any, y: Any) -> bool:
        """True if there are far more ways to choose a test than repeats have splits."""
        kind = type(self.splitter)
        # Only of these is it known that they look at their seed, and not only in part.
        if not kind.__module__.startswith(TRUSTED) or kind.__name__ == "StratifiedGroupKFold":
            return False
        first = self.repeat(0, X, y)
        n_rows = 1 + max(int(part.max()) for pair in first for part in pair)
        is_torn = self.groups is None or _tears(first, self.groups)
        units = np.arange(n_rows) if is_torn else np.asarray(self.groups)
        return has_plenty(units, [test for _, test in first])

    def _repeat(self, repeat: int, X: Any, y: Any) -> list[Pair]:
        first = self._drawn(repeat, 0, X, y)
        draws = ([first], (self._drawn(repeat, draw, X, y) for draw in range(1, MOST_DRAWS)))
        known = self.searched.union(*(_marks(self._made[n]) for n in range(repeat)))
        pairs = ([(mark(test), (train, test)) for train, test in draw] for draw in chain(*draws))
        return unseen(pairs, known, is_whole=_are_whole(first))

    def _drawn(self, repeat: int, draw: int, X: Any, y: Any) -> list[Pair]:
        # The first draw has the seed that it had before there were others.
        numbers = [OWN_STREAM, self.seed, repeat, *([draw] if draw else [])]
        # Some splitters take no more than 31 bits.
        seed = int(np.random.SeedSequence(numbers).generate_state(1)[0]) >> 1
        with warnings.catch_warnings():
            # Told once, when the folds of the search were made.
            warnings.filterwarnings("ignore", message="The groups parameter is ignored")
            made = list(map(_numbers, _anew(self.splitter, seed).split(X, y, self.groups)))
        if len(made) != self.n_folds:
            name = type(self.splitter).__name__
            raise DataError(
                f"cv: {name} makes {len(made)} folds with another seed, and not {self.n_folds}"
            )
        return made


def reseeded(splitter: Any, splits: Sequence[Any], rows: MemoryRows) -> ReseededSplits | str:
    """Return further splits of the same kind, or the reason why there are none.

    Args:
        splitter: of the study, with ``split(X, y, groups)``.
        splits: its splits, by which the study searches.
        rows: of the study.
    """
    if not hasattr(splitter, "random_state"):
        name = type(splitter).__name__.lstrip("_")
        return "they are a fixed list" if "Iterable" in name else f"{name} has no `random_state`"
    try:
        searched = [_numbers(pair) for pair in splits]
        # The same search has the same further splits, in every run.
        seed = int(array_digest(*(part for pair in searched for part in pair))[:8], 16)
        n_folds = len(splits) // max(int(getattr(splitter, "n_repeats", 1)), 1)
        further = ReseededSplits(splitter, n_folds, seed, rows.groups, _marks(searched))
        return _problem(further, searched, rows) or further
    except Exception as error:  # noqa: BLE001 - whatever code of a splitter may raise
        return f"{type(splitter).__name__} cannot be made anew: {' '.join(str(error).split())}"


def _anew(splitter: Any, seed: int) -> Any:
    """Copy a splitter with another seed, shuffling and without repeats."""
    made = copy(splitter)
    made.random_state = seed
    if hasattr(made, "shuffle"):
        made.shuffle = True
    if hasattr(made, "n_repeats"):
        made.n_repeats = 1
    return made


def _numbers(pair: Any) -> Pair:
    train, test = (np.asarray(rows) for rows in pair)
    return _as_numbers(train), _as_numbers(test)


def _as_numbers(rows: np.ndarray) -> np.ndarray:
    # One type on all machines, because seeds and keys are digests of these numbers.
    return np.flatnonzero(rows).astype("<i8") if rows.dtype == bool else rows.astype("<i8")


def _problem(further: ReseededSplits, searched: list[Pair], rows: MemoryRows) -> str:
    """Reason why further splits would decide nothing, or decide wrongly; empty if none is seen."""
    name = type(further.splitter).__name__
    if further.n_repeats(rows.X, rows.y, N_CHECKED) < N_CHECKED:
        return f"{name} can split these rows in too few ways"
    first = further.repeat(0, rows.X, rows.y)
    if type(further.splitter).__module__.startswith(TRUSTED):
        return _torn(name, searched, first, rows.groups)
    if any(len(np.intersect1d(train, test)) for train, test in first):
        return f"{name} trains and tests on the same rows with another seed"
    again = replace(further)
    same = _marks(again.repeat(0, rows.X, rows.y)) == _marks(first)
    if not same or _marks(again.repeat(1, rows.X, rows.y)) == _marks(first):
        return f"the splits of {name} do not depend on its `random_state` alone"
    return _torn(name, searched, first, rows.groups)


def _are_whole(splits: list[Pair]) -> bool:
    """Tell whether each row is tested on at most once, so that the splits belong together."""
    tested = np.concatenate([test for _, test in splits])
    return len(np.unique(tested)) == len(tested)


def _marks(splits: list[Pair]) -> frozenset[bytes]:
    return frozenset(mark(test) for _, test in splits)


def _torn(name: str, searched: list[Pair], further: list[Pair], groups: Any) -> str:
    # Neighbouring rows of a group would stand on both sides, and what fits most closely would win.
    if groups is None or _tears(searched, groups) or not _tears(further, groups):
        return ""
    return f"{name} would tear groups apart that these folds keep whole"


def _tears(splits: list[Pair], groups: Any) -> bool:
    labels = np.unique(np.asarray(groups), return_inverse=True)[1]
    return any(len(np.intersect1d(labels[train], labels[test])) for train, test in splits)
