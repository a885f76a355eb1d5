"""How good the best of few trials is, beside Optuna's samplers and chance.

    python -m benchmarks.sample_efficiency [--trials 50] [--seeds 10] [--only TEXT] [--workers 2]

Three functions whose optimum is known, and three tables of real cross-validation scores, computed
once with scikit-learn and kept in the folder for temporary files. Regret is the best score found
minus the optimum; 0 is the limit. Tunesmith runs as it does in a study, with a look-ahead window
of 8 (each suggestion misses the results of the last 7 trials), and once without. Optuna is run one
trial after the other, which suits it best; lists of numbers are handed to it in order.
"""

import argparse
import json
import math
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

# One thread each: the matrices are small, and two studies run at a time.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import optuna
import sklearn
from scipy.stats import rankdata
from sklearn.base import BaseEstimator
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from tunesmith import registry
from tunesmith.history import FoldResult, Metric, TrialLog
from tunesmith.space import Box, Categorical, Condition, Float, Grid, Int, Parameter, SearchSpace
from tunesmith.system.files import write_atomic
from tunesmith.types import Params

FOLDS = 3
WINDOW = 8
OURS = {
    "Tunesmith `bayesian` (auto: `gp`)": ("bayesian", WINDOW),
    "Tunesmith `bayesian`, window 1": ("bayesian", 1),
    "Tunesmith `tpe`": ("tpe", WINDOW),
    "Tunesmith `tpe`, window 1": ("tpe", 1),
    "random": ("random", 1),
}
THEIRS: dict[str, Callable[[int], Any]] = {
    "Optuna `TPESampler`": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "Optuna `TPESampler`, grouped": lambda seed: optuna.samplers.TPESampler(
        seed=seed, multivariate=True, group=True
    ),
    "Optuna `GPSampler`": lambda seed: optuna.samplers.GPSampler(seed=seed),
}
Loss = Callable[[Params], float]


@dataclass(frozen=True)
class Problem:
    """Something to minimise, and the least value there is."""

    space: SearchSpace
    loss: Loss
    limit: float


# -- functions --------------------------------------------------------------------------------


def branin() -> Problem:
    """Two numbers, three equal optima."""

    def loss(params: Params) -> float:
        x, y = number(params, "x"), number(params, "y")
        bend = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
        return bend**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10

    return Problem(SearchSpace.of({"x": Float(-5, 10), "y": Float(0, 15)}), loss, 0.39788735772973)


def hartmann6() -> Problem:
    """Six numbers, six local optima."""
    heights = np.array([1.0, 1.2, 3.0, 3.2])
    widths = np.array(
        [
            [10, 3, 17, 3.5, 1.7, 8],
            [0.05, 10, 17, 0.1, 8, 14],
            [3, 3.5, 1.7, 10, 17, 8],
            [17, 8, 0.05, 10, 0.1, 14],
        ]
    )
    centres = 1e-4 * np.array(
        [
            [1312, 1696, 5569, 124, 8283, 5886],
            [2329, 4135, 8307, 3736, 1004, 9991],
            [2348, 1451, 3522, 2883, 3047, 6650],
            [4047, 8828, 8732, 5743, 1091, 381],
        ]
    )
    names = [f"x{i}" for i in range(6)]

    def loss(params: Params) -> float:
        x = np.array([number(params, name) for name in names])
        return -float(heights @ np.exp(-(widths * (x - centres) ** 2).sum(axis=1)))

    return Problem(SearchSpace.of({name: Float(0, 1) for name in names}), loss, -3.32236801141551)


def mixed() -> Problem:
    """Three models, each with parameters of its own; the best one needs two that go together."""
    box = Box(
        {
            "model": Categorical(("forest", "linear", "svm")),
            "c": Float(1e-3, 1e3, log=True),
            "gamma": Float(1e-5, 10, log=True),
            "alpha": Float(1e-4, 10, log=True),
            "depth": Int(1, 30),
            "features": Categorical(("sqrt", "log2", None)),
            "scale": Categorical((True, False)),
        },
        {
            "c": (Condition("model", ("svm",)),),
            "gamma": (Condition("model", ("svm",)),),
            "alpha": (Condition("model", ("linear",)),),
            "depth": (Condition("model", ("forest",)),),
            "features": (Condition("model", ("forest",)),),
        },
    )

    def svm(params: Params) -> float:
        c, gamma = math.log10(number(params, "c")), math.log10(number(params, "gamma"))
        return 0.15 * (c + gamma + 0.5) ** 2 + 0.02 * (c - 1.5) ** 2

    def forest(params: Params) -> float:
        feature = {"sqrt": 0.0, "log2": 0.02, None: 0.05}[params["features"]]  # type: ignore[index]
        return 0.1 + 0.001 * (number(params, "depth") - 18) ** 2 + feature

    def loss(params: Params) -> float:
        scaled = 0.0 if params["scale"] or params["model"] == "forest" else 0.1
        if params["model"] == "linear":
            return 0.2 + 0.03 * (math.log10(number(params, "alpha")) + 1) ** 2 + scaled
        return (svm(params) if params["model"] == "svm" else forest(params)) + scaled

    return Problem(SearchSpace((box,)), loss, 0.0)


