"""Tables of out-of-fold predictions: what each fold's model said of rows that it had not seen."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tunesmith.models.answers import FoldAnswers
from tunesmith.models.material import Material
from tunesmith.models.prediction_files import PLACE, read_predictions
from tunesmith.types import Params

if TYPE_CHECKING:
    import pandas as pd

PROBABILITY, DECISION = "probability", "decision"


def predictions_of(
    material: Material, trials: Mapping[int, Params], beside: Mapping[str, Any] | None = None
) -> "pd.DataFrame":
    """Return one row per trial, fold and test row, with the fold model's own answers.

    Args:
        material: fold models of the study.
        trials: params by the number of the trial.
        beside: further columns, with a value for every row of the study (groups, row numbers).

    Returns:
        Columns ``trial``, ``row`` (place among the rows of the study, from 0), ``fold``, those of
        ``beside``, ``target``, ``prediction``, and of classifiers ``probability_<class>`` and
        ``decision`` or ``decision_<class>``, in the order of trials and folds.
    """
    import pandas as pd

    parts = [
        _part(material, number, params, fold, beside or {})
        for number, params in trials.items()
        for fold in material.folds
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(PLACE))


def parts_of(
    material: Material, number: int, params: Params, beside: Mapping[str, Any]
) -> "Iterator[pd.DataFrame]":
    """Yield the same table of one trial fold by fold, so that one fold is in memory at a time.

    Args:
        material: fold models of the study.
        number: of the trial.
        params: of the trial.
        beside: further columns, with a value for every row of the study.
    """
    for fold in material.folds:
        yield _part(material, number, params, fold, beside)
        material.release(params, fold)


def _part(
    material: Material, number: int, params: Params, fold: int, beside: Mapping[str, Any]
) -> "pd.DataFrame":
    import pandas as pd

    answers, rows = material.answers_on(params, fold), material.rows(fold)
    # A row may be in the test rows of several folds, or of none.
    places = np.asarray(rows.numbers)
    columns: dict[str, Any] = {"trial": number, "row": places, "fold": fold}
    columns |= {name: np.asarray(values)[places] for name, values in beside.items()}
    return pd.DataFrame(columns | _targets(rows.y) | _columns(answers))


def _targets(y: Any) -> dict[str, Any]:
    return {} if y is None else _spread("target", np.asarray(y))


def _columns(answers: FoldAnswers) -> dict[str, Any]:
    columns = _spread("prediction", np.asarray(answers.values["predict"]))
    labels = None if answers.classes is None else [str(one) for one in answers.classes.tolist()]
    if "predict_proba" in answers.values:
        columns |= _spread(PROBABILITY, answers.values["predict_proba"], labels)
    if "decision_function" in answers.values:
        columns |= _spread(DECISION, answers.values["decision_function"], labels)
    return columns


def _spread(name: str, values: Any, labels: Sequence[str] | None = None) -> dict[str, Any]:
    """Return one column, or one for each column of the values."""
    array = np.asarray(values)
    if array.ndim == 1:
        return {name: array}
    n = array.shape[1]
    suffixes = labels if labels is not None and len(labels) == n else list(map(str, range(n)))
    return {f"{name}_{suffix}": array[:, place] for place, suffix in enumerate(suffixes)}


def per_row(predictions: "pd.DataFrame | str | Path") -> "pd.DataFrame":
    """Average out-of-fold predictions per row of the study, over repeats and random splits.

    Args:
        predictions: a table of out-of-fold predictions, or the file with it that a run has written.

    Returns:
        One row per trial and row that was predicted, with ``n_predictions`` instead of ``fold``.
        Numbers are means. The class is the one with the highest mean probability; without
        probabilities the most frequent one, the first of equals.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"trial": 0, "row": [3, 3], "fold": [0, 5], "prediction": [1.0, 2.0]})
    >>> per_row(table)
       trial  row  n_predictions  prediction
    0      0    3              2         1.5
    """
    if isinstance(predictions, str | Path):
        predictions = read_predictions(Path(predictions))
    keys = ["trial", "row"]
    groups = predictions.groupby(keys, sort=True)
    answers = [name for name in predictions.columns if _is_answer(name)]
    others = [name for name in predictions.columns if name not in (*PLACE, *answers)]
    table = groups.size().rename("n_predictions").to_frame()
    for name in others:
        table[name] = groups[name].first()
    chances = [name for name in answers if name.startswith(f"{PROBABILITY}_")]
    for name in answers:
        is_class = name.startswith("prediction") and (
            bool(chances)
            or any(one.startswith(DECISION) for one in answers)
            or predictions[name].dtype.kind != "f"
        )
        table[name] = groups[name].agg(_most_frequent) if is_class else groups[name].mean()
    # Votes of the folds may disagree with the mean of their probabilities, which says more.
    if chances and "prediction" in table:
        labels = _labels(predictions, chances)
        if labels is not None:
            table["prediction"] = labels[table[chances].to_numpy().argmax(axis=1)]
    return table.reset_index()


def _is_answer(name: str) -> bool:
    return name.split("_")[0] in ("prediction", PROBABILITY, DECISION)


def _most_frequent(values: "pd.Series") -> Any:
    return values.mode().iloc[0]


def _labels(predictions: "pd.DataFrame", chances: Sequence[str]) -> np.ndarray | None:
    """Return the classes in the order of their columns; ``None`` if one cannot be told."""
    known = {str(label): label for label in predictions["prediction"].unique().tolist()}
    if "target" in predictions:
        known |= {str(label): label for label in predictions["target"].unique().tolist()}
    names = [name.removeprefix(f"{PROBABILITY}_") for name in chances]
    if not all(name in known for name in names):
        return None
    return np.array([known[name] for name in names])
