"""The protocol of objectives: functions from params and a fold to scores."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from tunesmith.history import FoldResult, Holds, Metric, always
from tunesmith.space import SearchSpace
from tunesmith.types import Fit, Params


class Objective(Protocol):
    """Scores params on folds; picklable, so that it can run in another process.

    An objective that knows how long fits take, relative to others of the same kind, may have
    ``size(candidates) -> float``; no result depends on it. One that verifies what it shares may
    have ``passed``, the digests of kinds that were verified before, and ``blockers(candidates,
    has_submodel_candidates=)``, sentences on why some candidates share no fit. One whose fits hold
    all values of a submodel parameter may have ``read_off(params, space) -> (name, value) | None``:
    that parameter, and the value to fit with.
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
        """Digest that identifies one evaluation: equal keys mean equal scores."""

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


def know_checks(objective: Objective, passed: Collection[str]) -> None:
    """Pass earlier verifications to an objective, if it verifies anything.

    Args:
        objective: before it goes to workers.
        passed: digests of kinds of sharing.
    """
    known: set[str] | None = getattr(objective, "passed", None)
    if known is not None:
        known |= set(passed)


def changed_files(objective: object, reading: Mapping[str, str] | None) -> list[str]:
    """Files of a reading that have changed; those of estimators are in their keys."""
    ask = getattr(objective, "changed", None)
    return [] if ask is None else list(ask(reading))


def holding(objective: object) -> Holds:
    """Build a function that tells of readings whether all files in them are unchanged."""
    if getattr(objective, "changed", None) is None:
        return always
    return lambda reading: not changed_files(objective, reading)