# -- tables -----------------------------------------------------------------------------------


def support_vectors() -> Problem:
    """Kernels of support vectors on breast cancer: accuracy, conditional."""
    tens = [float(f"{10**e:.3g}") for e in np.arange(-3, 3.1, 0.5)]
    box = Box(
        {
            "kernel": Categorical(("linear", "poly", "rbf", "sigmoid")),
            "C": Categorical(tuple(tens)),
            "gamma": Categorical(tuple(tens[:9])),
            "degree": Int(2, 4),
        },
        {
            "gamma": (Condition("kernel", ("poly", "rbf", "sigmoid")),),
            "degree": (Condition("kernel", ("poly",)),),
        },
    )
    data = load_breast_cancer(return_X_y=True)
    return tabulated("svc", SearchSpace((box,)), data, "accuracy", vector_machine)


def vector_machine(params: Params) -> Any:
    """Scaled; iterations are limited, as in any search that has to end."""
    return make_pipeline(StandardScaler(), SVC(**params, max_iter=20_000))


def boosting() -> Problem:
    """Gradient boosting on diabetes: R², four lists of numbers."""
    space = SearchSpace.of(
        {
            "learning_rate": Categorical((0.01, 0.02, 0.05, 0.1, 0.2, 0.4)),
            "max_leaf_nodes": Categorical((3, 5, 8, 15, 31)),
            "min_samples_leaf": Categorical((5, 10, 20, 40, 80)),
            "l2_regularization": Categorical((0.0, 1.0, 10.0, 100.0)),
        }
    )
    return tabulated("boosting", space, load_diabetes(return_X_y=True), "r2", booster)


def booster(params: Params) -> Any:
    """A short one."""
    return HistGradientBoostingRegressor(**params, max_iter=60, random_state=0)


def tree() -> Problem:
    """A decision tree on digits: accuracy, choices and numbers, noisy."""
    space = SearchSpace.of(
        {
            "criterion": Categorical(("gini", "entropy")),
            "splitter": Categorical(("best", "random")),
            "max_depth": Int(2, 20, step=2),
            "min_samples_leaf": Int(1, 8),
            "max_features": Categorical((0.1, 0.2, 0.4, 0.7, 1.0)),
        }
    )
    return tabulated("tree", space, load_digits(return_X_y=True), "accuracy", decision_tree)


def decision_tree(params: Params) -> Any:
    """A fixed seed makes it a function."""
    return DecisionTreeClassifier(**params, random_state=0)


def tabulated(
    name: str, space: SearchSpace, data: Any, scoring: str, make: Callable[[Params], BaseEstimator]
) -> Problem:
    """Every point of a finite space, cross-validated; from the last run's file if there is one."""
    folder = Path(tempfile.gettempdir()) / f"tunesmith-benchmarks-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{name}-{FOLDS}-folds-sklearn-{sklearn.__version__}.json"
    points = {space.key(params): params for params in Grid(space).after(-1)}
    table = json.loads(path.read_text()) if path.exists() else {}
    if table.keys() != points.keys():
        table = {key: -validated(make(params), data, scoring) for key, params in points.items()}
        write_atomic(path, json.dumps(table))
    return Problem(space, lambda params: table[space.key(params)], min(table.values()))


def validated(estimator: BaseEstimator, data: Any, scoring: str) -> float:
    """Mean score over the folds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(np.mean(cross_val_score(estimator, *data, cv=FOLDS, scoring=scoring)))


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "Branin": branin,
    "Hartmann 6": hartmann6,
    "mixed conditional": mixed,
    "SVC, breast cancer": support_vectors,
    "boosting, diabetes": boosting,
    "tree, digits": tree,
}
problem = cache(lambda name: PROBLEMS[name]())


def number(params: Params, name: str) -> float:
    """A value that is a number."""
    return float(params[name])  # type: ignore[arg-type]


# -- studies ----------------------------------------------------------------------------------


def losses_of_ours(name: str, window: int, task: Problem, n_trials: int, seed: int) -> list[float]:
    """One study of Tunesmith's: trial k knows the results up to k - window."""
    sampler, log = registry.load("samplers", name)(seed=seed), TrialLog((LOSS,))
    for index in range(n_trials):
        while len(log.completed) <= index - window:
            trial = log.trials[len(log.completed)]
            log.tell(trial.completed([FoldResult(0, {LOSS.name: task.loss(trial.params)})]))
        rng = np.random.default_rng([seed, index])
        (params,) = sampler.suggest(task.space, log.view(), 1, rng)
        log.ask(params, task.space.key(params), name)
    return [task.loss(trial.params) for trial in log.trials]


