"""Fill ledgers with synthetic trials through the real schema.

    python -m benchmarks.fill_ledger FOLDER --trials 20000 [--folds 5] [--ledger postgresql://…]

FOLDER becomes a project whose study of an estimator has that many completed trials: its
configuration, its table and its ledger are real, only the scores are drawn. So every command works
on it. With ``--ledger`` the trials go into that database. The same arguments give the same trials.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tunesmith.config.load import load_definition
from tunesmith.history import Failure, FoldResult, Trial
from tunesmith.ledger.ledger import Ledger
from tunesmith.objective.objective import Objective
from tunesmith.runs.factory import build_objective, identity
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params, StopKind, StopReason

STUDY = """\
study: large
objective:
  estimator: sklearn.ensemble.HistGradientBoostingClassifier
  data: {path: data.csv, target: kind}
  cv: FOLDS
  metric: [METRICS]
space:
  learning_rate: {float: [0.001, 1.0], log: true}
  max_leaf_nodes: {int: [4, 256], log: true}
  min_samples_leaf: {int: [1, 200]}
  l2_regularization: {float: [0.0, 10.0]}
  class_weight: [null, balanced]
search: {method: random, seed: 1, curves: false}
stop: {trials: TRIALS}
"""
METRICS = ("accuracy", "neg_log_loss")
BATCH = 500
N_FAILED = 1000
"""One in this many trials fails."""


def make_project(
    folder: Path, n_trials: int, n_folds: int, *, ledger: str | None = None, n_metrics: int = 1
) -> None:
    """Write the configuration and the table of the study.

    Args:
        folder: of the project; made if it is missing.
        n_trials: of the study.
        n_folds: of a trial.
        ledger: file or URL; by default in the project.
        n_metrics: 1 or 2; several decide together.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = STUDY.replace("TRIALS", str(n_trials)).replace("FOLDS", str(n_folds))
    text = text.replace("METRICS", ", ".join(METRICS[:n_metrics]))
    text += f"ledger: {ledger}\n" if ledger else ""
    (folder / "tuning.yaml").write_text(text)
    rng = np.random.default_rng(0)
    lines = ["a,b,kind", *(f"{a:.4f},{b:.4f},{int(a > b)}" for a, b in rng.normal(size=(60, 2)))]
    (folder / "data.csv").write_text("\n".join(lines) + "\n")


def fill(folder: Path, n_trials: int, n_folds: int, first: int = 0) -> float:
    """Record the trials; return the CPU seconds that recording took.

    Args:
        folder: of the project.
        n_trials: number of trials after this call.
        n_folds: of a trial.
        first: number of trials that are there already.
    """
    definition = load_definition(folder / "tuning.yaml")
    objective = build_objective(definition)
    with Ledger.open(definition.ledger) as ledger:
        head = ledger.begin_study(
            definition.file.study,
            identity(definition, objective),
            definition.as_json() | {"start": [], "incumbent": None, "is_edited": False},
            context=objective.context,
            metrics=objective.metrics,
            objectives=objective.objectives,
        )
        run = ledger.begin_run(head.id, {"definition": definition.as_json(), "versions": {}})
        began = time.process_time()
        batch: list[tuple[Trial, list[str]]] = []
        for completed in trials(objective, first, n_trials, n_folds):
            batch.append(completed)
            if len(batch) == BATCH or completed[0].number == n_trials - 1:
                results = {
                    key: fold
                    for trial, keys in batch
                    for key, fold in zip(keys, trial.folds, strict=True)
                }
                ledger.record(head.id, run, results=results, completed=batch)
                batch = []
        used_s = time.process_time() - began
        reason = StopReason(StopKind.CRITERION, f"all {n_trials} trials are done")
        n_evaluations = (n_trials - first) * n_folds
        ledger.end_run(run, reason, n_evaluations, 0, n_evaluations)
    return used_s


def trials(
    objective: Objective, first: int, n_trials: int, n_folds: int
) -> Iterator[tuple[Trial, list[str]]]:
    """Yield completed trials with the keys of their folds."""
    names = [metric.name for metric in objective.metrics]
    for number in range(first, n_trials):
        rng = np.random.default_rng([7, number])
        params: Params = {
            "class_weight": [None, "balanced"][int(rng.integers(2))],
            "l2_regularization": float(rng.uniform(0, 10)),
            "learning_rate": float(10 ** rng.uniform(-3, 0)),
            "max_leaf_nodes": int(2 ** rng.uniform(2, 8)),
            "min_samples_leaf": int(rng.integers(1, 201)),
        }
        trial = Trial(number, params, key=canonical_json(params), origin="random")
        yield (
            trial.completed([_fold(params, fold, rng, names) for fold in range(n_folds)]),
            [objective.key(params, fold) for fold in range(n_folds)],
        )


def _fold(params: Params, fold: int, rng: np.random.Generator, names: Sequence[str]) -> FoldResult:
    times = {"fit_time_s": float(rng.gamma(2.0)), "score_time_s": float(rng.gamma(2.0) / 100)}
    if fold == 0 and rng.integers(N_FAILED) == 0:
        return FoldResult(fold, {}, failure=Failure("ValueError", "a synthetic failure"), **times)
    height = 0.9 - 0.03 * abs(np.log10(float(params["learning_rate"])) + 1.2)  # type: ignore[arg-type]
    accuracy = float(np.round((height + rng.normal(0, 0.01)) * 2000) / 2000)
    scores = {"accuracy": accuracy, "neg_log_loss": float(-(1 - height) * 3 + rng.normal(0, 0.02))}
    return FoldResult(fold, {name: scores[name] for name in names}, **times)


def main() -> None:
    """Make a project and fill its ledger."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trials", type=int, default=20_000)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="trials that are there already")
    parser.add_argument("--metrics", type=int, default=1, choices=(1, 2))
    parser.add_argument("--ledger", help="file or URL, by default in the folder")
    options = parser.parse_args()
    make_project(
        options.folder,
        options.trials,
        options.folds,
        ledger=options.ledger,
        n_metrics=options.metrics,
    )
    used_s = fill(options.folder, options.trials, options.folds, options.first)
    n = (options.trials - options.first) * options.folds
    print(f"{n:,} evaluations, {used_s:.1f} s of CPU, {used_s / n * 1e6:.0f} µs each")


if __name__ == "__main__":
    main()
