"""Nearest neighbours: the ten nearest hold the five nearest."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tunesmith.objective.submodels.family import (
    Counted,
    answering,
    are_counts,
    is_repeatable,
    resized,
)


class Neighbors(Counted):
    """``KNeighborsClassifier`` and ``Regressor`` along ``n_neighbors``: one query for all."""

    parameter = "n_neighbors"

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """Any metric and weights."""
        from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

        is_known = type(estimator) in (KNeighborsClassifier, KNeighborsRegressor)
        return is_known and is_repeatable(estimator) and are_counts(values)

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:
        """The same rows, asked for fewer neighbours."""
        query = _Query(fitted, max(values), X)
        for k in values:
            smaller = resized(fitted, n_neighbors=k)

            def nearest(
                n_neighbors: int | None = None,
                return_distance: bool = True,
                *,
                k: int = k,
            ) -> Any:
                n = k if n_neighbors is None else n_neighbors
                return query.nearest(n, with_distance=return_distance)

            yield answering(smaller, X, {"kneighbors": nearest})


class _Query:
    """The neighbours of some rows, looked up once."""

    def __init__(self, fitted: Any, n: int, X: Any) -> None:
        self._fitted, self._n, self._X = fitted, n, X

    @cached_property
    def _found(self) -> tuple[np.ndarray, np.ndarray]:
        distance, index = self._fitted.kneighbors(self._X, self._n)
        return distance, index

    def nearest(self, n: int, *, with_distance: bool) -> Any:
        """As ``kneighbors`` answers for ``n``."""
        if n >= self._n or self._is_tied(n):
            return self._fitted.kneighbors(self._X, n, return_distance=with_distance)
        distance, index = self._found
        # Copies: a view has other strides, and those decide the order of sums.
        found = np.ascontiguousarray(index[:, :n])
        return (np.ascontiguousarray(distance[:, :n]), found) if with_distance else found

    def _is_tied(self, n: int) -> bool:
        """Whether a neighbour left out is as near as one kept: who is kept is then arbitrary."""
        distance, _ = self._found
        return bool((distance[:, n - 1] == distance[:, n]).any())
