"""The samplers that are compared, each as a function that plays one study in this process."""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.sample_efficiency import asked
from benchmarks.search.experience import experience
from benchmarks.search.outside import OUTSIDE, Hebo, Smac
from benchmarks.search.trace import Problem, Trace
from tunesmith import registry
from tunesmith.history import FoldResult, Metric, TrialLog
from tunesmith.study.seeds import trial_rng
from tunesmith.types import Params

LOSS = Metric("loss", "minimize")


@dataclass(frozen=True)
class Ours:
    """A sampler of Tunesmith's, asked as in a study.

    Written ``name``, ``name@2`` (with a look-ahead of 2) or ``name@2,option=value,…``; ``start``
    is ``defaults`` or ``portfolio``, all other options are the sampler's.
    """

    text: str

    @property
    def package(self) -> str | None:
        """``None``: a changed source of ours changes its trials."""
        return None

    def play(self, problem: Problem, n_trials: int, seed: int) -> Trace:
        """Play a study: trial k is proposed from the results up to k - window."""
        head, *options = self.text.split(",")
        name, _, window = head.partition("@")
        given = {key: number(value) for key, _, value in (o.partition("=") for o in options)}
        begin = experience(problem, given.pop("start")) if "start" in given else []
        sampler = registry.load("samplers", name)(seed=seed, **given)
        return play(sampler, problem, n_trials, seed, int(window or 1), begin=begin)


def number(text: str) -> Any:
    """A number, a truth value, or the text itself."""
    known = {"true": True, "false": False, "none": None}
    try:
        return known[text] if text in known else float(text) if "." in text else int(text)
    except ValueError:
        return text


def play(
    sampler: Any,
    problem: Problem,
    n_trials: int,
    seed: int,
    window: int,
    *,
    begin: Sequence[Params] = (),
) -> Trace:
    """Play a study in this process; ``begin`` holds its first points."""
    log, trace = TrialLog((LOSS,)), Trace()
    completed: list[list[FoldResult]] = []
    for index in range(n_trials):
        while len(log.completed) <= index - window:
            trial = log.trials[len(log.completed)]
            log.tell(trial.completed(completed[trial.number]))
        began = time.process_time()
        found = list(begin[index : index + 1]) or sampler.suggest(
            problem.space, log.view(), 1, trial_rng(seed, index)
        )
        taken = time.process_time() - began
        if not found:
            break
        folds = problem.folds(found[0], seed)
        completed.append([FoldResult(i, {LOSS.name: loss}) for i, loss in enumerate(folds)])
        trace.add(problem, found[0], folds, taken)
        log.ask(found[0], problem.space.key(found[0]), "benchmark")
    return trace


@dataclass(frozen=True)
class Optunas:
    """A sampler of Optuna's, asked trial after trial."""

    text: str
    make: Callable[[Any, int], Any]

    @property
    def package(self) -> str | None:
        """Package whose version its traces depend on."""
        return "optuna"

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
    def package(self) -> str | None:
        """Package beside whose traces its own lie."""
        return "optuna"

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


def player(text: str) -> Chance | Optunas | Smac | Hebo | Ours:
    """The player of this name; other names than the peers' are ours."""
    return PEERS.get(text) or OUTSIDE.get(text) or Ours(text)
