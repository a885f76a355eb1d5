"""XGBoost and LightGBM: both can predict with their first rounds only.

Neither is imported before one of its estimators is used; these are recognised by class name and
package.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tunesmith.sharing.proved import (
    CLASS_WEIGHT,
    FLAG,
    QUIET,
    SEED,
    SIGNS,
    WEIGHTS,
    Proved,
    Versions,
    among,
    any_of,
    either,
    number,
    whole,
)
from tunesmith.sharing.submodels.family import Counted, are_counts, resized
from tunesmith.sharing.submodels.rounds import LightGBMRounds, Margins, RawScores, XGBoostRounds

INF = float("inf")
SHARE = number(0, 1, 0.5)
POSITIVE = number(0, INF, 0.1, 5.0)
COLUMNS = any_of("columns", list, tuple, str, examples=())
METRIC = any_of("names of metrics", str, list, examples=())
"""Metrics decide nothing if there are no rows to evaluate."""


class XGBoost(Counted):
    """``XGBClassifier`` and ``XGBRegressor`` along ``n_estimators``.

    Trees only. Dropout changes earlier trees, and early stopping their number: neither is shared.
    """

    proved = Proved(
        ("xgboost.XGBClassifier", "xgboost.XGBRegressor"),
        Versions("xgboost", "3.2", "3.3"),
        {
            "max_depth": whole(0, 2, 4),
            "max_leaves": whole(0, 5),
            "max_bin": whole(2, 16),
            "grow_policy": among("depthwise", "lossguide"),
            "learning_rate": number(0, INF, 0.3, 1.0),
            "objective": among(
                *("binary:logistic", "multi:softprob", "multi:softmax"),
                *("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror"),
                *("reg:quantileerror", "count:poisson"),
            ),
            "quantile_alpha": number(0, 1, 0.3),
            "booster": among("gbtree"),
            "tree_method": among("auto", "hist", "exact", "approx"),
            "device": among("cpu"),
            "gamma": POSITIVE,
            "min_child_weight": POSITIVE,
            "max_delta_step": POSITIVE,
            "subsample": SHARE,
            "sampling_method": among("uniform"),
            "colsample_bytree": SHARE,
            "colsample_bylevel": SHARE,
            "colsample_bynode": SHARE,
            "reg_alpha": POSITIVE,
            "reg_lambda": POSITIVE,
            "scale_pos_weight": POSITIVE,
            "base_score": number(-INF, INF, 0.4),
            "num_parallel_tree": whole(1, 2),
            "monotone_constraints": SIGNS,
            "multi_strategy": among("one_output_per_tree", "multi_output_tree"),
            "enable_categorical": FLAG,
            "max_cat_to_onehot": whole(1, 2),
            "max_cat_threshold": whole(1, 8),
            "missing": number(-INF, INF),
            "importance_type": any_of("any", str, examples=("gain",)),
            "eval_metric": METRIC,
            "validate_parameters": FLAG,
            "random_state": SEED,
            "n_jobs": any_of("any number", int, examples=(1,)),
            "verbosity": QUIET,
        },
        {"sample_weight": WEIGHTS, "verbose": QUIET},
    )

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:  # noqa: ARG002
        """True for numbers of rounds."""
        return are_counts(values)

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:
        """Yield the first rounds of the booster; each round predicts once if that is exact."""
        booster = fitted.get_booster()
        margins = Margins.of(fitted, X, values[0], values[-1])
        for n in values:
            # Without exact margins, each booster is cut off, which copies its trees.
            rounds = XGBoostRounds(booster, n, margins) if margins else booster[:n]
            yield resized(fitted, n_estimators=n, _Booster=rounds)


@cache
def lightgbm_name(name: str) -> str | None:
    """Return LightGBM's own name of a parameter, by its table of aliases."""
    if name in ("class_weight", "importance_type"):  # what its estimators have of their own
        return name
    try:
        from lightgbm.basic import _ConfigAliases

        table = _ConfigAliases._get_all_param_aliases()
    except (ImportError, AttributeError):
        return None
    return next((own for own, aliases in table.items() if name in (own, *aliases)), None)


