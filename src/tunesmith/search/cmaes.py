"""CMA-ES (Hansen & Ostermeier 2001) on the unit cube, by the ``cmaes`` package."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator

from tunesmith.errors import UsageError
from tunesmith.history import History, Trial, shortfall
from tunesmith.search.unseen import unseen
from tunesmith.space import Box, Categorical, SearchSpace
from tunesmith.types import Params, Value

TRIES = 20
FARTHEST = 1e100
"""Distance from the constraints of a trial whose outcome is unknown."""


@dataclass
class CMAESSampler:
    """Evolves a Gaussian over the numeric parameters; categories are drawn at random.

    The distribution is derived from the history: it is updated when all trials of a generation are
    completed. Failed trials count as the worst of their generation.
    """

    seed: int = 0
    sigma: float = 0.2
    """Initial step, as a share of each range."""
    population: int | None = None
    """Trials per generation; by default 4 + 3 ln(number of numeric parameters)."""
    _state: "_State | None" = field(default=None, init=False, repr=False, compare=False)

    def blocker(self, space: SearchSpace) -> str | None:
        """Objection to spaces other than one plain box with numbers, and to a missing package."""
        if len(space.boxes) > 1 or space.boxes[0].conditions:
            return "CMA-ES cannot search conditional spaces; use `tpe`"
        if not numeric(space.boxes[0]):
            return "CMA-ES needs numeric parameters; use `tpe`"
        _package()
        return None

    def suggest(self, space: SearchSpace, history: History, n: int, rng: Generator) -> list[Params]:
        """Draw points from the present Gaussian.

        Raises:
            UsageError: several objectives decide.
        """
        if len(history.objectives) > 1:
            raise UsageError("CMA-ES needs one metric that decides; use `tpe` for several")
        box = space.boxes[0]
        optimizer = self._optimizer(box, history)
        # The optimizer is kept between calls, but its draws must depend on this trial's generator
        # only.
        optimizer.reseed_rng(int(rng.integers(2**31)))

        def draw() -> Params:
            return dict(sorted(_point(box, optimizer.ask(), rng).items()))

        return unseen(draw, space, history, n, rng, tries=TRIES)

    def _optimizer(self, box: Box, history: History) -> Any:
        """Rebuild the optimizer after every generation that is completed."""
        names = numeric(box)
        size = self.population or 4 + math.floor(3 * math.log(max(len(names), 2)))
        if self._state is None or not self._state.leads_to(box, history):
            self._state = _State(box, history, self._fresh(len(names), size))
        state = self._state
        for generation in range(state.n_generations, history.n_completed // size):
            trials = history[generation * size : (generation + 1) * size]
            state.optimizer.tell(_solutions(box, names, trials, history))
            state.n_generations += 1
        state.history = history
        return state.optimizer

    def _fresh(self, n_dimensions: int, size: int) -> Any:
        bounds = np.tile([0.0, 1.0], (n_dimensions, 1))
        return _package().CMA(
            mean=np.full(n_dimensions, 0.5),
            sigma=self.sigma,
            bounds=bounds,
            seed=self.seed,
            population_size=size,
        )


@dataclass
class _State:
    """An optimizer, and the history whose full generations it has learned from."""

    box: Box
    history: History
    optimizer: Any
    n_generations: int = 0

    def leads_to(self, box: Box, history: History) -> bool:
        return self.box is box and history.continues(self.history)


def numeric(box: Box) -> list[str]:
    """List the parameters that a Gaussian can move."""
    return [n for n in box.order if not isinstance(box.parameters[n], Categorical)]


def _point(box: Box, units: np.ndarray, rng: Generator) -> dict[str, Value]:
    clipped = np.clip(units, 0.0, np.nextafter(1.0, 0.0))
    values = dict(zip(numeric(box), clipped.tolist(), strict=True))
    return box.point({name: values.get(name, rng.random()) for name in box.order})


def _solutions(
    box: Box, names: list[str], trials: list[Trial], history: History
) -> list[tuple[np.ndarray, float]]:
    metric = history.objectives[0]
    losses = [-metric.sign * trial.mean(metric.name) for trial in trials]
    short = [shortfall(trial, history.subject_to) for trial in trials]
    allowed = [loss for loss, far in zip(losses, short, strict=True) if not far]
    worst = max((loss for loss in allowed if not math.isnan(loss)), default=0.0)
    return [
        (
            np.array([box.parameters[name].unit(trial.params[name]) for name in names]),
            # 12 digits: the last bits of a score must not lead to other points.
            float(f"{_ranked(loss, far, worst):.12g}"),
        )
        for trial, loss, far in zip(trials, losses, short, strict=True)
    ]


def _ranked(loss: float, far: float, worst: float) -> float:
    """Loss of a trial; one that failed or violates a constraint is no better than the others.

    Only the order counts for the optimizer, so that distances from constraints may be added.
    """
    if math.isnan(loss):
        return worst
    return worst + min(far, FARTHEST) if far else loss


def _package() -> Any:
    try:
        import cmaes
    except ImportError:
        raise UsageError("CMA-ES search needs: pip install 'tunesmith[cmaes]'") from None
    return cmaes
