"""Models of constraints on outcomes: where does a trial meet them?

Each constraint has a Gaussian process of its own over its slack, the distance of the outcome from
the bound. The expected improvement of a point is multiplied by the probability that it meets all
of them (Gardner et al. 2014, "Bayesian optimization with inequality constraints").
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.linalg import cholesky
from scipy.special import log_ndtr

from tunesmith.history import Trial
from tunesmith.search.gaussian_process import GaussianProcess, fit
from tunesmith.types import OutcomeConstraint


@dataclass(frozen=True)
class Slack:
    """A process over one constraint's slack; the constraint holds from ``bound`` upwards."""

    process: GaussianProcess
    bound: float


@dataclass(frozen=True)
class Feasibility:
    """Probability that points meet all constraints on outcomes."""

    slacks: tuple[Slack, ...]

    def log_probability(self, features: np.ndarray) -> np.ndarray:
        """Logarithms, ``(k,)``, at ``(k, m)`` points; 0 without a model."""
        total = np.zeros(len(features))
        for slack in self.slacks:
            mean, deviation = slack.process.posterior(features)
            total += log_ndtr((mean - slack.bound) / deviation)
        return total

    def draws(self, features: np.ndarray, n: int, rng: Generator) -> np.ndarray:
        """Draw whether points meet all constraints, ``(k, n)`` booleans, at ``(k, m)`` points."""
        meets = np.ones((len(features), n), dtype=bool)
        for slack in self.slacks:
            mean, covariance = slack.process.joint(features)
            covariance[np.diag_indices_from(covariance)] += 1e-9
            factor = cholesky(covariance, lower=True, check_finite=False)
            meets &= mean[:, None] + factor @ rng.normal(size=(len(mean), n)) >= slack.bound
        return meets

    def believing(self, features: np.ndarray) -> "Feasibility":
        """Return this model as if the expected slacks had been observed at ``(k, m)`` points."""
        slacks = (Slack(slack.process.believing(features), slack.bound) for slack in self.slacks)
        return Feasibility(tuple(slacks))


def feasibility(
    features: np.ndarray,
    trials: Sequence[Trial],
    groups: np.ndarray,
    subject_to: Sequence[OutcomeConstraint],
) -> Feasibility:
    """Learn where constraints on outcomes hold.

    Args:
        features: ``(n, m)`` of the trials.
        trials: those with unknown outcomes, such as failed ones, tell nothing.
        groups: ``(m,)`` the group of each feature, from 0.
        subject_to: the constraints.
    """
    slacks = (_slack(features, trials, groups, constraint) for constraint in subject_to)
    return Feasibility(tuple(slack for slack in slacks if slack is not None))


def _slack(
    features: np.ndarray,
    trials: Sequence[Trial],
    groups: np.ndarray,
    constraint: OutcomeConstraint,
) -> Slack | None:
    """Model of one constraint; ``None`` if the trials do not show how it varies."""
    outcomes = [trial.outcome(constraint.metric) for trial in trials]
    # 12 digits: the last bits of a score must not decide which points come next.
    given = np.array([float(f"{constraint.slack(outcome):.12g}") for outcome in outcomes])
    is_known = np.isfinite(given)
    warped = _bilog(given[is_known])
    spread = warped.std() if is_known.any() else 0.0
    if spread == 0:
        return None
    values, rows = (warped - warped.mean()) / spread, features[is_known]
    process = GaussianProcess(rows, values, groups, fit(rows, values, groups))
    return Slack(process, float(-warped.mean() / spread))


def _bilog(slacks: np.ndarray) -> np.ndarray:
    """Warp slacks so that far ones count less: what matters is the region around 0.

    As in SCBO (Eriksson and Poloczek 2021), after division by the median distance.
    """
    distances = np.abs(slacks)
    unit = float(np.median(distances)) if len(slacks) else 0.0
    unit = unit or float(distances.max(initial=0.0)) or 1.0
    warped: np.ndarray = np.sign(slacks) * np.log1p(distances / unit)
    return warped
