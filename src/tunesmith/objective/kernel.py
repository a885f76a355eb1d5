"""The evaluation kernel: scores candidates from shared fits, and trusts none that it has not seen.

What may share a fit, ``grouping`` says, and ``fitting`` fits it. Here it is timed and checked: each
process compares the first scores that it gets in a new way with a fresh fit's, and stops sharing
that way where they differ.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from tunesmith.objective.builder import Builder
from tunesmith.objective.curves import curve
from tunesmith.objective.fitting import Fitted, Fitting
from tunesmith.objective.grouping import Grouping, Path
from tunesmith.objective.objective import Fit
from tunesmith.objective.slices import SliceCache
from tunesmith.objective.submodels.family import CannotShareError
from tunesmith.space import SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params

PREFIX = "prefix"
"""Sharing first steps, which is no family's way."""

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
        self._grouping, self._fitting = Grouping(self.builder), Fitting(self.builder)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_trust": {}}

    def groups(self, candidates: Sequence[Params]) -> list[tuple[int, ...]]:
        """Indices of candidates, those together that one fit can score."""
        return self._grouping.groups(candidates)

    def size(self, candidates: Sequence[Params]) -> float:
        """How long one fit of these takes beside others of its kind, as far as params tell."""
        return self._grouping.size(candidates)

    def curve(self, params: Params, space: SearchSpace) -> list[Params]:
        """Points of a space that the fit of one of them scores, that one included."""
        return curve(self._grouping, params, space)

    def together(self, fit: Fit) -> list[Scored[S]] | None:
        """One fit for all; ``None`` where each must be fitted on its own."""
        path = self._grouping.path(fit.points)
        if path is None or not self._trust.get(path.way, True):
            return None
        clock, rows = Clock(), self.rows.shared(fit.fold)
        with clock.fitting():
            fitted = self._fitting.fitted(path.widest, fit.fold, rows, path.family)
        return self._along(path, fitted, fit, clock)

    def _along(self, path: Path, fitted: Fitted, fit: Fit, clock: Clock) -> list[Scored[S]] | None:
        n = len(fit.points)
        found: dict[str, Scored[S]] = {}
        for params, model in zip(path.candidates, fitted.models(path), strict=True):
            with clock.scoring():
                scores = self.score(model, fitted.X_test, fit.fold)
            if not self._is_trusted((path.way, *fitted.ways), params, fit.fold, scores):
                return None
            found[canonical_json(params)] = Scored(scores, clock.fit_s / n, clock.score_s, n)
        return [found[canonical_json(params)] for params in fit.points]

    def alone(self, params: Params, fold: int, clock: Clock) -> S | None:
        """Scores of one candidate that shares the fold's rows, and first steps where it can.

        Returns:
            ``None`` where that is not to be trusted, and for fits that never repeat.
        """
        if not self._trust.get(PREFIX, True):
            return None
        rows = self.rows.shared(fold)
        try:
            with clock.fitting():
                fitted = self._fitting.fitted(params, fold, rows)
        except CannotShareError:
            return None
        with clock.scoring():
            scores = self.score(fitted.model, fitted.X_test, fold)
        ways = (PREFIX, *fitted.ways) if fitted.is_divided else fitted.ways
        return scores if self._is_trusted(ways, params, fold, scores) else None

    def behind_prefix(self, params: Params, fold: int, clock: Clock) -> S | None:
        """Scores of one candidate behind first steps that were fitted before, or from known bins.

        Returns:
            ``None`` where there are none to share, or where they are not to be trusted.
        """
        return self.alone(params, fold, clock) if self._fitting.has_start(params) else None

    def _is_trusted(self, ways: tuple[str, ...], params: Params, fold: int, scores: S) -> bool:
        """Whether ways of sharing gave a fresh fit's scores when this process first used them.

        Args:
            ways: all that these scores rest on; of those never tried before, the last is blamed.
            params: the candidate.
            fold: of the scores.
            scores: from the shared fit.
        """
        untried = [way for way in ways if way not in self._trust]
        if not untried:
            return all(self._trust[way] for way in ways)
        is_fresh = bool(self.fresh(params, fold) == scores)
        self._trust.update(dict.fromkeys(untried if is_fresh else untried[-1:], is_fresh))
        if not is_fresh:
            self._fitting.distrust(untried[-1])
        return is_fresh
