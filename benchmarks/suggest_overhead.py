"""What one suggestion costs beside Optuna's samplers, at growing numbers of finished trials.

Both sides hold the same finished trials in memory, then one cycle of ask and tell is timed, again
and again; medians are printed with their ratio. Both run in the same process, interleaved, so that
a busy machine slows both. Below it is what the Gaussian process takes, in CPU time and without a
rival (Optuna's needs torch): the median and the largest of many suggestions in a row, because
every tenth fits its kernel from all starts.

    python -m benchmarks.suggest_overhead [--trials 100 1000 10000] [--cycles 15]
"""

import argparse
import time
import warnings
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import optuna

from tunesmith import registry
from tunesmith.history import FoldResult, Metric, TrialLog
from tunesmith.space import Box, Categorical, Condition, Float, Grid, Int, SearchSpace
from tunesmith.types import Params

MIXED = SearchSpace.of(
    {
        "depth": Int(1, 30),
        "features": Categorical(("sqrt", "log2", None)),
        "l2": Float(0.0, 1.0),
        "rate": Float(1e-4, 1.0, log=True),
    }
)
DEEP = SearchSpace(
    (
        Box(
            {
                "learner": Categorical(tuple("abcdef")),
                **{f"{learner}{i}": Float(0.0, 1.0) for learner in "abcdef" for i in range(6)},
            },
            {
                f"{learner}{i}": (Condition("learner", (learner,)),)
                for learner in "abcdef"
                for i in range(6)
            },
        ),
    )
)
"""Six learners with six parameters each."""
LISTED = SearchSpace.of({name: Int(0, 99) for name in ("a", "b", "c")})
CHOICES = {name: list(range(100)) for name in ("a", "b", "c")}
MOST = 1_000
"""Number of trials up to which the Gaussian process is measured."""
Cycle = Callable[[], None]


def score(params: Params) -> float:
    """Any smooth function."""
    return -sum((float(v) - 0.3) ** 2 for v in params.values() if isinstance(v, float))


def finished(space: SearchSpace, n: int, *, in_order: bool) -> list[Params]:
    """Points of trials that came before."""
    grid = Grid(space) if in_order else None
    if grid is not None:
        return [point for i in range(n) if (point := grid.point(i)) is not None]
    rng = np.random.default_rng(0)
    return [space.sample(rng) for _ in range(n)]


def tunesmith_cycle(name: str, space: SearchSpace, before: list[Params]) -> Cycle:
    """Suggest, ask, tell."""
    sampler, log = registry.load("samplers", name)(seed=0), TrialLog((Metric("score"),))

    def record(params: Params) -> None:
        trial = log.ask(params, space.key(params), name)
        log.tell(trial.completed([FoldResult(0, {"score": score(params)})]))

    for params in before:
        record(params)

    def cycle() -> None:
        rng = np.random.default_rng([0, len(log.trials)])
        record(sampler.suggest(space, log.view(), 1, rng)[0])

    return cycle


def optuna_cycle(sampler: Any, ask: Callable[[Any], Params], before: list[Any]) -> Cycle:
    """Ask with all parameters, tell."""
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.add_trials(before)

    def cycle() -> None:
        trial = study.ask()
        study.tell(trial, score(ask(trial)))

    return cycle


def ask_mixed(trial: Any) -> Params:
    """The mixed space, define-by-run."""
    return {
        "depth": trial.suggest_int("depth", 1, 30),
        "features": trial.suggest_categorical("features", ("sqrt", "log2", None)),
        "l2": trial.suggest_float("l2", 0.0, 1.0),
        "rate": trial.suggest_float("rate", 1e-4, 1.0, log=True),
    }


def ask_listed(trial: Any) -> Params:
    """The finite space, define-by-run."""
    return {name: trial.suggest_categorical(name, values) for name, values in CHOICES.items()}


def optuna_trials(points: list[Params], *, is_grid: bool) -> list[Any]:
    """The same finished trials for Optuna; a grid's carry their number, as its sampler expects."""
    dists = optuna.distributions
    mixed = {
        "depth": dists.IntDistribution(1, 30),
        "features": dists.CategoricalDistribution(("sqrt", "log2", None)),
        "l2": dists.FloatDistribution(0.0, 1.0),
        "rate": dists.FloatDistribution(1e-4, 1.0, log=True),
    }
    listed = {name: dists.CategoricalDistribution(values) for name, values in CHOICES.items()}
    return [
        optuna.trial.create_trial(
            params=dict(params),
            distributions=listed if is_grid else mixed,
            value=score(params),
            system_attrs={"search_space": CHOICES, "grid_id": number} if is_grid else {},
        )
        for number, params in enumerate(points)
    ]


def pair(name: str, n: int) -> tuple[Cycle, Cycle]:
    """Tunesmith's and Optuna's cycle after ``n`` finished trials."""
    samplers: dict[str, Callable[[], Any]] = {
        "random": lambda: optuna.samplers.RandomSampler(seed=0),
        "tpe": lambda: optuna.samplers.TPESampler(seed=0),
        "grid": lambda: optuna.samplers.GridSampler(CHOICES, seed=0),
    }
    is_grid = name == "grid"
    space = LISTED if is_grid else MIXED
    points = finished(space, n, in_order=is_grid)
    theirs = optuna_trials(points, is_grid=is_grid)
    return (
        tunesmith_cycle(name, space, points),
        optuna_cycle(samplers[name](), ask_listed if is_grid else ask_mixed, theirs),
    )


def measured(cycles: tuple[Cycle, Cycle], n_cycles: int) -> tuple[float, float]:
    """Median milliseconds of both, taken in turns after one warm-up each."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(n_cycles + 1):
        for cycle, kept in zip(cycles, times, strict=True):
            began = time.perf_counter()
            cycle()
            if number:
                kept.append(1e3 * (time.perf_counter() - began))
    return median(times[0]), median(times[1])


def cpu_ms(space: SearchSpace, n: int, n_cycles: int) -> tuple[float, float]:
    """Median and largest CPU milliseconds of the Gaussian process, one suggestion after another."""
    cycle, times = tunesmith_cycle("gp", space, finished(space, n, in_order=False)), []
    for number in range(n_cycles + 1):
        began = time.process_time()
        cycle()
        if number:
            times.append(1e3 * (time.process_time() - began))
    return median(times), max(times)


def print_process(sizes: list[int], n_cycles: int) -> None:
    """Print the table of the Gaussian process."""
    print("\n| Gaussian process | trials | median, CPU ms | largest, CPU ms |")
    print("|---|---:|---:|---:|")
    for name, space in (("4 parameters", MIXED), ("37 parameters, 6 learners", DEEP)):
        for n in sizes:
            cells = " | ".join(f"{ms:.0f}" for ms in cpu_ms(space, n, n_cycles))
            print(f"| {name} | {n:,} | {cells} |", flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--cycles", type=int, default=15)
    options = parser.parse_args(arguments)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    print("| sampler | trials | Tunesmith, ms | Optuna, ms | ratio |")
    print("|---|---:|---:|---:|---:|")
    for name in ("random", "grid", "tpe"):
        for n in options.trials:
            mine, theirs = measured(pair(name, n), options.cycles)
            print(
                f"| {name} | {n:,} | {mine:.3f} | {theirs:.3f} | {mine / theirs:.2f} |", flush=True
            )
    print_process([n for n in options.trials if n <= MOST], options.cycles)


if __name__ == "__main__":
    main()
