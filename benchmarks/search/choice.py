"""Where real studies lose: by what is proposed, or by what is chosen of it.

    python -m benchmarks.search.choice [--first 0] [--seeds 8] [--players A B …] [--only TEXT …]
        [--traces FOLDER] [--minutes 30]

Every trial of a study gets its true loss, so that the trial that is chosen can be compared with
the best one that was proposed. All choices cost the fits of 30 trials: whoever scores leaders on
further splits has fewer trials. Studies are kept in the folder of traces, and the tables show the
seeds that all players have played.
"""

import argparse
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product, takewhile
from pathlib import Path

# One thread each: the matrices are small.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.search.__main__ import made_by
from benchmarks.search.players import player
from benchmarks.search.real import PROBLEMS, Validated
from benchmarks.search.tables import interval, regrets, row, shown
from tunesmith.search.coordinates import Coordinates
from tunesmith.search.gaussian_process import GaussianProcess, fit
from tunesmith.search.warping import half_rank, standardised
from tunesmith.space import SearchSpace
from tunesmith.system.files import write_atomic
from tunesmith.types import Params

N_TRIALS = 30
N_FURTHER = 2
RESCORED = ((3, 1), (6, 1), (3, 2))
"""Leaders, and further splits on which each is scored."""
FURTHER = 2000
"""Seed of the first further split; true losses have the seeds from 1000 on."""
PLAYERS = ("bayesian@1", "random", "optuna-tpe")


