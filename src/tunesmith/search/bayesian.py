"""Bayesian search: learns from results which points promise most."""

from typing import Any

from numpy.random import Generator

from tunesmith import registry
from tunesmith.errors import UsageError
from tunesmith.history import History
from tunesmith.search.sampler import Sampler, version_of
from tunesmith.space import SearchSpace
from tunesmith.types import Params

AUTO = "auto"
GP_TRIALS = 250
"""Number of trials beyond which a Gaussian process costs more than it gains over TPE."""


class BayesianSampler:
    """Chooses the model by name or, with ``auto``, by the length of the history.

    ``auto`` takes a Gaussian process while the history is short, and TPE afterwards.

    Args:
        seed: the study's.
        sampler: ``auto``, or a registered sampler.
        options: the named sampler's own.

    Raises:
        TypeError: the named sampler lacks an option.
        UsageError: the sampler is unknown, or ``auto`` is given options.
    """

    def __init__(self, seed: int = 0, sampler: str = AUTO, **options: Any) -> None:
        if sampler == AUTO and options:
            given = ", ".join(f"`{name}`" for name in sorted(options))
            raise UsageError(f"{given}: options need a named model; set `sampler` to `gp` or `tpe`")
        if sampler == "bayesian":
            raise UsageError("`bayesian` is the search; name the model behind it: `gp` or `tpe`")
        # Built here and not at the first suggestion, so that a wrong option fails before any trial.
        named = ("gp", "tpe") if sampler == AUTO else (sampler,)
        self._models: dict[str, Sampler] = {
            name: registry.load("samplers", name)(seed=seed, **options) for name in named
        }
        self.seed, self.sampler, self.options = seed, sampler, options

    @property
    def version(self) -> int:
        """Version of the models' proposals."""
        return max(map(version_of, self._models.values()))

    def __repr__(self) -> str:
        return f"BayesianSampler(seed={self.seed}, sampler={self.sampler!r}, **{self.options})"

    def blocker(self, space: SearchSpace) -> str | None:
        """Objection of the chosen model; those of ``auto`` take any space."""
        return next(filter(None, (m.blocker(space) for m in self._models.values())), None)

    def suggest(self, space: SearchSpace, history: History, n: int, rng: Generator) -> list[Params]:
        """Suggest points by the chosen model."""
        return self._models[self._choice(history)].suggest(space, history, n, rng)

    def _choice(self, history: History) -> str:
        if self.sampler != AUTO:
            return self.sampler
        return "gp" if len(history) < GP_TRIALS else "tpe"
