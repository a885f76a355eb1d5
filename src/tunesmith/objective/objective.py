"""The protocol of objectives: functions from params and a fold to scores."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from tunesmith.data.leaks.sign import Sign
from tunesmith.history import FoldResult, Holds, Metric, always
from tunesmith.space import SearchSpace
from tunesmith.types import MOST_REPEATS, Fit, Params, Value

if TYPE_CHECKING:  # studies of programs start without the libraries of estimators
    from tunesmith.sharing.same_models import SameModels


class Objective(Protocol):
    """Scores params on folds; picklable, so that it can run in another process.

    An objective may have further capabilities: ``SizedObjective``, ``SharingObjective``,
    ``ReadOffObjective``, ``SameModelObjective``, ``ResplittingObjective`` and ``ReadingObjective``.
    """

    # Properties, so that an attribute, a property and a field of a frozen class all will do.
    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All metrics that are recorded; the deciding ones first."""

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """Metrics that decide."""

    @property
    def n_folds(self) -> int:
        """Number of evaluations per trial."""

    @property
    def has_holdout(self) -> bool:
        """True if ``HOLDOUT`` is a fold, too, although no trial is evaluated on it."""

    @property
    def context(self) -> Mapping[str, str]:
        """Digests of all that results depend on but params and fold, by name (``data``…)."""

    @property
    def notes(self) -> Sequence[str]:
        """Sentences that a user should read before the first fit."""

    def key(self, params: Params, fold: int) -> str:
        """Digest of one evaluation, at most 64 characters: equal keys mean equal scores."""

    def defaults(self) -> Params:
        """The estimator's own values of its parameters."""

    def groups(self, candidates: Sequence[Params]) -> Sequence[tuple[int, ...]]:
        """Group candidates that one fit can score.

        Returns:
            Indices of the candidates, each in one group; groups are ordered by their first member.
        """

    def submodel_candidates(self, params: Params, space: SearchSpace) -> Sequence[Params]:
        """List the submodel candidates that a fit of ``params`` also scores.

        Args:
            params: a canonical point of the space.
            space: contains the candidates.

        Returns:
            Canonical points of the space, the given one among them, in order of preference among
            equally good ones; only the given one if nothing is shared.
        """

    def evaluate(self, fit: Fit) -> list[FoldResult]:
        """Train and score; an exception of the user's code becomes a failed result.

        Returns:
            One result per candidate, in order; then one for each extra candidate of
            ``extra_candidates``, or for none if they would have needed fits of their own.
        """


@runtime_checkable
class SizedObjective(Protocol):
    """An objective that can tell how long fits take, relative to others of the same kind."""

    def size(self, candidates: Sequence[Params]) -> float:
        """Relative cost of one fit of these candidates; no result depends on it."""


@runtime_checkable
class SharingObjective(Protocol):
    """An objective that verifies what its fits share."""

    @property
    def passed(self) -> set[str]:
        """Digests of the verified kinds of sharing; those of a ledger are added before a run."""

    def blockers(
        self, candidates: Sequence[Params], *, has_submodel_candidates: bool = False
    ) -> list[str]:
        """List the reasons why candidates share no fits that might be expected to."""


@runtime_checkable
class ReadOffObjective(Protocol):
    """An objective whose fits hold all values of a submodel parameter."""

    def read_off(self, params: Params, space: SearchSpace) -> tuple[str, Value] | None:
        """Name of that parameter, and the value to fit with; ``None`` if there is none."""


@runtime_checkable
class SameModelObjective(Protocol):
    """An objective whose fits show which others would give the same model."""

    def same_models(self) -> "SameModels | None":
        """Empty store of results for one study; ``None`` if every fit is to be made."""


@runtime_checkable
class ResplittingObjective(Protocol):
    """An objective whose rows may be split anew: folds ``FURTHER`` and below."""

    @property
    def n_repeat(self) -> int:
        """Number of folds of a repeat of further splits."""

    @property
    def no_further(self) -> str:
        """Reason why the rows cannot be split anew; empty if they can."""

    @property
    def n_further(self) -> int:
        """Number of repeats that can be made, if there are any: at most 20."""


@runtime_checkable
class ReadingObjective(Protocol):
    """An objective whose evaluations read files that only runs can tell."""

    def changed(self, reading: Mapping[str, str] | None) -> list[str]:
        """List the files of a reading that have changed since."""


@runtime_checkable
class LeakCheckingObjective(Protocol):
    """An objective that has a table, and looks for signs of a leak in it."""

    def signs_of_leaks(self) -> tuple[Sign, ...]:
        """Signs that were found; empty if none was."""
        ...


def same_models_of(objective: object) -> "SameModels | None":
    """Return a store of results that spares fits, if the objective has one."""
    return objective.same_models() if isinstance(objective, SameModelObjective) else None


def signs_of_leaks(objective: object) -> tuple[Sign, ...]:
    """Return signs of a leak, if the objective has a table to look at."""
    return objective.signs_of_leaks() if isinstance(objective, LeakCheckingObjective) else ()


def know_checks(objective: Objective, passed: Collection[str]) -> None:
    """Pass earlier verifications to an objective, if it verifies anything.

    Args:
        objective: before it goes to workers.
        passed: digests of kinds of sharing.
    """
    if isinstance(objective, SharingObjective):
        objective.passed.update(passed)


def changed_files(objective: object, reading: Mapping[str, str] | None) -> list[str]:
    """Files of a reading that have changed; those of estimators are in their keys."""
    return objective.changed(reading) if isinstance(objective, ReadingObjective) else []


def holding(objective: object) -> Holds:
    """Build a function that tells of readings whether all files in them are unchanged."""
    if not isinstance(objective, ReadingObjective):
        return always
    return lambda reading: not objective.changed(reading)


def no_further(objective: Objective) -> str:
    """Return the reason why an objective cannot be split anew; empty if it can."""
    if isinstance(objective, ResplittingObjective):
        return objective.no_further
    return "its rows cannot be split anew"


def limits_of_further(objective: Objective) -> dict[str, Any]:
    """What a run records of further splits, since no configuration tells it; mostly nothing."""
    if cannot := no_further(objective):
        return {"no_further": cannot}
    n = objective.n_further if isinstance(objective, ResplittingObjective) else MOST_REPEATS
    return {"n_further": n} if n < MOST_REPEATS else {}
