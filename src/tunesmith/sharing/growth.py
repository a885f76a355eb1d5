"""Params of trees that give the same model, since no tree reached the limits they differ in.

A tree grows until a limit stops it. If no node of a fit came as deep as ``max_depth``, the question
whether it had was answered with no each time, so that the same fit with any larger depth makes the
same splits with the same random numbers. Such *facts* of a fit give params a *form*; params of one
form make the same model, and all but the first of them need no fit.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from tunesmith.sharing.proved import SCIKIT_LEARN, Proved, is_whole, whole
from tunesmith.sharing.submodels.boosting import GradientBoosting, HistGradientBoosting
from tunesmith.sharing.submodels.trees import (
    FOREST_CLASSES,
    FORESTS,
    TREE_CLASSES,
    TREES,
    WEIGHTED,
    without,
)
from tunesmith.types import Facts, Value

UNREACHED = "unreached"
"""Form of a limit that no tree reached."""
DEPTH, LEAVES, COLUMNS = "depth", "leaves", "columns"


class Growth(Protocol):
    """Estimators of which a fit shows that other params would have given the same model.

    ``parameter`` and ``free`` are the parameters that may differ; ``proved`` lists all others.
    """

    parameter: str
    free: tuple[str, ...]
    proved: Proved

    def why_not(self, estimator: Any) -> str:
        """Give a further reason why a fit shows nothing; empty if there is none."""

    def facts(self, fitted: Any) -> Facts:
        """Return numbers by name that describe the fitted trees, such as their depth."""

    def fixed(self, params: Mapping[str, Any]) -> dict[str, Value]:
        """Part of the form that depends on no fact: params that differ in it are never alike."""

    def form(self, params: Mapping[str, Any], facts: Facts) -> dict[str, Value]:
        """Form of the parameters in view of the facts of a fit; equal forms, equal models.

        Args:
            params: all parameters of an estimator, by name.
            facts: of the fit whose model is in question.
        """


OWN = ("max_leaf_nodes", "min_samples_split", "max_features")


class TreeGrowth:
    """Trees, and forests of them."""

    parameter = "max_depth"
    free: tuple[str, ...] = OWN
    proved = Proved(
        (*TREE_CLASSES, *FOREST_CLASSES),
        SCIKIT_LEARN,
        without({**TREES, **FORESTS}, "max_depth", *OWN),
        WEIGHTED,
    )

    def why_not(self, estimator: Any) -> str:
        """Refuse fits without a seed."""
        return seedless(estimator)

    def facts(self, fitted: Any) -> Facts:
        """Number of columns; depth and leaves, unless pruning has hidden what they were."""
        facts = {COLUMNS: int(fitted.n_features_in_)}
        if fitted.ccp_alpha == 0:
            grown = [tree.tree_ for tree in _trees(fitted)]
            facts[DEPTH] = max(int(tree.max_depth) for tree in grown)
            facts[LEAVES] = max(int(tree.n_leaves) for tree in grown)
        return facts

    def fixed(self, params: Mapping[str, Any]) -> dict[str, Value]:
        """Rows that a split needs, as scikit-learn counts them."""
        return {"min_samples_split": _rows_to_split(params)}

    def form(self, params: Mapping[str, Any], facts: Facts) -> dict[str, Value]:
        """Limits that were not reached; splits and columns as scikit-learn counts them."""
        return {
            **self.fixed(params),
            "max_depth": beyond(params["max_depth"], facts.get(DEPTH), is_same_unlimited=True),
            # Without a limit of leaves, trees grow in another order.
            "max_leaf_nodes": beyond(
                params["max_leaf_nodes"], facts.get(LEAVES), is_same_unlimited=False
            ),
            "max_features": _n_columns(params["max_features"], facts[COLUMNS]),
        }


class BoostedGrowth(TreeGrowth):
    """Gradient boosting with scikit-learn's own trees."""

    proved = Proved(
        GradientBoosting.proved.classes,
        SCIKIT_LEARN,
        {
            **without(GradientBoosting.proved.params, "max_depth", *OWN),
            "n_estimators": whole(1, 4),
        },
        WEIGHTED,
    )


