"""Cost-complexity pruning: a full tree holds every pruned one."""

from collections.abc import Iterator, Sequence
from typing import Any

from tunesmith.objective.submodels.family import is_repeatable, is_tree_or_forest, resized


class Pruning:
    """Trees, and forests of them, along ``ccp_alpha`` (Breiman et al. 1984, chapter 3)."""

    parameter = "ccp_alpha"

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """Scikit-learn's trees, random forests and extremely randomised trees."""
        is_known = is_tree_or_forest(estimator) and is_repeatable(estimator)
        return is_known and all(map(_is_cost, values))

    def in_order(self, values: Sequence[Any]) -> list[Any]:
        """From the full tree to the stump."""
        return sorted(values)

    def widest(self, values: Sequence[Any]) -> Any:  # noqa: ARG002
        """Nothing pruned."""
        return 0.0

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:  # noqa: ARG002
        """The full trees, pruned; the fit is shared, predictions are not."""
        for alpha in values:
            if hasattr(fitted, "estimators_"):
                trees = [_pruned(tree, alpha) for tree in fitted.estimators_]
                yield resized(fitted, ccp_alpha=alpha, estimators_=trees)
            else:
                yield _pruned(fitted, alpha)


def _pruned(tree: Any, alpha: float) -> Any:
    smaller = resized(tree, ccp_alpha=alpha)
    smaller._prune_tree()
    return smaller


def _is_cost(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
