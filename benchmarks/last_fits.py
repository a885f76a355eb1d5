"""What it is worth that the last fits begin with the largest: searches over fits that only wait.

    python -m benchmarks.last_fits

Every fit takes as long as its ``n_estimators`` and ``depth`` say and uses no CPU, so that the
order of the fits is all that differs, also on a busy machine.
"""

import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from tunesmith.sklearn import GridSearchCV, RandomizedSearchCV
from tunesmith.study import loop

N_TURNS = 2
SIZES = [10, 50, 100, 250, 500]
X, Y = np.arange(100.0)[:, None], np.arange(100) % 2


class Waiting(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Takes about as long as a forest of so many trees on 600 rows."""

    def __init__(self, n_estimators: int = 1, depth: int = 3) -> None:
        self.n_estimators = n_estimators
        self.depth = depth

    def fit(self, X: Any, y: Any) -> "Waiting":
        """Wait."""
        time.sleep(self.n_estimators * 0.0008 * (0.5 + self.depth / 16))
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        """The first class."""
        return np.full(len(X), self.classes_[0])


def grid(folds: int, **values: list[int]) -> Callable[[], Any]:
    """Makes a grid search over sizes."""
    space = {**values, "n_estimators": SIZES}
    return lambda: GridSearchCV(Waiting(), space, cv=folds, n_jobs=2, refit=False)


def drawn(seed: int) -> Callable[[], Any]:
    """Makes a random search of ten candidates."""
    space = {"n_estimators": range(10, 501), "depth": range(3, 21)}
    return lambda: RandomizedSearchCV(
        Waiting(), space, n_iter=10, cv=5, n_jobs=2, refit=False, random_state=seed
    )


CASES = {
    "grid, 25 fits": grid(5),
    "grid, 45 fits": grid(3, depth=[3, 8, 20]),
    "grid, 75 fits": grid(5, depth=[3, 8, 20]),
    **{f"random, 50 fits, seed {seed}": drawn(seed) for seed in range(3)},
}


def seconds(make: Callable[[], Any], n_last: int) -> float:
    """Of a search in which so many of the last fits, for each worker, are put in order."""
    with patch.object(loop, "LAST_FITS", n_last):
        began = time.perf_counter()
        make().fit(X, Y)
        return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    seconds(grid(2), 0)  # starts the fork server
    print("| search, two workers | as asked, s | largest first, s | gain, % |")
    print("|---|---:|---:|---:|")
    for title, make in CASES.items():
        turns = [(seconds(make, 0), seconds(make, loop.LAST_FITS)) for _ in range(N_TURNS)]
        before, after = map(min, zip(*turns, strict=True))
        print(f"| {title} | {before:.2f} | {after:.2f} | {100 * (before / after - 1):.1f} |")


if __name__ == "__main__":
    main()
