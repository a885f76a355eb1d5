"""Budgets against full training: the best model found for so many epochs in all.

    python -m benchmarks.budgets [--seeds 5] [--epochs 27] [--total 540]

A neural network on handwritten digits, trained epoch by epoch (scikit-learn's ``MLPClassifier``,
``partial_fit``); five parameters are searched. An epoch costs the same whoever trains it, so cost
is epochs trained in all, and a trial that goes on pays for its further epochs alone, as it does
with checkpoints. What a search recommends is the best of its fully trained models; its error is
measured on rows that no search has seen.
"""

import argparse
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith import registry
from tunesmith.execute.serial import SerialExecutor
from tunesmith.history import FoldResult, Metric, TrialLog
from tunesmith.reporting.drawing.chart import Chart, Line, Panel, Role
from tunesmith.reporting.drawing.scales import linear_axis, log_axis
from tunesmith.reporting.drawing.svg import render
from tunesmith.search.budget import Budgets
from tunesmith.search.stopping import MaxTrials
from tunesmith.space import Float, Int, SearchSpace
from tunesmith.study.early_stopping import EarlyStopping, held_against
from tunesmith.study.loop import Study
from tunesmith.study.progress import Progress
from tunesmith.study.recorder import NoRecorder
from tunesmith.study.strategy import SamplerStrategy, Strategy
from tunesmith.study.successive_halving import SuccessiveHalving
from tunesmith.testing.functions import FunctionObjective
from tunesmith.types import Fit, Params, State

LOSS = Metric("log_loss", "minimize")
FIGURE = Path(__file__).with_name("budgets.svg")
SPACE = SearchSpace.of(
    {
        "learning_rate": Float(1e-3, 1.0, log=True),
        "width": Int(8, 96, log=True),
        "alpha": Float(1e-6, 1.0, log=True),
        "momentum": Float(0.0, 0.98),
        "batch": Int(16, 256, log=True),
    }
)


@cache
def rows() -> tuple[np.ndarray, ...]:
    """Training, validation and test part of the digits."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    X, y = X[order] / 16.0, y[order]
    return X[:800], y[:800], X[800:1300], y[800:1300], X[1300:], y[1300:]


_courses: dict[str, list[tuple[float, float]]] = {}
_models: dict[str, Any] = {}


def course(params: Params, epochs: int) -> list[tuple[float, float]]:
    """(validation, test) log loss after each epoch; every epoch of every params is trained once."""
    from sklearn.metrics import log_loss
    from sklearn.neural_network import MLPClassifier

    X, y, X_val, y_val, X_test, y_test = rows()
    key = SPACE.key(params)
    if key not in _models:
        _courses[key] = []
        _models[key] = MLPClassifier(
            (params["width"],),
            solver="sgd",
            learning_rate_init=params["learning_rate"],
            momentum=params["momentum"],
            alpha=params["alpha"],
            batch_size=params["batch"],
            random_state=0,
        )
    known, model = _courses[key], _models[key]
    while len(known) < epochs:
        try:
            with np.errstate(all="ignore"):
                model.partial_fit(X, y, classes=np.arange(10))
                losses = [
                    log_loss(
                        truth, np.clip(np.nan_to_num(model.predict_proba(part), nan=0.1), 1e-9, 1)
                    )
                    for part, truth in ((X_val, y_val), (X_test, y_test))
                ]
        except ValueError:  # weights that have become infinite
            losses = [10.0, 10.0]
        known.append((losses[0], losses[1]))
    return known[:epochs]


@dataclass(frozen=True)
class Network(FunctionObjective):
    """Trains to the trial's budget, or to the step at which its bounds end it."""

    epochs: int = 27
    metrics: tuple[Metric, ...] = field(default=(LOSS,))

    def evaluate(self, fit: Fit) -> list[FoldResult]:
        """One training, or part of one."""
        (params,) = fit.candidates
        own = {name: value for name, value in params.items() if name != "epochs"}
        losses = [val for val, _ in course(own, int(params.get("epochs", self.epochs)))]  # type: ignore[arg-type]
        progress = tuple(enumerate(losses, start=1))
        whole = FoldResult(fit.fold, {LOSS.name: losses[-1]}, progress=progress)
        found = held_against(whole, fit.thresholds, LOSS)
        assert found is not None
        return [found]


