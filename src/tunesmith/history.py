"""The record of a study: fold results, trials, and the history that strategies read.

One objective or several is a length, not a class: ``History.objectives`` lists the metrics that
decide, and ``front`` holds the trials that none other beats in all of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from itertools import islice
from math import isfinite, isnan, nan
from typing import TypeAlias, overload

import numpy as np

from tunesmith.types import Direction, Params, State

Holds: TypeAlias = Callable[[Mapping[str, str] | None], bool]
"""Function that tells if all files of a fold's reading (``None`` if unknown) are unchanged."""
HOLDOUT = -1
"""Fold number of the hold-out rows, which belong to no fold."""


def always(_reading: Mapping[str, str] | None) -> bool:
    """Accept every reading: files that estimators read are part of their keys."""
    return True


@dataclass(frozen=True, slots=True)
class Metric:
    """A name and the direction in which it improves."""

    name: str
    direction: Direction = "maximize"

    @property
    def sign(self) -> int:
        """+1 if larger is better, -1 if smaller is: ``sign * score`` always improves upwards."""
        return 1 if self.direction == "maximize" else -1


@dataclass(frozen=True, slots=True)
class Failure:
    """Reason why a fold has no score; ``kind`` groups failures with one cause (``timeout``)."""

    kind: str
    message: str
    traceback: str = ""


def score_at(progress: Sequence[tuple[int, float]], step: int) -> float:
    """Score at a step: the last one up to it, or else the first one after it.

    Args:
        progress: (step, score) by step; not empty.
        step: any.

    >>> score_at([(1, 0.5), (4, 0.7), (9, 0.8)], 5)
    0.7
    """
    until = [score for at, score in progress if at <= step]
    return until[-1] if until else progress[0][1]


@dataclass(frozen=True, slots=True)
class Check:
    """Result of a comparison of a shared fit with fresh ones."""

    kind: str
    """Sharing method, versions, parameters and kind of data, as JSON."""
    is_passed: bool


LAW = 2
"""Version of the sharing rules; raised if a change alters scores of shared fits."""
OLD_LAW = 1
"""Version assumed for shared fits that record none."""


@dataclass(frozen=True, slots=True)
class FoldResult:
    """Result of one fit on one fold: a finite score for every metric, or a failure."""

    fold: int
    scores: Mapping[str, float]
    _: KW_ONLY
    fit_time_s: float = 0.0
    score_time_s: float = 0.0
    failure: Failure | None = None
    n_sharing: int = 1
    """Number of candidates that the same fit scored."""
    warning: str = ""
    """First warning of the user's code, as ``Category: message``."""
    progress: tuple[tuple[int, float], ...] = ()
    """Streamed progress as (step, score by the first objective)."""
    stopped_at: int | None = None
    """Step at which it was pruned; its scores are those of that step."""
    ways: tuple[str, ...] = ()
    """Sharing methods of the fit (families, ``prefix``, ``bins``); empty if it was not shared."""
    law: int = LAW
    """Version of the sharing rules under which it was made."""
    reading: Mapping[str, str] | None = None
    """Files that a program has read, by name, and their states."""
    checks: tuple[Check, ...] = field(default=(), compare=False, repr=False)
    """Checks that were made on the way; not kept with the result."""

    @property
    def is_shared(self) -> bool:
        """True if other candidates had a part in its fit."""
        return self.n_sharing > 1 or bool(self.ways)

    @property
    def counts(self) -> bool:
        """True if it can be relied on; false for a shared fit under older sharing rules."""
        return self.law >= LAW or not self.is_shared

    def checked(self) -> "FoldResult":
        """This result, or a failure if a score is not a finite number: such scores never count."""
        if self.failure is not None:
            return self
        for name, score in self.scores.items():
            if not isfinite(score):
                kind = "nan" if isnan(score) else "inf"
                return replace(self, scores={}, failure=Failure(kind, f"{name} is {score}"))
        return self


