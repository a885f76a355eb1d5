"""The samplers that are compared, each as a function that plays one study in this process."""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from benchmarks.sample_efficiency import asked
from tunesmith import registry
from tunesmith.history import FoldResult, Metric, TrialLog
from tunesmith.space import SearchSpace
from tunesmith.study.seeds import trial_rng
from tunesmith.types import Params

LOSS = Metric("loss", "minimize")


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


@dataclass(frozen=True)
class Ours:
    """A sampler of Tunesmith's, asked as in a study.

    Written ``name``, ``name@2`` (with a look-ahead of 2) or ``name@2,option=value,…``.
    """

    text: str

    @property
    def is_ours(self) -> bool:
        """True: a changed source changes its trials."""
        return True

    def play(self, problem: Problem, n_trials: int, seed: int) -> Trace:
        """Play a study: trial k is proposed from the results up to k - window."""
        head, *options = self.text.split(",")
        name, _, window = head.partition("@")
        given = {key: number(value) for key, _, value in (o.partition("=") for o in options)}
        sampler = registry.load("samplers", name)(seed=seed, **given)
        return play(sampler, problem, n_trials, seed, int(window or 1))


def number(text: str) -> Any:
    """A number, a truth value, or the text itself."""
    known = {"true": True, "false": False, "none": None}
    try:
        return known[text] if text in known else float(text) if "." in text else int(text)
    except ValueError:
        return text


def play(sampler: Any, problem: Problem, n_trials: int, seed: int, window: int) -> Trace:
    """Play a study in this process."""
    log, trace = TrialLog((LOSS,)), Trace()
    told: list[list[FoldResult]] = []
    for index in range(n_trials):
        while len(log.told) <= index - window:
            trial = log.asked[len(log.told)]
            log.tell(trial.told(told[trial.number]))
        began = time.process_time()
        found = sampler.suggest(problem.space, log.view(), 1, trial_rng(seed, index))
        taken = time.process_time() - began
        if not found:
            break
        folds = problem.folds(found[0], seed)
        told.append([FoldResult(i, {LOSS.name: loss}) for i, loss in enumerate(folds)])
        trace.add(problem, found[0], folds, taken)
        log.ask(found[0], problem.space.key(found[0]), "benchmark")
    return trace


@dataclass(frozen=True)
class Optunas:
    """A sampler of Optuna's, asked trial after trial."""

    text: str
    make: Callable[[Any, int], Any]

    @property
    def is_ours(self) -> bool:
        """False: its traces stay true as long as Optuna's version does."""
        return False

    def play(self, problem: Problem, n_trials: int, seed: int) -> Trace:
        """Play a study."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        trace = Trace()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            study = optuna.create_study(sampler=self.make(optuna.samplers, seed))
            for _ in range(n_trials):
                began = time.process_time()
                trial = study.ask()
                params = asked(trial, problem.space)
                taken = time.process_time() - began
                mean = trace.add(problem, params, problem.folds(params, seed), taken)
                study.tell(trial, mean)
        return trace


@dataclass(frozen=True)
class Chance:
    """Random search."""

    text: str = "random"

    @property
    def is_ours(self) -> bool:
        """False: chance does not change."""
        return False

    def play(self, problem: Problem, n_trials: int, seed: int) -> Trace:
        """Draw points."""
        rng, trace = np.random.default_rng([seed, 8]), Trace()
        for _ in range(n_trials):
            params = problem.space.sample(rng)
            trace.add(problem, params, problem.folds(params, seed), 0.0)
        return trace


PEERS: dict[str, Chance | Optunas] = {
    "random": Chance(),
    "optuna-tpe": Optunas("optuna-tpe", lambda s, seed: s.TPESampler(seed=seed)),
    "optuna-tpe-grouped": Optunas(
        "optuna-tpe-grouped", lambda s, seed: s.TPESampler(seed=seed, multivariate=True, group=True)
    ),
    "optuna-gp": Optunas("optuna-gp", lambda s, seed: s.GPSampler(seed=seed)),
}


def player(text: str) -> Chance | Optunas | Ours:
    """The player of this name; other names than the peers' are ours."""
    return PEERS.get(text) or Ours(text)
