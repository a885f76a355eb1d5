"""Further splits of rows in memory: the splitter of a study, made anew with other seeds."""

import warnings
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from tunesmith.data.further import N_CHECKED, is_something_repeated
from tunesmith.errors import DataError
from tunesmith.history import FURTHER, further_folds
from tunesmith.system.fingerprint import array_digest

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
    """

    splitter: Any
    n_folds: int
    seed: int
    groups: Any = None
    _made: dict[int, list[Pair]] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_made": {}}

    def split(self, fold: int, X: Any, y: Any) -> Pair:
        """Return one split.

        Args:
            fold: ``FURTHER`` or below.
            X: rows of the study.
            y: their targets, or ``None``.

        Raises:
            DataError: the splitter makes another number of folds this time.
        """
        repeat, number = divmod(FURTHER - fold, self.n_folds)
        if repeat not in self._made:
            self._made[repeat] = self._repeat(repeat, X, y)
        return self._made[repeat][number]

    def _repeat(self, repeat: int, X: Any, y: Any) -> list[Pair]:
        sequence = np.random.SeedSequence([OWN_STREAM, self.seed, repeat])
        # Some splitters take no more than 31 bits.
        seed = int(sequence.generate_state(1)[0]) >> 1
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
        further = ReseededSplits(splitter, n_folds, seed, rows.groups)
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
    first = _repeat_of(further, 0, rows)
    repeats = (_tests(_repeat_of(further, n, rows)) for n in range(N_CHECKED))
    if is_something_repeated(_tests(searched), repeats):
        return f"{name} can split these rows in too few ways"
    if type(further.splitter).__module__.startswith(TRUSTED):
        return _torn(name, searched, first, rows.groups)
    if any(len(np.intersect1d(train, test)) for train, test in first):
        return f"{name} trains and tests on the same rows with another seed"
    again = replace(further, _made={})
    same = _marks(_repeat_of(again, 0, rows)) == _marks(first)
    if not same or _marks(_repeat_of(again, 1, rows)) == _marks(first):
        return f"the splits of {name} do not depend on its `random_state` alone"
    return _torn(name, searched, first, rows.groups)


def _repeat_of(further: ReseededSplits, repeat: int, rows: MemoryRows) -> list[Pair]:
    return [further.split(fold, rows.X, rows.y) for fold in further_folds(repeat, further.n_folds)]


def _tests(splits: list[Pair]) -> list[np.ndarray]:
    return [test for _, test in splits]


def _marks(splits: list[Pair]) -> set[bytes]:
    return {np.sort(test).tobytes() for test in _tests(splits)}


def _torn(name: str, searched: list[Pair], further: list[Pair], groups: Any) -> str:
    # Neighbouring rows of a group would stand on both sides, and what fits most closely would win.
    if groups is None or _tears(searched, groups) or not _tears(further, groups):
        return ""
    return f"{name} would tear groups apart that these folds keep whole"


def _tears(splits: list[Pair], groups: Any) -> bool:
    labels = np.unique(np.asarray(groups), return_inverse=True)[1]
    return any(len(np.intersect1d(labels[train], labels[test])) for train, test in splits)
