"""Expected gain of further trials, and the criterion that ends a study when it is too small.

After Makarova et al. 2022 ("Automatic termination for hyperparameter optimization") and Ishibashi
et al. 2023 ("A stopping criterion for Bayesian optimization by the gap of expected minimum simple
regrets"): a search is over when what it can still gain is smaller than what the folds can tell.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal

import numpy as np
from numpy.random import Generator
from scipy.linalg import cholesky

from tunesmith.errors import UsageError
from tunesmith.history import History, Metric, Trial
from tunesmith.search.acquisition import N_NEAR, N_RANDOM, log_expected_improvement
from tunesmith.search.coordinates import Coordinates
from tunesmith.search.feasibility import Feasibility, feasibility
from tunesmith.search.gaussian_process import GaussianProcess, fit
from tunesmith.search.gp import behind, best_and_latest
from tunesmith.search.warping import half_rank, shrunk, standardised
from tunesmith.space import SearchSpace
from tunesmith.space.grid import count_points
from tunesmith.space.parameter import canonical_json
from tunesmith.system.threads import small_matrices
from tunesmith.types import Value

LEAST = 20
"""Number of successful trials before anything is expected."""
LATEST = 250
"""Number of trials that the model learns from: the better half and the latest ones."""
EVERY = 5
"""Number of completed trials after which the criterion looks again; a look costs about 0.1 s."""
N_DRAWS = 4096
N_BEST = 5


@dataclass(frozen=True)
class Outlook:
    """Forecast for the next trials, in units of the score."""

    n: int
    """Number of further trials."""
    gain: float
    """Expected improvement of the best trial's true mean score, at least 0."""
    noise: float | None
    """Standard error of the difference of two trials on the same folds; ``None`` with one fold."""
    is_tried: bool = False
    """True if no point of the space is left."""


def outlook(
    space: SearchSpace,
    history: History,
    n: int = 20,
    tried: Callable[[frozenset[str]], int] | None = None,
) -> Outlook | None:
    """Estimate what ``n`` further trials would gain for the first objective.

    A Gaussian process is fitted to the successful trials. The next points are chosen one after the
    other by expected improvement, as if each had scored what the model expects; the gain is the
    mean over draws of the model. A search that learns on the way gains somewhat more.

    Args:
        space: of the study.
        history: its trials.
        n: number of further trials, at least 1.
        tried: names of the space -> number of points that were tried, if these are some of the
            trials only.

    Returns:
        ``None`` with less than 20 successful trials, or if none meets the constraints on outcomes.
    """
    metric = history.objectives[0]
    names = frozenset(space.names)
    trials = [trial for trial in history.successful if _is_inside(space, trial, names)]
    if len(trials) < LEAST or all(map(history.violated, trials)):
        return None
    noise = _noise(trials, metric)
    n_points = count_points(space)
    n_tried = partial(_n_tried, history) if tried is None else tried
    n_left = n if n_points is None else min(n, n_points - n_tried(names))
    if n_left <= 0:
        return Outlook(n, 0.0, noise, is_tried=True)
    # The same history gives the same forecast.
    rng = np.random.default_rng([len(trials), n])
    forecast = _Forecast(Coordinates(space), _lessons(trials, history), history, rng)
    with small_matrices():
        return Outlook(n, forecast.gain(n_left), noise)


def _n_tried(history: History, names: frozenset[str]) -> int:
    """Count the points that were tried; with a budget, one may be tried several times."""
    return len({canonical_json(_point(trial, names)) for trial in history.completed})


def _point(trial: Trial, names: frozenset[str]) -> dict[str, Value]:
    """Params of a trial that the space has: a budget is none of them."""
    return {name: value for name, value in trial.params.items() if name in names}


def _is_inside(space: SearchSpace, trial: Trial, names: frozenset[str]) -> bool:
    """False for a starting point that the space does not have."""
    try:
        space.canonical(_point(trial, names))
    except ValueError:
        return False
    return True


def _lessons(trials: list[Trial], history: History) -> list[Trial]:
    metric = history.objectives[0]
    gains = metric.sign * np.array([trial.mean(metric.name) for trial in trials])
    return [trials[place] for place in best_and_latest(behind(gains, trials, history), LATEST)]


