"""Bayesian search with a Gaussian process."""

from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from threadpoolctl import ThreadpoolController

from tunesmith.history import History, Trial
from tunesmith.search.acquisition import log_expected_improvement, most_promising
from tunesmith.search.coordinates import Coordinates
from tunesmith.search.first_points import first_points
from tunesmith.search.gaussian_process import GaussianProcess, fit
from tunesmith.search.unseen import unseen
from tunesmith.search.warping import half_rank, shrunk, standardised
from tunesmith.space import SearchSpace
from tunesmith.types import Params, State

N_BEST = 5
"""Number of the best points by the model that start the local search."""
PAREGO_RHO = 0.05
"""Knowles 2006, section III: keeps weakly dominated points below the front."""


@dataclass(frozen=True)
class GPSampler:
    """A Matérn 5/2 process under log expected improvement, in NumPy and SciPy.

    It runs on any space: choices are compared by the Hamming distance, and inactive parameters all
    have one coordinate. Running trials count as if they had the expected scores (the kriging
    believer), failed ones as if they had the worst score, so that the search leaves a region that
    fails. Several objectives are combined anew for each suggestion (ParEGO, Knowles 2006). Scores
    that agree to 12 digits are the same score, so that a last bit has no influence.
    """

    # 2: the model begins by the number of completed trials.
    version: ClassVar[int] = 2

    seed: int = 0
    n_startup: int = 10
    """Number of completed trials before the model is used.

    Until then come the middles of the space's branches, if it has several, and Sobol points.
    """
    max_points: int = 250
    """Number of trials that the model learns from.

    From a longer history it takes the better half and the latest trials, and half as many failed
    ones.
    """

    _known: list[Coordinates] = field(default_factory=list, init=False, repr=False, compare=False)

    def blocker(self, space: SearchSpace) -> str | None:  # noqa: ARG002
        """No blocker: any space will do."""
        return None

    def suggest(self, space: SearchSpace, history: History, n: int, rng: Generator) -> list[Params]:
        """Suggest the points with the largest expected improvement."""
        n_complete = sum(1 for _ in islice(history.complete, 2))
        # By what is known and not by what was asked: with a look-ahead, the model would otherwise
        # begin with fewer results. One value alone has no scale, so it needs two complete trials.
        if history.n_told < self.n_startup or n_complete < 2:
            begin = first_points(space, history, self.seed, self.n_startup)
            return unseen(lambda: next(begin, None), space, history, n, rng)
        coordinates = self._coordinates_of(space)
        # Small matrices: more threads are slower, and their number would show in the last bits.
        with _controller().limit(limits=1):
            rows, process = self._model(coordinates, history, rng)
            candidates = _candidates(coordinates, rows, process, rng)
        # If boxes overlap, another box may define the form of the point.
        points = (space.canonical(coordinates.decode(row)) for row in candidates)
        return unseen(lambda: next(points, None), space, history, n, rng, tries=len(candidates))

    def _coordinates_of(self, space: SearchSpace) -> Coordinates:
        """Coordinates of a space; those of the last one are kept, since their tables take time."""
        if not self._known or self._known[0].space is not space:
            self._known[:] = [Coordinates(space)]
        return self._known[0]

    def _model(
        self, coordinates: Coordinates, history: History, rng: Generator
    ) -> tuple[np.ndarray, GaussianProcess]:
        """Rows of the trials to learn from, ``(k, n_axes)``, and the model fitted to them."""
        trials, values = self._lessons(history, rng)
        rows = _rows(coordinates, trials)
        features = coordinates.features(rows)
        hyper = fit(features, values, coordinates.groups)
        process = GaussianProcess(features, values, coordinates.groups, hyper)
        if history.running:
            process = process.believing(coordinates.features(_rows(coordinates, history.running)))
        return rows, process

    def _lessons(self, history: History, rng: Generator) -> tuple[list[Trial], np.ndarray]:
        """Trials to learn from, and their gains, ``(k,)``."""
        trials = list(history.complete)
        gains = _gains(trials, history, rng)
        kept = _kept(gains, self.max_points)
        values = standardised(half_rank(gains[kept]))
        failed = [trial for trial in history.told if trial.state is not State.COMPLETE]
        failed = failed[-(self.max_points // 2) :]
        lessons = [*(trials[i] for i in kept), *failed]
        # Measured: without failed trials, 34 of 40 went into a region that fails; with them, 10
        # (docs/decisions/0009-own-gaussian-process.md).
        return lessons, np.append(values, np.full(len(failed), values.min()))


def _rows(coordinates: Coordinates, trials: list[Trial]) -> np.ndarray:
    return np.array([coordinates.encode(trial.params) for trial in trials])


@cache
def _controller() -> ThreadpoolController:
    # Finding the libraries reads the process's memory map; once is enough.
    return ThreadpoolController()


def _candidates(
    coordinates: Coordinates, rows: np.ndarray, process: GaussianProcess, rng: Generator
) -> np.ndarray:
    """Points to try, ``(k, n_axes)``, most promising first."""
    # The best point by the model's expectation, not by measured scores: noise flatters a winner.
    means = process.mean(coordinates.features(rows))
    # Rounded, so that the last bits of a matrix library do not decide the order of equals.
    order = np.argsort(-np.round(means, 9), kind="stable")

    def score(points: np.ndarray) -> np.ndarray:
        expected, deviation = process.posterior(coordinates.features(points))
        return log_expected_improvement(expected, deviation, float(means.max()))

    return most_promising(coordinates, score, rows[order[:N_BEST]], rng)


def _gains(trials: list[Trial], history: History, rng: Generator) -> np.ndarray:
    """Gain of each trial, ``(n,)``; several objectives are combined in random proportions."""
    columns = [
        shrunk(np.array([float(f"{m.sign * t.mean(m.name):.12g}") for t in trials]))
        for m in history.objectives
    ]
    if len(columns) == 1:
        return columns[0]
    # ParEGO compares distances from the best value of each objective.
    below = np.array([column - column.max() for column in map(standardised, columns)])
    weighted = rng.dirichlet(np.ones(len(columns)))[:, None] * below
    return weighted.min(axis=0) + PAREGO_RHO * weighted.sum(axis=0)


def _kept(gains: np.ndarray, limit: int) -> np.ndarray:
    """Select the trials to learn from, in number order."""
    if len(gains) <= limit:
        return np.arange(len(gains))
    best = np.argsort(-gains, kind="stable")[: limit // 2]
    others = np.setdiff1d(np.arange(len(gains)), best)
    return np.sort(np.concatenate([best, others[len(best) - limit :]]))
