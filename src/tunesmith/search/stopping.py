"""Criteria that end a study: small, composable rules that read the history and the clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from tunesmith import registry
from tunesmith.config.stop import StopSection
from tunesmith.errors import UsageError
from tunesmith.history import History
from tunesmith.space import SearchSpace
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
        """Largest number of trials that may be proposed; ``None`` if there is no limit.

        Args:
            n_folds: fewest evaluations of a trial: the folds, or 1 if a race may stop it.
        """


@runtime_checkable
class TimedCriterion(Protocol):
    """A criterion whose end can be foreseen, at least in part, from the clock."""

    def time_limit_s(self) -> float | None:
        """Seconds after which the study ends; ``None`` if there is no limit."""


@runtime_checkable
class ForecastingCriterion(Protocol):
    """A criterion that looks ahead in the search space."""

    def in_space(self, space: SearchSpace) -> Criterion:
        """This criterion for a study with such a space."""


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
        return _counted(self.n, "trial") if history.n_completed >= self.n else None


@dataclass(frozen=True)
class MaxFits(Counting):
    """Ends after a number of evaluations (candidate times fold), new or known.

    Counting the known ones, too, keeps the end of a study independent of what the ledger holds.
    """

    n: int

    def trial_limit(self, n_folds: int) -> int:
        """Number of trials that have so many evaluations, rounded up.

        Args:
            n_folds: fewest evaluations of a trial.
        """
        return -(-self.n // n_folds)

    def is_spent(self, history: History, elapsed_s: float) -> str | None:  # noqa: ARG002
        """Compare the count; a race may have stopped trials before their last fold."""
        return _counted(self.n, "fit") if history.n_evaluations >= self.n else None


@dataclass(frozen=True)
class MaxTime:
    """Ends after a number of seconds."""

    seconds: float

    def time_limit_s(self) -> float:
        """The number itself."""
        return self.seconds

    def is_spent(self, history: History, elapsed_s: float) -> str | None:  # noqa: ARG002
        """Compare the clock."""
        return f"{self.seconds:g} seconds" if elapsed_s >= self.seconds else None


@dataclass(frozen=True)
class FirstFailures(Counting):
    """Ends if the first ``n`` trials all failed, since the rest would, too.

    It counts as a criterion of numbers alone: if it is met, something is broken, and trials that
    are pending are dropped.
    """

    n: int = 5

    def trial_limit(self, n_folds: int) -> None:
        """No limit: most studies continue."""

    def is_spent(self, history: History, elapsed_s: float) -> str | None:  # noqa: ARG002
        """Check only the first trials, and name the reasons."""
        if history.n_completed < self.n or history.best_at(self.n) is not None:
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

    def time_limit_s(self) -> float | None:
        """The smallest of their limits."""
        limits = map(time_limit_s, self.criteria)
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

    def time_limit_s(self) -> float | None:
        """The largest of their limits, if each criterion has one: all of them must be met."""
        limits = [time_limit_s(criterion) for criterion in self.criteria]
        known = [limit for limit in limits if limit is not None]
        return max(known) if known and len(known) == len(limits) else None


def build(stop: StopSection, space: SearchSpace) -> Criterion:
    """Build the criterion that a configuration's ``stop`` section describes."""
    return AnyOf((*criteria(stop, space), FirstFailures(stop.first_failures)))


def criteria(stop: StopSection, space: SearchSpace | None) -> list[Criterion]:
    """List what was asked for, each by itself; first Tunesmith's own, then those of packages.

    Args:
        stop: the section.
        space: of the study; ``None`` if candidates are listed.

    Raises:
        UsageError: the criterion of an installed package does not accept its value.
    """
    given = {name: getattr(stop, name) for name in registry.BUILTIN["stopping"]}
    if stop.convergence is not None:
        given["convergence"] = stop.convergence.window
    given.pop("further_gain")
    built = [registry.load("stopping", n)(v) for n, v in given.items() if v is not None]
    built += [_outside(name, value) for name, value in stop.registered.items()]
    if stop.further_gain is not None:
        kind = registry.load("stopping", "further_gain")
        built.append(kind(stop.further_gain.below, stop.further_gain.trials))
    if space is not None:
        built = [c.in_space(space) if isinstance(c, ForecastingCriterion) else c for c in built]
    built += [_group(part, space) for part in stop.any]
    if stop.all:
        built.append(AllOf(tuple(_group(part, space) for part in stop.all)))
    return built


def _outside(name: str, value: Any) -> Criterion:
    """Build a criterion of an installed package from its value; a mapping names arguments."""
    kind = registry.load("stopping", name)
    try:
        criterion: Criterion = kind(**value) if isinstance(value, Mapping) else kind(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"stop.{name}: {registry.outside('stopping')[name]}: {error}") from None
    return criterion


def _group(stop: StopSection, space: SearchSpace | None) -> Criterion:
    built = criteria(stop, space)
    return built[0] if len(built) == 1 else AnyOf(tuple(built))


def trial_limit(criterion: Criterion, n_folds: int = 1) -> int | None:
    """Largest number of trials that may be proposed, as far as the criterion tells.

    Further trials would certainly be dropped.
    """
    return criterion.trial_limit(n_folds) if isinstance(criterion, CountingCriterion) else None


def time_limit_s(criterion: Criterion) -> float | None:
    """Seconds after which the study ends, as far as the criterion tells."""
    return criterion.time_limit_s() if isinstance(criterion, TimedCriterion) else None


def only_counts(criterion: Criterion) -> bool:
    """True if a study's end can be foreseen, since only numbers of trials decide."""
    return criterion.only_counts if isinstance(criterion, CountingCriterion) else False


def _counted(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
