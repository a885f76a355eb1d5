"""What is scored: a function from params and a fold to scores."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tunesmith.history import FoldResult, Holds, Metric, always
from tunesmith.space import SearchSpace
from tunesmith.types import Params


@dataclass(frozen=True, slots=True)
class Fit:
    """One training on one fold, which may score several candidates at once."""

    fold: int
    candidates: tuple[Params, ...]
    along: tuple[Params, ...] = ()
    """Scored only if one and the same fit gives them: they are worth no fit of their own."""
    bounds: Mapping[int, float] = field(default_factory=dict)
    """Step -> the least gain (score times the metric's sign) with which a fit that streams its
    progress goes on; for a single candidate."""

    @property
    def points(self) -> tuple[Params, ...]:
        """All that may be scored, candidates first."""
        return (*self.candidates, *self.along)


class Objective(Protocol):
    """Scores params on folds. Picklable, so that it can run in another process.

    One that can tell how long fits take, beside others of the same kind, may have
    ``size(candidates) -> float``; no result depends on it. One that checks what it shares may have
    ``passed``, the digests of what was checked before, and ``objections(candidates, has_curves=)``,
    sentences on why some share no fit.
    """

    # Properties, so that an attribute, a property and a field of a frozen class all will do.
    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Everything recorded; the deciding ones first."""

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """The metrics that decide."""

    @property
    def n_folds(self) -> int:
        """Evaluations a trial."""

    @property
    def has_holdout(self) -> bool:
        """Whether ``HOLDOUT`` is a fold, too, though none of the trials'."""

    @property
    def context(self) -> Mapping[str, str]:
        """What results depend on besides params and fold: name (``data``, ``code``…) -> digest."""

    @property
    def notes(self) -> Sequence[str]:
        """Sentences that a user should read before the first fit."""

    def key(self, params: Params, fold: int) -> str:
        """Digest that identifies one evaluation: equal keys, equal scores."""

    def defaults(self) -> Params:
        """The estimator's own values of its parameters."""

    def groups(self, candidates: Sequence[Params]) -> Sequence[tuple[int, ...]]:
        """Which candidates one fit can score.

        Returns:
            Indices of the candidates, each in one group, by the first of each group.
        """

    def curve(self, params: Params, space: SearchSpace) -> Sequence[Params]:
        """What a fit of these params scores besides, at no further fit.

        Args:
            params: a canonical point of the space.
            space: whose points may be on the curve.

        Returns:
            Canonical points of the space, the given one among them, in order of preference among
            equally good ones; the given one alone where nothing is shared.
        """

    def evaluate(self, fit: Fit) -> list[FoldResult]:
        """Train and score; an exception of the user's code becomes a failed result.

        Returns:
            One result a candidate, in order; then one for each point of ``along``, or for none of
            them where they would have needed fits of their own.
        """


def know_checks(objective: Objective, passed: Collection[str]) -> None:
    """Tell an objective what was checked before, where it checks anything.

    Args:
        objective: before it goes to workers.
        passed: digests of kinds of sharing.
    """
    known: set[str] | None = getattr(objective, "passed", None)
    if known is not None:
        known |= set(passed)


def changed_files(objective: object, reading: Mapping[str, str] | None) -> list[str]:
    """The files of a reading that are not as they were; those of estimators are in their keys."""
    ask = getattr(objective, "changed", None)
    return [] if ask is None else list(ask(reading))


def holding(objective: object) -> Holds:
    """Tells of readings whether all that was read is as it was."""
    if getattr(objective, "changed", None) is None:
        return always
    return lambda reading: not changed_files(objective, reading)
