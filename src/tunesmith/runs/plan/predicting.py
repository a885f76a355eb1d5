"""Forecast of the out-of-fold predictions that a run writes."""

from tunesmith.config.model import Definition
from tunesmith.runs.models.keeping import n_kept_answers


def plan_predictions(study: Definition, n_folds: int | None) -> str:
    """Return a sentence on the predictions, and on the fits that they may need.

    Args:
        study: its definition.
        n_folds: folds of the search, if that is known.

    Returns:
        An empty text if no predictions are asked for.
    """
    wanted = study.file.outputs.predictions
    if wanted is None:
        return ""
    whose = "the winner" if wanted.trials == 1 else f"the best {wanted.trials} trials"
    n_best = n_kept_answers(study)
    is_program = study.file.objective.is_program
    kept = "files" if is_program else "answers"
    verb = "run" if is_program else "fitted"
    most = "" if n_folds is None else f" (at most {wanted.trials * n_folds:,} times)"
    return (
        f"{wanted.path}, of {whose}; the {kept} of the best {n_best} trials are kept meanwhile, and"
        f" what is missing is {verb} again after the search{most}"
    )
