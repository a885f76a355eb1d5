"""The record of a study: fold results, trials, and the history that strategies read.

One objective or several is a length, not a class: ``History.objectives`` lists the metrics that
decide, and ``front`` holds the trials that none other beats in all of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import partial
from itertools import islice
from math import inf, isfinite, isnan, nan, sqrt
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from tunesmith.types import Direction, Facts, OutcomeConstraint, Params, State

if TYPE_CHECKING:
    # Imported when it is needed: a command that reads a few means should not wait for it.
    import numpy as np

Holds: TypeAlias = Callable[[Mapping[str, str] | None], bool]
"""Function that tells if all files of a fold's reading (``None`` if unknown) are unchanged."""
HOLDOUT = -1
"""Fold number of the hold-out rows, which belong to no fold."""
FURTHER = -2
"""Fold number of the first split beyond the search's folds; the next ones count down."""


def further_folds(repeat: int, n_folds: int) -> range:
    """Return the fold numbers of a repeat of further splits.

    >>> list(further_folds(1, 3))
    [-5, -6, -7]
    """
    first = FURTHER - repeat * n_folds
    return range(first, first - n_folds, -1)


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


IN_ORDER = 8
"""With fewer numbers, NumPy adds them one after the other; more are added in pairs."""


def mean_of(scores: "Sequence[float] | np.ndarray") -> float:
    """Return the mean that NumPy returns, to the bit, without making an array of a few numbers.

    >>> mean_of([0.5, 1.0])
    0.75
    """
    if not 0 < len(scores) < IN_ORDER:
        import numpy as np

        return float(np.array(scores).mean())
    # Not `sum`: since Python 3.12 it corrects what rounding loses, and gives other bits.
    total = 0.0
    for score in scores:
        total += float(score)
    return total / len(scores)


def std_of(scores: "Sequence[float] | np.ndarray", ddof: int = 0) -> float:
    """Return NumPy's standard deviation, to the bit, as ``mean_of`` does.

    Args:
        scores: more than ``ddof`` of them.
        ddof: subtracted from their number, as in NumPy.

    >>> std_of([0.5, 1.0])
    0.25
    """
    n = len(scores)
    if not ddof < n < IN_ORDER:
        import numpy as np

        return float(np.array(scores).std(ddof=ddof))
    mean, total = mean_of(scores), 0.0
    for score in scores:
        deviation = float(score) - mean
        total += deviation * deviation
    return sqrt(total / (n - ddof))


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
    parts: str = ""
    """Parts of the rows in the score by the first metric (``data/row_blocks``); empty if they are
    not known."""
    checks: tuple[Check, ...] = field(default=(), compare=False, repr=False)
    """Checks that were made on the way; not kept with the result."""
    delivery: Any = field(default=None, compare=False, repr=False)
    """Models of its fit for the process of the search; not kept with the result."""
    facts: Facts | None = field(default=None, compare=False, repr=False)
    """Numbers that describe its model, for the process of the search; not kept with the result."""

    @property
    def is_shared(self) -> bool:
        """True if other candidates had a part in its fit."""
        return self.n_sharing > 1 or bool(self.ways)

    @property
    def counts(self) -> bool:
        """True if it can be relied on; false for a shared fit under older sharing rules."""
        return self.law >= LAW or not self.is_shared

    def outcome(self, metric: str) -> float:
        """Score by a metric, or the measured time in seconds; NaN if there is neither."""
        if metric in self.scores:
            return self.scores[metric]
        times = {"fit_time": self.fit_time_s, "score_time": self.score_time_s}
        return nan if self.failure else times.get(metric, nan)

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
    n_left_out: int = 0
    """Number of folds without a result, because a race stopped the trial before them."""

    def scores(self, metric: str) -> "np.ndarray":
        """Scores by fold, ``(n_folds,)``; NaN if the fold failed or lacks the metric."""
        import numpy as np

        return np.array(self.fold_scores(metric))

    def fold_scores(self, metric: str) -> list[float]:
        """Scores by fold as plain numbers; NaN as above."""
        return [float(fold.scores.get(metric, nan)) for fold in self.folds]

    def mean(self, metric: str) -> float:
        """Mean score over the folds; NaN unless the trial is complete."""
        return mean_of(self.fold_scores(metric)) if self.state is State.COMPLETE else nan

    def std(self, metric: str) -> float:
        """Standard deviation over the folds (ddof 0, as scikit-learn's ``std_test_score``)."""
        return std_of(self.fold_scores(metric)) if self.state is State.COMPLETE else nan

    def outcome(self, metric: str) -> float:
        """Mean of a metric over the folds that it has; NaN if one lacks it.

        ``fit_time`` and ``score_time`` are those that were measured, in seconds, if no metric of
        that name was recorded.
        """
        values = [fold.outcome(metric) for fold in self.folds]
        return mean_of(values) if values else nan

    @property
    def failure(self) -> Failure | None:
        """Reason of the first failed fold."""
        return next((fold.failure for fold in self.folds if fold.failure), None)

    @property
    def is_conclusive(self) -> bool:
        """True if it shows how good its params are; false for a small budget that sufficed."""
        is_stopped = any(fold.stopped_at is not None for fold in self.folds)
        return self.state is not State.PRUNED or is_stopped or self.is_raced

    @property
    def is_raced(self) -> bool:
        """True if a race over the folds stopped it before its last fold."""
        return self.n_left_out > 0

    def completed(self, folds: Sequence[FoldResult], n_folds: int | None = None) -> "Trial":
        """This trial with its results: complete only if every fold has finite scores to the end.

        Args:
            folds: the results, in any order.
            n_folds: folds of the study, if a race may have stopped the trial after fewer.
        """
        # Folds end in any order if several workers run.
        ordered = tuple(sorted(folds, key=lambda fold: fold.fold))
        clean = all(
            f.failure is None and f.scores and all(map(isfinite, f.scores.values()))
            for f in ordered
        )
        state = State.COMPLETE if ordered and clean else State.FAILED
        is_stopped = any(fold.stopped_at is not None for fold in ordered)
        n_left_out = max((n_folds or 0) - len(ordered), 0) if state is State.COMPLETE else 0
        if state is State.COMPLETE and (is_stopped or n_left_out):
            state = State.PRUNED
        return replace(self, state=state, folds=ordered, n_left_out=n_left_out)


