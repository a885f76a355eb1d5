"""What the machinery costs a trial: a no-op objective, against Optuna in memory and on SQLite.

    python -m benchmarks.overhead [--trials 10000] [--peer-sqlite-trials 300]

The three take turns in one process. Tunesmith's numbers include its ledger (every trial and fold
committed as it arrives); Optuna in memory keeps nothing. The cost per trial is taken from the
last tenth of the trials, so that growth with the history shows.
"""

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import optuna

from tunesmith.execute.serial import SerialExecutor
from tunesmith.ledger.ledger import Ledger
from tunesmith.search.random import RandomSampler
from tunesmith.search.stopping import MaxTrials
from tunesmith.space import Categorical, Float, Int, SearchSpace
from tunesmith.study.loop import Study
from tunesmith.study.progress import Progress
from tunesmith.study.recorder import LedgerRecorder
from tunesmith.study.strategy import SamplerStrategy
from tunesmith.testing.functions import FunctionObjective
from tunesmith.types import Params

SPACE = SearchSpace.of(
    {
        "a": Float(0, 1),
        "b": Float(1e-4, 1, log=True),
        "c": Int(1, 1000),
        "d": Categorical(("x", "y", "z")),
        "e": Float(0, 1),
    }
)


def no_op(params: Params, fold: int) -> float:
    return 0.5


def ask_optuna(trial: optuna.Trial) -> float:
    trial.suggest_float("a", 0, 1)
    trial.suggest_float("b", 1e-4, 1, log=True)
    trial.suggest_int("c", 1, 1000)
    trial.suggest_categorical("d", ["x", "y", "z"])
    trial.suggest_float("e", 0, 1)
    return 0.5


def tunesmith_moments(n: int) -> Iterator[float]:
    """The moment at which each trial is told."""
    objective, moments = FunctionObjective(no_op), []

    def note(progress: Progress) -> None:
        if progress.newest is not None:
            moments.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder, Ledger.open(Path(folder) / "l.db") as ledger:
        head = ledger.begin_study(
            "s", "i", {}, context={}, metrics=objective.metrics, objectives=objective.metrics
        )
        recorder = LedgerRecorder(ledger, head.id, ledger.begin_run(head.id, {}))
        Study(
            strategy=SamplerStrategy(SPACE, RandomSampler(), name="random", seed=0),
            objective=objective,
            criterion=MaxTrials(n),
            log=ledger.log(head.id),
            recorder=recorder,
            executor=SerialExecutor(objective.evaluate),
            observer=note,
        ).run()
    yield from moments


def optuna_moments(n: int, storage: str | None) -> Iterator[float]:
    """The moment at which each of Optuna's trials ends."""
    study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(seed=0))
    moments: list[float] = []
    study.optimize(
        ask_optuna, n_trials=n, callbacks=[lambda *_: moments.append(time.perf_counter())]
    )
    yield from moments


def cost_ms(moments: list[float], upto: int) -> float:
    """Mean milliseconds a trial over the tenth of the trials before ``upto``."""
    first = max(1, upto - max(20, upto // 10))
    window = moments[first:upto]
    return (window[-1] - window[0]) / (len(window) - 1) * 1e3


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--peer-sqlite-trials", type=int, default=300)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    rows: list[tuple[str, Callable[[], list[float]]]] = [
        ("Tunesmith, ledger on", lambda: list(tunesmith_moments(options.trials))),
        ("Optuna, in memory", lambda: list(optuna_moments(options.trials, None))),
    ]
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/o.db"
        n = options.peer_sqlite_trials
        rows.append((f"Optuna, SQLite ({n} trials)", lambda: list(optuna_moments(n, url))))
        found = {name: measure() for name, measure in rows}
    ours = found[rows[0][0]]
    print(
        "| no-op objective, random search | ms a trial at 100 | at the end | ratio to Tunesmith |"
    )
    print("|---|---|---|---|")
    for name, moments in found.items():
        at_100, at_end = cost_ms(moments, 100), cost_ms(moments, len(moments))
        ratio = median([at_100 / cost_ms(ours, 100), at_end / cost_ms(ours, len(ours))])
        print(f"| {name} | {at_100:.2f} | {at_end:.2f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
