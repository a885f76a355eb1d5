"""Studies whose truth is known: functions, grids, conditional spaces, tables computed in full."""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from tunesmith.history import FoldResult, History, Metric, TrialLog
from tunesmith.search.gp import GPSampler
from tunesmith.search.sampler import Sampler
from tunesmith.search.tpe import TPESampler
from tunesmith.space import Grid, Int, SearchSpace
from tunesmith.space.parse import parse_space
from tunesmith.types import Params

METRIC = Metric("score")
Score = Callable[[Mapping[str, Any]], float]
Truth = Mapping[str, float]


@dataclass(frozen=True)
class Situation:
    """A kind of study.

    Args:
        space: as a configuration writes it.
        score: without noise.
        truth: shares by name.
        n: number of trials; 0 for a whole grid.
        noise: standard deviation of the noise of a fold.
        folds: number of them.
        sampler: chosen by random search if it is not given.
        dropped: trials of a grid that fail, drawn by seed.
    """

    space: Any
    score: Score
    truth: Truth
    n: int
    noise: float
    folds: int = 3
    sampler: Callable[[int], Sampler] | None = None
    dropped: int = 0

    def study(self, seed: int) -> tuple[SearchSpace, History]:
        """Make one study of its kind."""
        space, violations = parse_space(self.space)
        assert space is not None, violations
        rng = np.random.default_rng(seed)
        log = TrialLog((METRIC,))
        if self.sampler is not None:
            sampler = self.sampler(seed)
            for _ in range(self.n):
                self._tell(log, sampler.suggest(space, log.view(), 1, rng)[0], rng)
            return space, log.view()
        for point in self._points(space, rng):
            self._tell(log, point, rng)
        return space, log.view()

    def _points(self, space: SearchSpace, rng: np.random.Generator) -> list[Params]:
        if self.n:
            points: dict[str, Params] = {}
            while len(points) < self.n:
                point = space.sample(rng)
                points[space.key(point)] = point
            return list(points.values())
        grid = Grid(space)
        every = [p for i in range(grid.n_numbers) if (p := grid.point(i)) is not None]
        kept = np.sort(rng.permutation(len(every))[self.dropped :])
        return [every[i] for i in kept]

    def _tell(self, log: TrialLog, point: Params, rng: np.random.Generator) -> None:
        scores = self.score(point) + rng.normal(0, self.noise, self.folds)
        trial = log.ask(point, SearchSpace.key(point), "random")
        folds = [FoldResult(i, {"score": float(s)}) for i, s in enumerate(scores)]
        log.tell(trial.completed(folds))


def enumerated(space: Any, score: Score, n: int = 16) -> Truth:
    """Total effects by a full table: each parameter at the middles of ``n`` equal shares of it.

    A way of its own: no code of the analysis takes part. For one box without conditions.
    """
    parsed, _ = parse_space(space)
    assert parsed is not None
    levels = []
    for parameter in parsed.boxes[0].parameters.values():
        count = parameter.n_levels
        is_even = count is not None and not (isinstance(parameter, Int) and parameter.log)
        places = range(count if is_even and count else n)
        levels.append([parameter.at((i + 0.5) / len(places)) for i in places])
    names = list(parsed.boxes[0].parameters)
    cells = [score(dict(zip(names, values, strict=True))) for values in product(*levels)]
    return of_table(names, np.reshape(cells, [len(one) for one in levels]))


def of_table(names: list[str], table: np.ndarray) -> Truth:
    """Total effects of a table."""
    return {
        name: float(table.var(axis=axis).mean() / table.var()) for axis, name in enumerate(names)
    }


U = {"float": [0.0, 1.0]}
LEARNING = {
    "rate": {"float": [1e-4, 1.0], "log": True},
    "depth": {"int": [1, 64], "log": True},
    "kind": ["a", "b", "c"],
    "idle": U,
}


def learning(p: Mapping[str, Any]) -> float:
    kinds = {"a": 0.0, "b": 0.05, "c": 0.02}
    rate, depth = math.log10(float(p["rate"])), math.log2(float(p["depth"]))
    return 0.9 - 0.05 * (rate + 1.5) ** 2 + 0.02 * depth + kinds[str(p["kind"])]


def additive(p: Mapping[str, Any]) -> float:
    return float(p["a"] + 0.6 * math.sin(3 * p["b"]) + 0.3 * p["c"] ** 2)


def interacting(p: Mapping[str, Any]) -> float:
    return float(4 * (p["a"] - 0.5) * (p["b"] - 0.5) + 0.5 * p["c"])


def hill(p: Mapping[str, Any]) -> float:
    return float(
        math.exp(-8 * (p["a"] - 0.7) ** 2 - 3 * (p["b"] - 0.4) ** 2) + 0.05 * math.cos(6 * p["c"])
    )


