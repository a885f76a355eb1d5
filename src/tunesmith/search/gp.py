"""Bayesian search with a Gaussian process."""

from dataclasses import dataclass, field
from itertools import islice
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from tunesmith.history import History, Trial
from tunesmith.search.acquisition import log_expected_improvement, most_promising
from tunesmith.search.coordinates import Coordinates
from tunesmith.search.feasibility import Feasibility, feasibility
from tunesmith.search.first_points import first_points
from tunesmith.search.gaussian_process import GaussianProcess, Hyperparameters, fit
from tunesmith.search.unseen import unseen
from tunesmith.search.warping import half_rank, shrunk, standardised
from tunesmith.space import SearchSpace
from tunesmith.system.threads import small_matrices
from tunesmith.types import Params, State

MOST_STARTUP = 10
"""Number of completed trials before the model is used, in a space without branches."""
LEAST_STARTUP = 6
"""Least number of them in a space with branches."""
FAR = 1e6
"""Penalty, as a logarithm, that puts a branch behind all others."""
N_BEST = 5
"""Number of the best points by the model that start the local search."""
EVERY = 10
"""Number of completed trials after which the kernel is fitted from all starts."""
DETOUR = 4
"""Every trial with a number that this divides goes to another branch than the best trial's."""
MANY = 40
"""Number of completed trials from which fits in between start from the last of these fits."""
PAREGO_RHO = 0.05
"""Knowles 2006, section III: keeps weakly dominated points below the front."""