@dataclass(frozen=True, slots=True)
class Trial:
    """Params with a number, a state and, once completed, its fold results in fold order.

    ``origin`` names the source of the proposal: a sampler, or ``start_with``.
    """

    number: int
    params: Params
    _: KW_ONLY
    key: str
    origin: str
    state: State = State.RUNNING
    folds: tuple[FoldResult, ...] = ()
    proposed: Params | None = None
    """Params that the strategy proposed, if another submodel candidate was better."""
    n_points: int = 1
    """Number of points that its fits scored; the trial is the best of them."""

    def scores(self, metric: str) -> np.ndarray:
        """Scores by fold, ``(n_folds,)``; NaN if the fold failed or lacks the metric."""
        return np.array([fold.scores.get(metric, nan) for fold in self.folds])

    def mean(self, metric: str) -> float:
        """Mean score over the folds; NaN unless the trial is complete."""
        return float(self.scores(metric).mean()) if self.state is State.COMPLETE else nan

    def std(self, metric: str) -> float:
        """Standard deviation over the folds (ddof 0, as scikit-learn's ``std_test_score``)."""
        return float(self.scores(metric).std()) if self.state is State.COMPLETE else nan

    @property
    def failure(self) -> Failure | None:
        """Reason of the first failed fold."""
        return next((fold.failure for fold in self.folds if fold.failure), None)

    @property
    def is_conclusive(self) -> bool:
        """True if it shows how good its params are; false for a small budget that sufficed."""
        is_stopped = any(fold.stopped_at is not None for fold in self.folds)
        return self.state is not State.PRUNED or is_stopped

    def told(self, folds: Sequence[FoldResult]) -> "Trial":
        """This trial with its results: complete only if every fold has finite scores to the end."""
        # Folds end in any order if several workers run.
        ordered = tuple(sorted(folds, key=lambda fold: fold.fold))
        clean = all(
            f.failure is None and f.scores and all(map(isfinite, f.scores.values()))
            for f in ordered
        )
        state = State.COMPLETE if ordered and clean else State.FAILED
        if state is State.COMPLETE and any(fold.stopped_at is not None for fold in ordered):
            state = State.PRUNED
        return replace(self, state=state, folds=ordered)


@dataclass
class TrialLog:
    """The growing list behind histories; only the study loop adds to it.

    Trials are asked in number order and told in number order. So two counts describe any moment of
    a study, and a ``History`` is a cheap view.
    """

    objectives: tuple[Metric, ...]
    _: KW_ONLY
    asked: list[Trial] = field(default_factory=list)
    told: list[Trial] = field(default_factory=list)
    first_number: dict[str, int] = field(default_factory=dict)
    """Number of the first trial by key of its proposed params."""
    first_told: dict[str, int] = field(default_factory=dict)
    """Number of the first completed trial by the key of its params.

    They may be another point than the proposed one.
    """
    # One entry per number of completed trials, so that an earlier view needs no recount.
    best_number: list[int | None] = field(default_factory=list)
    n_failed: list[int] = field(default_factory=lambda: [0])
    n_pruned: list[int] = field(default_factory=lambda: [0])
    n_conclusive: list[int] = field(default_factory=lambda: [0])

    def ask(self, params: Params, key: str, origin: str) -> Trial:
        """Append a pending trial."""
        trial = Trial(len(self.asked), params, key=key, origin=origin)
        self.asked.append(trial)
        self.first_number.setdefault(key, trial.number)
        return trial

    def tell(self, trial: Trial) -> None:
        """Append the results of the next pending trial.

        Raises:
            ValueError: another trial is next.
        """
        if trial.number != len(self.told):
            raise ValueError(f"trial {len(self.told)} must be told before trial {trial.number}")
        self.told.append(trial)
        self.first_told.setdefault(trial.key, trial.number)
        self.best_number.append(self._better(trial))
        self.n_failed.append(self.n_failed[-1] + (trial.state is State.FAILED))
        self.n_pruned.append(self.n_pruned[-1] + (trial.state is State.PRUNED))
        self.n_conclusive.append(self.n_conclusive[-1] + trial.is_conclusive)

    def _better(self, trial: Trial) -> int | None:
        held = self.best_number[-1] if self.best_number else None
        if trial.state is not State.COMPLETE:
            return held
        metric = self.objectives[0]
        gain = metric.sign * trial.mean(metric.name)
        # Strictly better: among equals, the earliest one stays.
        if held is None or gain > metric.sign * self.told[held].mean(metric.name):
            return trial.number
        return held

    def view(self, n_told: int | None = None) -> "History":
        """Return the history as it is, or as it was when ``n_told`` trials were completed."""
        return History(self, len(self.asked), len(self.told) if n_told is None else n_told)

    def finished(self) -> "History":
        """Return the completed trials only, without those asked ahead."""
        return History(self, len(self.told), len(self.told))