def losses_of_optunas(sampler: Any, task: Problem, n_trials: int) -> list[float]:
    """One study of Optuna's, trial after trial."""
    study = optuna.create_study(sampler=sampler)
    study.optimize(lambda trial: task.loss(asked(trial, task.space)), n_trials=n_trials)
    return [trial.value for trial in study.trials]


def asked(trial: Any, space: SearchSpace) -> dict[str, Any]:
    """A point of a space of one box, define-by-run."""
    params: dict[str, Any] = {}
    (box,) = space.boxes
    for name in box.order:
        if box.is_active(name, params):
            params[name] = suggested(trial, name, box.parameters[name])
    return params


def suggested(trial: Any, name: str, parameter: Parameter) -> Any:
    """One value; lists of numbers are handed over as positions, so that their order is known."""
    match parameter:
        case Categorical(choices) if len(choices) > 2 and all(
            isinstance(choice, float | int) for choice in choices
        ):
            return choices[trial.suggest_int(name, 0, len(choices) - 1)]
        case Categorical(choices):
            return trial.suggest_categorical(name, choices)
        case Int(low, high, log, step):
            return trial.suggest_int(name, low, high, log=log, step=step)
        case Float(low, high, log, step):
            return trial.suggest_float(name, low, high, log=log, step=step)
    raise TypeError(f"{parameter} is not used here")


LOSS = Metric("loss", "minimize")


def regrets(job: tuple[str, str, int, int]) -> tuple[list[float], float]:
    """The best regret after each trial of one study, and its seconds."""
    sampler, name, n_trials, seed = job
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    task, began = problem(name), time.perf_counter()
    if sampler in OURS:
        losses = losses_of_ours(*OURS[sampler], task, n_trials, seed)
    else:
        losses = losses_of_optunas(THEIRS[sampler](seed), task, n_trials)
    best = np.minimum.accumulate(losses) - task.limit
    return best.tolist(), time.perf_counter() - began


# -- the table --------------------------------------------------------------------------------


def tables(
    problems: list[str], samplers: list[str], found: np.ndarray, moments: list[int]
) -> Iterator[str]:
    """Markdown lines.

    Args:
        problems: names.
        samplers: names.
        found: ``(n_problems, n_samplers, n_seeds, n_trials)`` best regrets.
        moments: numbers of trials to show.
    """
    columns = [f"after {moment}, median [quartiles]" for moment in moments]
    yield row(["problem", "sampler", *columns])
    yield row(["---", "---", *["---:"] * len(columns)])
    for name, of_problem in zip(problems, found, strict=True):
        yield row([name, "the limit", *["0"] * len(columns)])
        for sampler, of_sampler in zip(samplers, of_problem, strict=True):
            yield row(["", sampler, *(spread(of_sampler[:, m - 1]) for m in moments)])


def rank_table(samplers: list[str], found: np.ndarray, moments: list[int]) -> Iterator[str]:
    """Markdown lines: the mean rank of a sampler among all, over problems and seeds."""
    yield row(["sampler", *(f"mean rank after {moment}" for moment in moments)])
    yield row(["---", *["---:"] * len(moments)])
    # Regrets that agree to 9 digits are a tie.
    ranks = rankdata(np.round(found, 9), axis=1).mean(axis=(0, 2))
    for sampler, of_sampler in zip(samplers, ranks, strict=True):
        yield row([sampler, *(f"{of_sampler[moment - 1]:.2f}" for moment in moments)])


def spread(values: np.ndarray) -> str:
    """Median and quartiles."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.3g} [{low:.3g}, {high:.3g}]"


def row(cells: Iterable[str]) -> str:
    """One line of Markdown."""
    return f"| {' | '.join(cells)} |"


def main(arguments: list[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--only", default="", help="problems whose name contains this")
    options = parser.parse_args(arguments)
    problems = [name for name in PROBLEMS if options.only in name]
    samplers = [*OURS, *THEIRS]
    if find_spec("torch") is None:
        samplers.remove("Optuna `GPSampler`")
        print("Optuna's `GPSampler` is skipped: it needs torch, which is not installed.\n")
    jobs = list(product(samplers, problems, [options.trials], range(options.seeds)))
    with ProcessPoolExecutor(options.workers) as pool:
        list(pool.map(problem_is_ready, problems))
        results = list(pool.map(regrets, jobs, chunksize=options.seeds))
    shape = (len(samplers), len(problems), options.seeds, options.trials)
    found = np.array([best for best, _ in results]).reshape(shape).swapaxes(0, 1)
    moments = sorted({(options.trials + 1) // 2, options.trials})
    print(*tables(problems, samplers, found, moments), "", sep="\n")
    print(*rank_table(samplers, found, moments), "", sep="\n")
    seconds = np.array([taken for _, taken in results]).reshape(len(samplers), -1).mean(axis=1)
    each = zip(samplers, seconds, strict=True)
    print("Seconds a study:", ", ".join(f"{name} {taken:.1f}" for name, taken in each))


def problem_is_ready(name: str) -> bool:
    """Whether a problem's table is there, now."""
    return bool(problem(name))


if __name__ == "__main__":
    main()
