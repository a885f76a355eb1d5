"""Nearest neighbours: the ten nearest hold the five nearest, however they are weighted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tunesmith.objective.proved import Proved, among, any_of, number, whole
from tunesmith.objective.submodels.family import (
    CannotShareError,
    Counted,
    Staged,
    answering,
    are_counts,
    resized,
)
from tunesmith.objective.submodels.trees import SCIKIT_LEARN

NEAR = 1e-9
"""Distances that differ by less, relatively, count as equal: trees bound them with such errors."""


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
        """Numbers of neighbours, with weights of scikit-learn's."""
        weights = estimator.weights
        is_named = weights is None or isinstance(weights, str)
        return is_named and weights in ("uniform", "distance", None) and are_counts(values)

    def border(self, estimator: Any, value: Any, n_rows: int | None) -> object:
        """Whether ``algorithm="auto"`` will look rows up in a tree or one by one.

        More neighbours than there are rows are the estimator's to refuse.
        """
        if n_rows is None:
            return None
        if value > n_rows:
            return f"more than {n_rows}"
        return estimator.algorithm == "auto" and value >= n_rows // 2

    def n_small(self, values: Sequence[Any]) -> int:
        """How many rows a check needs: of fewer, another algorithm would be taken."""
        return 2 * max(values) + 2

    def submodels(
        self,
        fitted: Any,
        values: Sequence[Any],
        X: Any,
        free: Sequence[Mapping[str, Any]] = (),
    ) -> Iterator[Any]:
        """The same rows, asked for fewer neighbours.

        Raises:
            CannotShareError: ``algorithm="auto"`` would not take the same one for all values.
        """
        half = fitted.n_samples_fit_ // 2
        if fitted.algorithm == "auto" and min(values) < half <= max(values):
            raise CannotShareError("the number of neighbours decides the algorithm")
        query = _Query(fitted, max(values), X)
        for index, k in enumerate(values):
            smaller = resized(fitted, n_neighbors=k, **(free[index] if free else {}))
            yield answering(smaller, X, _answers(smaller, query, X))


def _answers(model: Any, query: "_Query", X: Any) -> dict[str, Callable[..., Any]]:
    """What a model asks the query; classes by majority are counted up along the path."""

    def kneighbors(n_neighbors: int | None = None, return_distance: bool = True) -> Any:
        n = model.n_neighbors if n_neighbors is None else n_neighbors
        return query.nearest(n, with_distance=return_distance)

    def predict() -> Any:
        votes = query.votes(model.n_neighbors)
        return model.predict(X) if votes is None else model.classes_[votes.argmax(axis=1)]

    def predict_proba() -> Any:
        votes = query.votes(model.n_neighbors)
        return model.predict_proba(X) if votes is None else votes / model.n_neighbors

    is_counted = model.weights in ("uniform", None) and not getattr(model, "outputs_2d_", True)
    counted = {"predict": predict, "predict_proba": predict_proba} if is_counted else {}
    return {"kneighbors": kneighbors, **counted}


class _Query:
    """The neighbours of some rows, looked up once; where ties leave them open, once more."""

    def __init__(self, fitted: Any, n: int, X: Any) -> None:
        self._fitted, self._n, self._X = fitted, n, X

    @cached_property
    def _found(self) -> tuple[np.ndarray, np.ndarray]:
        distance, index = self._fitted.kneighbors(self._X, self._n)
        return distance, index

    @cached_property
    def _is_tied(self) -> np.ndarray:
        """``(n_rows, n)``: whether the next neighbour is as near. The last one's is not asked."""
        distance, _ = self._found
        found = np.zeros(distance.shape, dtype=bool)
        # The negation holds for NaN, too.
        found[:, :-1] = ~(distance[:, 1:] > distance[:, :-1] * (1 + NEAR))
        return found

    @cached_property
    def _first_tie(self) -> np.ndarray:
        """``(n_rows,)`` where the first tie is; ``n`` for none."""
        return np.where(self._is_tied.any(axis=1), self._is_tied.argmax(axis=1), self._n)

    def nearest(self, n: int, *, with_distance: bool) -> Any:
        """As ``kneighbors`` answers for ``n``."""
        # The order of equally near ones decides the last bits of sums.
        tied = np.flatnonzero(self._first_tie < n) if n < self._n else np.empty(0, dtype=int)
        if n > self._n or (len(tied) and not self._has_tree):
            return self._fitted.kneighbors(self._X, n, return_distance=with_distance)
        # Copies: a view has other strides, and those decide the order of sums, too.
        distance, index = (np.array(part[:, :n], order="C") for part in self._found)
        if len(tied):
            distance[tied], index[tied] = self._again(tied, n)
        return (distance, index) if with_distance else index

    def votes(self, n: int) -> np.ndarray | None:
        """``(n_rows, n_classes)`` neighbours of each class; ``n`` may not fall.

        ``None`` where ties leave it open who votes, and nothing less than a new query tells.
        """
        tied = np.flatnonzero(self._is_tied[:, n - 1])
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
        """Whether rows are looked up one by one; else their neighbours in memory matter."""
        return self._fitted._fit_method in ("ball_tree", "kd_tree")

    def _again(self, rows: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.utils import _safe_indexing

        distance, index = self._fitted.kneighbors(_safe_indexing(self._X, rows), n)
        return distance, index


def _counted(labels: np.ndarray, n_classes: int) -> Iterator[np.ndarray]:
    """``(n_rows, n_classes)`` labels of each class after each column."""
    rows, votes = np.arange(len(labels)), np.zeros((len(labels), n_classes))
    for column in labels.T:
        votes[rows, column] += 1
        yield votes
