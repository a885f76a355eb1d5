"""Trees with a limited number of leaves: the first splits of a large tree are a small tree.

Such trees grow best first. The random numbers of a split are drawn in the order of the splits, so
they agree, too. Trees limited by depth only grow in another order and hold no smaller ones.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tunesmith.sharing.proved import SCIKIT_LEARN, Proved
from tunesmith.sharing.submodels.family import (
    Counted,
    are_counts,
    is_repeatable,
    resized,
)
from tunesmith.sharing.submodels.trees import (
    FOREST_CLASSES,
    FORESTS,
    TREE_CLASSES,
    TREES,
    WEIGHTED,
    without,
)

NO_CHILD, NO_FEATURE, NO_THRESHOLD = -1, -2, -2.0
"""Values that scikit-learn writes into a leaf."""


class Leaves(Counted):
    """Trees, and forests of them, along ``max_leaf_nodes``."""

    parameter = "max_leaf_nodes"
    proved = Proved(
        (*TREE_CLASSES, *FOREST_CLASSES),
        SCIKIT_LEARN,
        without({**TREES, **FORESTS}, "ccp_alpha"),
        WEIGHTED,
    )

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """True for numbers of leaves from 2 on, without pruning, which looks at the whole tree."""
        return is_repeatable(estimator) and are_counts(values) and min(values) > 1

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:  # noqa: ARG002
        """Yield trees cut back to their first splits; the fit is shared, predictions are not."""
        members = [_Grown(tree) for tree in getattr(fitted, "estimators_", [fitted])]
        for n in values:
            trees = [member.first(n) for member in members]
            if hasattr(fitted, "estimators_"):
                yield resized(fitted, max_leaf_nodes=n, estimators_=trees)
            else:
                yield trees[0]


class _Grown:
    """A tree whose nodes are in the order of growth: each split adds two."""

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator
        # As pickle does it: a `Tree` takes nodes in no other way.
        self._cls, self._args, self._state = estimator.tree_.__reduce__()
        self._deepest = np.maximum.accumulate(_depths(self._state["nodes"]))

    def first(self, n_leaves: int) -> Any:
        """Return the estimator that had stopped growing at a number of leaves."""
        # A binary tree with n leaves has 2n - 1 nodes.
        n = min(2 * n_leaves - 1, self._state["node_count"])
        nodes = self._state["nodes"][:n].copy()
        # A child that did not exist yet makes its parent a leaf.
        is_cut = nodes["left_child"] >= n
        nodes["left_child"][is_cut] = nodes["right_child"][is_cut] = NO_CHILD
        nodes["feature"][is_cut] = NO_FEATURE
        nodes["threshold"][is_cut] = NO_THRESHOLD
        tree = self._cls(*self._args)
        tree.__setstate__(
            {
                **self._state,
                "max_depth": int(self._deepest[n - 1]),
                "node_count": n,
                "nodes": nodes,
                "values": self._state["values"][:n].copy(),
            }
        )
        return resized(self._estimator, max_leaf_nodes=n_leaves, tree_=tree)


def _depths(nodes: np.ndarray) -> np.ndarray:
    """Count the splits above each node: ``(n_nodes,)``."""
    depths, level, depth = np.zeros(len(nodes), dtype=int), np.array([0]), 0
    while len(level):
        depths[level] = depth
        inner = nodes[level][nodes["left_child"][level] != NO_CHILD]
        level, depth = np.concatenate([inner["left_child"], inner["right_child"]]), depth + 1
    return depths
