"""Problems, and the traces of the studies that are played on them."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from tunesmith.space import SearchSpace
from tunesmith.types import Params


class Problem(Protocol):
    """A loss to minimise over a space."""

    @property
    def name(self) -> str:
        """Name in tables."""

    @property
    def space(self) -> SearchSpace:
        """The search space."""

    @property
    def ends(self) -> tuple[float, float]:
        """Best loss known, and median loss of a random point."""

    def folds(self, params: Params, seed: int) -> list[float]:
        """Loss of each fold, as the study with this seed sees it."""

    def truth(self, params: Params) -> float:
        """Loss without the noise of the folds."""


@dataclass
class Trace:
    """One study.

    ``losses`` holds the true loss of what would be recommended after each trial, the trial with the
    best mean over its folds; ``cpu_s`` the CPU seconds of each suggestion.
    """

    losses: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    _best: float = np.inf

    def add(self, problem: Problem, params: Params, folds: list[float], cpu_s: float) -> float:
        """Add a trial; returns its mean loss."""
        mean = float(np.mean(folds))
        if mean < self._best:
            self._best = mean
            self.losses.append(problem.truth(params))
        else:
            self.losses.append(self.losses[-1])
        self.cpu_s.append(cpu_s)
        return mean

    def as_json(self) -> dict[str, list[float]]:
        """Content of its file."""
        return {"losses": self.losses, "cpu_s": self.cpu_s}
