"""Claims about importance: shares with errors, the leading parameter, pairs that interact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

COVERED = 0.95
"""Part of the draws within the stated errors."""
SURE = 0.98
"""Part of the draws in which a leader must be the largest."""
DISCREPANCY = 0.1
"""Error of a share of which a model foretells nothing, besides that of the draws."""
LEAST_INTERACTION = 0.02
"""Share of the variance below which an interaction does not decide what a contour shows."""


@dataclass(frozen=True)
class Interaction:
    """Interaction of two parameters."""

    first: str
    second: str
    strength: float
    """Share of the variance that the two have only together, whatever else takes part."""
    error: float
    """Half the width of the interval that holds the truth."""

    @property
    def is_sure(self) -> bool:
        """True if it is more than an error."""
        return self.strength - self.error > LEAST_INTERACTION


@dataclass(frozen=True, kw_only=True)
class Importance:
    """Shares of the variance over the declared space, largest first; or the reason for none."""

    shares: tuple[tuple[str, float], ...] = ()
    """Each in [0, 1]; they exceed 1 in sum if parameters interact."""
    reason: str = ""
    errors: Mapping[str, float] = field(default_factory=dict)
    """Half the width of each share's interval, which is made to hold the truth in 95 % of cases."""
    leader: str | None = None
    """The most important parameter; ``None`` if the trials cannot tell which one it is."""
    rivals: tuple[str, ...] = ()
    """Parameters that may be the most important one, if there is no leader."""
    interactions: tuple[Interaction, ...] = ()
    """Interactions of the most important parameters, strongest first."""
    pair: tuple[str, str] | None = None
    """The two parameters that a contour shows best."""
    basis: str = ""
    """Sentence that says how the shares were computed."""


@dataclass(frozen=True, eq=False)
class Draws:
    """Variances drawn from all that the trials allow, one row a draw."""

    total: np.ndarray
    """``(n_draws,)`` variance over the space."""
    single: Mapping[str, np.ndarray]
    """``(n_draws,)`` by parameter: the variance if it alone varies."""
    pairs: Mapping[tuple[str, str], np.ndarray]
    """``(n_draws,)`` by pair: the variance of their interaction."""
    wobble: Mapping[str, float] = field(default_factory=dict)
    """Standard error of each share that comes from the number of points at which it was computed.
    """
    misfit: float = 0.0
    """Share of the spread of trials that neither the model nor the noise of the folds explains."""


def claims(draws: Draws, basis: str) -> Importance:
    """State what the draws allow.

    Args:
        draws: at least two parameters.
        basis: how they came about, as a sentence.
    """
    total = np.where(draws.total > 0, draws.total, 1.0)
    shares = {n: np.clip(v / total, 0.0, 1.0) for n, v in draws.single.items()}
    stated = {n: _stated(v, draws.misfit, draws.wobble.get(n, 0.0)) for n, v in shares.items()}
    order = sorted(stated, key=lambda name: (-stated[name][0], name))
    found = [
        Interaction(a, b, *_stated(np.clip(v / total, 0.0, 1.0), draws.misfit))
        for (a, b), v in draws.pairs.items()
    ]
    interactions = tuple(sorted(found, key=lambda i: (-i.strength, i.first, i.second)))
    rivals = _rivals(order, shares, draws)
    return Importance(
        shares=tuple((name, stated[name][0]) for name in order),
        errors={name: stated[name][1] for name in order},
        leader=order[0] if len(rivals) == 1 else None,
        rivals=rivals if len(rivals) > 1 else (),
        interactions=interactions,
        pair=_pair(order, interactions),
        basis=basis,
    )


def most_important(single: Mapping[str, np.ndarray], n: int) -> list[str]:
    """Names of the parameters with the largest mean variances."""
    return sorted(single, key=lambda name: (-float(single[name].mean()), name))[:n]


def _stated(values: np.ndarray, misfit: float, wobble: float = 0.0) -> tuple[float, float]:
    """Middle of the draws, and a distance from it on either side that holds enough of them."""
    low, middle, high = np.quantile(values, [(1 - COVERED) / 2, 0.5, (1 + COVERED) / 2])
    # Measured: without it, shares of cliffs in tables of trees were held in 86 % of cases only.
    reach = max(high - middle, middle - low) * (1 + misfit) + DISCREPANCY * misfit
    # Rounded, so that the last bits of a matrix library are not part of a report.
    return round(float(middle), 6), round(float(np.hypot(reach, 2.0 * wobble)), 6)


def _rivals(
    order: Sequence[str], shares: Mapping[str, np.ndarray], draws: Draws
) -> tuple[str, ...]:
    """The first parameter, and those that may be ahead of it."""
    first = order[0]
    rivals = [first]
    for name in order[1:]:
        wobble = np.hypot(draws.wobble.get(first, 0.0), draws.wobble.get(name, 0.0))
        lead = shares[first] - shares[name]
        middle = np.median(lead)
        # As the errors are: wider by what the model misses.
        wider = middle + (lead - middle) * (1 + draws.misfit)
        if np.mean(wider > 2.0 * wobble + DISCREPANCY * draws.misfit) < SURE:
            rivals.append(name)
    return tuple(rivals)


def _pair(order: Sequence[str], interactions: Sequence[Interaction]) -> tuple[str, str] | None:
    """The surest interaction, else the two most important parameters that exist together."""
    sure = [(i.first, i.second) for i in interactions if i.is_sure]
    together = {frozenset((i.first, i.second)) for i in interactions}
    ranked = [(a, b) for j, b in enumerate(order) for a in order[:j]]
    chosen = [*sure, *(pair for pair in ranked if frozenset(pair) in together)]
    if not chosen:
        return None
    one, two = sorted(chosen[0], key=order.index)
    return one, two