@dataclass
class Recorded:
    """A problem that remembers what was asked."""

    problem: Validated
    asked: list[tuple[Params, list[float]]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name in tables."""
        return self.problem.name

    @property
    def space(self) -> SearchSpace:
        """The search space."""
        return self.problem.space

    @property
    def ends(self) -> tuple[float, float]:
        """Ends of the scale."""
        return self.problem.ends

    def folds(self, params: Params, seed: int) -> list[float]:
        """Loss of each fold."""
        losses = self.problem.folds(params, seed)
        self.asked.append((params, losses))
        return losses

    def truth(self, params: Params) -> float:
        """Nothing: true losses are worked out after the study."""
        return 0.0


@dataclass(frozen=True)
class Study:
    """Trials of a study, in their order."""

    params: list[Params]
    folds: list[list[float]]
    truths: list[float]
    further: list[list[float]]
    """Mean loss of each leader on each further split; empty for other trials."""


def played(name: str, problem: Validated, seed: int) -> Study:
    """Play a study, and score each of its trials on the splits that it has not seen."""
    recorded = Recorded(problem)
    player(name).play(recorded, N_TRIALS, seed)
    params: list[Params] = [dict(given) for given, _ in recorded.asked]
    folds = [losses for _, losses in recorded.asked]
    seeds = [FURTHER + N_FURTHER * seed + i for i in range(N_FURTHER)]
    scored = {i for n_leaders, n_splits in RESCORED for i in leaders_of(folds, n_leaders, n_splits)}
    further = [
        [float(np.mean(problem.folds(p, s))) for s in seeds] if i in scored else []
        for i, p in enumerate(params)
    ]
    return Study(params, folds, [problem.truth(p) for p in params], further)


def leaders_of(folds: list[list[float]], n_leaders: int, n_splits: int) -> list[int]:
    """Best trials of a study that is shorter by the fits of their further splits, best first."""
    n_trials = N_TRIALS - n_leaders * n_splits
    means = np.round(np.mean(folds[:n_trials], axis=1), 12)
    return [int(i) for i in np.argsort(means, kind="stable")[:n_leaders]]


# -- choices: study and space -> number of the trial ---------------------------------------------

Choose = Callable[[Study, SearchSpace], int]


def first_best(study: Study, _space: SearchSpace) -> int:
    """The best mean, the earliest among equals."""
    return int(np.argmin(np.round(np.mean(study.folds, axis=1), 12)))


def expected(study: Study, space: SearchSpace) -> int:
    """The best expectation of the sampler's model."""
    coordinates = Coordinates(space)
    rows = np.array([coordinates.encode(params) for params in study.params])
    features = coordinates.features(rows)
    values = standardised(half_rank(-np.mean(study.folds, axis=1)))
    hyper = fit(features, values, coordinates.groups)
    means = GaussianProcess(features, values, coordinates.groups, hyper).mean(features)
    return int(np.argmax(np.round(means, 9)))


def rescored(n_leaders: int, n_splits: int) -> Choose:
    """The best leader by the mean over the study's split and further ones, at equal fits."""

    def choose(study: Study, _space: SearchSpace) -> int:
        leaders = leaders_of(study.folds, n_leaders, n_splits)
        sums = [np.mean(study.folds[i]) + sum(study.further[i][:n_splits]) for i in leaders]
        return leaders[int(np.argmin(np.round(sums, 12)))]

    return choose


def truly_best(study: Study, _space: SearchSpace) -> int:
    """The best one that was proposed: the limit of any choice."""
    return int(np.argmin(study.truths))


CHOICES: Mapping[str, Choose] = {
    "best mean": first_best,
    "best by the model": expected,
    **{
        f"{N_TRIALS - n * k}, top {n} on {k} further split{'s' * (k > 1)}": rescored(n, k)
        for n, k in RESCORED
    },
    "truly best of 30": truly_best,
}


# -- tables --------------------------------------------------------------------------------------


def chosen_losses(study: Study, space: SearchSpace) -> list[float]:
    """True loss of each choice."""
    return [study.truths[choose(study, space)] for choose in CHOICES.values()]


def n_repeats(study: Study) -> int:
    """Number of trials that have the score of an earlier one in every fold."""
    return len(study.folds) - len({tuple(np.round(losses, 12)) for losses in study.folds})


def report(players: Sequence[str], regret: np.ndarray, names: Sequence[str]) -> Iterator[str]:
    """Markdown lines.

    Args:
        players: names.
        regret: ``(n_problems, n_players, n_seeds, n_choices)``.
        names: of the problems.
    """
    yield row(["chosen", *(f"`{name}`" for name in players)])
    yield row(["---", *["---:"] * len(players)])
    for place, choice in enumerate(CHOICES):
        cells = [shown(*interval(of_player[..., place])) for of_player in regret.swapaxes(0, 1)]
        yield row([choice, *cells])
    yield ""
    yield row(["minus the best mean", *(f"`{name}`" for name in players)])
    yield row(["---", *["---:"] * len(players)])
    for place, choice in list(enumerate(CHOICES))[1:]:
        less = (regret[..., place] - regret[..., 0]).swapaxes(0, 1)
        yield row([choice, *(shown(*interval(of_player)) for of_player in less)])
    yield ""
    ends = (0, len(CHOICES) - 1)
    heads = [f"`{name}`, {list(CHOICES)[end]}" for name in players for end in ends]
    yield row(["problem", *heads])
    yield row(["---", *["---:"] * len(heads)])
    for problem, of_problem in zip(names, regret.mean(axis=2), strict=True):
        yield row([problem, *(f"{of_player[end]:.3f}" for of_player in of_problem for end in ends)])


def main(arguments: list[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--players", nargs="+", default=list(PLAYERS))
    parser.add_argument("--only", nargs="+", default=[""], help="parts of problems' names")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="begin no study after these"
    )
    default = Path(tempfile.gettempdir()) / f"tunesmith-traces-{os.getuid()}"
    parser.add_argument("--traces", type=Path, default=default)
    options = parser.parse_args(arguments)
    problems = [p for p in PROBLEMS if any(part in p.name for part in options.only)]
    until = time.time() + 60 * options.minutes
    shape = (len(problems), len(options.players))
    losses: list[np.ndarray] = []
    again: list[np.ndarray] = []
    # Seeds outside, so that an interrupted run has whole seeds.
    for seed in range(options.first, options.first + options.seeds):
        pairs = product(problems, options.players)
        maybe = (stored(options.traces, name, problem, seed, until) for problem, name in pairs)
        studies = list(takewhile(lambda study: study is not None, maybe))
        if len(studies) < shape[0] * shape[1]:
            break
        known = [study for study in studies if study is not None]
        spaces = [problem.space for problem in problems for _ in options.players]
        losses.append(np.reshape(list(map(chosen_losses, known, spaces)), (*shape, len(CHOICES))))
        again.append(np.reshape(list(map(n_repeats, known)), shape))
    if not losses:
        print("No seed has been played on every problem.")
        return 1
    ends = np.array([problem.ends for problem in problems])
    regret = regrets(np.stack(losses, axis=2), ends)
    print(f"{len(problems)} problems, {len(losses)} seeds, fits of {N_TRIALS} trials\n")
    print(*report(options.players, regret, [p.name for p in problems]), sep="\n")
    means = zip(options.players, np.mean(again, axis=(0, 1)), strict=True)
    told = ", ".join(f"`{name}` {mean:.1f}" for name, mean in means)
    print(f"\nTrials with the score of an earlier one in every fold, of {N_TRIALS}: {told}.")
    return 0


def stored(traces: Path, name: str, problem: Validated, seed: int, until: float) -> Study | None:
    """Read a study, or play it; ``None`` if that may not begin after ``until``."""
    folder = traces / "choice" / name / made_by(name, traces)
    path = folder / f"{problem.name}-{seed}.json".replace(" ", "-")
    if path.exists():
        return Study(**json.loads(path.read_text()))
    if time.time() > until:
        return None
    study = played(name, problem, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(vars(study)))
    return study


if __name__ == "__main__":
    sys.exit(main())