class HistogramGrowth:
    """Histogram-based gradient boosting."""

    parameter = "max_depth"
    free: tuple[str, ...] = ("max_leaf_nodes",)
    proved = Proved(
        HistGradientBoosting.proved.classes,
        SCIKIT_LEARN,
        {
            **without(HistGradientBoosting.proved.params, "max_depth", "max_leaf_nodes"),
            "max_iter": whole(1, 4),
        },
        WEIGHTED,
    )

    def why_not(self, estimator: Any) -> str:
        """Refuse fits without a seed, and what boosting refuses."""
        return seedless(estimator) or HistGradientBoosting().why_not(estimator)

    def facts(self, fitted: Any) -> Facts:
        """Depth and leaves."""
        grown = [tree for of_round in fitted._predictors for tree in of_round]
        depths, leaves = ([count(tree) for tree in grown] for count in (_depth, _n_leaves))
        return {DEPTH: max(depths, default=0), LEAVES: max(leaves, default=0)}

    def fixed(self, params: Mapping[str, Any]) -> dict[str, Value]:  # noqa: ARG002
        """Nothing: both limits may turn out not to be reached."""
        return {}

    def form(self, params: Mapping[str, Any], facts: Facts) -> dict[str, Value]:
        """Limits that were not reached."""
        limits = (("max_depth", DEPTH), ("max_leaf_nodes", LEAVES))
        return {
            name: beyond(params[name], facts[fact], is_same_unlimited=True) for name, fact in limits
        }


def seedless(estimator: Any) -> str:
    """Say so if an estimator has no seed: between equally good splits, luck then decides."""
    return "" if is_whole(estimator.random_state) else "it has no seed"


def _depth(tree: Any) -> int:
    return int(tree.get_max_depth())


def _n_leaves(tree: Any) -> int:
    return int(tree.get_n_leaf_nodes())


def beyond(limit: Any, reached: int | None, *, is_same_unlimited: bool) -> Value:
    """Form of a limit: itself, unless it is known that no tree reached it.

    >>> [beyond(limit, 7, is_same_unlimited=True) for limit in (7, 8, None, 8.0)]
    [7, 'unreached', 'unreached', 'float 8.0']

    Args:
        limit: value of the parameter; ``None`` is none.
        reached: the most that a tree has; ``None`` if it is not known.
        is_same_unlimited: true if trees grow without a limit as they do below it.
    """
    if limit is None:
        return UNREACHED if reached is not None and is_same_unlimited else None
    # Another kind of number may be one that scikit-learn refuses.
    if reached is not None and is_whole(limit) and limit > reached:
        return UNREACHED
    return _plain(limit)


def _rows_to_split(params: Mapping[str, Any]) -> Value:
    least, leaf = params["min_samples_split"], params["min_samples_leaf"]
    # As in `BaseDecisionTree._fit`: two leaves need as many rows as they do in any case.
    if is_whole(least) and is_whole(leaf) and least >= 2:
        return max(int(least), 2 * int(leaf))
    return _plain(least)


def _n_columns(wanted: Any, n: int) -> Value:
    """Number of columns that a split looks at, as in ``BaseDecisionTree._fit``."""
    if wanted is None:
        return n
    if wanted in ("sqrt", "log2"):
        return max(1, int(getattr(np, wanted)(n)))
    if isinstance(wanted, float) and 0 < wanted <= 1:
        return max(1, int(wanted * n))
    return _plain(wanted)


def _plain(value: Any) -> Value:
    # With its type: scikit-learn refuses `True` and `8.0` where `1` and `8` are meant.
    return int(value) if is_whole(value) else f"{type(value).__name__} {value!r}"


def _trees(fitted: Any) -> Iterator[Any]:
    """Yield the trees of a tree, a forest or a boosting."""
    members = getattr(fitted, "estimators_", None)
    if members is None:
        yield fitted
    else:
        yield from np.asarray(members, dtype=object).ravel()


GROWTHS: tuple[Growth, ...] = (TreeGrowth(), BoostedGrowth(), HistogramGrowth())
