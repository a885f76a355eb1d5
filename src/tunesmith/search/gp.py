"""Bayesian search with Tunesmith's own Gaussian process: few fits to a good score."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from tunesmith.history import History
from tunesmith.search.acquisition import log_expected_improvement, most_promising
from tunesmith.search.coordinates import Coordinates
from tunesmith.search.gaussian_process import GaussianProcess, fit
from tunesmith.search.sobol import sobol_points
from tunesmith.search.unseen import is_new, unseen
from tunesmith.search.warping import half_rank, standardised
from tunesmith.space import SearchSpace
from tunesmith.types import Params

N_BEST = 5


@dataclass(frozen=True)
class GPSampler:
    seed: int = 0
    n_startup: int = 10
    max_points: int = 500
    fit_points: int = 250

    def objection(self, space: SearchSpace) -> str | None:  # noqa: ARG002
        return None

    def suggest(self, space: SearchSpace, history: History, n: int, rng: Generator) -> list[Params]:
        complete = list(history.complete)
        if len(history) < self.n_startup or len(complete) < 2:
            points = sobol_points(space, self.seed, skip=len(history))
            return unseen(lambda: next(points, None), space, history, n, rng)
        coordinates = Coordinates(space)
        rows = np.array([coordinates.encode(t.params) for t in complete])
        metric = history.objectives[0]
        gains = np.array([float(f"{metric.sign * t.mean(metric.name):.12g}") for t in complete])
        values = standardised(half_rank(gains))
        feats = coordinates.features(rows)
        hyper = fit(feats, values, coordinates.groups)
        gp = GaussianProcess(feats, values, coordinates.groups, hyper)
        if history.running:
            pend = np.array([coordinates.encode(t.params) for t in history.running])
            gp = gp.believing(coordinates.features(pend))
        found: dict[str, Params] = {}
        for _ in range(n):
            means = gp.mean(feats)
            best = means.max()
            order = np.argsort(-np.round(means, 9), kind="stable")[:N_BEST]

            def score(r):
                return log_expected_improvement(*gp.posterior(coordinates.features(r)), best)

            cands = most_promising(coordinates, score, rows[order], rng)
            for row in cands:
                params = coordinates.decode(row)
                key = space.key(params)
                if is_new(key, history, found):
                    found[key] = params
                    gp = gp.believing(coordinates.features(row[None]))
                    break
        return list(found.values())
