"""Criteria that end a study: small, composable rules that read the history and the clock."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from tunesmith import registry
from tunesmith.config.model import StopSection
from tunesmith.errors import UsageError
from tunesmith.history import History, Trial
from tunesmith.types import State


class Criterion(Protocol):
    """A reason to stop. A criterion may also be a ``CountingCriterion``."""

    def is_spent(self, history: History, elapsed_s: float) -> str | None:
        """Reason to end the study now, as a text; ``None`` if it should continue."""


@runtime_checkable
class CountingCriterion(Protocol):
    """A criterion whose end can be foreseen, at least in part, from numbers of trials."""

    @property
    def only_counts(self) -> bool:
        """True if nothing but numbers of trials decides."""

    def trial_limit(self, n_folds: int) -> int | None:
        """Largest number of trials that may be asked for; ``None`` if there is no limit."""


class Counting:
    """Common part of criteria that look at numbers of trials alone."""

    only_counts = True


@dataclass(frozen=True)
class MaxTrials(Counting):
    """Ends after a number of completed trials."""

    n: int

    def trial_limit(self, n_folds: int) -> int:  # noqa: ARG002
        """The number itself."""
        return self.n

    def is_spent(self, history: History, elapsed_s: float) -> str | None:  # noqa: ARG002
        """Compare the count."""
        return f"{self.n} trials" if history.n_told >= self.n else None


@dataclass(frozen=True)
class MaxFits(Counting):
    """Ends after a number of evaluations (candidate times fold), new or known.

    Counting the known ones, too, keeps the end of a study independent of what the ledger holds.
    """

    n: int

    def trial_limit(self, n_folds: int) -> int:
        """Number of trials that have so many evaluations, rounded up."""
        return -(-self.n // n_folds)

    def is_spent(self, history: History, elapsed_s: float) -> str | None:  # noqa: ARG002
        """Compare the count; every trial of a study has the same number of folds."""
        if not history.n_told:
            return None
        n_fits = history.n_told * len(history[0].folds)
        return f"{self.n} fits" if n_fits >= self.n else None


@dataclass(frozen=True)
class MaxTime:
    """Ends after a number of seconds."""

    seconds: float

    def is_spent(self, history: History, elapsed_s: float) -> str | None:  # noqa: ARG002
        """Compare the clock."""
        return f"{self.seconds:g} seconds" if elapsed_s >= self.seconds else None


@dataclass(frozen=True)
class TargetScore:
    """Ends if the first objective's best mean score is good enough."""

    score: float

    def is_spent(self, history: History, elapsed_s: float) -> str | None:  # noqa: ARG002
        """Compare the best trial."""
        best, metric = history.best(), history.objectives[0]
        if best is None or metric.sign * (best.mean(metric.name) - self.score) < 0:
            return None
        return f"{metric.name} reached the target {self.score:g}"


@dataclass(frozen=True)
class Patience:
    """Ends if the first objective has not improved for a number of trials.

    Failed trials count: they are no improvement. Gains of further objectives do not count, nor do
    trials with less than the full budget.
    """

    n: int

    def is_spent(self, history: History, elapsed_s: float) -> str | None:  # noqa: ARG002
        """Count the trials completed since the best one."""
        best, counts = history.best(), history.n_conclusive
        since = counts[-1] - (0 if best is None else counts[best.number + 1])
        return f"no better score in {self.n} trials" if since >= self.n else None


@dataclass(frozen=True)
class Convergence:
    """Ends if the gain of the last trials is smaller than the noise of the folds.

    The gain of the best mean over the last ``window`` trials is compared with the standard error of
    the difference between the old and the new best, fold by fold: effects of a fold that all trials
    share (most of the folds' spread) cancel in the difference. Trials with less than the full
    budget do not count.
    """

    window: int = 20

    def is_spent(self, history: History, elapsed_s: float) -> str | None:  # noqa: ARG002
        """Compare the best trial now with the best one ``window`` trials ago."""
        counts = history.n_conclusive
        if counts[-1] <= self.window:
            return None
        n_before = bisect_left(counts, counts[-1] - self.window)
        before, now = history.best_at(n_before), history.best()
        if before is None or now is None:
            return None
        metric = history.objectives[0]
        if abs(now.mean(metric.name) - before.mean(metric.name)) > _noise(now, before, metric.name):
            return None
        return f"the gain of the last {self.window} trials is below the folds' noise"


