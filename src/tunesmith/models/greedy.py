"""Greedy ensembles: candidates are added one by one, with replacement (Caruana et al. 2004).

Candidates are scored on the test rows of the folds, each by its own fold models. So an ensemble is
scored as a trial is: by the mean of its scores on the folds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tunesmith.models.answers import FoldAnswers, blend
from tunesmith.models.prepared import prepared

N_ROUNDS = 25
"""Most additions; a candidate may be added several times."""
N_DISTINCT = 10
"""Most different candidates."""
PATIENCE = 6
"""Additions without an improvement that end the search."""

Counts = tuple[int, ...]
"""Additions of each candidate."""


@dataclass(eq=False)
class Blends:
    """Scores of blends of candidates on the folds, each computed once.

    Args:
        candidates: answers by candidate and fold, each for the fold's test rows.
        score: (estimator, fold) -> score on the fold's test rows.
        sign: +1 if larger is better, -1 if smaller is.
    """

    candidates: Sequence[Sequence[FoldAnswers]]
    score: Callable[[object, int], float]
    sign: int = 1
    _known: dict[Counts, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return len(self.candidates[0])

    def scores(self, counts: Counts) -> np.ndarray:
        """Scores of a blend: ``(n_folds,)``; what cannot be scored is minus infinity."""
        if counts not in self._known:
            self._known[counts] = np.array(
                [self._scored(counts, fold) for fold in range(self.n_folds)]
            )
        return self._known[counts]

    def _scored(self, counts: Counts, fold: int) -> float:
        chosen = [(self.candidates[place][fold], n) for place, n in enumerate(counts) if n]
        blended = blend([one for one, _ in chosen], [float(n) for _, n in chosen])
        value = float(self.score(prepared(blended), fold))
        return value if np.isfinite(value) else -self.sign * np.inf

    def gain(self, counts: Counts, folds: Sequence[int]) -> float:
        """Mean score over some folds, times the sign: more is better."""
        return float(self.sign * self.scores(counts)[list(folds)].mean())

    def alone(self, place: int) -> Counts:
        """Counts of a single candidate."""
        return tuple(int(other == place) for other in range(len(self.candidates)))


def greedy(
    blends: Blends,
    folds: Sequence[int] | None = None,
    *,
    n_rounds: int = N_ROUNDS,
    n_distinct: int = N_DISTINCT,
) -> Counts:
    """Choose an ensemble: the best of the blends that arise by adding the best candidate each time.

    Args:
        blends: of the candidates; among equal ones the earlier candidate is added.
        folds: that choose; all by default.
        n_rounds: most additions.
        n_distinct: most different candidates, which bounds size and cost of predictions.

    Returns:
        Additions of each candidate; at least one is added.
    """
    deciding = range(blends.n_folds) if folds is None else folds
    counts: Counts = (0,) * len(blends.candidates)
    best, best_gain, since = counts, -np.inf, 0
    for _ in range(n_rounds):
        # Once it is full, only the weights of its members change.
        is_full = sum(n > 0 for n in counts) >= n_distinct
        options = [
            _added(counts, place) for place in range(len(counts)) if counts[place] or not is_full
        ]
        gains = [blends.gain(option, deciding) for option in options]
        counts = options[int(np.argmax(gains))]
        # The search goes on for a while after a loss: two candidates may help where one does not.
        if max(gains) > best_gain or not any(best):
            best, best_gain, since = counts, max(gains), 0
        else:
            since += 1
        if since >= PATIENCE:
            break
    return best


def _added(counts: Counts, place: int) -> Counts:
    return (*counts[:place], counts[place] + 1, *counts[place + 1 :])
