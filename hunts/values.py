"""Values for parameters: from scikit-learn's own constraints, and from tables for other libraries.

The tables name every parameter that a library's own list has; ``tests/hunts`` compares them.
"""

import inspect
import re
from functools import cache
from numbers import Integral
from random import Random
from typing import Any

from sklearn.utils._param_validation import (
    Interval,
    Options,
    StrOptions,
    _Booleans,
    _InstancesOf,
    _NoneConstraint,
    _RandomStates,
    make_constraint,
)

Values = tuple[str, ...]

KEPT = {
    "n_jobs": ("None", "1"),  # two would start processes
    "verbose": ("0", "0", "1"),
    "random_state": ("0", "1", "7", "None", "np.random.RandomState(3)"),
    "class_weight": ("None", "'balanced'", "{0: 2.0, 1: 1.0}", "'balanced_subsample'"),
    "n_estimators": ("1", "3", "6"),
    "max_iter": ("1", "5", "20"),
    "max_leaf_nodes": ("None", "2", "4", "9"),
    "max_depth": ("None", "1", "2", "4"),
    "max_samples": ("None", "0.5", "0.9", "7", "1.0"),
    "max_features": ("'sqrt'", "'log2'", "None", "1", "0.5", "1.0", "2"),
    "min_samples_split": ("2", "5", "0.2"),
    "min_samples_leaf": ("1", "4", "0.1"),
    "monotonic_cst": ("None", "[1, -1]", "[1, 0, 0]", "{'c0': 1}"),
    "interaction_cst": ("None", "'no_interactions'", "'pairwise'", "[{0, 1}]"),
    "categorical_features": ("None", "'from_dtype'", "[0]", "[True, False]"),
    "init": ("None", "'zero'", "DummyClassifier()", "DummyRegressor()"),
    "metric_params": ("None", "{'p': 3}"),
    "metric": ("'minkowski'", "'manhattan'", "'chebyshev'", "'cosine'", "'hamming'"),
    "weights": ("'uniform'", "'distance'", "None", "own.distances"),
    "leaf_size": ("1", "5", "30"),
    "p": ("1", "2", "1.5"),
    "early_stopping": ("'auto'", "False", "True"),
    "scoring": ("None", "'loss'", "'neg_log_loss'"),
    "n_iter_no_change": ("None", "1", "2", "5"),
    "validation_fraction": ("0.1", "0.3"),
    "ccp_alpha": ("0.0", "0.005", "0.05"),
    "max_bins": ("255", "10", "3"),
    "estimator": (
        "None",
        "DecisionTreeClassifier(max_depth=2)",
        "DecisionTreeRegressor(max_depth=2)",
        "LogisticRegression(max_iter=20)",
        "LogisticRegression(C=0.1)",
        "Ridge()",
        "ExtraTreeClassifier(max_depth=1)",
        "GaussianNB()",
        "LinearRegression()",
        "KNeighborsClassifier()",
        "KNeighborsRegressor()",
        "make_pipeline(StandardScaler(), LogisticRegression())",
    ),
}
"""Parameters of scikit-learn whose constraints say too little, or whose values cost time."""


@cache
def constraints(cls: type) -> dict[str, list[Any]]:
    """Constructor parameters -> what each may be."""
    known = getattr(cls, "_parameter_constraints", {})
    found = {name: known.get(name, []) for name in inspect.signature(cls).parameters}
    return {name: [] if isinstance(given, str) else given for name, given in found.items()}


def draw_value(random: Random, cls: type, name: str) -> str:
    """A value of one parameter of scikit-learn's, as text."""
    if random.random() < 0.02:
        return random.choice(["-1", "'no'", "0", "1.5", "None"])
    if name in KEPT:
        return random.choice(KEPT[name])
    listed = [c for c in constraints(cls)[name] if c != "no_validation"]
    found = [text for c in listed if (text := _value(random, c)) is not None]
    default = inspect.signature(cls).parameters[name].default
    if not found:
        return "None" if default is inspect.Parameter.empty else repr(default)
    return random.choice(found)


