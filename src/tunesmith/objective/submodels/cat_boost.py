"""CatBoost: the first trees of a long run are a short one, where the run's length decides nothing.

The library is not imported here: its estimators are told by their class's name and place.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tunesmith.objective.submodels.family import Counted, are_counts

SHORT = 200
"""Runs of fewer rounds estimate leaves with one step, unless told how many."""
NEUTRAL = frozenset(
    {
        *("depth", "max_depth", "l2_leaf_reg", "reg_lambda"),
        *("random_seed", "random_state", "random_strength", "score_function", "boosting_type"),
        *("bootstrap_type", "bagging_temperature", "subsample", "sampling_frequency"),
        *("rsm", "colsample_bylevel", "border_count", "max_bin", "feature_border_type"),
        *("nan_mode", "one_hot_max_size", "cat_features", "max_ctr_complexity"),
        *("loss_function", "objective", "eval_metric", "boost_from_average"),
        *("class_weights", "auto_class_weights", "scale_pos_weight"),
        *("leaf_estimation_method", "leaf_estimation_iterations"),
        *("learning_rate", "eta", "thread_count"),
        *("verbose", "silent", "logging_level", "allow_writing_files", "train_dir"),
    }
)
"""Parameters that mean the same for every length of a run of symmetric trees.

Other trees (``grow_policy``) are left out: such models cannot be cut off.
"""


class CatBoost(Counted):
    """``CatBoostClassifier`` and ``CatBoostRegressor`` along ``iterations``."""

    parameter = "iterations"
    aliases = ("n_estimators", "num_boost_round", "num_trees")

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """With a learning rate of the user's: the automatic one knows the length.

        The number of threads may decide the last bits, but it is the same for all lengths.
        """
        cls = type(estimator)
        is_known = cls.__name__ in ("CatBoostClassifier", "CatBoostRegressor")
        if not is_known or cls.__module__ != "catboost.core" or not are_counts(values):
            return False
        given = {name: v for name, v in estimator.get_params().items() if v is not None}
        if not given.keys() <= NEUTRAL | {self.parameter, *self.aliases}:
            return False
        return ("learning_rate" in given or "eta" in given) and _is_alike(given, values)

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:  # noqa: ARG002
        """Runs cut off; the fit is shared, predictions are not."""
        for n in values:
            smaller = fitted.copy()
            if n < fitted.tree_count_:
                smaller.shrink(ntree_end=n)
            # `set_params` refuses a fitted model.
            names = {self.parameter, *self.aliases} & smaller._init_params.keys()
            smaller._init_params.update(dict.fromkeys(names, n))
            smaller._canonized_params = None
            yield smaller


def _is_alike(given: Mapping[str, Any], values: Sequence[int]) -> bool:
    """Whether leaves are estimated alike in runs of all these lengths."""
    return "leaf_estimation_iterations" in given or len({n < SHORT for n in values}) == 1
