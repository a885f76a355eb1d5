"""Failure groups: trials that failed, or warned, for the same reason."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from tunesmith.history import Trial
from tunesmith.types import State


@dataclass(frozen=True)
class FailureGroup:
    """Failure groups: trials that failed, or warned, for the same reason."""

    kind: str
    message: str
    """Message of the first of them."""
    numbers: tuple[int, ...]


Noted: TypeAlias = tuple[str, str, str, int]
NUMBERS = re.compile(r"0x[0-9a-fA-F]+|\d+(?:[.,]\d+)*(?:e[+-]?\d+)?")


def grouped(noted: Iterable[Noted]) -> tuple[FailureGroup, ...]:
    """Group trials by cause, the most frequent first.

    Messages that differ in numbers alone are of one cause; those without a cause go by their kind.

    Args:
        noted: (kind, message, cause, trial number), in trial order.
    """
    groups: dict[tuple[str, str], dict[int, str]] = {}
    for kind, message, cause, number in noted:
        groups.setdefault((kind, NUMBERS.sub("#", cause)), {}).setdefault(number, message)
    # Groups of one size are ordered by their text, so that reports repeat.
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(
        FailureGroup(kind, next(iter(messages.values())), tuple(messages))
        for (kind, _), messages in ordered
    )


@dataclass(frozen=True)
class Said:
    """The last output of failed runs, or the traceback of failed fits; each text once."""

    kind: str
    message: str
    """Text of the first of the trials."""
    text: str
    numbers: tuple[int, ...]


def said(trials: Iterable[Trial]) -> tuple[Said, ...]:
    """Return every distinct text of failed folds with its trials, the most frequent first."""
    groups: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for trial in trials:
        failed = (fold.failure for fold in trial.folds)
        for failure in failed if trial.state is State.FAILED else ():
            if failure is not None and failure.traceback.strip():
                key = failure.kind, failure.traceback
                groups.setdefault(key, []).append((trial.number, failure.message))
    texts = (
        Said(kind, noted[0][1], text, tuple(dict.fromkeys(number for number, _ in noted)))
        for (kind, text), noted in groups.items()
    )
    return tuple(sorted(texts, key=lambda group: (-len(group.numbers), group.numbers)))


def n_trials(groups: Iterable[FailureGroup]) -> int:
    """Count the trials in all groups; a trial may be in several."""
    return len({number for group in groups for number in group.numbers})


def failures(trials: Iterable[Trial]) -> Iterator[Noted]:
    """Yield (kind, message, cause, trial number) of every cause for which a fold failed."""
    for trial in trials:
        if trial.state is State.FAILED:
            for failure in (fold.failure for fold in trial.folds):
                if failure is not None:
                    yield failure.kind, failure.message, failure.message, trial.number


def warnings(trials: Iterable[Trial]) -> Iterator[Noted]:
    """Yield (kind, message, no cause, trial number) of warnings, each kind once a trial."""
    for trial in trials:
        kinds = dict(fold.warning.partition(": ")[::2] for fold in trial.folds if fold.warning)
        for kind, message in kinds.items():
            yield kind, message, "", trial.number