def _value(random: Random, given: Any) -> str | None:
    if isinstance(given, str) and given in ("array-like", "sparse matrix", "verbose", "cv_object"):
        return None
    constraint = make_constraint(given)
    if isinstance(constraint, Interval):
        return _inside(random, constraint)
    if isinstance(constraint, StrOptions | Options):
        return repr(random.choice(sorted(constraint.options, key=str)))
    if isinstance(constraint, _Booleans):
        return random.choice(["True", "False"])
    if isinstance(constraint, _NoneConstraint):
        return "None"
    if isinstance(constraint, _RandomStates):
        return random.choice(KEPT["random_state"])
    if isinstance(constraint, _InstancesOf):
        return None
    return None


def _inside(random: Random, interval: Interval) -> str:
    if interval.type is Integral:
        first = 0 if interval.left is None else int(interval.left)
        found = first + random.choice([0, 1, 2, 5]) + (interval.closed in ("right", "neither"))
        return str(found if interval.right is None else min(found, int(interval.right)))
    low: float = -1.0 if interval.left is None else float(interval.left)
    high = low + 10 if interval.right is None else min(float(interval.right), low + 1e3)
    inner = [low + share * (high - low) for share in (0.001, 0.1, 0.5, 0.9)]
    ends = [low] if interval.closed in ("left", "both") else []
    ends += [high] if interval.closed in ("right", "both") and interval.right is not None else []
    return f"{random.choice([*inner, *ends]):.6g}"


# -- LightGBM ------------------------------------------------------------------------------------