def shortfall(trial: Trial, subject_to: Sequence[OutcomeConstraint]) -> float:
    """Sum of a trial's distances from what constraints on outcomes allow; 0 if it meets them."""
    return sum(c.shortfall(trial.outcome(c.metric)) for c in subject_to)


@dataclass
class TrialLog:
    """The growing list behind histories; only the study loop adds to it.

    Trials are proposed in number order and completed in number order. So two counts describe any
    moment of a study, and a ``History`` is a cheap view.
    """

    objectives: tuple[Metric, ...]
    subject_to: tuple[OutcomeConstraint, ...] = ()
    """Constraints on outcomes; a trial that violates one never wins."""
    _: KW_ONLY
    trials: list[Trial] = field(default_factory=list)
    completed: list[Trial] = field(default_factory=list)
    first_number: dict[str, int] = field(default_factory=dict)
    """Number of the first trial by key of its proposed params."""
    first_completed: dict[str, int] = field(default_factory=dict)
    """Number of the first completed trial by the key of its params.

    They may be another point than the proposed one.
    """
    # One entry per number of completed trials, so that an earlier view needs no recount.
    fronts: list[tuple[int, ...]] = field(default_factory=lambda: [()])
    """Numbers of the trials that none beats or equals in all metrics; the latest comes last."""
    best_number: list[int | None] = field(default_factory=lambda: [None])
    n_failed: list[int] = field(default_factory=lambda: [0])
    n_pruned: list[int] = field(default_factory=lambda: [0])
    n_conclusive: list[int] = field(default_factory=lambda: [0])
    n_evaluations: list[int] = field(default_factory=lambda: [0])

    def emptied(self) -> "TrialLog":
        """Return a log of the same study without trials."""
        return TrialLog(self.objectives, self.subject_to)

    def ask(self, params: Params, key: str, origin: str) -> Trial:
        """Append a pending trial."""
        trial = Trial(len(self.trials), params, key=key, origin=origin)
        self.trials.append(trial)
        self.first_number.setdefault(key, trial.number)
        return trial

    def tell(self, trial: Trial) -> None:
        """Append the results of the next pending trial.

        Raises:
            ValueError: another trial is next.
        """
        if trial.number != len(self.completed):
            raise ValueError(
                f"trial {len(self.completed)} must be completed before trial {trial.number}"
            )
        self.completed.append(trial)
        self.first_completed.setdefault(trial.key, trial.number)
        self.fronts.append(self._front_with(trial))
        self.best_number.append(self._first_on(self.fronts[-1]))
        self.n_failed.append(self.n_failed[-1] + (trial.state is State.FAILED))
        self.n_pruned.append(self.n_pruned[-1] + (trial.state is State.PRUNED))
        self.n_conclusive.append(self.n_conclusive[-1] + trial.is_conclusive)
        self.n_evaluations.append(self.n_evaluations[-1] + len(trial.folds))

    def _front_with(self, trial: Trial) -> tuple[int, ...]:
        front = self.fronts[-1]
        if trial.state is not State.COMPLETE or self.violated(trial):
            return front
        own = self.gains_of(trial)
        others = {number: self.gains_of(self.completed[number]) for number in front}
        # Among equals, the earliest one stays.
        if any(map(partial(_is_as_good, than=own), others.values())):
            return front
        kept = (number for number, gains in others.items() if not _is_as_good(own, than=gains))
        return (*kept, trial.number)

    def _first_on(self, front: tuple[int, ...]) -> int | None:
        """Best trial by the first metric; further metrics break ties."""
        if front == self.fronts[-2]:
            return self.best_number[-1]
        return max(front, key=lambda number: self.gains_of(self.completed[number]))

    def gains_of(self, trial: Trial) -> tuple[float, ...]:
        """Mean score in every metric that decides, turned so that larger is better."""
        return tuple(metric.sign * trial.mean(metric.name) for metric in self.objectives)

    def violated(self, trial: Trial) -> tuple[OutcomeConstraint, ...]:
        """Return the constraints on outcomes that a trial does not meet."""
        return tuple(c for c in self.subject_to if not c.allows(trial.outcome(c.metric)))

    def view(self, n_completed: int | None = None) -> "History":
        """Return the history as it is, or as it was when ``n_completed`` trials were completed."""
        return History(
            self, len(self.trials), len(self.completed) if n_completed is None else n_completed
        )

    def finished(self) -> "History":
        """Return the completed trials only, without pending ones."""
        return History(self, len(self.completed), len(self.completed))


