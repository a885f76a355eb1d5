"""The evaluation kernel: scores candidates from shared fits, and trusts none that it has not seen.

What may be shared, ``sharing`` says. Here it is done, timed and checked: each process compares the
first scores that it gets in a new way with a fresh fit's, and stops sharing that way where they
differ.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from tunesmith.objective.objective import Fit
from tunesmith.objective.sharing import Builder, Fitted, Path, Sharing
from tunesmith.objective.slices import SliceCache
from tunesmith.space import SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params

PREFIX = "prefix"
"""The way of sharing that is no family's."""

S = TypeVar("S")


class Clock:
    """Seconds of one fit and of its scoring, kept also when they fail."""

    def __init__(self) -> None:
        self.fit_s = self.score_s = 0.0

    @contextmanager
    def fitting(self) -> Iterator[None]:
        """Time a fit."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.fit_s = time.perf_counter() - began

    @contextmanager
    def scoring(self) -> Iterator[None]:
        """Time the scoring of one candidate."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.score_s = time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Scored(Generic[S]):
    """What a shared fit says of one candidate."""

    scores: S
    fit_s: float
    score_s: float
    n_sharing: int


@dataclass(eq=False)
class Kernel(Generic[S]):
    """Scores candidates from shared fits.

    Args:
        builder: params -> estimators.
        rows: the folds.
        score: (estimator, test rows as they were given to the fit, fold) -> scores.
        fresh: (params, fold) -> the scores of a fit that shares nothing.
    """

    builder: Builder
    rows: SliceCache
    score: Callable[[Any, Any, int], S]
    fresh: Callable[[Params, int], S]
    _trust: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sharing = Sharing(self.builder)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_trust": {}}

    def groups(self, candidates: Sequence[Params]) -> list[tuple[int, ...]]:
        """Indices of candidates, those together that one fit can score."""
        return self._sharing.groups(candidates)

    def curve(self, params: Params, space: SearchSpace) -> list[Params]:
        """Points of a space that the fit of one of them scores, that one included."""
        return self._sharing.curve(params, space)

    def together(self, fit: Fit) -> list[Scored[S]] | None:
        """One fit for all; ``None`` where each must be fitted on its own."""
        path = self._sharing.path(fit.points)
        if path is None or not self._trust.get(path.way, True):
            return None
        clock, rows = Clock(), self.rows.shared(fit.fold)
        with clock.fitting():
            fitted = self._sharing.fitted(path.widest, fit.fold, rows, path.family)
        return self._along(path, fitted, fit, clock)

    def _along(self, path: Path, fitted: Fitted, fit: Fit, clock: Clock) -> list[Scored[S]] | None:
        n = len(fit.points)
        found: dict[str, Scored[S]] = {}
        for params, model in zip(path.candidates, fitted.models(path), strict=True):
            with clock.scoring():
                scores = self.score(model, fitted.X_test, fit.fold)
            if not self._is_trusted(path.way, params, fit.fold, scores):
                return None
            found[canonical_json(params)] = Scored(scores, clock.fit_s / n, clock.score_s, n)
        return [found[canonical_json(params)] for params in fit.points]

    def behind_prefix(self, params: Params, fold: int, clock: Clock) -> S | None:
        """Scores of one candidate behind first steps that were fitted before.

        Returns:
            ``None`` where there are none to share, or where they are not to be trusted.
        """
        if not self._trust.get(PREFIX, True) or not self._sharing.has_prefix(params):
            return None
        rows = self.rows.shared(fold)
        with clock.fitting():
            fitted = self._sharing.fitted(params, fold, rows)
        with clock.scoring():
            scores = self.score(fitted.model, fitted.X_test, fold)
        return scores if self._is_trusted(PREFIX, params, fold, scores) else None

    def _is_trusted(self, way: str, params: Params, fold: int, scores: S) -> bool:
        """Whether a way of sharing gave a fresh fit's scores when this process first used it."""
        if way not in self._trust:
            self._trust[way] = bool(self.fresh(params, fold) == scores)
        return self._trust[way]
