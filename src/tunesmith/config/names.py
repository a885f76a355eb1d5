"""Usual names of configurations, and the names that keys have in other tools."""

CONFIG_NAMES = (
    "tuning.yaml",
    "tuning.yml",
    "tuning.json",
    "tuning.toml",
    "config/tuning_config.json",
    "config/tuning_config.yaml",
    "config/tuning.yaml",
)
"""If you name none, the first of these that exists is used, relative to the current folder."""

_PARALLEL, _TRIALS, _SPACE = ("execution.workers",), ("stop.trials",), ("space",)
_FOLDS, _TIME = ("objective.cv.folds",), ("stop.time",)
ELSEWHERE: dict[str, tuple[str, ...]] = {
    "timeout": ("execution.fit_timeout", *_TIME),
    "fit_time_limit": ("execution.fit_timeout",),
    **dict.fromkeys(("time_limit", "max_time", "time_budget", "time_budget_s"), _TIME),
    **dict.fromkeys(("n_jobs", "jobs", "n_workers", "num_workers", "max_workers"), _PARALLEL),
    **dict.fromkeys(("n_trials", "max_trials", "max_evals", "n_iter", "n_calls"), _TRIALS),
    **dict.fromkeys(("num_trials", "num_samples", "count"), _TRIALS),
    **dict.fromkeys(("param_grid", "param_distributions", "param_space", "parameters"), _SPACE),
    **dict.fromkeys(("search_space", "search_spaces", "hyperparameters"), _SPACE),
    **dict.fromkeys(("n_splits", "n_folds", "k_folds", "num_folds"), _FOLDS),
    **dict.fromkeys(("scoring", "metrics", "directions"), ("objective.metric",)),
    **dict.fromkeys(("storage", "database", "db"), ("ledger",)),
    **dict.fromkeys(("pruner", "scheduler"), ("search.race", "budget")),
    **dict.fromkeys(("model", "classifier", "regressor"), ("objective.estimator",)),
    **dict.fromkeys(("script", "program", "cmd"), ("objective.command",)),
    **dict.fromkeys(("dataset", "csv"), ("objective.data",)),
    # Keys of ours with a name that several sections have, or that resembles another key.
    "seed": ("search.seed",),
    "random_seed": ("search.seed",),
    "workers": _PARALLEL,
    "trials": _TRIALS,
    "space": _SPACE,
    "pipeline": ("objective.steps",),
    "algorithm": ("search.method",),
}
"""Name of a key, mostly in other tools -> the keys that it may mean here, with their sections."""