class History(Sequence[Trial]):
    """An immutable view of a study: the first ``len`` trials, of which ``n_told`` have results.

    >>> log = TrialLog((Metric("accuracy"),))
    >>> trial = log.ask({"depth": 3}, '{"depth":3}', "grid")
    >>> log.tell(trial.told([FoldResult(0, {"accuracy": 0.9}), FoldResult(1, {"accuracy": 0.7})]))
    >>> log.view().best().mean("accuracy")
    0.8
    """

    __slots__ = ("_log", "_n", "n_told")

    def __init__(self, log: TrialLog, n: int, n_told: int) -> None:
        self._log, self._n, self.n_told = log, n, n_told

    @classmethod
    def of(cls, objectives: Sequence[Metric], trials: Sequence[Trial] = ()) -> "History":
        """Make a history of completed trials, numbered from 0."""
        log = TrialLog(tuple(objectives))
        for trial in trials:
            log.ask(trial.params, trial.key, trial.origin)
            log.tell(trial)
        return log.view()

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """Metrics that decide; the first one breaks ties."""
        return self._log.objectives

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, index: int) -> Trial: ...
    @overload
    def __getitem__(self, index: slice) -> list[Trial]: ...
    def __getitem__(self, index: int | slice) -> Trial | list[Trial]:
        if isinstance(index, slice):
            return [self._at(i) for i in range(*index.indices(self._n))]
        number = index + self._n if index < 0 else index
        if not 0 <= number < self._n:
            raise IndexError(f"no trial {index} among {self._n}")
        return self._at(number)

    def _at(self, number: int) -> Trial:
        # The log may know later results by now; a view never changes.
        return self._log.told[number] if number < self.n_told else self._log.asked[number]

    def continues(self, earlier: "History") -> bool:
        """True if this is the same study as ``earlier``, then or later.

        Logs only grow, so everything derived from the earlier view is true of this one, too.
        """
        is_later = self._n >= earlier._n and self.n_told >= earlier.n_told
        return self._log is earlier._log and is_later

    def has(self, key: str) -> bool:
        """True if some trial, completed or pending, was asked for these params or has them."""
        # By number, because the log may have grown beyond this view.
        is_asked = self._log.first_number.get(key, self._n) < self._n
        return is_asked or self._log.first_told.get(key, self.n_told) < self.n_told

    @property
    def told(self) -> Iterator[Trial]:
        """Completed trials, in number order."""
        return islice(self._log.told, self.n_told)

    @property
    def running(self) -> list[Trial]:
        """Pending trials, in number order."""
        return self._log.asked[self.n_told : self._n]

    @property
    def complete(self) -> Iterator[Trial]:
        """Trials with a finite score in every fold, in number order."""
        return (trial for trial in self.told if trial.state is State.COMPLETE)

    @property
    def n_failed(self) -> int:
        """Number of completed trials that failed."""
        return self._log.n_failed[self.n_told]

    @property
    def n_pruned(self) -> int:
        """Number of trials that ended before the full budget."""
        return self._log.n_pruned[self.n_told]

    @property
    def n_conclusive(self) -> Sequence[int]:
        """Number of conclusive trials when 0, 1, ... trials were completed."""
        return self._log.n_conclusive[: self.n_told + 1]

    def best(self) -> Trial | None:
        """Best complete trial by the first objective; the earliest among equals."""
        return self.best_at(self.n_told)

    def best_at(self, n_told: int) -> Trial | None:
        """Best trial when ``n_told`` trials (not more than now) were completed."""
        number = self._log.best_number[n_told - 1] if n_told else None
        return None if number is None else self._log.told[number]

    def front(self) -> list[Trial]:
        """Complete trials that no other dominates (the Pareto front), in number order."""
        trials = list(self.complete)
        if not trials:
            return []
        gains = np.array([self._gains(trial) for trial in trials])
        return [t for t, gain in zip(trials, gains, strict=True) if not _dominated(gain, gains)]

    def _gains(self, trial: Trial) -> list[float]:
        return [metric.sign * trial.mean(metric.name) for metric in self.objectives]


def _dominated(gain: np.ndarray, gains: np.ndarray) -> bool:
    return bool(((gains >= gain).all(axis=1) & (gains > gain).any(axis=1)).any())