class History(Sequence[Trial]):
    """An immutable view of a study: its first trials, of which ``n_completed`` have results.

    >>> log = TrialLog((Metric("accuracy"),))
    >>> trial = log.ask({"depth": 3}, '{"depth":3}', "grid")
    >>> folds = [FoldResult(0, {"accuracy": 0.9}), FoldResult(1, {"accuracy": 0.7})]
    >>> log.tell(trial.completed(folds))
    >>> log.view().best().mean("accuracy")
    0.8
    """

    __slots__ = ("_held", "_n", "n_completed")

    def __init__(self, log: TrialLog | None, n: int, n_completed: int) -> None:
        self._held, self._n, self.n_completed = log, n, n_completed

    @property
    def _log(self) -> TrialLog:
        assert self._held is not None  # noqa: S101 - only a subclass begins without trials
        return self._held

    @classmethod
    def of(
        cls,
        objectives: Sequence[Metric],
        trials: Sequence[Trial] = (),
        subject_to: Sequence[OutcomeConstraint] = (),
    ) -> "History":
        """Make a history of completed trials, numbered from 0."""
        log = TrialLog(tuple(objectives), tuple(subject_to))
        for trial in trials:
            log.ask(trial.params, trial.key, trial.origin)
            log.tell(trial)
        return log.view()

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """Metrics that decide, the most important one first."""
        return self._log.objectives

    @property
    def subject_to(self) -> tuple[OutcomeConstraint, ...]:
        """Constraints on outcomes; a trial that violates one never wins."""
        return self._log.subject_to

    def emptied(self) -> TrialLog:
        """Return a log of the same study without trials."""
        return self._log.emptied()

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
        return (
            self._log.completed[number] if number < self.n_completed else self._log.trials[number]
        )

    def continues(self, earlier: "History") -> bool:
        """True if this is the same study as ``earlier``, then or later.

        Logs only grow, so everything derived from the earlier view is true of this one, too.
        """
        is_later = self._n >= earlier._n and self.n_completed >= earlier.n_completed
        return self._log is earlier._log and is_later

    def earlier(self, n_completed: int) -> "History":
        """Return the first trials, all of them completed; at most as many as are completed now."""
        return History(self._log, n_completed, n_completed)

    def has(self, key: str) -> bool:
        """True if these params were proposed for a trial, or if a completed trial has them."""
        # By number, because the log may have grown beyond this view.
        is_proposed = self._log.first_number.get(key, self._n) < self._n
        return (
            is_proposed or self._log.first_completed.get(key, self.n_completed) < self.n_completed
        )

    @property
    def completed(self) -> Iterator[Trial]:
        """Completed trials, in number order."""
        return islice(self._log.completed, self.n_completed)

    @property
    def pending(self) -> list[Trial]:
        """Pending trials, in number order."""
        return self._log.trials[self.n_completed : self._n]

    @property
    def successful(self) -> Iterator[Trial]:
        """Trials with a finite score in every fold, in number order."""
        return (trial for trial in self.completed if trial.state is State.COMPLETE)

    @property
    def admissible(self) -> Iterator[Trial]:
        """Successful trials that meet every constraint on outcomes, in number order."""
        return (trial for trial in self.successful if not self.violated(trial))

    def violated(self, trial: Trial) -> tuple[OutcomeConstraint, ...]:
        """Return the constraints on outcomes that a trial does not meet."""
        return self._log.violated(trial)

    @property
    def n_failed(self) -> int:
        """Number of completed trials that failed."""
        return self._log.n_failed[self.n_completed]

    @property
    def n_pruned(self) -> int:
        """Number of trials that ended before the full budget."""
        return self._log.n_pruned[self.n_completed]

    @property
    def n_conclusive(self) -> Sequence[int]:
        """Number of conclusive trials when 0, 1, ... trials were completed."""
        return self._log.n_conclusive[: self.n_completed + 1]

    @property
    def n_evaluations(self) -> int:
        """Number of evaluations (trial times fold) of the completed trials."""
        return self._log.n_evaluations[self.n_completed]

    def best(self) -> Trial | None:
        """Best admissible trial by the first metric; of equals by further metrics, then number."""
        return self.best_at(self.n_completed)

    def best_at(self, n_completed: int) -> Trial | None:
        """Best trial when ``n_completed`` trials (not more than now) were completed."""
        number = self._log.best_number[n_completed]
        return None if number is None else self._log.completed[number]

    def at(self, numbers: Sequence[int]) -> list[Trial]:
        """Trials by number, in the order of the numbers."""
        return [self[number] for number in numbers]

    def up_to(self, n_completed: int) -> "History":
        """The first trials alone, all of them completed."""
        n = min(n_completed, self.n_completed)
        return History(self._log, n, n)

    @property
    def most_folds(self) -> int:
        """Most folds of a completed trial; 0 without trials."""
        return max((len(trial.folds) for trial in self.completed), default=0)

    def tried(self, params: Params, origin: str) -> Trial | None:
        """First completed trial with these params, or else the first one of an origin."""
        completed = list(self.completed)
        same = (trial for trial in completed if dict(trial.params) == dict(params))
        return next(same, next((t for t in completed if t.origin == origin), None))

    @property
    def whole_folds(self) -> int:
        """Folds of the first complete trial; 0 without one."""
        return next((len(trial.folds) for trial in self.successful), 0)

    @property
    def tried_names(self) -> frozenset[str]:
        """Names of all parameters that a completed trial has."""
        return frozenset(name for trial in self.completed for name in trial.params)

    @property
    def all_count(self) -> bool:
        """True if every result can be relied on."""
        return all(fold.counts for trial in self.completed for fold in trial.folds)

    def front_at(self, n_completed: int) -> tuple[int, ...]:
        """Numbers of the trials on the Pareto front when ``n_completed`` trials were completed.

        Of equal trials only the earliest one is there. The last number is that of the trial that
        moved the front last; with one metric it is the only one, the best trial.
        """
        return self._log.fronts[n_completed]

    def front(self) -> list[Trial]:
        """Admissible trials that no other dominates (the Pareto front), in number order."""
        trials = list(self.admissible)
        if not trials:
            return []
        import numpy as np

        gains = np.array([self._log.gains_of(trial) for trial in trials])
        return [trials[place] for place in np.flatnonzero(non_dominated(gains))]


def non_dominated(gains: "np.ndarray") -> "np.ndarray":
    """Find the points that no other beats in one metric and equals or beats in all.

    Args:
        gains: ``(n, n_metrics)``, larger is better.

    Returns:
        ``(n,)`` booleans; equal points are in or out together.

    >>> import numpy as np
    >>> non_dominated(np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0]])).tolist()
    [True, True, False]
    """
    import numpy as np

    if gains.shape[1] == 1:
        best: np.ndarray = gains[:, 0] == gains[:, 0].max(initial=-inf)
        return best
    # Each step compares all that are left with one point of the front, so that a long history
    # with a short front costs little.
    left = np.lexsort(-gains.T[::-1])
    on_front = np.zeros(len(gains), dtype=bool)
    while len(left):
        point, others = gains[left[0]], gains[left]
        is_equal = (others == point).all(axis=1)
        on_front[left[is_equal]] = True
        left = left[(others > point).any(axis=1)]
    return on_front


def _is_as_good(gains: tuple[float, ...], than: tuple[float, ...]) -> bool:
    return all(own >= other for own, other in zip(gains, than, strict=True))
