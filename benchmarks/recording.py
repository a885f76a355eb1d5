"""Recording: fold results a second, beside Optuna, Ray Tune and Dask, in one run.

    python -m benchmarks.recording [--trials 400] [--postgres postgresql://…] [--ray PYTHON]

Nothing is evaluated. Each trial has five fold results; Optuna gets them as intermediate values and
their mean as the value, Ray Tune as reports of its trial. Dask alone keeps nothing: its futures
hold the results, and are gathered trial by trial. The tools take turns, and every one of them
writes to the same disk. ``--ray`` names the Python of an environment with Ray Tune; only the search
itself is timed there, after Ray has started, and one worker makes the trials.
"""

import argparse
import subprocess
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
RAY_SHARE = 10
"""Ray Tune makes this part of the trials: each of its trials takes a process."""
RAY = """
import sys, time, ray
from ray import tune
folder, n_trials, n_folds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def scored(config):
    for fold in range(n_folds):
        tune.report({"score": 0.5 + fold / 100})
ray.init(num_cpus=1, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
space = {"a": tune.uniform(0, 1), "b": tune.loguniform(1e-4, 1), "c": tune.randint(1, 1000)}
space |= {"d": tune.choice(["x", "y", "z"]), "e": tune.uniform(0, 1)}
began = time.perf_counter()
tune.Tuner(
    scored,
    param_space=space,
    tune_config=tune.TuneConfig(num_samples=n_trials, max_concurrent_trials=1),
    run_config=tune.RunConfig(storage_path=folder, verbose=0),
).fit()
print("took", time.perf_counter() - began)
"""


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


def in_dask(n_trials: int) -> None:
    """Make the same calls by Dask alone, in one process and thread."""
    from distributed import Client

    address = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with Client(processes=False, **address) as client:
        for trial in range(n_trials):
            client.gather(
                [client.submit(no_op, {"a": trial}, fold, pure=False) for fold in range(N_FOLDS)]
            )


def in_ray(python: str, folder: Path, n_trials: int) -> float:
    """Let Ray Tune make as many trials, and return the seconds that it took."""
    arguments = [str(folder.absolute()), str(n_trials), str(N_FOLDS)]
    done = subprocess.run(
        [python, "-c", RAY, *arguments], check=True, capture_output=True, text=True
    )
    return float(done.stdout.rpartition("took ")[2])


def ways(folder: Path, turn: int, postgres: str | None) -> dict[str, Callable[[int], None]]:
    """Return what takes turns, by name; each writes to a place of its own."""
    name = f"turn{turn}-{time.time_ns()}"
    journal = str(folder / f"{turn}.journal")
    made: dict[str, Callable[[int], None]] = {
        "Tunesmith, SQLite": lambda n: in_tunesmith(str(folder / f"{turn}.db"), n, name),
        "Optuna, SQLite": lambda n: in_optuna(f"sqlite:///{folder}/o{turn}.db", n),
        "Optuna, journal": lambda n: in_optuna(JournalStorage(JournalFileBackend(journal)), n),
    }
    made["Dask alone, nothing kept"] = in_dask
    if postgres:
        made["Tunesmith, PostgreSQL"] = lambda n: in_tunesmith(postgres, n, name)
    return made


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--postgres", help="URL of an empty database")
    parser.add_argument("--ray", help="Python of an environment that has Ray Tune")
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
            if options.ray:
                n = max(options.trials // RAY_SHARE, 1)
                took_s = in_ray(options.ray, Path(folder) / f"ray{turn}", n)
                rates.setdefault("Ray Tune", []).append(n * N_FOLDS / took_s)
    ours = median(rates["Tunesmith, SQLite"])
    print(f"| recording, {options.trials} trials | fold results a second | ratio to the first |")
    print("|---|---:|---:|")
    for name, seen in rates.items():
        print(f"| {name} | {median(seen):,.0f} | {median(seen) / ours:.3f} |")


if __name__ == "__main__":
    main()