def _noise(left: Trial, right: Trial, metric: str) -> float:
    difference = left.scores(metric) - right.scores(metric)
    # A single fold has no spread, so any gain counts.
    if len(difference) < 2:
        return 0.0
    return float(np.std(difference, ddof=1) / np.sqrt(len(difference)))


@dataclass(frozen=True)
class FirstFailures(Counting):
    """Ends if the first ``n`` trials all failed, since the rest would, too.

    It counts as a criterion of numbers alone: if it is met, something is broken, and trials that
    were asked ahead are dropped.
    """

    n: int = 5

    def trial_limit(self, n_folds: int) -> None:
        """No limit: most studies continue."""

    def is_spent(self, history: History, elapsed_s: float) -> str | None:  # noqa: ARG002
        """Check only the first trials, and name the reasons."""
        if history.n_told < self.n or history.best_at(self.n) is not None:
            return None
        first = history[: self.n]
        if any(trial.state is not State.FAILED for trial in first):
            return None
        kinds = sorted({trial.failure.kind for trial in first if trial.failure})
        return f"the first {self.n} trials all failed ({', '.join(kinds) or 'no finite score'})"


@dataclass(frozen=True)
class AnyOf:
    """Ends with the first of several criteria."""

    criteria: tuple[Criterion, ...]

    def is_spent(self, history: History, elapsed_s: float) -> str | None:
        """Return the first reason."""
        reasons = (criterion.is_spent(history, elapsed_s) for criterion in self.criteria)
        return next((reason for reason in reasons if reason), None)

    @property
    def only_counts(self) -> bool:
        """True if that holds for every one of them."""
        return all(map(only_counts, self.criteria))

    def trial_limit(self, n_folds: int) -> int | None:
        """The smallest of their limits."""
        limits = (trial_limit(criterion, n_folds) for criterion in self.criteria)
        return min((limit for limit in limits if limit is not None), default=None)


@dataclass(frozen=True)
class AllOf:
    """Ends when every one of several criteria is met."""

    criteria: tuple[Criterion, ...]

    def is_spent(self, history: History, elapsed_s: float) -> str | None:
        """Return all reasons together."""
        reasons = [criterion.is_spent(history, elapsed_s) for criterion in self.criteria]
        if not reasons or None in reasons:
            return None
        return " and ".join(reason for reason in reasons if reason)

    @property
    def only_counts(self) -> bool:
        """True if that holds for every one of them."""
        return all(map(only_counts, self.criteria))

    def trial_limit(self, n_folds: int) -> int | None:
        """The largest of their limits, if each criterion has one: all of them must be met."""
        limits = [trial_limit(criterion, n_folds) for criterion in self.criteria]
        known = [limit for limit in limits if limit is not None]
        return max(known) if known and len(known) == len(limits) else None


def build(stop: StopSection) -> Criterion:
    """Build the criterion that a configuration's ``stop`` section describes."""
    return AnyOf((*criteria(stop), FirstFailures(stop.first_failures)))


def criteria(stop: StopSection) -> list[Criterion]:
    """List what was asked for, each by itself; first Tunesmith's own, then those of packages.

    Raises:
        UsageError: the criterion of an installed package does not accept its value.
    """
    given = {name: getattr(stop, name) for name in registry.BUILTIN["stopping"]}
    if stop.convergence is not None:
        given["convergence"] = stop.convergence.window
    built = [registry.load("stopping", n)(v) for n, v in given.items() if v is not None]
    built += [_outside(name, value) for name, value in stop.registered.items()]
    built += [_group(part) for part in stop.any]
    if stop.all:
        built.append(AllOf(tuple(_group(part) for part in stop.all)))
    return built


def _outside(name: str, value: Any) -> Criterion:
    """Build a criterion of an installed package from its value; a mapping names arguments."""
    kind = registry.load("stopping", name)
    try:
        criterion: Criterion = kind(**value) if isinstance(value, Mapping) else kind(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"stop.{name}: {registry.outside('stopping')[name]}: {error}") from None
    return criterion


def _group(stop: StopSection) -> Criterion:
    built = criteria(stop)
    return built[0] if len(built) == 1 else AnyOf(tuple(built))


def trial_limit(criterion: Criterion, n_folds: int = 1) -> int | None:
    """Largest number of trials that may be asked for, as far as the criterion tells.

    Further trials would certainly be dropped.
    """
    return criterion.trial_limit(n_folds) if isinstance(criterion, CountingCriterion) else None


def only_counts(criterion: Criterion) -> bool:
    """True if a study's end can be foreseen, since only numbers of trials decide."""
    return criterion.only_counts if isinstance(criterion, CountingCriterion) else False
