"""The correction for selection bias, against known truth.

    python -m tests.analysis.statistics.corrections --studies 1000

Fold scores are drawn with effects of the folds, of each trial, and of what a trial's folds share.
In the last rows real models learn labels that chance alone has set, so that each is right in half
of all cases. Besides the correction itself, a *floored* one is tried: never below the mean of all
trials, since a choice by scores is not worse than any trial on average.
"""

import argparse
from collections.abc import Iterator

import numpy as np
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from tunesmith.analysis.statistics.optimism import corrected

NOISE = 0.03
N_ROWS = 200
MODELS = {
    "tree, 3×3 grid": [
        DecisionTreeClassifier(max_depth=depth, min_samples_leaf=leaf, random_state=0)
        for depth in (2, 4, 8)
        for leaf in (1, 10, 40)
    ],
    "neighbours, 3×2 grid": [
        KNeighborsClassifier(n, weights=weights)
        for n in (3, 9, 25)
        for weights in ("uniform", "distance")
    ],
}
Case = tuple[np.ndarray, np.ndarray]
"""Gains of trials by fold, ``(n_trials, n_folds)``, and their true values."""


def drawn(n_trials: int, n_folds: int, spread: float, shared: float, seed: int) -> Case:
    """Draw a study: true values of this spread, and luck that the folds of a trial share."""
    rng = np.random.default_rng(seed)
    truth = spread * rng.normal(size=n_trials)
    luck = shared * rng.normal(size=(n_trials, 1)) + NOISE * rng.normal(size=(1, n_folds))
    return truth[:, None] + luck + NOISE * rng.normal(size=(n_trials, n_folds)), truth


def learned(name: str, seed: int) -> Case:
    """Score real models on labels of chance."""
    rng = np.random.default_rng(seed)
    rows, labels = rng.normal(size=(N_ROWS, 8)), rng.integers(2, size=N_ROWS)
    cv = KFold(5, shuffle=True, random_state=seed)
    gains = [cross_val_score(model, rows, labels, cv=cv) for model in MODELS[name]]
    return np.array(gains), np.full(len(gains), 0.5)


def outcome(case: Case) -> list[float]:
    """Errors of the best, the corrected and the floored score; then 1 if true, else 0.

    The last two say if the interval holds the truth, and if the correction is below all trials'
    mean.
    """
    gains, truth = case
    found = corrected(gains, 1 / (gains.shape[1] - 1))
    assert found is not None
    best = int(gains.mean(axis=1).argmax())
    top, mean, true = gains[best].mean(), gains.mean(), truth[best]
    scores = (top, found.score, max(found.score, mean))
    return [*(s - true for s in scores), found.low <= true <= found.high, found.score < mean]


def line(name: str, cases: Iterator[Case]) -> str:
    """A line of the table."""
    values = np.array([outcome(case) for case in cases])
    best, bias, floored, cover, below = values.mean(axis=0)
    roots = [float(np.sqrt(np.square(values[:, i]).mean())) for i in (1, 2)]
    cells = [
        *(f"{number:+.4f}" for number in (best, bias, floored)),
        *(f"{number:.4f}" for number in roots),
        *(f"{number:.0%}" for number in (cover, below)),
    ]
    return f"| {name} | {len(values)} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=1000)
    n = parser.parse_args().studies
    print(
        "| study | studies | bias: best | corrected | floored | error: corrected | floored"
        " | interval holds the truth | below the mean of all |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for n_trials, n_folds, spread, shared in (
        (9, 5, 0.0, 0.0),
        (30, 5, 0.0, 0.0),
        (30, 10, 0.0, 0.0),
        (9, 5, 0.01, 0.0),
        (30, 5, 0.01, 0.0),
        (30, 5, 0.02, 0.0),
        (9, 5, 0.0, 0.01),
        (30, 5, 0.0, 0.01),
    ):
        name = f"{n_trials} trials, {n_folds} folds, spread {spread:g}, shared luck {shared:g}"
        cases = (drawn(n_trials, n_folds, spread, shared, seed) for seed in range(n))
        print(line(name, cases), flush=True)
    for name in MODELS:
        print(line(name, (learned(name, seed) for seed in range(n // 5))), flush=True)


if __name__ == "__main__":
    main()
