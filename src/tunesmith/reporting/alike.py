"""Trials that failed alike, or warned alike."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tunesmith.history import Trial
from tunesmith.types import State


@dataclass(frozen=True)
class Alike:
    """Trials that failed alike, or warned alike."""

    kind: str
    message: str
    """Of the first of them."""
    numbers: tuple[int, ...]


def grouped(noted: Iterable[tuple[str, str, int]]) -> tuple[Alike, ...]:
    """Trials by what they have in common, the most frequent first.

    Args:
        noted: (kind, message, trial number), in trial order.
    """
    groups: dict[str, list[tuple[str, int]]] = {}
    for kind, message, number in noted:
        groups.setdefault(kind, []).append((message, number))
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(
        Alike(kind, found[0][0], tuple(number for _, number in found)) for kind, found in ordered
    )


def failures(trials: Sequence[Trial]) -> Iterator[tuple[str, str, int]]:
    """(kind, message, trial number) of every failed trial."""
    for trial in trials:
        if trial.state is State.FAILED and trial.failure:
            yield trial.failure.kind, trial.failure.message, trial.number


def warnings(trials: Sequence[Trial]) -> Iterator[tuple[str, str, int]]:
    """(kind, message, trial number) of what the code of fits warned of, each kind once a trial."""
    for trial in trials:
        kinds = dict(fold.warning.partition(": ")[::2] for fold in trial.folds if fold.warning)
        for kind, message in kinds.items():
            yield kind, message, trial.number
