"""A thousand workers on a clock that only pretends: what the scheduler itself can do.

    python -m benchmarks.many_workers [--trials 20000]

The study loop, its strategies and its ledger are real. Fits take no time of this machine: their
workers are entries of a queue, ordered by the moment at which each would end. What the loop itself
takes (CPU of this process) passes on that clock, too, so that a slow scheduler leaves workers idle.
"""

import argparse
import heapq
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Self

import numpy as np

from tunesmith.ledger.ledger import Ledger
from tunesmith.search.random import RandomSampler
from tunesmith.search.stopping import MaxTrials
from tunesmith.space import Float, SearchSpace
from tunesmith.study.look_ahead import default_window, window_for
from tunesmith.study.loop import Study
from tunesmith.study.recorder import LedgerRecorder
from tunesmith.study.strategy import SamplerStrategy
from tunesmith.testing.functions import FunctionObjective
from tunesmith.types import Params

SPACE = SearchSpace.of({"x": Float(-5, 10), "y": Float(0, 15)})
N_FOLDS = 5
SPREAD = 0.3
"""Standard deviation of the logarithm of a fit's time."""
N_SEEDS = 5


def branin(params: Params, _fold: int) -> float:
    """Branin's function, turned so that larger is better; its best value is about -0.398."""
    x, y = float(str(params["x"])), float(str(params["y"]))
    first = y - 5.1 * x**2 / (4 * math.pi**2) + 5 * x / math.pi - 6
    return -(first**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10)


@dataclass
class PretendedCluster:
    """An executor whose workers take time on its own clock only.

    Args:
        function: makes a result.
        n_workers: fits at a time.
        fit_s: median seconds of a fit.
    """

    function: Callable[[Any], Any]
    n_workers: int
    fit_s: float
    now_s: float = 0.0
    busy_s: float = 0.0
    n_fits: int = 0
    _ends: list[tuple[float, int, Future[Any], Any]] = field(default_factory=list)
    _waiting: list[tuple[Future[Any], Any]] = field(default_factory=list)
    _since: float = field(default_factory=time.process_time)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(0)

    def clock(self) -> float:
        """Seconds on the pretended clock, the loop's own CPU included."""
        now = time.process_time()
        self.now_s, self._since = self.now_s + now - self._since, now
        return self.now_s

    def submit(self, item: Any) -> Future[Any]:
        """Give a fit to a free worker, or let it wait for one."""
        future: Future[Any] = Future()
        self._waiting.append((future, item))
        self._start()
        return future

    def _start(self) -> None:
        now = self.clock()
        while self._waiting and len(self._ends) < self.n_workers:
            future, item = self._waiting.pop(0)
            if future.set_running_or_notify_cancel():
                took_s = self.fit_s * float(np.exp(self._rng.normal(0, SPREAD)))
                self.busy_s, self.n_fits = self.busy_s + took_s, self.n_fits + 1
                heapq.heappush(self._ends, (now + took_s, self.n_fits, future, item))

    def completed(self, timeout_s: float | None = None) -> Sequence[Future[Any]]:
        """Go to the moment at which the next fit ends; return all that have ended by then."""
        if not self._ends:
            return []
        self.now_s = max(self.clock(), self._ends[0][0])
        ended = []
        while self._ends and self._ends[0][0] <= self.now_s:
            _, _, future, item = heapq.heappop(self._ends)
            future.set_result(self.function(item))
            ended.append(future)
        self._start()
        return ended

    def cancel(self, future: Future[Any]) -> None:
        """Drop a fit that waits."""
        future.cancel()

    def close(self) -> None:
        """Leave nothing behind; there is nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


@dataclass(frozen=True)
class Seen:
    """What a study has shown."""

    n_fits: int
    took_s: float
    """On the pretended clock."""
    used_s: float
    """CPU of the loop."""
    idle: float
    """Share of the workers' time in which they had nothing to do."""
    best: float


def study(sampler: Any, n_trials: int, n_workers: int, *, window: int, fit_s: float) -> Seen:
    """Run a study on a pretended cluster, with a ledger on the disk."""
    objective = FunctionObjective(branin, n_folds=N_FOLDS)
    cluster = PretendedCluster(objective.evaluate, n_workers, fit_s)
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder, Ledger.open(Path(folder) / "l.db") as ledger:
        metrics = objective.metrics
        head = ledger.begin_study("s", "i", {}, context={}, metrics=metrics, objectives=metrics)
        outcome = Study(
            strategy=SamplerStrategy(SPACE, sampler, name="s", seed=sampler.seed, window=window),
            objective=objective,
            criterion=MaxTrials(n_trials),
            log=ledger.log(head.id),
            recorder=LedgerRecorder(ledger, head.id, ledger.begin_run(head.id, {})),
            executor=cluster,
            clock=cluster.clock,
        ).run()
    best = outcome.history.best()
    return Seen(
        n_fits=cluster.n_fits,
        took_s=cluster.now_s,
        used_s=time.process_time() - began,
        idle=1 - cluster.busy_s / (n_workers * cluster.now_s),
        best=math.nan if best is None else best.mean(metrics[0].name),
    )


def scheduling(n_trials: int) -> None:
    """Print what random search leaves idle, by workers and length of fits."""
    print("| random search: workers | fit, s | fits | fits a CPU second of the loop | idle |")
    print("|---:|---:|---:|---:|---:|")
    for n_workers in (1, 10, 100, 1000):
        for fit_s in (1.0, 60.0):
            # Ten rounds at least, or the end of the study would be most of it.
            n = min(n_trials, max(n_workers * 10 // N_FOLDS, 400))
            seen = study(RandomSampler(seed=0), n, n_workers, window=8, fit_s=fit_s)
            rate = seen.n_fits / seen.used_s
            print(f"| {n_workers} | {fit_s:g} | {seen.n_fits:,} | {rate:,.0f} | {seen.idle:.0%} |")


def looking_ahead(n_trials: int) -> None:
    """Print what look-ahead gives and takes in Bayesian search: time, idleness, and the result."""
    from tunesmith.search.gp import GPSampler

    print("\n| Bayesian search: workers | look-ahead | rounds of fits | idle | gap to the best |")
    print("|---:|---:|---:|---:|---:|")
    for n_workers in (1, 5, 50, 1000):
        for window in dict.fromkeys((default_window(N_FOLDS), window_for(n_workers, N_FOLDS))):
            seen = [
                study(GPSampler(seed=seed), n_trials, n_workers, window=window, fit_s=60.0)
                for seed in range(N_SEEDS)
            ]
            rounds, idle = median(s.took_s / 60 for s in seen), median(s.idle for s in seen)
            gap = median(-0.397887 - s.best for s in seen)
            print(f"| {n_workers} | {window} | {rounds:.0f} | {idle:.0%} | {gap:.2g} |")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=20_000, help="of random search at most")
    parser.add_argument("--bayesian", type=int, default=40, help="trials of Bayesian search")
    options = parser.parse_args()
    scheduling(options.trials)
    if options.bayesian:
        looking_ahead(options.bayesian)


if __name__ == "__main__":
    main()
