"""Nearest neighbours: the ten nearest include the five nearest, with any weights."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tunesmith.sharing.proved import SCIKIT_LEARN, Proved, among, any_of, number, whole
from tunesmith.sharing.submodels.family import (
    CannotShareError,
    Counted,
    Staged,
    answering,
    are_counts,
    resized,
)

NEAR = 1e-9
"""Relative difference below which distances count as equal; trees bound them with such errors."""


class Neighbors(Counted):
    """``KNeighborsClassifier`` and ``Regressor`` along ``n_neighbors``: one query for all."""

    parameter = "n_neighbors"
    is_sized = False
    free = ("weights",)
    proved = Proved(
        ("sklearn.neighbors.KNeighborsClassifier", "sklearn.neighbors.KNeighborsRegressor"),
        SCIKIT_LEARN,
        {
            "algorithm": among("auto", "brute", "kd_tree", "ball_tree"),
            "leaf_size": whole(1, 3),
            "p": number(1, float("inf"), 1, 1.5, 3.0),
            "metric": among("minkowski", "euclidean", "manhattan", "chebyshev", "cosine"),
            "n_jobs": any_of("any number", int, examples=(2,)),
        },
    )

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """True for numbers of neighbours, with scikit-learn's own weights."""
        weights = estimator.weights
        is_named = weights is None or isinstance(weights, str)
        return is_named and weights in ("uniform", "distance", None) and are_counts(values)

    def border(self, estimator: Any, value: Any, n_rows: int | None) -> object:
        """Side of the border: true if ``algorithm="auto"`` will use no tree, but compare all rows.

        If there are fewer rows than neighbours, the estimator itself refuses.
        """
        if n_rows is None:
            return None
        if value > n_rows:
            return f"more than {n_rows}"
        return estimator.algorithm == "auto" and value >= n_rows // 2

    def n_small(self, values: Sequence[Any]) -> int:
        """Number of rows that a check needs: with fewer, another algorithm would be used."""
        return 2 * max(values) + 2

    def submodels(
        self,
        fitted: Any,
        values: Sequence[Any],
        X: Any,
        free: Sequence[Mapping[str, Any]] = (),
    ) -> Iterator[Any]:
        """Yield the same rows, asked for fewer neighbours.

        Raises:
            CannotShareError: ``algorithm="auto"`` would not choose the same algorithm for all
                values.
        """
        half = fitted.n_samples_fit_ // 2
        if fitted.algorithm == "auto" and min(values) < half <= max(values):
            raise CannotShareError("the number of neighbours decides the algorithm")
        query = _Query(fitted, max(values), X)
        for index, k in enumerate(values):
            smaller = resized(fitted, n_neighbors=k, **(free[index] if free else {}))
            yield answering(smaller, X, _answers(smaller, query, X))


def _answers(model: Any, query: "_Query", X: Any) -> dict[str, Callable[..., Any]]:
    """Map methods to answers from the query; majority votes are counted along the path."""

    def kneighbors(n_neighbors: int | None = None, return_distance: bool = True) -> Any:
        n = model.n_neighbors if n_neighbors is None else n_neighbors
        return query.nearest(n, with_distance=return_distance)

    def predict() -> Any:
        votes = query.votes(model.n_neighbors)
        return model.predict(X) if votes is None else model.classes_[votes.argmax(axis=1)]

    def predict_proba() -> Any:
        votes = query.votes(model.n_neighbors)
        return model.predict_proba(X) if votes is None else votes / model.n_neighbors

    # With weights by distance, a vote is a sum of fractions, whose bits depend on the order.
    is_counted = model.weights in ("uniform", None) and not getattr(model, "outputs_2d_", True)
    counted = {"predict": predict, "predict_proba": predict_proba} if is_counted else {}
    return {"kneighbors": kneighbors, **counted}


class _Query:
    """Neighbours of some rows, looked up once; rows with ties are looked up again."""

    def __init__(self, fitted: Any, n: int, X: Any) -> None:
        self._fitted, self._n, self._X = fitted, n, X

    @cached_property
    def _found(self) -> tuple[np.ndarray, np.ndarray]:
        distance, index = self._fitted.kneighbors(self._X, self._n)
        return distance, index

    @cached_property
    def _is_tied(self) -> np.ndarray:
        """``(n_rows, n)``: true if the next neighbour is as near; always false for the last one."""
        distance, _ = self._found
        is_tied = np.zeros(distance.shape, dtype=bool)
        # Written as a negation, which is true for NaN, too.
        is_tied[:, :-1] = ~(distance[:, 1:] > distance[:, :-1] * (1 + NEAR))
        return is_tied

    @cached_property
    def _first_tie(self) -> np.ndarray:
        """``(n_rows,)``: place of the first tie; ``n`` if there is none."""
        return np.where(self._is_tied.any(axis=1), self._is_tied.argmax(axis=1), self._n)

    def nearest(self, n: int, *, with_distance: bool) -> Any:
        """Return the ``n`` nearest, as ``kneighbors`` does."""
        # The order of equally near neighbours decides the last bits of sums.
        tied = np.flatnonzero(self._first_tie < n) if n < self._n else np.empty(0, dtype=int)
        if n > self._n or (len(tied) and not self._has_tree):
            return self._fitted.kneighbors(self._X, n, return_distance=with_distance)
        # Copies, since a view has other strides, and these decide the order of sums, too.
        distance, index = (np.array(part[:, :n], order="C") for part in self._found)
        if len(tied):
            distance[tied], index[tied] = self._again(tied, n)
        return (distance, index) if with_distance else index

    def votes(self, n: int) -> np.ndarray | None:
        """Count the neighbours of each class, ``(n_rows, n_classes)``; ``n`` may not fall.

        ``None`` if ties leave open which neighbours vote, and only a new query can tell.
        """
        tied = np.flatnonzero(self._is_tied[:, n - 1])
        # Without a tree, distances are computed in blocks, and ties depend on the other rows: only
        # the whole query repeats them.
        if len(tied) and not self._has_tree:
            return None
        votes: np.ndarray = self._votes.at(n)
        if len(tied):
            _, index = self._again(tied, n)
            *_, votes[tied] = _counted(self._labels[index], votes.shape[1])
        return votes

    @cached_property
    def _votes(self) -> Staged:
        _, index = self._found
        return Staged(_counted(self._labels[index], len(self._fitted.classes_)))

    @property
    def _labels(self) -> np.ndarray:
        return self._fitted._y

    @property
    def _has_tree(self) -> bool:
        """True if rows are looked up one by one in a tree; else other rows of a block matter."""
        return self._fitted._fit_method in ("ball_tree", "kd_tree")

    def _again(self, rows: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.utils import _safe_indexing

        distance, index = self._fitted.kneighbors(_safe_indexing(self._X, rows), n)
        return distance, index


def _counted(labels: np.ndarray, n_classes: int) -> Iterator[np.ndarray]:
    """Yield the labels of each class after each column, ``(n_rows, n_classes)``."""
    rows, votes = np.arange(len(labels)), np.zeros((len(labels), n_classes))
    for column in labels.T:
        # Each row occurs once in `rows`, so plain indexing adds correctly.
        votes[rows, column] += 1
        yield votes