@dataclass(frozen=True)
class GPSampler:
    """A Matérn 5/2 process under log expected improvement, in NumPy and SciPy.

    It runs on any space: choices are compared by the Hamming distance, and inactive parameters all
    have one coordinate. Running trials count as if they had the expected scores (the kriging
    believer), failed ones as if they had the worst score, so that the search leaves a region that
    fails. Several objectives are combined anew for each suggestion (ParEGO, Knowles 2006). In a
    space with branches every fourth trial goes to the most promising point of another branch than
    the best trial's. Scores that agree to 12 digits are the same score, so that a last bit has no
    influence.
    """

    # 2: the model begins by the number of completed trials. 3: fits start from earlier ones, and
    # spaces with branches begin with fewer points and leave the best branch now and then.
    version: ClassVar[int] = 3

    seed: int = 0
    n_startup: int | None = None
    """Number of completed trials before the model is used.

    Until then come the middles of the space's branches, if it has several, and Sobol points. By
    default 10; in a space with branches as many as the first choice has values, from 6 to 10.
    """
    max_points: int = 250
    """Number of trials that the model learns from.

    From a longer history it takes the better half and the latest trials, and half as many failed
    ones.
    """

    _known: list[Coordinates] = field(default_factory=list, init=False, repr=False, compare=False)
    _encoded: dict[int, tuple[Trial, np.ndarray]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Rows of trials by number, since encoding all of them anew takes a tenth of a suggestion."""
    _fits: list[tuple[History, Hyperparameters]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )
    """The last fit from all starts, with its history."""

    def blocker(self, space: SearchSpace) -> str | None:  # noqa: ARG002
        """No blocker: any space will do."""
        return None

    def suggest(self, space: SearchSpace, history: History, n: int, rng: Generator) -> list[Params]:
        """Suggest the points with the largest expected improvement."""
        n_complete = sum(1 for _ in islice(history.successful, 2))
        coordinates = self._coordinates_of(space)
        n_startup = _n_startup(coordinates) if self.n_startup is None else self.n_startup
        # By the number of results, not of proposals: with a look-ahead, the model would otherwise
        # begin with fewer results. One value alone has no scale, so it needs two complete trials.
        if history.n_completed < n_startup or n_complete < 2:
            begin = first_points(space, history, self.seed, n_startup)
            return unseen(lambda: next(begin, None), space, history, n, rng)
        with small_matrices():
            model = self._model(coordinates, history, rng)
            axis = coordinates.branch_axis if len(history) % DETOUR == 0 else None
            candidates = _candidates(model, rng, axis)
        # If boxes overlap, another box may define the form of the point.
        points = (space.canonical(coordinates.decode(row)) for row in candidates)
        return unseen(lambda: next(points, None), space, history, n, rng, tries=len(candidates))

    def _coordinates_of(self, space: SearchSpace) -> Coordinates:
        """Coordinates of a space; those of the last one are kept, since their tables take time."""
        if not self._known or self._known[0].space is not space:
            self._known[:] = [Coordinates(space)]
            self._encoded.clear()
            self._fits.clear()
        return self._known[0]

    def _rows(self, coordinates: Coordinates, trials: list[Trial]) -> np.ndarray:
        """Rows of trials, ``(k, n_axes)``."""
        return np.array([self._row(coordinates, trial) for trial in trials])

    def _row(self, coordinates: Coordinates, trial: Trial) -> np.ndarray:
        known = self._encoded.get(trial.number)
        # The very same trial: another study may have one of this number, too.
        if known is not None and known[0] is trial:
            return known[1]
        row = coordinates.encode(trial.params)
        self._encoded[trial.number] = trial, row
        return row

    def _model(self, coordinates: Coordinates, history: History, rng: Generator) -> "_Model":
        """Learn from the trials."""
        trials, values = self._lessons(history, rng)
        rows = self._rows(coordinates, trials)
        features = coordinates.features(rows)
        near = self._fit_before(coordinates, history)
        hyper = fit(features, values, coordinates.groups, near=near)
        process = GaussianProcess(features, values, coordinates.groups, hyper)
        known = feasibility(features, trials, coordinates.groups, history.subject_to)
        if history.pending:
            pending = coordinates.features(self._rows(coordinates, history.pending))
            process, known = process.believing(pending), known.believing(pending)
        is_admissible = np.array([not history.violated(trial) for trial in trials])
        return _Model(coordinates, rows, process, known, is_admissible)

    def _fit_before(self, coordinates: Coordinates, history: History) -> Hyperparameters | None:
        """Kernel of the last history of a round length, from which the next fits start.

        It follows from the history alone, so that a resumed study proposes the same points.
        ``None`` if a fit from all starts is cheap, or if scores are combined anew each time.
        """
        n = history.n_completed - history.n_completed % EVERY
        if n < MANY or len(history.objectives) > 1:
            return None
        before = history.earlier(n)
        if self._fits and before.continues(self._fits[0][0]) and len(self._fits[0][0]) == n:
            return self._fits[0][1]
        if sum(1 for _ in islice(before.successful, 2)) < 2:
            return None
        # One objective: no draw is needed.
        trials, values = self._lessons(before, np.random.default_rng(0))
        features = coordinates.features(self._rows(coordinates, trials))
        self._fits[:] = [(before, fit(features, values, coordinates.groups))]
        return self._fits[0][1]

    def _lessons(self, history: History, rng: Generator) -> tuple[list[Trial], np.ndarray]:
        """Trials to learn from, and their gains, ``(k,)``."""
        trials = list(history.successful)
        gains = _gains(trials, history, rng)
        kept = best_and_latest(behind(gains, trials, history), self.max_points)
        values = standardised(half_rank(gains[kept]))
        failed = [trial for trial in history.completed if trial.state is not State.COMPLETE]
        failed = failed[-(self.max_points // 2) :]
        lessons = [*(trials[i] for i in kept), *failed]
        # Measured: without failed trials, 34 of 40 went into a region that fails; with them, 10
        # (docs/decisions/0009-own-gaussian-process.md).
        return lessons, np.append(values, np.full(len(failed), values.min()))


@dataclass(frozen=True)
class _Model:
    """Model of the scores over the space, learnt from a history."""

    coordinates: Coordinates
    rows: np.ndarray
    """Trials that it has learned from, ``(k, n_axes)``."""
    process: GaussianProcess
    feasibility: Feasibility
    is_admissible: np.ndarray
    """False for trials that violate a constraint on outcomes, ``(k,)``."""


def _n_startup(coordinates: Coordinates) -> int:
    """Number of completed trials before the model is used, by default."""
    axis = coordinates.branch_axis
    if axis is None:
        return MOST_STARTUP
    return min(max(coordinates.axes[axis].n_levels or 0, LEAST_STARTUP), MOST_STARTUP)


def _candidates(model: _Model, rng: Generator, axis: int | None) -> np.ndarray:
    """Points to try, ``(k, n_axes)``, most promising first.

    Args:
        model: of the scores.
        rng: for everything.
        axis: that chooses the branch, if the best trial's branch is to be left.
    """
    coordinates, process = model.coordinates, model.process
    known = coordinates.features(model.rows)
    # The best point by the model's expectation, not by measured scores: noise flatters a winner.
    means = process.mean(known)
    chances = model.feasibility.log_probability(known)
    # Rounded, so that the last bits of a matrix library do not decide the order of equals.
    behind_others = -np.round(np.where(model.is_admissible, 0.0, chances), 9)
    order = np.lexsort((-np.round(means, 9), behind_others))

    def score(points: np.ndarray) -> np.ndarray:
        features = coordinates.features(points)
        chance = model.feasibility.log_probability(features)
        # Without a trial that could win there is nothing to improve on: one has to be found.
        if not model.is_admissible.any():
            return chance
        expected, deviation = process.posterior(features)
        best = float(means[model.is_admissible].max())
        return chance + log_expected_improvement(expected, deviation, best)

    if axis is None:
        return most_promising(coordinates, score, model.rows[order[:N_BEST]], rng)
    branches = coordinates.axes[axis].positions(model.rows[:, axis])
    home = branches[order[0]]

    def elsewhere(points: np.ndarray) -> np.ndarray:
        is_home = coordinates.axes[axis].positions(points[:, axis]) == home
        return score(points) - FAR * is_home

    # If all trials are at home, mutations of the best ones leave it.
    away = order[branches[order] != home]
    begin = away if len(away) else order
    return most_promising(coordinates, elsewhere, model.rows[begin[:N_BEST]], rng)


def behind(gains: np.ndarray, trials: list[Trial], history: History) -> np.ndarray:
    """Gains, or ranks of the same order but for trials that violate a constraint: these are last.

    Args:
        gains: ``(n,)``.
        trials: by gain.
        history: of the trials.
    """
    is_admissible = np.array([not history.violated(trial) for trial in trials])
    if is_admissible.all():
        return gains
    # Ranks, because a difference of two scores may be no finite number.
    ranks = np.unique(gains, return_inverse=True)[1].astype(float)
    return np.where(is_admissible, ranks, ranks - len(ranks))


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


def best_and_latest(gains: np.ndarray, limit: int) -> np.ndarray:
    """Places of the best ``limit // 2`` gains and of the latest others, rising.

    All places if there are at most ``limit``: a model of more trials would take too long.
    """
    if len(gains) <= limit:
        return np.arange(len(gains))
    best = np.argsort(-gains, kind="stable")[: limit // 2]
    others = np.setdiff1d(np.arange(len(gains)), best)
    return np.sort(np.concatenate([best, others[len(best) - limit :]]))