CONDITIONAL = {"kind": ["a", "b"], "x": {**U, "when": {"kind": "a"}}, "idle": U}
# Within branch `a` the variance of |x - 0.3| is .37/3 - .29^2, and its weight is 1/2; the means of
# the branches are .71 and .5.
WITHIN, BETWEEN = (0.37 / 3 - 0.29**2) / 2, 0.21**2 / 4
BRANCHES = {"kind": BETWEEN / (WITHIN + BETWEEN), "x": WITHIN / (WITHIN + BETWEEN), "idle": 0.0}


def conditional(p: Mapping[str, Any]) -> float:
    return 1 - abs(float(p["x"]) - 0.3) if p["kind"] == "a" else 0.5


BOXES = [
    {"kernel": ["linear"], "C": {"float": [0.01, 100], "log": True}},
    {
        "kernel": ["rbf"],
        "C": {"float": [0.01, 100], "log": True},
        "gamma": {"float": [0.001, 1], "log": True},
    },
]
# Per decade: C has 4 of them in both boxes, gamma 3 in one.
PARTS = {"C": 0.01 * 16 / 12, "gamma": 0.01 * 9 / 12 / 2, "kernel": (0.15 + 0.1) ** 2 / 4}
OF_BOXES = {name: part / sum(PARTS.values()) for name, part in PARTS.items()}


def boxes(p: Mapping[str, Any]) -> float:
    if p["kernel"] == "linear":
        return 0.1 * math.log10(float(p["C"])) - 0.1
    return 0.1 * math.log10(float(p["C"])) + 0.1 * math.log10(float(p["gamma"])) + 0.3


SMALL = {"n_estimators": [10, 100, 1000], "max_depth": [2, 4, 8]}


def small(p: Mapping[str, Any]) -> float:
    n, depth = math.log10(float(p["n_estimators"])), math.log2(float(p["max_depth"]))
    return 0.8 + 0.02 * n + 0.004 * depth + 0.0015 * n * depth


CLOSE = {"n_estimators": [10, 20, 30], "max_depth": [2, 4, 32]}


def saturated(p: Mapping[str, Any]) -> float:
    """Fewest trees are bad, more than enough make no difference, and depth decides the rest."""
    return (0.8 if p["n_estimators"] == 10 else 0.86) + 0.002 * math.log2(p["max_depth"])


LARGE = {"a": [1, 2, 3, 4, 5], "b": ["x", "y", "z", "w"], "c": [0.1, 0.2, 0.4]}


TWOS = {name: [0, 1] for name in "abcdefgh"}


def twos(p: Mapping[str, Any]) -> float:
    return float(p["a"] + 0.3 * p["b"] + 0.2 * p["c"] * p["d"])


def large(p: Mapping[str, Any]) -> float:
    letters = {"x": 0.0, "y": 0.3, "z": 0.1, "w": 0.25}
    return 0.1 * float(p["a"]) + letters[str(p["b"])] * (2 if p["c"] == 0.4 else 1)


@cache
def table(name: str) -> tuple[dict[str, list[Any]], dict[str, float]]:
    """A grid of scikit-learn models, computed in full: mean score over five folds by key."""
    from sklearn.datasets import load_breast_cancer, load_wine
    from sklearn.model_selection import cross_val_score
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    make: Any
    if name == "tree":
        lists: dict[str, list[Any]] = {
            "max_depth": [1, 2, 3, 4, 6, 8],
            "min_samples_leaf": [1, 2, 5, 10, 20, 50],
            "criterion": ["gini", "entropy"],
        }
        (x, y), make = load_breast_cancer(return_X_y=True), DecisionTreeClassifier
        fixed = {"random_state": 0}
    else:
        lists = {
            "n_neighbors": [1, 2, 3, 5, 8, 13, 21, 34],
            "weights": ["uniform", "distance"],
            "p": [1.0, 1.5, 2.0, 4.0],
        }
        (x, y), make, fixed = load_wine(return_X_y=True), KNeighborsClassifier, {}
        x = StandardScaler().fit_transform(x) + np.random.default_rng(0).normal(0, 1, x.shape)
    cells = {}
    for values in product(*lists.values()):
        point = dict(zip(lists, values, strict=True))
        cells[SearchSpace.key(point)] = float(cross_val_score(make(**point, **fixed), x, y).mean())
    return lists, cells


def of_models(name: str, n: int) -> Situation:
    """A search of a table, or the whole of it."""
    lists, cells = table(name)
    shape = [len(one) for one in lists.values()]
    truth = of_table(list(lists), np.reshape(list(cells.values()), shape))
    return Situation(lists, lambda p: cells[SearchSpace.key(p)], truth, n, noise=0.004, folds=5)


