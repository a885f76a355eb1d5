"""The kinds of estimators that are drawn, each with what it may be given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from hunts import values
from hunts.case import namespace
from hunts.data import BINARY, SEVERAL

KNOWN = namespace()
COUNTS = ("1", "2", "3", "4", "5", "7", "8", "10", "12")
WEIGHTS = {"sample_weight": "w"}
CLASSES = (BINARY, SEVERAL)


@dataclass(frozen=True)
class Kind:
    """Estimators that share fits in one way, or none."""

    classifiers: tuple[str, ...]
    regressors: tuple[str, ...]
    along: Mapping[str, tuple[str, ...]]
    """The parameters whose values come free with one fit -> values to draw from."""
    tame: tuple[str, ...] = ()
    """Parameters that users set and that mostly leave sharing alone."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Set always, so that cases are small and silent."""
    usual: Mapping[str, str] = field(default_factory=dict)
    """Set where nothing else is drawn, so that something happens on so few rows."""
    table: Any = None
    """Function that gives every name with its values; scikit-learn's constraints by default."""
    fit: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Arguments of ``fit`` besides weights."""
    may_gap: bool = False
    """Whether it takes missing values."""
    is_weighted: bool = True

    def classes(self, task: str) -> tuple[str, ...]:
        """Its classes for a task."""
        return self.classifiers if task in CLASSES else self.regressors

    def names(self, name: str) -> list[str]:
        """Every parameter of one of its classes, but those that are fixed or varied."""
        known = self.table() if self.table else values.constraints(cls(name))
        return [other for other in known if other not in self.fixed and other not in self.along]

    def value(self, random: Random, name: str, parameter: str) -> str:
        """A value of a parameter, as text."""
        if self.table:
            table: Mapping[str, tuple[str, ...]] = self.table()
            return random.choice(table[parameter])
        return values.draw_value(random, cls(name), parameter)


def cls(name: str) -> Any:
    """The class behind a name in programs."""
    return eval(name, dict(KNOWN))  # noqa: S307 - the names are ours


EVAL_SETS = {
    "eval_set": ("[(X[:12], y[:12])]", "[(X, y)]"),
}
TREES = (
    *("max_depth", "min_samples_split", "min_samples_leaf", "max_features", "criterion"),
    *("min_weight_fraction_leaf", "min_impurity_decrease", "random_state"),
)
KINDS: dict[str, Kind] = {
    "forest": Kind(
        ("RandomForestClassifier", "ExtraTreesClassifier"),
        ("RandomForestRegressor", "ExtraTreesRegressor"),
        {"n_estimators": COUNTS, "max_leaf_nodes": ("2", "3", "4", "6", "9")},
        (*TREES, "bootstrap", "class_weight", "max_samples", "monotonic_cst"),
        {"n_estimators": "4"},
        usual={"random_state": "0"},
        may_gap=True,
    ),
    "trees": Kind(
        ("DecisionTreeClassifier", "ExtraTreeClassifier", "RandomForestClassifier"),
        ("DecisionTreeRegressor", "ExtraTreeRegressor", "ExtraTreesRegressor"),
        {
            "max_leaf_nodes": ("2", "3", "4", "6", "9", "20"),
            "ccp_alpha": ("0.0", "0.001", "0.01", "0.05", "0.2"),
        },
        (*TREES, "class_weight", "splitter", "monotonic_cst"),
        {"n_estimators": "3"},
        usual={"random_state": "0"},
        fit={"check_input": ("True",)},
        may_gap=True,
    ),
    "bagging": Kind(
        ("BaggingClassifier",),
        ("BaggingRegressor",),
        {"n_estimators": COUNTS[:4]},
        ("max_samples", "max_features", "bootstrap", "bootstrap_features", "estimator"),
        {"n_estimators": "4"},
        usual={"random_state": "0"},
    ),
    "gradient boosting": Kind(
        ("GradientBoostingClassifier",),
        ("GradientBoostingRegressor",),
        {"n_estimators": COUNTS},
        (
            *(*TREES, "learning_rate", "subsample", "loss", "n_iter_no_change"),
            *("validation_fraction", "tol", "max_leaf_nodes", "alpha"),
        ),
        {"n_estimators": "6"},
        usual={"random_state": "0"},
        fit={"monitor": ("own.stop_after(2)", "own.stop_halfway", "None")},
    ),
    "histograms": Kind(
        ("HistGradientBoostingClassifier",),
        ("HistGradientBoostingRegressor",),
        {"max_iter": COUNTS},
        (
            *("learning_rate", "max_leaf_nodes", "max_depth", "min_samples_leaf", "max_bins"),
            *("l2_regularization", "max_features", "loss", "scoring", "n_iter_no_change"),
            *("monotonic_cst", "categorical_features", "class_weight", "tol"),
        ),
        {"max_iter": "6"},
        usual={"random_state": "0", "early_stopping": "False", "min_samples_leaf": "3"},
        fit={"X_val": ("X[:12]",), "y_val": ("y[:12]",)},
        may_gap=True,
    ),
    "adaboost": Kind(
        ("AdaBoostClassifier",),
        ("AdaBoostRegressor",),
        {"n_estimators": COUNTS},
        ("learning_rate", "loss", "estimator"),
        {"n_estimators": "5"},
        usual={"random_state": "0"},
    ),
    "neighbours": Kind(
        ("KNeighborsClassifier",),
        ("KNeighborsRegressor", "own.Nearest"),
        {"n_neighbors": ("1", "2", "3", "5", "6", "9", "14", "20")},
        ("weights", "algorithm", "leaf_size", "p", "metric", "metric_params"),
        is_weighted=False,
    ),
    "ridge": Kind(
        ("RidgeClassifier",),
        ("Ridge",),
        {"alpha": ("0.0", "1e-8", "0.1", "1.0", "10", "100.0", "1e6")},
        ("fit_intercept", "solver", "class_weight", "copy_X", "tol", "max_iter"),
    ),
    "xgboost": Kind(
        ("xgb.XGBClassifier",),
        ("xgb.XGBRegressor",),
        {"n_estimators": COUNTS},
        (
            *("max_depth", "max_leaves", "max_bin", "grow_policy", "learning_rate", "gamma"),
            *("min_child_weight", "subsample", "colsample_bytree", "colsample_bynode"),
            *("reg_alpha", "reg_lambda", "scale_pos_weight", "base_score", "tree_method"),
            *("num_parallel_tree", "objective", "random_state", "max_delta_step", "missing"),
        ),
        {"n_jobs": "1", "n_estimators": "5"},
        table=values.xgboost_names,
        fit={
            **EVAL_SETS,
            "verbose": ("False",),
            "base_margin": ("np.zeros(len(y))", "draw.normal(size=len(y))"),
            "feature_weights": ("np.arange(X.shape[1]) + 1",),
            "sample_weight_eval_set": ("[w[:12]]",),
        },
        may_gap=True,
    ),
    "lightgbm": Kind(
        ("lgb.LGBMClassifier",),
        ("lgb.LGBMRegressor",),
        {"n_estimators": COUNTS},
        (
            *("boosting_type", "num_leaves", "max_depth", "learning_rate", "min_child_samples"),
            *("min_child_weight", "subsample", "subsample_freq", "colsample_bytree"),
            *("reg_alpha", "reg_lambda", "class_weight", "min_split_gain", "random_state"),
            *("objective", "extra_trees", "max_bin", "path_smooth", "boosting", "boost"),
        ),
        {"n_jobs": "1", "verbose": "-1", "n_estimators": "5"},
        usual={"min_child_samples": "2"},
        table=values.lightgbm_names,
        fit={
            **EVAL_SETS,
            "callbacks": (
                "[lgb.early_stopping(2, verbose=False)]",
                "[lgb.reset_parameter(learning_rate=[0.5] * 40)]",
                "[lgb.reset_parameter(learning_rate=lambda n: 0.9**n)]",
                "[lgb.record_evaluation({})]",
                "[own.falling_rate]",
                "[]",
            ),
            "eval_metric": ("'l1'", "'auc'"),
            "init_score": ("np.zeros(len(y))", "draw.normal(size=len(y))"),
            "feature_name": ("'auto'",),
            "categorical_feature": ("'auto'", "[0]"),
            "eval_sample_weight": ("[w[:12]]",),
        },
        may_gap=True,
    ),
    "catboost": Kind(
        ("cb.CatBoostClassifier",),
        ("cb.CatBoostRegressor",),
        {
            "iterations": (*COUNTS, "15", "20"),
            "n_estimators": COUNTS,
            "num_trees": COUNTS,
            "num_boost_round": COUNTS,
        },
        (
            *("depth", "max_depth", "l2_leaf_reg", "reg_lambda", "random_seed", "random_state"),
            *("bootstrap_type", "subsample", "rsm", "border_count", "loss_function", "objective"),
            *("boosting_type", "random_strength", "leaf_estimation_iterations", "score_function"),
            *("leaf_estimation_method", "auto_class_weights", "nan_mode", "has_time"),
        ),
        {
            "verbose": "0",
            "allow_writing_files": "False",
            "thread_count": "1",
            "iterations": "6",
        },
        usual={"learning_rate": "0.3"},
        table=values.catboost_names,
        fit={
            "eval_set": ("(X[:12], y[:12])", "[(X, y)]"),
            "use_best_model": ("True", "False"),
            "early_stopping_rounds": ("1", "3"),
            "cat_features": ("[0]",),
            "baseline": ("np.zeros(len(y))",),
            "metric_period": ("1",),
        },
        may_gap=True,
    ),
    "pipeline": Kind(
        ("SVC", "LogisticRegression", "RandomForestClassifier", "KNeighborsClassifier"),
        ("SVR", "Ridge", "RandomForestRegressor", "Lasso"),
        {},
        fixed={"max_iter": "30", "n_estimators": "3"},
        usual={"random_state": "0"},
        is_weighted=False,
    ),
    "others": Kind(
        (
            *("SVC", "LogisticRegression", "GaussianNB", "LinearDiscriminantAnalysis"),
            *("own.Forest", "own.Majority", "SGDClassifier", "DummyClassifier"),
        ),
        (
            *("SVR", "Lasso", "ElasticNet", "LinearRegression", "own.Boosting", "own.Scaled"),
            "DummyRegressor",
        ),
        {"alpha": ("30.0", "10.0", "3.0", "1.0")},
        fixed={"max_iter": "20", "n_estimators": "3"},
    ),
}
"""Family -> its kind."""
TRANSFORMERS: dict[str, Mapping[str, tuple[str, ...]]] = {
    "PCA": {"n_components": ("1", "2", "3", "0.9", "None"), "whiten": ("True", "False")},
    "SelectKBest": {"k": ("1", "2", "3", "'all'")},
    "SelectPercentile": {"percentile": ("20", "50", "100")},
    "SelectFromModel": {"threshold": ("'mean'", "'median'", "0.1"), "max_features": ("1", "2")},
    "StandardScaler": {"with_mean": ("True", "False"), "with_std": ("True", "False")},
    "MinMaxScaler": {"clip": ("True", "False")},
    "PolynomialFeatures": {"degree": ("1", "2")},
    "TruncatedSVD": {"n_components": ("1", "2")},
    "SimpleImputer": {"strategy": ("'mean'", "'median'")},
    "own.Doubling": {"factor": ("1.0", "3.0")},
    "QuantileTransformer": {"n_quantiles": ("5", "10")},
    "KBinsDiscretizer": {"n_bins": ("2", "4")},
}
"""Steps of pipelines -> what cases vary in them."""
PLAIN_STEPS: dict[str, Mapping[str, str]] = {
    "PCA": {"random_state": "0", "svd_solver": "'full'"},
    "SelectFromModel": {},
    "TruncatedSVD": {"random_state": "0"},
    "QuantileTransformer": {"n_quantiles": "8", "random_state": "0"},
    "KBinsDiscretizer": {"encode": "'ordinal'", "random_state": "0"},
}
