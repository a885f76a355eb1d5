"""Races on tables of real cross-validation: ``python -m benchmarks.races [--tables FILE]``.

Splits of the rows that nobody has looked at: ``--first 20 --tables ANOTHER``.

For each kind of search and number of folds it prints the share of the evaluations that were not
needed, the share of studies with the winner of the study without a race, and the mean regret.
"""

import argparse
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from benchmarks.races.tables import FOLDS, PROBLEMS, Problem, Tables, tables
from benchmarks.search.tables import row
from tunesmith.analysis.races import race_result
from tunesmith.history import FoldResult, History, Metric, Trial, TrialLog
from tunesmith.search.gp import GPSampler
from tunesmith.search.grid import golden_step
from tunesmith.space import Int, SearchSpace
from tunesmith.study.look_ahead import UNREAD, default_window
from tunesmith.study.race import FoldRule, Race
from tunesmith.study.strategy import FixedList, SamplerStrategy, StopRule, Strategy
from tunesmith.types import Params

N_TRIALS = 30
N_ORDERS = 5
N_SEEDS = 1


@dataclass(frozen=True)
class Bergman(Race):
    """The rule of Bergman et al. (2024): the mean so far against the worst fold of the best."""

    def stop_rule(self, log: TrialLog, trial: Trial) -> StopRule | None:  # type: ignore[override]
        """Rule from the trials that were completed at the latest."""
        n = min(max(0, trial.number - self.window + 1), len(log.completed))
        best, metric = log.view(n).best(), log.objectives[0]
        if best is None:
            return None
        worst = float((metric.sign * best.scores(metric.name)).min())
        return lambda gains: float(np.mean(gains)) < worst


@dataclass(frozen=True)
class WithChance(Race):
    """A race with another chance of passing the best trial."""

    chance: float = 0.05

    def stop_rule(self, log: TrialLog, trial: Trial) -> FoldRule | None:
        """The rule with this chance."""
        rule = super().stop_rule(log, trial)
        return rule and replace(rule, margin=NormalDist().inv_cdf(1 - self.chance))


@dataclass(frozen=True)
class Ignoring(Race):
    """A race whose model takes stopped trials for failed ones."""

    def propose(self, log: TrialLog) -> object:  # type: ignore[override]
        """Proposal from the log as it is."""
        return self.proposing.propose(log)


RACES: dict[str, Callable[[Strategy], Strategy]] = {
    "no race": lambda strategy: strategy,
    "Bergman et al.": Bergman,
    "chance <= 5 %": partial(WithChance, chance=0.05),
    "chance <= 7 %": partial(WithChance, chance=0.07),
    "chance <= 10 %": partial(WithChance, chance=0.1),
    "chance <= 15 %": partial(WithChance, chance=0.15),
}


@dataclass(frozen=True)
class Table:
    """Fold scores of all points of a grid."""

    problem: Problem
    scores: np.ndarray
    """``(n_points, n_folds)``."""

    def folds(self, params: Params) -> np.ndarray:
        """Scores of a point, given by the positions of its values, ``(n_folds,)``."""
        sizes = [len(values) for values in self.problem.grid.values()]
        place = np.ravel_multi_index([int(str(params[n])) for n in self.problem.grid], sizes)
        found: np.ndarray = self.scores[place]
        return found

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return int(self.scores.shape[1])


def play(strategy: Strategy, table: Table, n_trials: int) -> History:
    """Run a study on a table, with the look-ahead of the strategy."""
    log = TrialLog((Metric("score"),))
    pending: deque[tuple[Trial, StopRule | None]] = deque()
    for number in range(n_trials):
        while len(log.completed) < number - strategy.window + 1:
            log.tell(raced(*pending.popleft(), table.folds(log.trials[len(log.completed)].params)))
        proposal = strategy.propose(log)
        if proposal is None or not isinstance(proposal, tuple):
            break
        trial = log.ask(proposal[1], strategy.key(proposal[1]), proposal[0])
        pending.append((trial, strategy.stop_rule(log, trial)))
    for trial, rule in pending:
        log.tell(raced(trial, rule, table.folds(trial.params)))
    return log.view()


def raced(trial: Trial, rule: StopRule | None, scores: np.ndarray) -> Trial:
    """The trial with its folds, up to the stop."""
    gains = scores.tolist()
    stops = (n for n in range(1, len(gains)) if rule is not None and rule(gains[:n]))
    n = next(stops, len(gains))
    folds = [FoldResult(fold, {"score": score}) for fold, score in enumerate(gains[:n])]
    return trial.completed(folds, len(gains))


@dataclass(frozen=True)
class Played:
    """A finished study beside the one without a race."""

    saved: float
    is_same: bool
    regret: float
    """Lost score of the winner; 1 is the way from the best to the median point."""
    expected: float
    """Stopped trials that the report expects to pass the best."""


