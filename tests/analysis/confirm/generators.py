"""Studies whose truth is known: all candidates on folds, on further splits, and on 50,000 rows.

Each generator draws new rows for every study. All candidates of a study are scored on the k folds
of the search, on the folds of further repeats, and, trained on all rows of the study, on rows that
no study sees. Decisions are then simulated on these tables, without any fit. The learners are fast
(closed-form ridge, neighbours from one matrix of distances, small trees), so that hundreds of
studies take minutes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from tunesmith.data.row_blocks import blocks_of, from_text, in_text
from tunesmith.objective.row_parts import INFLUENCES

N_TRUTH = 50_000
N_FOLDS = 5
N_CANDIDATES = 30
Rows = tuple[np.ndarray, np.ndarray]
Learn = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""(X_train, y_train, X_test) -> ``(n_candidates, n_test)`` predictions."""


@dataclass(frozen=True)
class Generator:
    """A kind of study."""

    name: str
    n: int
    draw: Callable[[np.random.Generator, int], Rows]
    learn: Learn
    is_classified: bool
    is_shuffled: bool = False
    """True if the targets have nothing to do with the rows: no candidate is better than another."""
    most: int = 1_000_000
    """Most studies that are worth their time."""

    def parts(self, y: np.ndarray, predicted: np.ndarray, blocks: np.ndarray) -> np.ndarray:
        """``(n_candidates, N_BLOCKS)`` parts of the rows in the gains."""
        if self.is_classified:
            return parts_of("roc_auc_score", y, predicted, blocks)
        return -parts_of("mean_squared_error", y, predicted, blocks)

    def score(self, y: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """Return ``(n_candidates,)`` gains: ROC AUC, or the negative mean squared error."""
        if self.is_classified:
            return np.array([auc(y, row) for row in predicted])
        losses: np.ndarray = np.mean((predicted - y) ** 2, axis=1)
        return -losses

    def study(self, seed: int, n_repeats: int, n_truth: int = N_TRUTH) -> dict[str, np.ndarray]:
        """Draw a study and score all candidates.

        Returns:
            ``search`` (n_candidates, n_folds), ``fresh`` (n_candidates, n_repeats, n_folds),
            ``truth`` (n_candidates,), and the parts of the rows in the means of each repeat:
            ``search_parts`` (n_candidates, n_blocks) and ``fresh_parts`` (n_candidates, n_repeats,
            n_blocks).
        """
        rng = np.random.default_rng([seed, self.n])
        X, y = self.draw(rng, self.n)
        if self.is_shuffled:
            y = rng.permutation(y)
        made = [self._repeat(X, y, seed * 1000 + repeat) for repeat in range(n_repeats + 1)]
        scored, parts = zip(*made, strict=True)
        return {
            "search": scored[0],
            "fresh": np.stack(scored[1:], axis=1),
            "search_parts": parts[0],
            "fresh_parts": np.stack(parts[1:], axis=1),
            "truth": self._truth(rng, X, y, n_truth),
        }

    def _repeat(self, X: np.ndarray, y: np.ndarray, seed: int) -> Rows:
        """Return the gains on each fold, and the parts of the rows in their mean."""
        kind = StratifiedKFold if self.is_classified else KFold
        scores, parts = [], []
        for train, test in kind(N_FOLDS, shuffle=True, random_state=seed).split(X, y):
            predicted = self.learn(X[train], y[train], X[test])
            scores.append(self.score(y[test], predicted))
            parts.append(self.parts(y[test], predicted, blocks_of(test, len(y))))
        return np.stack(scores, axis=1), np.nansum(parts, axis=0) / N_FOLDS

    def _truth(self, rng: np.random.Generator, X: np.ndarray, y: np.ndarray, n: int) -> np.ndarray:
        if self.is_shuffled:
            # Every ranking of rows that have nothing to do with their targets is worth the same.
            return np.full(N_CANDIDATES, 0.5)
        X_new, y_new = self.draw(rng, n)
        return self.score(y_new, self.learn(X, y, X_new))


def parts_of(metric: str, y: np.ndarray, predicted: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """``(n_candidates, N_BLOCKS)`` parts of the rows in the scores, as a ledger keeps them."""
    found = (INFLUENCES[metric](y, row, {}) for row in predicted)
    texts = [in_text(one.rows / len(y), blocks) for one in found if one is not None]
    return np.stack([sums for text in texts if (sums := from_text(text)) is not None])


def auc(y: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve; ties count half."""
    values, at = np.unique(scores, return_inverse=True)
    n_pos = np.bincount(at, weights=y, minlength=len(values))
    n_neg = np.bincount(at, minlength=len(values)) - n_pos
    below = np.cumsum(n_neg) - n_neg
    return float(np.sum(n_pos * (below + n_neg / 2)) / (n_pos.sum() * n_neg.sum()))


# -- rows ------------------------------------------------------------------------------------


def linear_rows(rng: np.random.Generator, n: int) -> Rows:
    """A linear effect of ten of forty columns, with a little curvature."""
    X = rng.standard_normal((n, 40))
    slopes = np.r_[np.linspace(1, 0.2, 10), np.zeros(30)]
    return X, X @ slopes + 0.3 * X[:, 0] ** 2 + 2.5 * rng.standard_normal(n)


def linear_classes(rng: np.random.Generator, n: int) -> Rows:
    """Two classes by the sign of such an effect."""
    X, y = linear_rows(rng, n)
    return X, (y > 0.3).astype(float)


def curved_classes(rng: np.random.Generator, n: int) -> Rows:
    """Two classes by Friedman's function of five of eight columns."""
    X = rng.uniform(size=(n, 8))
    signal = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2
    signal += 10 * X[:, 3] + 5 * X[:, 4]
    return X, (signal + 4 * rng.standard_normal(n) > 14.4).astype(float)


def bumpy_classes(rng: np.random.Generator, n: int) -> Rows:
    """Two classes that alternate in a plane, with four idle columns."""
    X = rng.standard_normal((n, 6))
    odds = np.sin(2 * X[:, 0]) * np.cos(1.5 * X[:, 1]) + 0.5 * X[:, 0]
    return X, (odds + 0.6 * rng.standard_normal(n) > 0).astype(float)


# -- learners --------------------------------------------------------------------------------

ALPHAS = np.logspace(-1, 3, 10)
NEIGHBOURS = (1, 2, 3, 5, 8, 13, 20, 30, 45, 60)
DEPTHS = (2, 3, 4, 5, 7, 10)
LEAVES = (1, 3, 8, 15, 30)


def ridge(X: np.ndarray, y: np.ndarray, X_new: np.ndarray) -> np.ndarray:
    """Ridge regressions on three sets of columns with ten penalties each."""
    half = X.shape[1] // 2
    views: list[Callable[[np.ndarray], np.ndarray]] = [
        lambda A: A,
        lambda A: A[:, :half],
        lambda A: np.hstack([A, A[:, :5] ** 2]),
    ]
    return np.vstack([_ridge(view(X), y, view(X_new)) for view in views])


def _ridge(X: np.ndarray, y: np.ndarray, X_new: np.ndarray) -> np.ndarray:
    mean, level = X.mean(axis=0), y.mean()
    U, s, Vt = np.linalg.svd(X - mean, full_matrices=False)
    shrunk = s[:, None] / (s[:, None] ** 2 + ALPHAS)
    coefficients = Vt.T @ (shrunk * (U.T @ (y - level))[:, None])
    predicted: np.ndarray = ((X_new - mean) @ coefficients).T + level
    return predicted


def neighbours(X: np.ndarray, y: np.ndarray, X_new: np.ndarray) -> np.ndarray:
    """Shares of ten numbers of neighbours, in three scalings of the columns."""
    scales = [
        np.ones(X.shape[1]),
        np.linspace(1.5, 0.3, X.shape[1]),
        np.linspace(0.6, 1, X.shape[1]),
    ]
    return np.vstack([_neighbours(X * s, y, X_new * s) for s in scales])


def _neighbours(X: np.ndarray, y: np.ndarray, X_new: np.ndarray) -> np.ndarray:
    most = NEIGHBOURS[-1]
    parts = []
    for part in np.array_split(X_new, max(1, len(X_new) // 5000)):
        squared = (X**2).sum(axis=1) - 2 * part @ X.T
        near = np.argpartition(squared, most, axis=1)[:, :most]
        order = np.argsort(np.take_along_axis(squared, near, axis=1), axis=1)
        sums = np.cumsum(y[np.take_along_axis(near, order, axis=1)], axis=1)
        parts.append(np.stack([sums[:, k - 1] / k for k in NEIGHBOURS]))
    return np.hstack(parts)


def trees(X: np.ndarray, y: np.ndarray, X_new: np.ndarray) -> np.ndarray:
    """Decision trees of six depths and five least sizes of leaves."""
    X, X_new = X.astype(np.float32), X_new.astype(np.float32)
    return np.vstack([_tree(X, y, X_new, least) for least in LEAVES])


def _tree(X: np.ndarray, y: np.ndarray, X_new: np.ndarray, least: int) -> np.ndarray:
    """Predictions of one tree, cut at each depth: a flat tree is the top of a deep one."""
    deep = DecisionTreeClassifier(max_depth=DEPTHS[-1], min_samples_leaf=least, random_state=0)
    tree = deep.fit(X, y).tree_
    shares, rows, found = tree.value[:, 0, 1], np.arange(len(X_new)), []
    at = np.zeros(len(X_new), dtype=int)
    for depth in range(1, DEPTHS[-1] + 1):
        is_inner = tree.children_left[at] >= 0
        goes_left = X_new[rows, np.maximum(tree.feature[at], 0)] <= tree.threshold[at]
        below = np.where(goes_left, tree.children_left[at], tree.children_right[at])
        at = np.where(is_inner, below, at)
        if depth in DEPTHS:
            found.append(shares[at])
    return np.stack(found)


GENERATORS = {
    made.name: made
    for made in (
        Generator("ridge, 120 rows", 120, linear_rows, ridge, is_classified=False),
        Generator("ridge classes, 150 rows", 150, linear_classes, ridge, is_classified=True),
        Generator("neighbours, 250 rows", 250, bumpy_classes, neighbours, is_classified=True),
        Generator("trees, 300 rows", 300, curved_classes, trees, is_classified=True),
        Generator("trees, 1000 rows", 1000, curved_classes, trees, is_classified=True, most=60),
        Generator("trees, shuffled", 300, curved_classes, trees, True, is_shuffled=True),
        Generator("ridge, shuffled", 150, linear_classes, ridge, True, is_shuffled=True),
        Generator("neighbours, shuffled", 250, bumpy_classes, neighbours, True, is_shuffled=True),
    )
}


def tables(
    name: str,
    n_studies: int,
    n_repeats: int,
    folder: Path | None = None,
    *,
    n_truth: int = N_TRUTH,
    first: int = 0,
) -> dict[str, np.ndarray]:
    """Score tables of many studies, stacked along their first axis; kept in a folder if given.

    Constants are chosen on seeds below 200; other seeds are for what is reported.
    """
    slug = name.replace(",", "").replace(" ", "-")
    from_seed = f"-from-{first}" if first else ""
    file = None if folder is None else folder / f"{slug}-{n_studies}-{n_repeats}{from_seed}.npz"
    if file is not None and file.is_file():
        with np.load(file) as kept:
            return dict(kept)
    seeds = range(first, first + n_studies)
    studies = [GENERATORS[name].study(seed, n_repeats, n_truth) for seed in seeds]
    stacked = {key: np.stack([study[key] for study in studies]) for key in studies[0]}
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, **stacked)  # type: ignore[arg-type]
    return stacked