@cache
def truth_of(score: Score) -> Truth:
    """Shares of a function, an idle parameter's included."""
    if score is learning:
        active = {name: LEARNING[name] for name in ("rate", "depth", "kind")}
        return {**enumerated(active, score, 64), "idle": 0.0}
    n = 40 if score is hill else 16
    return {**enumerated(dict.fromkeys("abc", U), score, n), "idle": 0.0}


def of_function(score: Score, n: int, noise: float, **options: Any) -> Situation:
    """A search over four parameters, one of them idle."""
    space = LEARNING if score is learning else dict.fromkeys(("a", "b", "c", "idle"), U)
    return Situation(space, score, truth_of(score), n, noise, **options)


def of_rough(n: int) -> Situation:
    """A search of models that are unlike their neighbours, as those of random trees are."""

    def score(p: Mapping[str, Any]) -> float:
        digest = hashlib.blake2b(SearchSpace.key(p).encode(), digest_size=8).digest()
        own = np.random.default_rng(int.from_bytes(digest, "little")).normal()
        return learning(p) + 0.03 * float(own)

    # Of the smooth part: what is rough is noise to whoever asks which parameter matters.
    return Situation(LEARNING, score, truth_of(learning), n, 0.02, sampler=GPSampler)


def of_many(n: int) -> Situation:
    """A search over eight parameters, five of them idle."""
    idle = dict.fromkeys("defg", 0.0)
    space = dict.fromkeys(("a", "b", "c", "idle", *idle), U)
    return Situation(space, additive, {**truth_of(additive), **idle}, n, 0.1)


def of_grid(space: Any, score: Score, noise: float, folds: int = 3, dropped: int = 0) -> Situation:
    """A grid, whole or with failed trials."""
    return Situation(space, score, enumerated(space, score), 0, noise, folds, dropped=dropped)


def of_branches(n: int, noise: float, folds: int = 3, **options: Any) -> Situation:
    """A search over two branches."""
    return Situation(CONDITIONAL, conditional, BRANCHES, n, noise, folds, **options)


SITUATIONS: dict[str, Callable[[], Situation]] = {
    "additive, 30": lambda: of_function(additive, 30, 0.1),
    "additive, 8 parameters, 60": lambda: of_many(60),
    "additive, noisy, 60": lambda: of_function(additive, 60, 0.4),
    "interacting, 60": lambda: of_function(interacting, 60, 0.1),
    "hill, 100": lambda: of_function(hill, 100, 0.05),
    "log, whole, category, 50": lambda: of_function(learning, 50, 0.05),
    "conditional, 150": lambda: of_branches(150, 0.0, 1),
    "conditional, noisy, 50": lambda: of_branches(50, 0.1),
    "boxes, 50": lambda: Situation(BOXES, boxes, OF_BOXES, 50, 0.05),
    "grid 3x3": lambda: of_grid(SMALL, small, 0.005, 5),
    "grid 3x3, saturated": lambda: of_grid(CLOSE, saturated, 0.005, 5),
    "grid 3x3, noisy": lambda: of_grid(SMALL, small, 0.02, 5),
    "grid 3x3, one fold": lambda: of_grid(SMALL, small, 0.002, 1),
    "grid 5x4x3": lambda: of_grid(LARGE, large, 0.2),
    "grid 2^8": lambda: of_grid(TWOS, twos, 0.3),
    "grid 5x4x3, 12 failed": lambda: of_grid(LARGE, large, 0.2, dropped=12),
    "additive, by Bayes, 60": lambda: of_function(additive, 60, 0.1, sampler=GPSampler),
    "hill, by Bayes, 60": lambda: of_function(hill, 60, 0.05, sampler=GPSampler),
    "hill, by Bayes, 200": lambda: of_function(hill, 200, 0.05, sampler=GPSampler),
    "learning, by Bayes, 200": lambda: of_function(learning, 200, 0.05, sampler=GPSampler),
    "rough, by Bayes, 100": lambda: of_rough(100),
    "rough, by Bayes, 200": lambda: of_rough(200),
    "hill, by TPE, 60": lambda: of_function(hill, 60, 0.05, sampler=TPESampler),
    "conditional, by Bayes, 60": lambda: of_branches(60, 0.05, sampler=GPSampler),
    "trees, 30 of 72": lambda: of_models("tree", 30),
    "trees, all 72": lambda: of_models("tree", 0),
    "neighbours, 30 of 64": lambda: of_models("neighbours", 30),
    "neighbours, all 64": lambda: of_models("neighbours", 0),
}
"""All kinds, by name; each is made when it is needed."""
