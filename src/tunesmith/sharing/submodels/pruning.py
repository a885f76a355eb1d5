"""Cost-complexity pruning: a full tree holds every pruned one."""

from collections.abc import Iterator, Sequence
from typing import Any

from tunesmith.sharing.proved import SCIKIT_LEARN, Proved, is_number
from tunesmith.sharing.submodels.family import is_repeatable, resized
from tunesmith.sharing.submodels.trees import FOREST_CLASSES, FORESTS, TREE_CLASSES, TREES, WEIGHTED


class Pruning:
    """Trees, and forests of them, along ``ccp_alpha`` (Breiman et al. 1984, chapter 3)."""

    parameter = "ccp_alpha"
    proved = Proved((*TREE_CLASSES, *FOREST_CLASSES), SCIKIT_LEARN, {**TREES, **FORESTS}, WEIGHTED)

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """True for costs of 0 and more."""
        return is_repeatable(estimator) and all(map(_is_cost, values))

    def in_order(self, values: Sequence[Any]) -> list[Any]:
        """Sort from the full tree to the stump."""
        return sorted(values)

    def widest(self, values: Sequence[Any]) -> Any:  # noqa: ARG002
        """Choose 0: nothing is pruned."""
        return 0.0

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:  # noqa: ARG002
        """Yield the full trees, pruned; the fit is shared, predictions are not."""
        for alpha in values:
            if hasattr(fitted, "estimators_"):
                trees = [_pruned(tree, alpha) for tree in fitted.estimators_]
                yield resized(fitted, ccp_alpha=alpha, estimators_=trees)
            else:
                yield _pruned(fitted, alpha)


def _pruned(tree: Any, alpha: float) -> Any:
    smaller = resized(tree, ccp_alpha=alpha)
    # scikit-learn's own step after a fit; it puts a new tree into this copy only.
    smaller._prune_tree()
    return smaller


def _is_cost(value: Any) -> bool:
    return is_number(value) and value >= 0