FLAGS = ("True", "False")
SEEDS = ("0", "3", "77")
SHARES = ("0.3", "0.7", "1.0")
LIGHTGBM: dict[str, Values] = {
    "alpha": ("0.5", "0.9"),
    "bagging_by_query": FLAGS,
    "bagging_fraction": SHARES,
    "bagging_freq": ("0", "1", "2"),
    "bagging_seed": SEEDS,
    "bin_construct_sample_cnt": ("10", "20", "200000"),
    "boost_from_average": FLAGS,
    "boosting": ("'gbdt'", "'dart'", "'rf'", "'goss'"),
    "cat_l2": ("1.0", "10.0"),
    "cat_smooth": ("1.0", "10.0"),
    "categorical_feature": ("[0]", "'0'", "''"),
    "cegb_penalty_feature_coupled": ("[0.1, 0.0]",),
    "cegb_penalty_feature_lazy": ("[0.1, 0.0]",),
    "cegb_penalty_split": ("0.0", "0.1"),
    "cegb_tradeoff": ("1.0", "0.5"),
    "data_random_seed": SEEDS,
    "data_sample_strategy": ("'bagging'", "'goss'"),
    "deterministic": FLAGS,
    "drop_rate": ("0.1", "0.5", "1.0"),
    "drop_seed": SEEDS,
    "early_stopping_min_delta": ("0.0", "0.1"),
    "early_stopping_round": ("0", "1", "3"),
    "enable_bundle": FLAGS,
    "extra_seed": SEEDS,
    "extra_trees": FLAGS,
    "fair_c": ("1.0", "3.0"),
    "feature_contri": ("[1.0, 0.5]",),
    "feature_fraction": SHARES,
    "feature_fraction_bynode": SHARES,
    "feature_fraction_seed": SEEDS,
    "feature_pre_filter": FLAGS,
    "first_metric_only": FLAGS,
    "force_col_wise": FLAGS,
    "force_row_wise": FLAGS,
    "histogram_pool_size": ("-1", "1"),
    "ignore_column": ("''", "'0'"),
    "interaction_constraints": ("[[0, 1]]", "''"),
    "is_enable_sparse": FLAGS,
    "is_provide_training_metric": FLAGS,
    "is_unbalance": FLAGS,
    "lambda_l1": ("0.0", "0.1", "1.0"),
    "lambda_l2": ("0.0", "0.1", "1.0"),
    "learning_rate": ("0.1", "0.3", "1.0"),
    "linear_lambda": ("0.0", "0.1"),
    "linear_tree": FLAGS,
    "max_bin": ("255", "15", "3"),
    "max_bin_by_feature": ("[10, 5]",),
    "max_cat_threshold": ("2", "32"),
    "max_cat_to_onehot": ("1", "4"),
    "max_delta_step": ("0.0", "0.1", "1.0"),
    "max_depth": ("-1", "1", "3"),
    "max_drop": ("-1", "1", "50"),
    "metric": ("'None'", "'auc'", "'l1'", "''"),
    "metric_freq": ("1", "3"),
    "min_data_in_bin": ("1", "3", "10"),
    "min_data_in_leaf": ("1", "3", "20"),
    "min_data_per_group": ("1", "100"),
    "min_gain_to_split": ("0.0", "0.1", "5.0"),
    "min_sum_hessian_in_leaf": ("0.001", "0.1", "3.0"),
    "monotone_constraints": ("[1, -1]", "[0, 0]"),
    "monotone_constraints_method": ("'basic'", "'intermediate'", "'advanced'"),
    "monotone_penalty": ("0.0", "1.0"),
    "multi_error_top_k": ("1", "2"),
    "neg_bagging_fraction": SHARES,
    "num_class": ("1", "2", "3"),
    "num_grad_quant_bins": ("4", "8"),
    "num_iteration_predict": ("-1", "1", "3"),
    "num_leaves": ("2", "4", "31"),
    "num_threads": ("1", "2"),
    "objective": (
        *("None", "'regression'", "'regression_l1'", "'huber'", "'fair'", "'poisson'"),
        *("'quantile'", "'mape'", "'gamma'", "'tweedie'", "'binary'", "'multiclass'"),
        *("'multiclassova'", "'cross_entropy'", "'cross_entropy_lambda'", "own.squared"),
    ),
    "objective_seed": SEEDS,
    "other_rate": ("0.1", "0.3"),
    "path_smooth": ("0.0", "1.0"),
    "poisson_max_delta_step": ("0.7", "0.1"),
    "pos_bagging_fraction": SHARES,
    "pred_early_stop": FLAGS,
    "pred_early_stop_freq": ("1", "10"),
    "pred_early_stop_margin": ("0.1", "10.0"),
    "predict_contrib": FLAGS,
    "predict_disable_shape_check": FLAGS,
    "predict_leaf_index": FLAGS,
    "predict_raw_score": FLAGS,
    "quant_train_renew_leaf": FLAGS,
    "reg_sqrt": FLAGS,
    "saved_feature_importance_type": ("0", "1"),
    "scale_pos_weight": ("1.0", "3.0"),
    "seed": ("0", "3", "None", "np.random.RandomState(3)"),
    "sigmoid": ("1.0", "0.5"),
    "skip_drop": ("0.0", "0.5", "1.0"),
    "start_iteration_predict": ("0", "1", "2"),
    "stochastic_rounding": FLAGS,
    "time_out": ("120",),
    "top_k": ("1", "20"),
    "top_rate": ("0.2", "0.5"),
    "tree_learner": ("'serial'", "'feature'"),
    "tweedie_variance_power": ("1.1", "1.9"),
    "uniform_drop": FLAGS,
    "use_missing": FLAGS,
    "use_quantized_grad": FLAGS,
    "verbosity": ("-1",),
    "xgboost_dart_mode": FLAGS,
    "zero_as_missing": FLAGS,
}
"""LightGBM's parameters under their first names."""
LIGHTGBM_LEFT_OUT = frozenset(
    {
        # The count is what cases vary; ranking, files, networks and GPUs are not.
        *("num_iterations", "auc_mu_weights", "eval_at", "label_gain", "lambdarank_norm"),
        *("lambdarank_position_bias_regularization", "lambdarank_truncation_level"),
        *("config", "convert_model", "convert_model_language", "data", "forcedbins_filename"),
        *("forcedsplits_filename", "group_column", "header", "input_model", "label_column"),
        *("output_model", "output_result", "parser_config_file", "pre_partition"),
        *("precise_float_parser", "refit_decay_rate", "save_binary", "snapshot_freq", "task"),
        *("two_round", "valid", "weight_column", "machine_list_filename", "machines"),
        *("num_machines", "local_listen_port", "device_type", "gpu_device_id"),
        *("gpu_device_id_list", "gpu_platform_id", "gpu_use_dp", "num_gpu"),
    }
)
LIGHTGBM_OWN: dict[str, Values] = {
    "boosting_type": LIGHTGBM["boosting"],
    "class_weight": ("None", "'balanced'", "{0: 2.0, 1: 1.0}"),
    "importance_type": ("'split'", "'gain'"),
}
"""Those of its scikit-learn estimators besides."""