@dataclass(frozen=True, eq=False)
class Recorded:
    """A fit, with the number of rounds that had trees after each round that was run.

    A round that finds no split leaves no tree, but later rounds are tried all the same.
    """

    fitted: Any
    n_kept: tuple[int, ...]


class LightGBM(Counted):
    """``LGBMClassifier`` and ``LGBMRegressor`` along ``n_estimators``.

    Dropout is not shared: it changes earlier trees.
    """

    proved = Proved(
        ("lightgbm.LGBMClassifier", "lightgbm.LGBMRegressor"),
        Versions("lightgbm", "4.7", "4.8"),
        {
            "boosting_type": among("gbdt", "goss", "rf"),
            "data_sample_strategy": among("bagging", "goss"),
            "num_leaves": whole(2, 4, 9),
            "max_depth": either(among(-1), whole(1, 3)),
            "learning_rate": number(0, INF, 0.3, 0.7),
            "subsample_for_bin": whole(1, 60),
            "objective": among(
                *("binary", "multiclass", "cross_entropy"),
                *("regression", "regression_l1", "l1", "l2", "huber"),
                *("quantile", "poisson", "fair"),
            ),
            "alpha": number(0, 1, 0.3),
            "class_weight": CLASS_WEIGHT,
            "is_unbalance": FLAG,
            "scale_pos_weight": POSITIVE,
            "min_split_gain": POSITIVE,
            "min_child_weight": POSITIVE,
            "min_child_samples": whole(0, 1, 6),
            "subsample": SHARE,
            "subsample_freq": whole(0, 1),
            "colsample_bytree": SHARE,
            "feature_fraction_bynode": SHARE,
            "reg_alpha": POSITIVE,
            "reg_lambda": POSITIVE,
            "max_bin": whole(2, 16),
            "min_data_in_bin": whole(1, 9),
            "extra_trees": FLAG,
            "linear_tree": FLAG,
            "path_smooth": POSITIVE,
            "max_delta_step": POSITIVE,
            "reg_sqrt": FLAG,
            "boost_from_average": FLAG,
            "monotone_constraints": SIGNS,
            "cat_smooth": POSITIVE,
            "cat_l2": POSITIVE,
            "max_cat_threshold": whole(1, 8),
            "metric": METRIC,
            "importance_type": any_of("any", str, examples=("gain",)),
            "deterministic": FLAG,
            "force_col_wise": FLAG,
            "force_row_wise": FLAG,
            "random_state": SEED,
            "n_jobs": any_of("any number", int, examples=(1,)),
            "verbose": QUIET,
        },
        {"sample_weight": WEIGHTS, "categorical_feature": COLUMNS, "feature_name": COLUMNS},
        canonical=lightgbm_name,
    )

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:  # noqa: ARG002
        """True for numbers of rounds."""
        return are_counts(values)

    def fit(self, estimator: Any, X: Any, y: Any, **params: Any) -> Recorded:
        """Fit, and record after each round how many rounds have trees."""
        n_kept: list[int] = []

        # Only while it fits does the booster tell this; afterwards the rounds without trees are
        # gone.
        def note(now: Any) -> None:
            n_kept.append(now.model.current_iteration())

        fitted = estimator.fit(X, y, **params, callbacks=[note])
        return Recorded(fitted, tuple(n_kept))

    def submodels(self, fitted: Recorded, values: Sequence[Any], X: Any) -> Iterator[Any]:
        """Yield the booster, set to predict with its first rounds; each predicts once if exact."""
        whole_model, booster = fitted.fitted, fitted.fitted.booster_
        kept = [fitted.n_kept[n - 1] for n in values]
        scores = RawScores.of(whole_model, X, kept[0])
        for n, n_rounds in zip(values, kept, strict=True):
            # Every method predicts up to this round unless it gets another number.
            booster.best_iteration = n_rounds
            rounds = LightGBMRounds(booster, n_rounds, scores)
            # `set_params` writes into this dictionary, which the copies would share.
            others = {**whole_model._other_params}
            yield resized(whole_model, _Booster=rounds, _other_params=others).set_params(
                n_estimators=n
            )