@dataclass(frozen=True)
class _Forecast:
    coordinates: Coordinates
    trials: list[Trial]
    history: History
    rng: Generator

    @property
    def metric(self) -> Metric:
        """The first objective."""
        return self.history.objectives[0]

    @cached_property
    def _feasibility(self) -> Feasibility:
        features = self.coordinates.features(self._rows)
        subject_to = self.history.subject_to
        return feasibility(features, self.trials, self.coordinates.groups, subject_to)

    @cached_property
    def _gains(self) -> np.ndarray:
        means = [trial.mean(self.metric.name) for trial in self.trials]
        # As the sampler does it: the last digits of a score mean nothing.
        return self.metric.sign * np.array([float(f"{mean:.12g}") for mean in means])

    @cached_property
    def _warped(self) -> np.ndarray:
        return half_rank(shrunk(self._gains))

    @cached_property
    def _unit(self) -> float:
        """Score that one unit of the model stands for; the better half is scaled, not warped."""
        return float(np.abs(self._gains).max() * self._warped.std())

    @cached_property
    def _rows(self) -> np.ndarray:
        names = frozenset(self.coordinates.space.names)
        points = [_point(trial, names) for trial in self.trials]
        return np.array([self.coordinates.encode(point) for point in points])

    @cached_property
    def _process(self) -> GaussianProcess:
        features, values = self.coordinates.features(self._rows), standardised(self._warped)
        groups = self.coordinates.groups
        return GaussianProcess(features, values, groups, fit(features, values, groups))

    def gain(self, n: int) -> float:
        """Expected improvement by ``n`` further points over the best tried one, as a score."""
        if self._unit == 0 or not len(self.coordinates.groups):
            return 0.0
        tried = self.coordinates.features(self._rows)
        is_admissible = np.array([not self.history.violated(trial) for trial in self.trials])
        means = np.where(is_admissible, self._process.mean(tried), -np.inf)
        order = np.argsort(-np.round(means, 9), kind="stable")
        candidates = self._candidates(self._rows[order[:N_BEST]])
        if not len(candidates):
            return 0.0
        picked = self._picked(self.coordinates.features(candidates), float(means.max()), n)
        features = np.vstack([tried[order[:1]], picked])
        mean, covariance = self._process.joint(features)
        covariance[np.diag_indices_from(covariance)] += 1e-9
        factor = cholesky(covariance, lower=True, check_finite=False)
        draws = mean[:, None] + factor @ self.rng.normal(size=(len(mean), N_DRAWS))
        if self.history.subject_to:
            # What violates a constraint gains nothing.
            meets = self._feasibility.draws(picked, N_DRAWS, self.rng)
            draws[1:] = np.where(meets, draws[1:], -np.inf)
        gains = np.maximum(draws[1:].max(axis=0) - draws[0], 0.0)
        return float(gains.mean() * self._unit)

    def _candidates(self, best: np.ndarray) -> np.ndarray:
        """Points that meet the constraints and were not tried, ``(k, n_axes)``."""
        parents = best[self.rng.integers(len(best), size=N_NEAR)]
        steps = 10.0 ** self.rng.uniform(-2.5, -0.5, size=(N_NEAR, 1))
        near = self.coordinates.mutated(parents, steps, self.rng)
        rows = np.vstack([self.coordinates.random(N_RANDOM, self.rng), near])
        rows = rows[self.coordinates.allowed(rows)]
        tried = {row.tobytes() for row in self.coordinates.features(self._rows)}
        is_new = [row.tobytes() not in tried for row in self.coordinates.features(rows)]
        return rows[np.array(is_new, dtype=bool)]

    def _picked(self, features: np.ndarray, best: float, n: int) -> np.ndarray:
        """Features of the points that would be tried next, ``(<= n, n_features)``."""
        process, picked = self._process, []
        mean, deviation = process.posterior(features)
        variance, explained = deviation**2, process.explained(features)
        chance = self._feasibility.log_probability(features)
        steps: list[np.ndarray] = []
        for _ in range(min(n, len(features))):
            promise = log_expected_improvement(mean, np.sqrt(np.maximum(variance, 1e-12)), best)
            place = int(np.argmax(np.round(chance + promise, 9)))
            picked.append(place)
            # Conditioned on the picked point only: the means stay, the uncertainty shrinks.
            shared = process.prior(features, features[place : place + 1])[:, 0]
            shared -= explained.T @ explained[:, place]
            shared -= sum((step * step[place] for step in steps), np.zeros(len(features)))
            step = shared / np.sqrt(max(variance[place], 1e-12) + process.hyper.noise)
            steps.append(step)
            variance = variance - step**2
        return features[picked]


def _noise(trials: list[Trial], metric: Metric) -> float | None:
    """Standard error of the difference of two trials, without effects that all trials share.

    Returns:
        ``None`` with a single fold or trial.
    """
    scores = np.array([trial.scores(metric.name) for trial in trials])
    if len(scores) < 2 or scores.shape[1] < 2:
        return None
    n, k = scores.shape
    rows, columns = scores.mean(axis=1, keepdims=True), scores.mean(axis=0, keepdims=True)
    left = scores - rows - columns + scores.mean()
    return float(np.sqrt(2 / k * (left**2).sum() / ((n - 1) * (k - 1))))


@dataclass(frozen=True)
class FurtherGain:
    """Ends if the next trials are expected to gain less than a score, or than the folds' noise.

    It looks after every fifth trial, from 20 successful ones on. With a single fold there is no
    noise to compare with, so that ``below`` must be a number.
    """

    below: float | Literal["noise"] = "noise"
    trials: int = 20
    """Number of further trials."""
    space: SearchSpace | None = None

    def in_space(self, space: SearchSpace) -> "FurtherGain":
        """This criterion for a study with such a space."""
        return FurtherGain(self.below, self.trials, space)

    def is_spent(self, history: History, elapsed_s: float) -> str | None:  # noqa: ARG002
        """Compare the expected gain.

        Raises:
            UsageError: there is no space to look ahead in, or no noise to compare with.
        """
        if history.n_completed < LEAST or history.n_completed % EVERY:
            return None
        if self.space is None:
            raise UsageError(
                "stop.further_gain needs a search space: a list of candidates has none."
            )
        found = outlook(self.space, history, self.trials)
        if found is None:
            return None
        least = found.noise if self.below == "noise" else self.below
        if least is None:
            raise UsageError(
                "stop.further_gain: a single fold has no noise; give a number instead."
            )
        if found.gain >= least:
            return None
        than = "the folds' noise" if self.below == "noise" else f"{least:g}"
        return (
            f"the expected gain of {self.trials} further trials, {found.gain:.2g}, is below {than}"
        )
