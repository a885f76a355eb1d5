"""One small fit before any worker starts, to find mistakes that no check of names can find."""

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tunesmith.data.table import Rows
from tunesmith.errors import DataError, UsageError
from tunesmith.objective.estimator import EstimatorBuilder
from tunesmith.objective.failure import BadScoreError, failure_of
from tunesmith.objective.metric import Scorers
from tunesmith.space import Box, SearchSpace
from tunesmith.system.interruptions import is_ours
from tunesmith.system.user_output import held
from tunesmith.types import Params, Value

MAX_ROWS = 50
WITH_GAPS = 5
"""Number of rows with missing values in the sample, so that an estimator can refuse them."""


@dataclass(frozen=True)
class Symptom:
    """A message that means the same whatever the rows are."""

    pattern: str
    advice: str
    is_data: bool = False


FIT_SYMPTOMS = (
    Symptom(
        r"could not convert string to float|Unable to convert array of bytes|"
        r"pandas dtypes must be int, float or bool",
        "Text must be encoded first: set `preprocess: auto`, or add an encoder to `steps`.",
        is_data=True,
    ),
    Symptom(
        r"contains NaN|contains missing values",
        "Fill them first: set `preprocess: auto`, or add an imputer to `steps`.",
        is_data=True,
    ),
    Symptom(r"contains infinity", "Replace infinite or huge values in the features.", is_data=True),
    Symptom(
        r"Unknown label type",
        "The target is continuous but the estimator is a classifier: use a regressor,"
        " or make classes.",
        is_data=True,
    ),
    Symptom(
        r"unexpected keyword argument '?sample_weight|does not support sample.?weight",
        "The estimator takes no sample weights: remove `data.weights`.",
    ),
)
SCORE_SYMPTOMS = (
    Symptom(
        r"attributes: predict\.",
        "The last step predicts nothing: end the pipeline with an estimator that does.",
    ),
    Symptom(
        r"predict_proba|decision_function|has none of the following attributes",
        "The estimator gives no probabilities: choose another metric, or make it give them.",
    ),
    Symptom(
        r"pos_label=\S+ is not a valid label",
        "Which class counts as positive? Write the target as 0 and 1, or use a metric that"
        " averages over classes, such as recall_macro.",
    ),
    Symptom(
        r"[Tt]arget is multiclass|multi_class must be in|multiclass format is not supported",
        "The target has more than two classes: use recall_macro, f1_weighted, roc_auc_ovr"
        " and the like.",
    ),
    Symptom(
        r"dtype='numeric' is not compatible|could not convert string to float|unsupported operand",
        "A metric of numbers cannot score classes that are words: use accuracy, f1_macro and the"
        " like, or a regressor.",
    ),
    Symptom(
        r"continuous is not supported|mix of .*continuous|continuous format is not supported",
        "A metric of classes cannot score a regressor: use r2, neg_mean_absolute_error and the"
        " like.",
    ),
    Symptom(r"required positional argument|unexpected keyword argument", "Check its arguments."),
)


def dry_run(
    builder: EstimatorBuilder, scorers: Scorers, rows: Rows, space: SearchSpace
) -> tuple[str, ...]:
    """Fit and score a small sample at two corners of every box of the space.

    Only a failure that would happen everywhere is an error: a message about the data as such or
    about the metric, at both corners. Any other failure of a tiny sample is left to the real folds.

    Returns:
        Notes.

    Raises:
        DataError: the estimator refuses the table.
        UsageError: a metric cannot score the estimator.
    """
    sample = rows.take(sample_rows(rows))
    for box in space:
        for choice in builder.choices_for(box):
            _check_box(builder, scorers, sample, box, choice)
    return ()


def _check_box(
    builder: EstimatorBuilder, scorers: Scorers, rows: Rows, box: Box, choice: str
) -> None:
    problem: UsageError | None = None
    for point in _corners(box, choice):
        problem = _try(builder, scorers, rows, point)
        # One corner that works is enough: extreme values may fail on so few rows.
        if problem is None:
            return
    if problem is not None:
        raise problem


def _corners(box: Box, choice: str) -> Iterable[Params]:
    """Params at two corners: all first values, which are usually cheap, and all last ones."""
    for unit in (0.0, 1.0 - 1e-9):
        params: dict[str, Value] = {}
        for name in box.order:
            if box.is_active(name, params):
                is_choice = bool(choice) and name == "estimator"
                params[name] = choice if is_choice else box.parameters[name].at(unit)
        yield params


def _try(
    builder: EstimatorBuilder, scorers: Scorers, rows: Rows, params: Params
) -> UsageError | None:
    with warnings.catch_warnings(), held():
        warnings.simplefilter("ignore")
        try:
            given = {} if rows.weights is None else {"sample_weight": rows.weights}
            fit_params = builder.fit_params(params, given)
            estimator = builder.build(params).fit(rows.X, rows.y, **fit_params)
        except BaseException as error:
            if is_ours(error):
                raise
            return _explained(error, FIT_SYMPTOMS, "objective")
        try:
            scorers(estimator, rows.X, rows.y)
        except BadScoreError as error:
            # Other bad scores, such as NaN, are common on a tiny sample.
            return UsageError(f"{error}") if error.kind == "type" else None
        except BaseException as error:
            if is_ours(error):
                raise
            return _explained(error, SCORE_SYMPTOMS, "metric")
    return None


def _explained(error: BaseException, symptoms: Iterable[Symptom], where: str) -> UsageError | None:
    message = failure_of(error).message
    for symptom in symptoms:
        if re.search(symptom.pattern, message):
            kind = DataError if symptom.is_data else UsageError
            return kind(f"{where}: {message.splitlines()[0]}\n  {symptom.advice}")
    return None


def sample_rows(rows: Rows) -> np.ndarray:
    """Up to 50 row numbers: some of every target value in turn, and a few with gaps."""
    order = np.argsort(_rank_within_value(rows.y), kind="stable")
    gaps = np.flatnonzero(rows.X.isna().to_numpy().any(axis=1))[:WITH_GAPS]
    first = order[: MAX_ROWS - len(gaps)]
    return np.unique(np.concatenate([first, gaps]))


def _rank_within_value(values: np.ndarray) -> np.ndarray:
    """Count for each row the earlier rows with the same value."""
    import pandas as pd

    series = pd.Series(values)
    return np.asarray(series.groupby(series, sort=False).cumcount())