@cache
def lightgbm_names() -> dict[str, Values]:
    """Every name and alias -> values, from the library's own table."""
    from lightgbm.basic import _ConfigAliases

    table = _ConfigAliases._get_all_param_aliases()
    found = {alias: LIGHTGBM[n] for n, known in table.items() if n in LIGHTGBM for alias in known}
    return {n: v for n, v in {**found, **LIGHTGBM_OWN}.items() if re.fullmatch(r"\w+", n)}


# -- XGBoost -------------------------------------------------------------------------------------

XGBOOST: dict[str, Values] = {
    "max_depth": ("1", "2", "4", "0"),
    "max_leaves": ("0", "3"),
    "max_bin": ("4", "64", "256"),
    "grow_policy": ("'depthwise'", "'lossguide'"),
    "learning_rate": ("0.1", "0.3", "1.0"),
    "verbosity": ("0",),
    "objective": (
        *("'reg:squarederror'", "'reg:absoluteerror'", "'reg:pseudohubererror'"),
        *("'reg:squaredlogerror'", "'reg:quantileerror'", "'count:poisson'", "'reg:gamma'"),
        *("'reg:tweedie'", "'binary:logistic'", "'binary:logitraw'", "'binary:hinge'"),
        *("'multi:softprob'", "'multi:softmax'", "'reg:logistic'", "own.squared"),
    ),
    "booster": ("'gbtree'", "'dart'", "'gblinear'"),
    "tree_method": ("'auto'", "'hist'", "'exact'", "'approx'"),
    "n_jobs": ("1", "2"),
    "gamma": ("0.0", "0.1", "1.0"),
    "min_child_weight": ("0.0", "1.0", "5.0"),
    "max_delta_step": ("0.0", "1.0"),
    "subsample": SHARES,
    "sampling_method": ("'uniform'",),
    "colsample_bytree": SHARES,
    "colsample_bylevel": SHARES,
    "colsample_bynode": SHARES,
    "reg_alpha": ("0.0", "0.1", "1.0"),
    "reg_lambda": ("0.0", "0.1", "1.0"),
    "scale_pos_weight": ("1.0", "3.0"),
    "base_score": ("0.5", "0.1", "None"),
    "random_state": ("0", "3", "None", "np.random.RandomState(3)"),
    "missing": ("np.nan", "0.0"),
    "num_parallel_tree": ("1", "2", "3"),
    "monotone_constraints": ("'(1,-1)'", "{'c0': 1}"),
    "interaction_constraints": ("'[[0, 1]]'",),
    "importance_type": ("'gain'", "'weight'"),
    "device": ("None", "'cpu'"),
    "validate_parameters": FLAGS,
    "enable_categorical": FLAGS,
    "feature_types": ("None", "['q', 'q']"),
    "feature_weights": ("None",),
    "max_cat_to_onehot": ("1", "4"),
    "max_cat_threshold": ("2", "64"),
    "multi_strategy": ("'one_output_per_tree'", "'multi_output_tree'"),
    "eval_metric": ("'logloss'", "'rmse'", "['auc', 'error']", "None"),
    "early_stopping_rounds": ("None", "1", "3"),
    "callbacks": ("None", "[]", "[xgb.callback.LearningRateScheduler(lambda n: 1 / (n + 1))]"),
    "kwargs": (),
}
XGBOOST_MORE: dict[str, Values] = {
    "eta": XGBOOST["learning_rate"],
    "lambda": (),
    "alpha": XGBOOST["reg_alpha"],
    "min_split_loss": XGBOOST["gamma"],
    "rate_drop": ("0.1", "0.5"),
    "one_drop": ("0", "1"),
    "skip_drop": ("0.0", "0.5"),
    "sample_type": ("'uniform'", "'weighted'"),
    "normalize_type": ("'tree'", "'forest'"),
    "process_type": ("'default'",),
    "refresh_leaf": ("0", "1"),
    "updater": ("'grow_colmaker'", "'grow_quantile_histmaker'", "'grow_colmaker,prune'"),
    "seed": SEEDS,
    "seed_per_iteration": FLAGS,
    "nthread": ("1", "2"),
    "num_boost_round": ("2", "5"),
    "n_iter": ("3",),
    "quantile_alpha": ("0.5", "0.9"),
    "tweedie_variance_power": ("1.1", "1.9"),
    "huber_slope": ("1.0", "0.5"),
    "disable_default_eval_metric": FLAGS,
    "max_cached_hist_node": ("64",),
    "extmem_single_page": FLAGS,
    "one_hot_max_size": ("2",),
    "updater_seq": ("''",),
    "num_class": ("2", "3"),
    "feature_selector": ("'cyclic'", "'shuffle'"),
}
"""What is passed on through ``**kwargs``: native names, and others that nobody knows."""