def strategies(seed: int, epochs: int) -> dict[str, Strategy]:
    """What is compared."""

    def sampling(name: str) -> SamplerStrategy:
        return SamplerStrategy(
            SPACE, registry.load("samplers", name)(seed=seed), name=name, seed=seed
        )

    def budgets(rule: Any) -> Budgets:
        return Budgets(1, epochs, rule=rule)

    return {
        "random, all of it": sampling("random"),
        "Bayesian, all of it": sampling("bayesian"),
        "random, Hyperband": SuccessiveHalving(sampling("random"), "epochs", budgets("hyperband")),
        "random, halving": SuccessiveHalving(sampling("random"), "epochs", budgets("halving")),
        "Bayesian, Hyperband": SuccessiveHalving(
            sampling("bayesian"), "epochs", budgets("hyperband")
        ),
        "Bayesian, median stops": EarlyStopping(sampling("bayesian"), budgets("median")),
    }


def race(strategy: Strategy, epochs: int, total: int) -> list[float]:
    """Test loss of what is recommended, after each epoch that was trained."""
    objective, reached = Network(None, epochs=epochs), {}  # type: ignore[arg-type]
    found: list[float] = []
    best, loss = np.inf, np.nan

    class Spent(BaseException):
        pass

    def note(progress: Progress) -> None:
        nonlocal best, loss
        trial = progress.newest
        if trial is None:
            return
        own = {name: value for name, value in trial.params.items() if name != "epochs"}
        came = trial.folds[0].progress[-1][0]
        key = SPACE.key(own)
        found.extend([loss] * max(came - reached.get(key, 0), 0))
        reached[key] = max(came, reached.get(key, 0))
        if trial.state is State.COMPLETE and trial.mean(LOSS.name) < best:
            best, loss = trial.mean(LOSS.name), course(own, came)[-1][1]
        if len(found) >= total:
            raise Spent

    executor = SerialExecutor(objective.evaluate)
    study = Study(
        strategy=strategy,
        objective=objective,
        criterion=MaxTrials(10_000),
        log=TrialLog((LOSS,)),
        recorder=NoRecorder(),
        executor=executor,
        observer=note,
    )
    with suppress(Spent):
        study.run()
    return found[:total]


def figure(races: dict[str, list[list[float]]]) -> str:
    """The mean curves of full training and of Hyperband, as SVG."""
    shown: dict[str, Role] = {
        "random, all of it": "band",
        "Bayesian, all of it": "trial",
        "random, Hyperband": "tied",
        "Bayesian, Hyperband": "best",
    }
    curves = {name: np.mean(races[name], axis=0) for name in shown}
    finite = np.concatenate([curve[np.isfinite(curve)] for curve in curves.values()])
    steps = tuple(float(epoch) for epoch in range(1, len(curves["random, Hyperband"]) + 1))
    marks = tuple(
        Line(steps, tuple(_or_none(loss) for loss in curves[name]), role=role, label=name)
        for name, role in shown.items()
    )
    axes = (
        linear_axis("epochs trained in all", 0, len(steps)),
        log_axis("test log loss (lower is better)", *_ends(finite)),
    )
    text = "Mean test loss of the best fully trained model, by epochs trained in all."
    return render(Chart("Budgets and full training", text, panels=(Panel(*axes, marks),)))


def _ends(losses: np.ndarray) -> tuple[float, float]:
    return float(losses.min()), float(min(losses.max(), 1.0))


def _or_none(loss: float) -> float | None:
    return float(loss) if np.isfinite(loss) else None


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=27)
    parser.add_argument("--total", type=int, default=540)
    options = parser.parse_args(arguments)
    races = {
        name: [
            race(strategies(seed, options.epochs)[name], options.epochs, options.total)
            for seed in range(options.seeds)
        ]
        for name in strategies(0, options.epochs)
    }
    moments = [options.total * part // 8 for part in (1, 2, 4, 8)]
    print(
        f"Mean test log loss over {options.seeds} seeds;"
        f" {options.epochs} epochs are a whole training.\n"
    )
    print(f"| search | {' | '.join(f'{m} epochs' for m in moments)} |")
    print(f"|---|{'---|' * len(moments)}")
    for name, runs in races.items():
        means = [np.mean([run[moment - 1] for run in runs]) for moment in moments]
        cells = [f"{mean:.4f}" if np.isfinite(mean) else "none yet" for mean in means]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    FIGURE.write_text(figure(races))
    print(f"\n![Budgets and full training]({FIGURE.name})")


if __name__ == "__main__":
    main()