def compared(history: History, whole: History, table: Table) -> Played:
    """Compare a study with the one without a race."""
    best, exact = history.best(), whole.best()
    assert best is not None
    assert exact is not None
    lost = exact.mean("score") - best.mean("score")
    scale = exact.mean("score") - float(np.median(table.scores.mean(axis=1)))
    found = race_result(history)
    return Played(
        1 - history.n_evaluations / (len(history) * table.n_folds),
        best.number == exact.number or lost <= 1e-12,
        lost / max(scale, 1e-12),
        (found.n_expected_to_pass or 0.0) if found else 0.0,
    )


def lists(table: Table, kind: str, *, by_folds: bool) -> Iterator[tuple[Strategy, int]]:
    """Strategies that read no results: the grid in its order, or random points of it.

    Args:
        table: of the scores.
        kind: ``grid`` or ``random``.
        by_folds: look ahead as far as the folds suggest, instead of by 8 trials.
    """
    window = default_window(table.n_folds) if by_folds else UNREAD
    sizes = [range(len(values)) for values in table.problem.grid.values()]
    points: list[Params] = [
        dict(zip(table.problem.grid, one, strict=True)) for one in product(*sizes)
    ]
    if kind == "grid":
        # With the look-ahead of its folds, a grid with a race is spread as well.
        step = golden_step(len(points)) if by_folds else 1
        spread = [points[place * step % len(points)] for place in range(len(points))]
        yield FixedList(spread, kind, window), len(points)
        return
    for order in range(N_ORDERS):
        chosen = np.random.default_rng(order).permutation(len(points))
        yield FixedList([points[i] for i in chosen], kind, window), N_TRIALS


def bayesian(table: Table, seed: int) -> Strategy:
    """Bayesian search over the grid, by the positions of its values."""
    parameters = {name: Int(0, len(v) - 1) for name, v in table.problem.grid.items()}
    space = SearchSpace.of(parameters)
    window = default_window(table.n_folds)
    return SamplerStrategy(space, GPSampler(seed=seed), name="gp", seed=seed, window=window)


def line(name: Sequence[str], found: Sequence[Played]) -> str:
    """One line of the table."""
    means = [np.mean([getattr(one, key) for one in found]) for key in ("saved", "is_same")]
    regret = np.mean([one.regret for one in found])
    expected = np.mean([one.expected for one in found])
    cells = [*name, f"{len(found)}", f"{means[0]:.0%}", f"{means[1]:.1%}"]
    return row([*cells, f"{regret:.4f}", f"{expected:.2f}"])


def read(found: Tables, n_folds: int) -> list[Table]:
    """Tables with this number of folds."""
    by_name = {problem.name: problem for problem in PROBLEMS}
    return [Table(by_name[n], s) for (n, folds, _), s in found.items() if folds == n_folds]


def unread(found: Tables) -> Iterator[str]:
    """Lines of the searches that read no results."""
    for kind, n_folds, by_folds in product(("grid", "random"), FOLDS, (False, True)):
        ahead = default_window(n_folds) if by_folds else UNREAD
        for name in list(RACES)[1:]:
            played = [
                compared(play(RACES[name](own), t, n), play(own, t, n), t)
                for t in read(found, n_folds)
                for own, n in lists(t, kind, by_folds=by_folds)
            ]
            yield line([kind, f"{n_folds}", f"{name}, look-ahead {ahead}"], played)


def read_results(found: Tables) -> Iterator[str]:
    """Lines of Bayesian search; its trials differ with a race, so the best scores are compared."""
    # Its proposals have no type of their own, since they are those of any strategy.
    ignoring: Any = Ignoring
    races = {**RACES, "chance <= 5 %, ignored by the model": ignoring}
    for n_folds in FOLDS:
        games = [(t, seed) for t in read(found, n_folds)[::2] for seed in range(N_SEEDS)]
        whole = [play(bayesian(t, s), t, N_TRIALS) for t, s in games]
        for name in ("chance <= 5 %", "chance <= 5 %, ignored by the model"):
            played = [
                _fair(play(races[name](bayesian(t, s)), t, N_TRIALS), exact, t)
                for (t, s), exact in zip(games, whole, strict=True)
            ]
            yield line(["bayesian", f"{n_folds}", name], played)


def _fair(history: History, whole: History, table: Table) -> Played:
    found = compared(history, whole, table)
    best, exact = history.best(), whole.best()
    assert best is not None
    assert exact is not None
    return replace(found, is_same=best.mean("score") >= exact.mean("score") - 1e-12)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, default=Path("build/races.json"))
    parser.add_argument("--no-bayesian", action="store_true")
    parser.add_argument("--first", type=int, default=0, help="seed of the first split of the rows")
    given = parser.parse_args()
    found = tables(given.tables, first=given.first)
    print(row(["search", "folds", "rule", "studies", "saved", "same winner", "regret", "expected"]))
    print(row(["---", *["---:"] * 7]))
    for text in unread(found):
        print(text, flush=True)
    for text in () if given.no_bayesian else read_results(found):
        print(text, flush=True)


if __name__ == "__main__":
    main()
