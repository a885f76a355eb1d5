"""Names that results have in other libraries, and what has taken their place here."""

from collections.abc import Sequence

from tunesmith.errors import did_you_mean

BEST, SCORE = "`best_params` has the winner's parameters.", "`best_score` is the winner's mean."
FITTED = "`best_estimator()` fits the winner on all rows, and returns it as scikit-learn has it."
MODELS = (
    f"{FITTED} `model()` averages the winner's fold models; `tunesmith model` writes a model of a"
    " configured study."
)
TABLE = "`trials` has all trials as a table, `cv_results_` as scikit-learn has them."
WINNER = "`summary.chosen` is the winner: its number, params, means and fold scores."
_DIRECTION = "`summary.metric` has the name and the direction of the first metric."
_FIGURES = "`figures` draws: `figures.history`, `figures.importance`, `figures.parallel` and so on."
_REPORT = "`report()` has all of it as a text, and `report().save(path)` writes it."
NAMES: dict[str, str] = {
    **dict.fromkeys(("best_params_", "best_parameters", "best_config", "params"), BEST),
    **dict.fromkeys(("parameters", "best_hyperparameters", "best_point", "x"), BEST),
    **dict.fromkeys(("best_score_", "best_value", "best_values", "best_loss", "fun"), SCORE),
    **dict.fromkeys(("value", "best_metric", "best_result"), SCORE),
    **dict.fromkeys(("best_estimator_", "estimator_", "estimator", "fit", "refit"), FITTED),
    **dict.fromkeys(("best_model", "best_model_", "get_best_model", "model_", "models"), MODELS),
    **dict.fromkeys(("best_pipeline", "best_pipeline_"), MODELS),
    **dict.fromkeys(("best_trial", "best_index_", "best_index", "best"), WINNER),
    "best_trials": "`summary.front` has the trials of the Pareto front.",
    **dict.fromkeys(("trials_dataframe", "get_trials", "cv_results", "results"), TABLE),
    **dict.fromkeys(("results_", "dataframe", "df", "to_dataframe", "get_dataframe"), TABLE),
    **dict.fromkeys(("to_csv", "leaderboard", "history", "history_"), TABLE),
    "study": "`record` is the study as it is in the ledger, `ledger` its place.",
    **dict.fromkeys(("direction", "directions", "metric", "scorer_", "scoring"), _DIRECTION),
    **dict.fromkeys(("plot", "show", "importance", "importances", "param_importances"), _FIGURES),
    **dict.fromkeys(("save", "to_html", "to_json", "to_markdown", "verdict"), _REPORT),
    "n_trials": "`summary.n_trials` is the number of trials that have ended.",
    "n_splits_": "`summary.n_folds` is the number of folds.",
}
"""Name -> sentences on what to use here."""
OF_ESTIMATORS = (
    *("predict", "predict_proba", "predict_log_proba", "decision_function", "score"),
    *("transform", "inverse_transform", "fit_predict", "fit_transform", "score_samples"),
    *("classes_", "feature_names_in_", "n_features_in_", "feature_importances_", "coef_"),
)
"""Names that a fitted estimator has."""


def hint(name: str, known: Sequence[str]) -> str:
    """Return what to use in place of a name that a result lacks.

    Args:
        name: that was asked for.
        known: public names of a result.
    """
    if name in OF_ESTIMATORS:
        return f"It is no estimator: {FITTED} Use `result.best_estimator().{name}`."
    return NAMES.get(name) or did_you_mean(name, known)
