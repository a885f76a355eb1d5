"""The forecast of further trials beside what they gained: ``python -m benchmarks.further_gain``.

Bayesian searches on functions whose truth is known: a smooth hill, a narrow peak and a hill with
ripples in four dimensions, with noise in every fold. After 20, 40 and 60 trials the forecast for
the next 20 is compared with the gain of the best truth among the trials.
"""

import argparse
from collections.abc import Callable, Iterator

import numpy as np

from tunesmith.history import FoldResult, Metric, TrialLog
from tunesmith.search.further_gain import outlook
from tunesmith.search.gp import GPSampler
from tunesmith.space import Box, Float, SearchSpace
from tunesmith.study.seeds import trial_rng
from tunesmith.types import Params

NAMES = ("a", "b", "c", "d")
SPACE = SearchSpace((Box({name: Float(0.0, 1.0) for name in NAMES}),))
METRIC = Metric("score")
N_FOLDS, AHEAD = 5, 20
KINDS = ("hill", "narrow peak", "ripples")
Truth = Callable[[Params], float]


def truth(kind: str, seed: int) -> Truth:
    """Draw a function of a kind."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    centre, slopes = rng.uniform(0.2, 0.8, 4), rng.uniform(0.3, 4.0, 4)

    def value(params: Params) -> float:
        x = np.array([float(str(params[name])) for name in NAMES])
        bowl = float((slopes * (x - centre) ** 2).sum())
        if kind == "narrow peak":
            return float(np.exp(-3 * bowl))
        return -bowl + (0.1 * float(np.sin(12 * x).sum()) if kind == "ripples" else 0.0)

    return value


def forecasts(score: Truth, noise: float, seed: int, n: int) -> Iterator[tuple[int, float, float]]:
    """Play a search; yield (trials, forecast, what the next trials gained)."""
    rng, log, said = np.random.default_rng(seed), TrialLog((METRIC,)), {}
    sampler = GPSampler(seed=seed)
    for number in range(n + AHEAD):
        if number >= AHEAD and not number % AHEAD and number <= n:
            found = outlook(SPACE, log.view(), AHEAD)
            said[number] = found.gain if found else np.nan
        (params,) = sampler.suggest(SPACE, log.view(), 1, trial_rng(seed, number))
        trial = log.ask(params, SPACE.key(params), "gp")
        scores = score(params) + noise * rng.normal(size=N_FOLDS)
        log.tell(
            trial.completed([FoldResult(f, {"score": float(s)}) for f, s in enumerate(scores)])
        )
    best = np.maximum.accumulate([score(trial.params) for trial in log.completed])
    for number, gain in said.items():
        yield number, gain, float(best[number + AHEAD - 1] - best[number - 1])


def main() -> None:
    """Print a table: mean forecast and mean gain by kind, noise and number of trials."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=6)
    seeds = parser.parse_args().seeds
    print(
        "| function | noise of a fold | trials | forecast | gained | median of forecast / gained |"
    )
    print("|---|--:|--:|--:|--:|--:|")
    for kind in KINDS:
        for noise in (0.02, 0.2):
            rows = [
                row
                for seed in range(seeds)
                for row in forecasts(truth(kind, seed), noise, seed, 60)
            ]
            for number in sorted({row[0] for row in rows}):
                said, came = np.array([row[1:] for row in rows if row[0] == number]).T
                ratio = np.median((said + 1e-4) / (came + 1e-4))
                means = f"{said.mean():.4f} | {came.mean():.4f} | {ratio:.1f}"
                print(f"| {kind} | {noise} | {number} | {means} |", flush=True)


if __name__ == "__main__":
    main()
