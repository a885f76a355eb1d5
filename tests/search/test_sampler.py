"""The contract that every sampler keeps, and what samplers have in common."""

import pytest

from tunesmith.search.cmaes import CMAESSampler
from tunesmith.search.grid import GridSampler
from tunesmith.search.random import RandomSampler
from tunesmith.search.sobol import SobolSampler
from tunesmith.search.tpe import TPESampler
from tunesmith.testing.sampler import SamplerContract


class TestRandomSampler(SamplerContract):
    def make(self) -> RandomSampler:
        return RandomSampler(seed=3)


class TestSobolSampler(SamplerContract):
    def make(self) -> SobolSampler:
        return SobolSampler(seed=3)


class TestGridSampler(SamplerContract):
    def make(self) -> GridSampler:
        return GridSampler(seed=3)


class TestTPESampler(SamplerContract):
    n_trials = 13

    def make(self) -> TPESampler:
        return TPESampler(seed=3, n_startup=5)


class TestUnivariateTPESampler(SamplerContract):
    n_trials = 13
    # One of each kind: its options change the model, not how it reads a space.
    tried = ("flat", "conditional", "finite union")

    def make(self) -> TPESampler:
        return TPESampler(seed=3, n_startup=5, multivariate=False, constant_liar=False)


class TestCMAESSampler(SamplerContract):
    takes_several_objectives = False

    def make(self) -> CMAESSampler:
        pytest.importorskip("cmaes")
        return CMAESSampler(seed=3)
