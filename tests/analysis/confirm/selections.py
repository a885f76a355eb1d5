"""Ways to pick the winner, at equal fits: ``python -m tests.analysis.confirm.selections``.

Each study has 150 fits. It takes 30 candidates on 5 folds, or fewer candidates and scores its
leaders on further repeats. The first candidate is the usual one, which everything is compared with.
A choice is overtuned if an earlier winner of the same search was truly better.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.analysis.confirm.generators import ALPHAS, GENERATORS, LEAVES, NEIGHBOURS, tables
from tests.analysis.confirm.simulate import N_MOST

from tunesmith.analysis.statistics.ties import within_one_se

N_FITS, N_FOLDS, N_ORDERS = 150, 5, 10
USUAL = 0.35
"""Place of the usual candidate among all, by their mean truth."""
Table = Mapping[str, np.ndarray]
Choose = Callable[[np.ndarray, np.ndarray, np.ndarray], int]
"""(search, fresh, features) of some candidates -> place of the winner."""


@dataclass(frozen=True)
class Rule:
    """A way to pick the winner."""

    n_trials: int
    choose: Choose


def best(search: np.ndarray, _fresh: np.ndarray, _features: np.ndarray) -> int:
    """The best mean."""
    return int(search.mean(axis=1).argmax())


def one_se(search: np.ndarray, _fresh: np.ndarray, features: np.ndarray) -> int:
    """The simplest within one standard error of the best."""
    among = np.flatnonzero(within_one_se(search))
    return int(among[np.lexsort((-search[among].mean(axis=1), features[among].sum(axis=1)))[0]])


def rescored(n_leaders: int, n_repeats: int) -> Choose:
    """The best of the leaders by the mean of the search and of further repeats."""

    def choose(search: np.ndarray, fresh: np.ndarray, _features: np.ndarray) -> int:
        means = search.mean(axis=1)
        leaders = np.argsort(-means, kind="stable")[:n_leaders]
        further = fresh[leaders, :n_repeats].mean(axis=(1, 2))
        return int(leaders[np.argmax(means[leaders] + n_repeats * further)])

    return choose


def smoothed(search: np.ndarray, _fresh: np.ndarray, features: np.ndarray) -> int:
    """The candidate with the best mean of a Gaussian process that knows the noise of means."""
    means = search.mean(axis=1)
    residuals = search - means[:, None] - search.mean(axis=0) + search.mean()
    noise = residuals.var() * len(search) / (len(search) - 1) / (search.shape[1] - 1) * 2.25
    spread = means - np.median(means)
    signal = max(float(spread.var()) - noise, 0.05 * noise)
    apart = ((features[:, None] - features[None]) ** 2).sum(axis=2)
    kernel = signal * np.exp(-apart / (2 * 0.3**2))
    return int((kernel @ np.linalg.solve(kernel + noise * np.eye(len(means)), spread)).argmax())


RULES = {
    "best mean of 30": Rule(30, best),
    "one standard error": Rule(30, one_se),
    "smoothed by a surrogate": Rule(30, smoothed),
    "27, top 3 on 1 repeat": Rule(27, rescored(3, 1)),
    "24, top 3 on 2 repeats": Rule(24, rescored(3, 2)),
    "24, top 6 on 1 repeat": Rule(24, rescored(6, 1)),
    "20, top 5 on 2 repeats": Rule(20, rescored(5, 2)),
    "18, top 3 on 4 repeats": Rule(18, rescored(3, 4)),
}


def features_of(name: str) -> np.ndarray:
    """``(n_candidates, n_features)`` between 0 and 1; more is less simple."""
    if name.startswith("ridge"):
        views = [0.5, 0.0, 1.0]
        rows = [(view, 1 - i / (len(ALPHAS) - 1)) for view in views for i in range(len(ALPHAS))]
    elif name.startswith("neighbours"):
        n = len(NEIGHBOURS)
        rows = [(view / 2, 1 - i / (n - 1)) for view in range(3) for i in range(n)]
    else:
        rows = [(1 - m / (len(LEAVES) - 1), d / 5) for m in range(len(LEAVES)) for d in range(6)]
    return np.array(rows)


@dataclass
class Outcome:
    """What came of the choices of a rule."""

    gains: list[float]
    """True gains over the usual candidate."""
    possible: list[float]
    """Those of the truly best of all candidates."""
    lost: list[float]
    """Truth that the last winner lacks of the best earlier winner."""

    def text(self, name: str, other: "Outcome") -> str:
        """Return a line of the table, with the difference to another rule."""
        gains, lost = np.array(self.gains), np.array(self.lost)
        most = gains + lost
        half = (lost > 0) & (lost > most / 2)
        cells = [
            name,
            f"{gains.mean():.5f}",
            f"{gains.sum() / np.sum(self.possible):.1%}",
            self._beyond(other),
            f"{np.mean(gains < 0):.1%}",
            f"{np.mean(lost > 0):.0%}",
            f"{np.mean(half):.0%}",
        ]
        return f"| {' | '.join(cells)} |"

    def _beyond(self, other: "Outcome") -> str:
        """Difference of the shares of what is possible, and its bootstrap interval over studies."""
        if self is other:
            return "–"
        # All orders of a study share its rows.
        gains, possible = (
            np.array(values).reshape(-1, N_ORDERS).sum(axis=1)
            for values in (np.subtract(self.gains, other.gains), self.possible)
        )
        drawn = np.random.default_rng(0).integers(len(gains), size=(2000, len(gains)))
        shares = gains[drawn].sum(axis=1) / possible[drawn].sum(axis=1)
        low, high = np.quantile(shares, [0.025, 0.975])
        return f"{gains.sum() / possible.sum():+.1%} ({low:+.1%} to {high:+.1%})"


def outcomes(name: str, table: Table) -> dict[str, Outcome]:
    """Let every rule choose in every study, with several orders of the candidates."""
    features, truths = features_of(name), table["truth"]
    usual = int(np.argsort(-truths.mean(axis=0), kind="stable")[int(USUAL * truths.shape[1])])
    found = {rule: Outcome([], [], []) for rule in RULES}
    for study, truth in enumerate(truths):
        rng = np.random.default_rng(study)
        # Losses of different studies differ in size: they are compared in units of one study.
        unit = float(np.std(truths.mean(axis=0)))
        for _ in range(N_ORDERS):
            others = rng.permutation(np.delete(np.arange(len(truth)), usual))
            order = np.r_[usual, others]
            for rule, made in RULES.items():
                some = order[: made.n_trials]
                search, fresh = table["search"][study][some], table["fresh"][study][some]
                winner = some[made.choose(search, fresh, features[some])]
                means = search.mean(axis=1)
                leads = means >= np.maximum.accumulate(means)
                one = found[rule]
                one.gains.append(float(truth[winner] - truth[usual]) / unit)
                one.possible.append(float(truth.max() - truth[usual]) / unit)
                one.lost.append(max(float(truth[some[leads]].max() - truth[winner]), 0.0) / unit)
    return found


HEADER = (
    "| {name} | mean gain | of what is possible | beyond the best mean | worse than the usual one"
    " | overtuned | by more than half |\n|---|--:|--:|--:|--:|--:|--:|"
)


def main() -> None:
    """Print a table for each kind of study, and one for all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=150)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    everything = {rule: Outcome([], [], []) for rule in RULES}
    for name, generator in GENERATORS.items():
        if generator.is_shuffled or (given.only and name not in given.only.split(";")):
            continue
        table = tables(name, min(given.studies, generator.most), N_MOST, given.folder)
        found = outcomes(name, table)
        print(HEADER.format(name=name))
        for rule, one in found.items():
            print(one.text(rule, next(iter(found.values()))))
            everything[rule].gains += one.gains
            everything[rule].possible += one.possible
            everything[rule].lost += one.lost
        print()
    print(HEADER.format(name="**all**"))
    for rule, one in everything.items():
        print(one.text(rule, next(iter(everything.values()))))


if __name__ == "__main__":
    main()
