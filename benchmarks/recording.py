"""Recording: fold results a second, beside Optuna's database and its journal, in one run.

    python -m benchmarks.recording [--trials 400] [--postgres postgresql://…]

Nothing is evaluated. Each trial has five fold results; Optuna gets them as intermediate values and
their mean as the value. The tools take turns, and every one of them writes to the same disk.
"""

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from benchmarks.overhead import SPACE
from tunesmith.execute.serial import SerialExecutor
from tunesmith.ledger.ledger import Ledger
from tunesmith.search.random import RandomSampler
from tunesmith.search.stopping import MaxTrials
from tunesmith.study.loop import Study
from tunesmith.study.recorder import LedgerRecorder
from tunesmith.study.strategy import SamplerStrategy
from tunesmith.testing.functions import FunctionObjective
from tunesmith.types import Params

N_FOLDS = 5
N_TURNS = 3


def no_op(_params: Params, fold: int) -> float:
    """Score without work."""
    return 0.5 + fold / 100


def in_tunesmith(location: str, n_trials: int, version: str) -> None:
    """Run the loop with its ledger.

    Args:
        location: file or URL.
        n_trials: of the study.
        version: makes the evaluations new, if the database has some of an earlier turn.
    """
    objective = FunctionObjective(no_op, n_folds=N_FOLDS, version=version)
    metrics = objective.metrics
    with Ledger.open(location) as ledger:
        head = ledger.begin_study(version, "i", {}, context={}, metrics=metrics, objectives=metrics)
        Study(
            strategy=SamplerStrategy(SPACE, RandomSampler(), name="random", seed=0),
            objective=objective,
            criterion=MaxTrials(n_trials),
            log=ledger.log(head.id),
            recorder=LedgerRecorder(ledger, head.id, ledger.begin_run(head.id, {})),
            executor=SerialExecutor(objective.evaluate),
        ).run()


def in_optuna(storage: str | JournalStorage, n_trials: int) -> None:
    """Ask Optuna for as many trials, and tell it the same results."""
    study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(seed=0))

    def scored(trial: optuna.Trial) -> float:
        trial.suggest_float("a", 0, 1)
        trial.suggest_float("b", 1e-4, 1, log=True)
        trial.suggest_int("c", 1, 1000)
        trial.suggest_categorical("d", ["x", "y", "z"])
        trial.suggest_float("e", 0, 1)
        for fold in range(N_FOLDS):
            trial.report(0.5 + fold / 100, fold)
        return 0.52

    study.optimize(scored, n_trials=n_trials)


def ways(folder: Path, turn: int, postgres: str | None) -> dict[str, Callable[[int], None]]:
    """Return what takes turns, by name; each writes to a place of its own."""
    name = f"turn{turn}-{time.time_ns()}"
    journal = str(folder / f"{turn}.journal")
    made: dict[str, Callable[[int], None]] = {
        "Tunesmith, SQLite": lambda n: in_tunesmith(str(folder / f"{turn}.db"), n, name),
        "Optuna, SQLite": lambda n: in_optuna(f"sqlite:///{folder}/o{turn}.db", n),
        "Optuna, journal": lambda n: in_optuna(JournalStorage(JournalFileBackend(journal)), n),
    }
    if postgres:
        made["Tunesmith, PostgreSQL"] = lambda n: in_tunesmith(postgres, n, name)
    return made


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--postgres", help="URL of an empty database")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(N_TURNS):
            for name, record in ways(Path(folder), turn, options.postgres).items():
                began = time.perf_counter()
                record(options.trials)
                took_s = time.perf_counter() - began
                rates.setdefault(name, []).append(options.trials * N_FOLDS / took_s)
    ours = median(rates["Tunesmith, SQLite"])
    print(f"| recording, {options.trials} trials | fold results a second | ratio to the first |")
    print("|---|---:|---:|")
    for name, seen in rates.items():
        print(f"| {name} | {median(seen):,.0f} | {median(seen) / ours:.3f} |")


if __name__ == "__main__":
    main()
