"""Score of each feature alone: one that nearly tells the target by itself may be a leak."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from tunesmith.data.leaks.sign import Sign

N_ROWS = 2000
"""Rows that are looked at, drawn with a fixed seed."""
N_COLUMNS = 300
"""Features that are looked at, those with the closest relation to the target first."""
N_FOLDS = 3
MAX_LEAVES = 64
LARGEST = float(np.finfo(np.float32).max)
DISGUISED = 0.998
"""Share of the error of guessing that a feature takes away if it is the target in disguise."""
TELLING = 0.98
"""Share from which a feature tells the target by itself."""
AHEAD = 0.9, 0.4
"""Share of a feature, and its lead over the next one, from which it is suspicious."""


def telling_features(X: pd.DataFrame, y: np.ndarray, *, is_classification: bool) -> list[Sign]:
    """Return the features that tell the target nearly by themselves, the best first.

    Each is scored alone, by a small tree on folds that it has not seen: a number of its leaves for
    classes, ranks of the target for numbers, so that any one-to-one relation counts. A feature is
    named if it leaves next to nothing of the error, or little and all others leave much more.

    Args:
        X: features.
        y: target, without missing values.
        is_classification: true if its values are classes.
    """
    rng = np.random.default_rng(0)
    rows = np.sort(rng.permutation(len(y))[:N_ROWS])
    frame, target = X.iloc[rows].reset_index(drop=True), _target(y[rows], is_classification)
    skills = {
        str(name): skill_of(column, target, is_classification=is_classification)
        for name, column in _columns(frame, target)
    }
    ordered = sorted(skills.items(), key=lambda pair: -pair[1])
    return [
        Sign("disguise" if skill >= DISGUISED else "alone", name, skill)
        for place, (name, skill) in enumerate(ordered)
        if is_suspicious(skill, ordered[place + 1][1] if place + 1 < len(ordered) else None)
    ]


def is_suspicious(skill: float, next_best: float | None) -> bool:
    """Tell whether a feature is too good by itself.

    Args:
        skill: share of the error that it takes away.
        next_best: that of the next feature; ``None`` without one.
    """
    if next_best is None:
        # The only feature of a table has to tell the target.
        return False
    return skill >= TELLING or (skill >= AHEAD[0] and skill - next_best >= AHEAD[1])


def _target(y: np.ndarray, is_classification: bool) -> np.ndarray:
    from scipy.stats import rankdata

    if is_classification:
        return np.unique(y.astype(str), return_inverse=True)[1]
    ranks: np.ndarray = rankdata(y.astype(float)) / len(y)
    return ranks


def _columns(frame: pd.DataFrame, target: np.ndarray) -> Iterator[tuple[Any, pd.Series]]:
    """Yield the features to look at."""
    if frame.shape[1] <= N_COLUMNS:
        yield from frame.items()
        return
    numbers = frame.select_dtypes("number")
    relation = numbers.corrwith(pd.Series(target, dtype=float)).abs().fillna(0)
    first = relation.sort_values(ascending=False).index[:N_COLUMNS]
    yield from frame[first].items()


def skill_of(column: pd.Series, target: np.ndarray, *, is_classification: bool) -> float:
    """Return the share of the error of guessing that a feature takes away, at least 0.

    Args:
        column: the feature; missing values are values of their own.
        target: numbers of classes, or ranks.
        is_classification: true for classes.
    """
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeClassifier if is_classification else DecisionTreeRegressor
    tree = kind(max_leaf_nodes=MAX_LEAVES, min_samples_leaf=3, random_state=0)
    folds = np.random.default_rng(1).permutation(len(target)) % N_FOLDS
    left = guessed = 0.0
    for fold in range(N_FOLDS):
        train, test = folds != fold, folds == fold
        if len(np.unique(target[train])) < 2 or not test.any():
            return 0.0
        x = _as_numbers(column, target, train)
        answers = tree.fit(x[train], target[train]).predict(x[test])
        usual = _usual(target[train], is_classification)
        left += _error(answers, target[test], is_classification)
        guessed += _error(np.full(test.sum(), usual), target[test], is_classification)
    return max(1 - left / guessed, 0.0) if guessed else 0.0


def _as_numbers(column: pd.Series, target: np.ndarray, train: np.ndarray) -> np.ndarray:
    """``(n_rows, 1)``: numbers as they are; other values by the mean target of their own rows."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        numbers: np.ndarray = column.to_numpy(dtype=float, na_value=np.nan)
        # Trees take missing values, and no infinite ones, nor those beyond 32 bits.
        finite = np.where(np.isinf(numbers), np.nan, numbers)
        return np.clip(finite, -LARGEST, LARGEST).reshape(-1, 1)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return np.asarray(column.astype("int64"), dtype=float).reshape(-1, 1)
    texts = column.astype(str)
    # Of training rows alone; a value that they lack is missing.
    means = pd.Series(target[train]).groupby(texts[train].to_numpy()).mean()
    return np.asarray(texts.map(means), dtype=float).reshape(-1, 1)


def _usual(target: np.ndarray, is_classification: bool) -> float:
    return float(np.bincount(target).argmax()) if is_classification else float(target.mean())


def _error(answers: np.ndarray, target: np.ndarray, is_classification: bool) -> float:
    wrong = answers != target if is_classification else (answers - target) ** 2
    return float(wrong.sum())
