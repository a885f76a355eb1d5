"""The plan of a search: which fits it will share, and why it will not share more."""

from dataclasses import dataclass

from tunesmith.objective.live import LiveObjective
from tunesmith.sharing.checks import SMALL_S
from tunesmith.sklearn.plan import SearchPlan

COST = (
    "The first shared fit of a kind is compared with fresh fits: one on all rows, and others on a"
    f" small part of them, which begin within {SMALL_S:g} seconds of CPU."
)
ONCE, EACH = (
    f"{COST} {who} A ledger remembers what has passed."
    for who in ("One process does this for all.", "Each process that makes fits does this.")
)


@dataclass(frozen=True)
class SharingPlan:
    """Plan of a search, made before its first fit; ``print`` it to read it.

    Attributes:
        n_scores: scores of a candidate on a fold that will be needed at most; ``None`` if
            scikit-learn's own loop makes every fit.
        n_fits: fits that give them, at most.
        has_submodel_candidates: true if a fit scores points beside its candidate, the best of which
            counts.
        not_shared: reasons why fits that you might expect to be shared are not.
        is_checked_once: true if one process compares shared fits with fresh ones for all others.
    """

    n_scores: int | None
    n_fits: int | None
    has_submodel_candidates: bool = False
    not_shared: tuple[str, ...] = ()
    is_checked_once: bool = True

    @property
    def is_shared(self) -> bool:
        """True if some fits score several candidates or points."""
        return self.has_submodel_candidates or self.n_fits != self.n_scores

    def __str__(self) -> str:
        """Sentences, a line each."""
        lines = [f"Not shared: {reason}" for reason in self.not_shared]
        if self.n_fits != self.n_scores:
            lines = [f"Shared: {self.n_fits} fits give all {self.n_scores} scores.", *lines]
        elif self.has_submodel_candidates:
            lines = [
                "Shared: a fit scores more points than its candidate's; the best counts.",
                *lines,
            ]
        elif not lines:
            lines = ["Each candidate is fitted by itself: none of what is searched is shared."]
        cost = ONCE if self.is_checked_once else EACH
        return "\n".join([*lines, cost] if self.is_shared else lines)


def by_their_loop(reason: str) -> SharingPlan:
    """The plan of a search that scikit-learn's own loop runs."""
    return SharingPlan(None, None, not_shared=(f"{reason}, so every fit is made by itself",))


def foreseen(
    objective: LiveObjective, plan: SearchPlan, *, is_checked_once: bool = True
) -> SharingPlan:
    """Plan what a search will share.

    Args:
        objective: what is scored.
        plan: what is tried.
        is_checked_once: true if one process makes the checks for all others.
    """
    n_folds, points = objective.n_folds, list(plan.points)
    n_scores = plan.n_most * n_folds
    # Only candidates that are known beforehand can be grouped before the first fit.
    if plan.originals:
        n_fits = len(objective.groups(points)) * n_folds
        return SharingPlan(
            n_scores,
            n_fits,
            not_shared=tuple(objective.blockers(points)),
            is_checked_once=is_checked_once,
        )
    space = plan.space
    has_submodel_candidates = space is not None and any(
        len(objective.submodel_candidates(p, space)) > 1 for p in points
    )
    reasons = (
        ()
        if has_submodel_candidates
        else tuple(objective.blockers(points, has_submodel_candidates=True))
    )
    return SharingPlan(n_scores, n_scores, has_submodel_candidates, reasons, is_checked_once)