# -- CatBoost ------------------------------------------------------------------------------------

CATBOOST: dict[str, Values] = {
    "learning_rate": ("0.1", "0.3", "1.0"),
    "depth": ("1", "2", "4"),
    "l2_leaf_reg": ("0.5", "3.0"),
    "model_size_reg": ("0.5",),
    "rsm": SHARES,
    "loss_function": (
        *("'RMSE'", "'MAE'", "'Quantile:alpha=0.3'", "'Poisson'", "'Huber:delta=1.0'"),
        *("'Expectile:alpha=0.3'", "'Lq:q=3'", "'Logloss'", "'CrossEntropy'", "'MultiClass'"),
        *("'MultiClassOneVsAll'", "'LogCosh'", "'Tweedie:variance_power=1.5'", "'MAPE'"),
    ),
    "border_count": ("4", "32", "254"),
    "feature_border_type": ("'GreedyLogSum'", "'Median'", "'Uniform'", "'MinEntropy'"),
    "per_float_feature_quantization": ("['0:border_count=10']",),
    "fold_permutation_block": ("1", "4"),
    "od_pval": ("0.0", "0.01"),
    "od_wait": ("1", "3"),
    "od_type": ("'IncToDec'", "'Iter'"),
    "nan_mode": ("'Min'", "'Max'", "'Forbidden'"),
    "counter_calc_method": ("'Full'", "'SkipTest'"),
    "leaf_estimation_iterations": ("1", "3"),
    "leaf_estimation_method": ("'Newton'", "'Gradient'", "'Exact'", "'Simple'"),
    "thread_count": ("1", "2"),
    "random_seed": SEEDS,
    "use_best_model": FLAGS,
    "best_model_min_trees": ("1", "3"),
    "verbose": ("0", "False"),
    "silent": ("True",),
    "logging_level": ("'Silent'",),
    "metric_period": ("1", "3"),
    "ctr_leaf_count_limit": ("4",),
    "store_all_simple_ctr": FLAGS,
    "max_ctr_complexity": ("1", "4"),
    "has_time": FLAGS,
    "allow_const_label": FLAGS,
    "target_border": ("0.5",),
    "classes_count": ("2", "3"),
    "class_weights": ("[1.0, 3.0]", "[1.0, 2.0, 3.0]", "{0: 1.0, 1: 3.0}"),
    "auto_class_weights": ("'Balanced'", "'SqrtBalanced'"),
    "class_names": ("[0, 1]", "['no', 'yes']"),
    "one_hot_max_size": ("2", "10"),
    "random_strength": ("0.0", "1.0", "3.0"),
    "random_score_type": ("'NormalWithModelSizeDecrease'", "'Gumbel'"),
    "name": ("'run'",),
    "ignored_features": ("[0]",),
    "custom_loss": ("['RMSE']", "['AUC']"),
    "custom_metric": ("['RMSE']", "['AUC']"),
    "eval_metric": ("'RMSE'", "'AUC'", "'Accuracy'"),
    "bagging_temperature": ("0.0", "1.0"),
    "fold_len_multiplier": ("1.5", "2.0"),
    "final_ctr_computation_mode": ("'Default'", "'Skip'"),
    "approx_on_full_history": FLAGS,
    "boosting_type": ("'Ordered'", "'Plain'"),
    "simple_ctr": ("['Borders']", "['Counter']"),
    "combinations_ctr": ("['Borders']",),
    "per_feature_ctr": ("['0:Borders']",),
    "ctr_target_border_count": ("1", "3"),
    "task_type": ("'CPU'",),
    "bootstrap_type": ("'Bayesian'", "'Bernoulli'", "'MVS'", "'No'"),
    "subsample": SHARES,
    "mvs_reg": ("0.5",),
    "sampling_unit": ("'Object'", "'Group'"),
    "sampling_frequency": ("'PerTree'", "'PerTreeLevel'"),
    "dev_score_calc_obj_block_size": ("10",),
    "dev_efb_max_buckets": ("16",),
    "sparse_features_conflict_fraction": ("0.1",),
    "grow_policy": ("'SymmetricTree'", "'Depthwise'", "'Lossguide'"),
    "min_data_in_leaf": ("1", "5"),
    "max_leaves": ("4", "31"),
    "score_function": ("'Cosine'", "'L2'", "'NewtonL2'", "'NewtonCosine'"),
    "leaf_estimation_backtracking": ("'No'", "'AnyImprovement'", "'Armijo'"),
    "ctr_history_unit": ("'Sample'",),
    "monotone_constraints": ("[1, 0]", "'(1,-1)'"),
    "feature_weights": ("[1.0, 0.5]",),
    "penalties_coefficient": ("1.0", "0.5"),
    "first_feature_use_penalties": ("[0.1, 0.0]",),
    "per_object_feature_penalties": ("[0.1, 0.0]",),
    "model_shrink_rate": ("0.0", "0.1", "0.5"),
    "model_shrink_mode": ("'Constant'", "'Decreasing'"),
    "langevin": FLAGS,
    "diffusion_temperature": ("1.0", "1000.0"),
    "posterior_sampling": FLAGS,
    "boost_from_average": FLAGS,
    "cat_features": ("[0]", "['c0']"),
    "callback": (),
    "eval_fraction": ("0.2", "0.4"),
    "fixed_binary_splits": ("[0]",),
    "early_stopping_rounds": ("1", "3"),
    "scale_pos_weight": ("1.0", "3.0"),
    "allow_writing_files": (),
    "metadata": ("{'a': 'b'}",),
}
CATBOOST_SYNONYMS = {
    "max_depth": "depth",
    "colsample_bylevel": "rsm",
    "random_state": "random_seed",
    "reg_lambda": "l2_leaf_reg",
    "objective": "loss_function",
    "eta": "learning_rate",
    "max_bin": "border_count",
    "min_child_samples": "min_data_in_leaf",
    "num_leaves": "max_leaves",
}
CATBOOST_LEFT_OUT = frozenset(
    {
        # The count is what cases vary; files, GPUs, texts and embeddings are not.
        *("iterations", "n_estimators", "num_boost_round", "num_trees"),
        *("input_borders", "output_borders", "train_dir", "save_snapshot", "snapshot_file"),
        *("snapshot_interval", "used_ram_limit", "gpu_ram_part", "pinned_memory_size"),
        *("device_config", "devices", "gpu_cat_features_storage", "data_partition"),
        *("text_features", "tokenizers", "dictionaries", "feature_calcers", "text_processing"),
        *("embedding_features", "ctr_description"),
    }
)


@cache
def catboost_names() -> dict[str, Values]:
    """Every name and synonym -> values."""
    more = {synonym: CATBOOST[name] for synonym, name in CATBOOST_SYNONYMS.items()}
    return {name: values for name, values in {**CATBOOST, **more}.items() if values}


@cache
def xgboost_names() -> dict[str, Values]:
    """Every name -> values."""
    return {name: values for name, values in {**XGBOOST, **XGBOOST_MORE}.items() if values}
