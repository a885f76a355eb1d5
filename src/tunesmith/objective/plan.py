"""Plan of the fits that trials still need."""

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass

from tunesmith.space.parameter import canonical_json
from tunesmith.types import Fit, Params

Grouping = Callable[[Sequence[Params]], Sequence[tuple[int, ...]]]


@dataclass(frozen=True, slots=True)
class TrialCandidates:
    """Params of a pending trial: the proposed ones and its extra candidates."""

    number: int
    points: tuple[Params, ...]
    proposed: int = 0
    """Place of the proposed params."""


@dataclass(frozen=True, slots=True)
class PlannedFit:
    """A fit, and the trials that wait for its results."""

    fit: Fit
    owners: tuple[tuple[tuple[int, int], ...], ...]
    """For each point of the fit, (trial number, place among its points) of all that wait for it."""

    @property
    def first(self) -> int:
        """Number of the first trial that waits for it."""
        return min(number for owners in self.owners for number, _ in owners)

    def alone(self) -> "list[PlannedFit]":
        """One fit for each candidate; extra candidates are dropped."""
        pairs = zip(self.fit.candidates, self.owners, strict=False)
        return [PlannedFit(Fit(self.fit.fold, (params,)), (owners,)) for params, owners in pairs]


def plan(
    trials: Sequence[TrialCandidates],
    n_folds: int,
    known: Container[tuple[int, int, int]] = (),
    groups: Grouping | None = None,
) -> list[PlannedFit]:
    """List the fits that trials need, without results that are known.

    Args:
        trials: the trials to evaluate.
        n_folds: folds per trial.
        known: (trial number, place, fold) of known results.
        groups: groups candidates that can share a fit; by default none do.

    Returns:
        Fits by the number of their first trial, then by fold, so that early trials are completed
        early.
    """
    planned: list[PlannedFit] = []
    # Most folds lack the same trials, and finding groups means making estimators.
    grouped: dict[tuple[int, ...], Sequence[tuple[int, ...]]] = {}
    for fold in range(n_folds):
        left = [left for trial in trials if (left := _Left.of(trial, fold, known)).places]
        numbers = tuple(item.trial.number for item in left)
        if numbers not in grouped:
            proposed = [item.trial.points[item.trial.proposed] for item in left]
            grouped[numbers] = groups(proposed) if groups else [(i,) for i in range(len(left))]
        for group in grouped[numbers]:
            planned += _fits([left[index] for index in group], fold, groups)
    return sorted(planned, key=lambda item: (item.first, item.fit.fold))


def largest_last_ones_first(
    planned: Sequence[PlannedFit], n_last: int, size: Callable[[Sequence[Params]], float]
) -> list[PlannedFit]:
    """Order the last fits by size, so that all workers end at about the same time.

    Only the last ones: early trials are to be completed early (docs/decisions/0015-last-fits.md).
    Graham, Bounds on multiprocessing timing anomalies (1969).

    Args:
        planned: in order.
        n_last: number of fits that are ordered by size.
        size: relative cost of a fit.
    """
    n_first = max(len(planned) - n_last, 0)
    last = planned[n_first:]
    # The order is stable: fits of one size stay in the order of their trials.
    by_size = sorted(last, key=lambda item: size(item.fit.all_candidates), reverse=True)
    return [*planned[:n_first], *by_size]


@dataclass(frozen=True, slots=True)
class _Left:
    """A trial, and the places of its points that have no result on one fold."""

    trial: TrialCandidates
    places: tuple[int, ...]

    @classmethod
    def of(
        cls, trial: TrialCandidates, fold: int, known: Container[tuple[int, int, int]]
    ) -> "_Left":
        places = range(len(trial.points))
        return cls(trial, tuple(p for p in places if (trial.number, p, fold) not in known))


def _fits(members: Sequence[_Left], fold: int, groups: Grouping | None) -> Iterator[PlannedFit]:
    """Make one fit for trials whose proposals share it, if all their points do; else one each."""
    whole = _fit(members, fold)
    has_submodel_candidates = any(len(member.trial.points) > 1 for member in members)
    if (
        len(members) > 1
        and has_submodel_candidates
        and groups
        and len(groups(whole.fit.all_candidates)) > 1
    ):
        for member in members:
            yield _fit([member], fold)
    else:
        yield whole


def _fit(members: Sequence[_Left], fold: int) -> PlannedFit:
    by_key: dict[str, Params] = {}
    owners: dict[str, list[tuple[int, int]]] = {}
    proposed: dict[str, None] = {}
    # Submodel candidates of trials overlap, so equal points are joined. Without them, a repeat is a
    # trial of its own.
    is_joined = any(len(member.trial.points) > 1 for member in members)
    for member in members:
        trial = member.trial
        for place in member.places:
            params = trial.points[place]
            key = canonical_json(dict(params)) if is_joined else str(trial.number)
            by_key[key] = params
            owners.setdefault(key, []).append((trial.number, place))
            if place == trial.proposed:
                proposed[key] = None
    extra_candidates = [key for key in by_key if key not in proposed]
    fit = Fit(
        fold, tuple(by_key[key] for key in proposed), tuple(by_key[key] for key in extra_candidates)
    )
    return PlannedFit(fit, tuple(tuple(owners[key]) for key in (*proposed, *extra_candidates)))
