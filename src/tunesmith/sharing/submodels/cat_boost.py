"""CatBoost: the first trees of a long run are a short run, unless its length changes the trees.

The library is not imported here: its estimators are recognised by class name and package.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from tunesmith.sharing.proved import (
    CLASS_WEIGHT,
    FLAG,
    QUIET,
    SEED,
    WEIGHTS,
    Proved,
    Values,
    Versions,
    among,
    any_of,
    either,
    number,
    whole,
)
from tunesmith.sharing.submodels.family import Counted, are_counts

INF = float("inf")
SHORT = 200
"""Number of rounds below which leaves are estimated with one step, unless a number is set."""
LOSSES = (
    *("Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll"),
    *("RMSE", "MAE", "Quantile", "Poisson"),
)
LOSS = Values(
    ", ".join(f"`{loss}`" for loss in LOSSES),
    lambda value: isinstance(value, str) and value.partition(":")[0] in LOSSES,
    ("RMSE", "MAE", "Quantile:alpha=0.3"),
)


def canonical(name: str) -> str | None:
    """Return CatBoost's own name of a parameter, by its table of synonyms."""
    from catboost import core  # type: ignore[import-untyped]

    if name == "objective":  # the one synonym outside of the table
        return "loss_function"
    try:
        core._process_synonyms_groups(given := {name: 0})
    except (AttributeError, TypeError):
        return None
    return next(iter(given))


class CatBoost(Counted):
    """``CatBoostClassifier`` and ``CatBoostRegressor`` along ``iterations``.

    Trees of other kinds (``grow_policy``) are left out: such models cannot be cut off.
    """

    parameter = "iterations"
    aliases = ("n_estimators", "num_boost_round", "num_trees")
    proved = Proved(
        ("catboost.CatBoostClassifier", "catboost.CatBoostRegressor"),
        Versions("catboost", "1.2.10", "1.3"),
        {
            "learning_rate": number(0, INF, 0.3),
            "depth": whole(1, 2, 4),
            "l2_leaf_reg": number(0, INF, 0.1, 5.0),
            "random_seed": SEED,
            "random_strength": number(0, INF, 0.0, 5.0),
            "rsm": number(0, 1, 0.5),
            "subsample": number(0, 1, 0.6),
            "bootstrap_type": among("Bayesian", "Bernoulli", "MVS", "No"),
            "bagging_temperature": number(0, INF, 2.0),
            "sampling_frequency": among("PerTree", "PerTreeLevel"),
            "score_function": among("Cosine", "L2"),
            "boosting_type": among("Ordered", "Plain"),
            "border_count": whole(1, 16),
            "feature_border_type": among("GreedyLogSum", "Median", "Uniform"),
            "nan_mode": among("Min", "Max"),
            "one_hot_max_size": whole(0, 2),
            "cat_features": any_of("columns", list, tuple, examples=()),
            "max_ctr_complexity": whole(0, 1),
            "loss_function": LOSS,
            "eval_metric": any_of("names of metrics", str, examples=()),
            "boost_from_average": FLAG,
            "class_weights": either(
                CLASS_WEIGHT, any_of("numbers by class", list, tuple, examples=())
            ),
            "auto_class_weights": among("Balanced", "SqrtBalanced"),
            "scale_pos_weight": number(0, INF, 2.0),
            "leaf_estimation_method": among("Newton", "Gradient"),
            "leaf_estimation_iterations": whole(1, 2, 3),
            "grow_policy": among("SymmetricTree"),
            "thread_count": any_of("any number", int, examples=(1,)),
            "verbose": QUIET,
            "silent": FLAG,
            "logging_level": any_of("any", str, examples=("Silent",)),
            "metric_period": whole(1, 5),
            "allow_writing_files": FLAG,
            "train_dir": any_of("any folder", str, examples=()),
        },
        {
            "sample_weight": WEIGHTS,
            "cat_features": any_of("columns", list, tuple, examples=()),
            "verbose": QUIET,
            "silent": FLAG,
            "logging_level": any_of("any", str, examples=()),
        },
        canonical=canonical,
    )

    def why_not(self, estimator: Any) -> str:
        """Refuse an automatic learning rate."""
        given = estimator.get_params()
        if given.get("learning_rate", given.get("eta")) is None:
            return "no `learning_rate` is set, and the automatic one depends on `iterations`"
        return ""

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:  # noqa: ARG002
        """True for numbers of rounds.

        The number of threads may decide the last bits, but it is the same for all lengths.
        """
        return are_counts(values)

    def border(self, estimator: Any, value: Any, n_rows: int | None) -> object:  # noqa: ARG002
        """Side of the border: true if leaves are estimated as in short runs."""
        is_told = estimator.get_params().get("leaf_estimation_iterations") is not None
        return not is_told and value < SHORT

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:  # noqa: ARG002
        """Yield runs cut off after fewer rounds; the fit is shared, predictions are not."""
        for n in values:
            # `shrink` works in place, so it gets a copy.
            smaller = fitted.copy()
            if n < fitted.tree_count_:
                smaller.shrink(ntree_end=n)
            # `set_params` refuses a fitted model.
            names = {self.parameter, *self.aliases} & smaller._init_params.keys()
            smaller._init_params.update(dict.fromkeys(names, n))
            smaller._canonized_params = None
            yield smaller
