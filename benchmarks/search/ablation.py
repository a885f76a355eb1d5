"""Each idea of Bayesian search turned off: ``python -m benchmarks.search.ablation``.

    python -m benchmarks.search.ablation [--yahpo FOLDER] [--seeds 4] [--kept FILE] [--tables FILE]

Surrogates of some tasks (no noise, one fold), and tables of real cross-validation (``benchmarks.
races.tables``), on which the trial with the best mean counts by its mean over another split of the
same rows. 30 trials each. A difference is the regret without an idea less the regret with all of
them, on the same problem and seed: above 0 the idea helps. Races are judged by the share of the
folds that they leave, too. Studies are kept in a file, so that an interrupted run goes on.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.races.__main__ import Table, play
from benchmarks.races.tables import PROBLEMS, Tables, tables
from benchmarks.search.players import play as play_surrogate
from benchmarks.search.tables import interval, row, shown
from benchmarks.search.yahpo import Surrogate, surrogates
from tunesmith.search import first_points, gaussian_process, gp
from tunesmith.search.gp import GPSampler
from tunesmith.space import Int, SearchSpace
from tunesmith.study.look_ahead import default_window
from tunesmith.study.race import Race
from tunesmith.study.strategy import SamplerStrategy

N_TRIALS = 30
ALL = "all ideas"
TASKS = ("lcbench 168335", "rbv2_rpart 1489", "rbv2_xgboost 42", "rbv2_super 1489")
NOISY = tuple(problem.name for problem in PROBLEMS)
FOLDS = (5, 10)
WORST = "look-ahead 8"


def no_noise() -> list[Any]:
    """A fit that begins once, and expects a noise of 1e-4."""
    small = gaussian_process.Priors(noise=(float(np.log(1e-4)), 2.0))
    return [
        patch.object(gaussian_process, "Priors", lambda: small),
        patch.object(gaussian_process, "LARGE_NOISE", 1e-4),
    ]


def no_branches() -> list[Any]:
    """Ten Sobol points first, and no trial that leaves the best branch."""
    return [
        patch.object(first_points, "branches", lambda _space: []),
        patch.object(gp, "LEAST_STARTUP", gp.MOST_STARTUP),
        patch.object(gp, "DETOUR", 10**9),
    ]


@dataclass(frozen=True)
class Variant:
    """Search with one idea turned off.

    Args:
        patches: makes the changes to the sampler's sources.
        window: look-ahead; that of a study with as many folds by default.
        is_raced: true if trials may stop.
        kinds: problems on which it makes a difference.
    """

    patches: Callable[[], list[Any]] = list
    window: int | None = None
    is_raced: bool = True
    kinds: tuple[str, ...] = ("flat", "conditional", "noisy")


VARIANTS = {
    ALL: Variant(),
    "no noise model": Variant(no_noise),
    "no start by branches": Variant(no_branches, kinds=("conditional",)),
    "look-ahead 1": Variant(window=1),
    WORST: Variant(window=8),
    "no race": Variant(is_raced=False, kinds=("noisy",)),
}


@dataclass(frozen=True)
class Played:
    """One study."""

    kind: str
    problem: str
    variant: str
    seed: int
    regret: float
    """0 is the best that is known, 1 the median point."""
    folds: float
    """Share of the folds that were evaluated."""


def on_surrogate(problem: Surrogate, variant: Variant, seed: int) -> tuple[float, float]:
    """Regret of a study on a surrogate."""
    window = default_window(1) if variant.window is None else variant.window
    trace = play_surrogate(GPSampler(seed=seed), problem, N_TRIALS, seed, window)
    low, high = problem.ends
    return float(np.clip((trace.losses[-1] - low) / (high - low), 0, 1)), 1.0


def on_table(table: Table, truth: np.ndarray, variant: Variant, seed: int) -> tuple[float, float]:
    """Regret of a study on a table, and the share of the folds that it needed.

    Args:
        table: of one split.
        truth: scores of all points on another split, ``(n_points,)``.
        variant: of the search.
        seed: of the search.
    """
    sizes = {name: len(values) for name, values in table.problem.grid.items()}
    space = SearchSpace.of({name: Int(0, size - 1) for name, size in sizes.items()})
    window = default_window(table.n_folds) if variant.window is None else variant.window
    own = SamplerStrategy(space, GPSampler(seed=seed), name="gp", seed=seed, window=window)
    history = play(Race(own) if variant.is_raced else own, table, N_TRIALS)
    best = history.best()
    assert best is not None
    place = np.ravel_multi_index([int(str(best.params[n])) for n in sizes], list(sizes.values()))
    scale = max(float(truth.max() - np.median(truth)), 1e-12)
    regret = np.clip((truth.max() - truth[place]) / scale, 0, 1)
    return float(regret), history.n_evaluations / (len(history) * table.n_folds)


@cache
def _by_name() -> Mapping[str, Any]:
    return {problem.name: problem for problem in PROBLEMS}


def studies(
    found: Tables, tasks: Mapping[str, Sequence[Surrogate]], n_seeds: int
) -> Iterator[tuple[tuple[str, str, str, int], Callable[[], tuple[float, float]]]]:
    """Yield (kind, problem, variant, seed) and what plays the study."""
    for seed, (name, variant) in product(range(n_seeds), VARIANTS.items()):
        for kind, of_kind in tasks.items():
            for task in of_kind:
                if kind in variant.kinds and task.name in TASKS:
                    yield (
                        (kind, task.name, name, seed),
                        lambda t=task, v=variant, s=seed: on_surrogate(t, v, s),  # type: ignore[misc]
                    )
        for problem, n_folds in product(NOISY, FOLDS):
            # One split is searched, and the other one is the judge.
            search, judge = (found[problem, n_folds, (seed + i) % 2] for i in range(2))
            table = Table(_by_name()[problem], search)
            if "noisy" in variant.kinds:
                yield (
                    ("noisy", f"{problem}, {n_folds} folds", name, seed),
                    lambda t=table, j=judge, v=variant, s=seed: on_table(t, j.mean(axis=1), v, s),  # type: ignore[misc]
                )


def summary(found: Sequence[Played]) -> Iterator[str]:
    """Markdown lines: mean regrets, and what each idea changes."""
    kinds = list(dict.fromkeys(p.kind for p in found))
    heads = [
        f"{kind}: {len({p.problem for p in found if p.kind == kind})} problems" for kind in kinds
    ]
    yield row(["turned off", *heads, "folds evaluated"])
    yield row(["---", *["---:"] * (len(kinds) + 1)])
    for name in VARIANTS:
        cells = [_cell([p for p in found if p.kind == kind], name) for kind in kinds]
        folds = [p.folds for p in found if p.variant == name and p.kind == "noisy"]
        yield row([name, *cells, f"{np.mean(folds):.0%}" if folds else "–"])


def _cell(found: Sequence[Played], name: str) -> str:
    """Mean regret of the whole, or the difference to it."""
    problems = sorted({p.problem for p in found})
    by_key = {(p.problem, p.variant, p.seed): p.regret for p in found}
    # Only seeds that both have played on all problems.
    n = 0
    while all((p, v, n) in by_key for p in problems for v in {name, ALL}):
        n += 1
    if not n:
        return "–"
    values = np.array([[by_key[p, name, s] for s in range(n)] for p in problems])
    if name == ALL:
        return shown(*interval(values))
    whole = np.array([[by_key[p, ALL, s] for s in range(n)] for p in problems])
    mean, low, high = interval(values - whole)
    return f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"


def worst(found: Sequence[Played]) -> Iterator[str]:
    """Markdown lines: for each idea, the problem on which the search is better without it."""
    by_key = {(p.problem, p.variant, p.seed): p.regret for p in found}
    yield row(["turned off", "helps most on", "costs most on"])
    yield row(["---", "---", "---"])
    for name in list(VARIANTS)[1:]:
        gaps: dict[str, list[float]] = {}
        for p in found:
            if p.variant == name and (p.problem, ALL, p.seed) in by_key:
                gaps.setdefault(p.problem, []).append(p.regret - by_key[p.problem, ALL, p.seed])
        if gaps:
            means = {problem: float(np.mean(values)) for problem, values in gaps.items()}
            ends = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
            yield row([name, *(f"{problem} ({means[problem]:+.3f})" for problem in ends)])


def main() -> None:
    """Print the tables."""
    folder = os.environ.get("TUNESMITH_YAHPO")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--yahpo", type=Path, default=Path(folder) if folder else None)
    parser.add_argument("--tables", type=Path, default=Path("build/races.json"))
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--kept", type=Path, default=Path("build/ablation.jsonl"))
    parser.add_argument("--minutes", type=float, default=np.inf)
    given = parser.parse_args()
    lines = given.kept.read_text().splitlines() if given.kept.exists() else []
    found = [Played(**json.loads(line)) for line in lines]
    known = {(p.kind, p.problem, p.variant, p.seed) for p in found}
    given.kept.parent.mkdir(parents=True, exist_ok=True)
    until = time.time() + 60 * given.minutes
    made = studies(tables(given.tables), surrogates(given.yahpo), given.seeds)
    for key, study in made:
        if key in known or time.time() > until:
            continue
        with ExitStack() as stack:
            for change in VARIANTS[key[2]].patches():
                stack.enter_context(change)
            found.append(Played(*key, *study()))
        with given.kept.open("a") as file:
            file.write(json.dumps(asdict(found[-1])) + "\n")
    print(*summary(found), "", *worst(found), sep="\n")


if __name__ == "__main__":
    main()
