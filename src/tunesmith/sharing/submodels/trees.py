"""Parameters of scikit-learn's trees and forests that several families share."""

from collections.abc import Mapping

from tunesmith.sharing.proved import (
    CLASS_WEIGHT,
    FLAG,
    QUIET,
    SEED,
    SIGNS,
    WEIGHTS,
    Values,
    among,
    either,
    fraction,
    number,
    whole,
)

# Others may add up in another order, or lack the private attributes that families read.
WEIGHTED: Mapping[str, Values] = {"sample_weight": WEIGHTS}
"""Further arguments that ``fit`` may have."""
MAX_FEATURES = either(among(None, "sqrt", "log2"), fraction(0.5), whole(1, 3))
ONE_JOB = among(None, 1)
"""One thread only: several add up the trees of a forest in the order in which they end."""
GROWTH: Mapping[str, Values] = {
    "max_depth": whole(1, 2, 5),
    "min_samples_split": either(whole(2, 5), fraction(0.1)),
    "min_samples_leaf": either(whole(1, 3), fraction(0.05)),
    "min_weight_fraction_leaf": number(0, 0.5, 0.02),
    "min_impurity_decrease": number(0, float("inf"), 0.01),
    "max_features": MAX_FEATURES,
    "random_state": SEED,
}
"""Parameters of the growth of any tree, alone or in an ensemble."""
TREES: Mapping[str, Values] = {
    **GROWTH,
    "criterion": among(
        *("gini", "entropy", "log_loss"),
        *("squared_error", "absolute_error", "poisson"),
    ),
    # For forests; a tree refuses it itself, so that nothing wrong is shared.
    "class_weight": either(CLASS_WEIGHT, among("balanced_subsample")),
    "monotonic_cst": SIGNS,
    "splitter": among("best", "random"),
    "max_leaf_nodes": whole(2, 5, 12),
    "ccp_alpha": number(0, float("inf"), 0.01),
}
FORESTS: Mapping[str, Values] = {
    **{name: values for name, values in TREES.items() if name != "splitter"},
    "n_estimators": whole(1, 4),
    "bootstrap": FLAG,
    "max_samples": either(fraction(0.7), whole(1, 30)),
    "n_jobs": ONE_JOB,
    "verbose": QUIET,
}
FOREST_CLASSES = (
    "sklearn.ensemble.RandomForestClassifier",
    "sklearn.ensemble.RandomForestRegressor",
    "sklearn.ensemble.ExtraTreesClassifier",
    "sklearn.ensemble.ExtraTreesRegressor",
)
TREE_CLASSES = (
    "sklearn.tree.DecisionTreeClassifier",
    "sklearn.tree.DecisionTreeRegressor",
    "sklearn.tree.ExtraTreeClassifier",
    "sklearn.tree.ExtraTreeRegressor",
)


def without(params: Mapping[str, Values], *names: str) -> dict[str, Values]:
    """Copy a list of parameters without some of them."""
    return {name: values for name, values in params.items() if name not in names}
