"""The figure 1 to N: what more workers of one machine bring.

    python -m benchmarks.more_workers [--figure docs/images/workers.svg] [--real]

Sleeping fits take no core, so that they show the limit of the scheduler itself: the loop, its
ledger, and the processes of the workers. ``--real`` adds fits of gradient boosting, for one worker
and for two. Studies of all numbers of workers take turns; the figure shows medians of three.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_score

from tunesmith.execute.processes import ProcessExecutor
from tunesmith.ledger.ledger import Ledger
from tunesmith.reporting.drawing.chart import Chart, Line, Panel, Points
from tunesmith.reporting.drawing.scales import linear_axis
from tunesmith.reporting.drawing.svg import render
from tunesmith.search.random import RandomSampler
from tunesmith.search.stopping import MaxTrials
from tunesmith.space import Float, SearchSpace
from tunesmith.study.loop import Study
from tunesmith.study.recorder import LedgerRecorder
from tunesmith.study.strategy import SamplerStrategy
from tunesmith.testing.functions import FunctionObjective
from tunesmith.types import Params

SPACE = SearchSpace.of({"rate": Float(0.01, 1.0)})
WORKERS = (1, 2, 4, 8, 16)
SLEEP_S = 0.1
N_FOLDS = 5
N_TURNS = 3
N_ROUNDS = 8
"""Trials by worker."""
N_REAL = 8
SLEEPING, REAL = f"fits that sleep {SLEEP_S} s", "gradient boosting"


def asleep(_params: Params, fold: int) -> float:
    """Take time, and no core."""
    time.sleep(SLEEP_S)
    return fold / 10


def boosted(params: Params, _fold: int) -> float:
    """Fit for some seconds."""
    data, kinds = load_breast_cancer(return_X_y=True)
    model = HistGradientBoostingClassifier(learning_rate=float(str(params["rate"])), max_iter=60)
    return float(cross_val_score(model, data, kinds, cv=3).mean())


def fits_a_second(function: Callable[[Params, int], float], n_workers: int, n_trials: int) -> float:
    """Run a study, and return its fits a second; a study before it has started the workers."""
    objective = FunctionObjective(function, n_folds=N_FOLDS)
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open(Path(folder) / "ledger.db") as ledger,
        ProcessExecutor(objective.evaluate, n_workers=n_workers) as executor,
    ):

        def run(name: str, seed: int, n: int) -> float:
            metrics = objective.metrics
            head = ledger.begin_study(
                name, name, {}, context={}, metrics=metrics, objectives=metrics
            )
            began = time.perf_counter()
            Study(
                strategy=SamplerStrategy(SPACE, RandomSampler(), name="random", seed=seed),
                objective=objective,
                criterion=MaxTrials(n),
                log=ledger.log(head.id),
                recorder=LedgerRecorder(ledger, head.id, ledger.begin_run(head.id, {})),
                executor=executor,
            ).run()
            return time.perf_counter() - began

        run("warm", 1, n_workers)
        return n_trials * N_FOLDS / run("measured", 0, n_trials)


def figure(rates: Mapping[str, Mapping[int, float]], said: str) -> str:
    """Draw an SVG document.

    Args:
        rates: kind of fits -> number of workers -> fits a second.
        said: how it was measured.
    """
    panels = tuple(_panel(kind, seen) for kind, seen in rates.items())
    text = "Fits a second by the number of workers, as a multiple of one worker's."
    return render(Chart("From one worker to many", text, panels=panels, note=said, columns=2))


def _panel(kind: str, seen: Mapping[int, float]) -> Panel:
    numbers = tuple(map(float, seen))
    gains = tuple(rate / seen[1] for rate in seen.values())
    most = numbers[-1]
    marks = (
        Line(numbers, numbers, role="current", label="as many times as workers", is_dashed=True),
        Line(numbers, gains, role="best", label="measured"),
        Points(numbers, gains, role="best"),
    )
    x, y = linear_axis(f"workers ({kind})", 0, most), linear_axis("times one worker", 0, most)
    return Panel(x, y, marks)


def main() -> None:
    """Print the table, and draw the figure if a file is named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--figure", type=Path, help="SVG file to write")
    parser.add_argument("--real", action="store_true", help="real fits, too, of 1 and 2 workers")
    options = parser.parse_args()
    measured: dict[str, dict[int, list[float]]] = {}
    load = os.getloadavg()[0]
    for _ in range(N_TURNS):
        for n in WORKERS:
            rate = fits_a_second(asleep, n, N_ROUNDS * n)
            measured.setdefault(SLEEPING, {}).setdefault(n, []).append(rate)
        for n in WORKERS[:2] if options.real else ():
            rate = fits_a_second(boosted, n, N_REAL)
            measured.setdefault(REAL, {}).setdefault(n, []).append(rate)
    rates = {kind: {n: median(r) for n, r in seen.items()} for kind, seen in measured.items()}
    print("| fits | workers | fits a second | times one worker | of as many as workers |")
    print("|---|---:|---:|---:|---:|")
    for kind, seen in rates.items():
        for n, rate in seen.items():
            gain = rate / seen[1]
            print(f"| {kind} | {n} | {rate:.1f} | {gain:.2f} | {gain / n:.0%} |")
    said = f"Medians of {N_TURNS}, {os.cpu_count()} cores; busy processes before it: {load:.0f}."
    print(said)
    if options.figure:
        options.figure.write_text(figure(rates, said))


if __name__ == "__main__":
    main()
