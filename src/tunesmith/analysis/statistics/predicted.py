"""Predictions row by row: calibration, confusion, residuals, and groups of rows.

Fold means tell how good a model is on the whole. Its answers for single rows tell which classes it
takes for one another, how far its probabilities can be trusted, where it errs, and for whom.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

N_BINS = 10
"""Ranges of probability, or of predicted values."""
MAX_CLASSES = 12
"""Most classes of a confusion matrix; the rarest of more are taken together."""
MAX_GROUPS = 12
"""Most groups of a column; numbers with more values are cut into quarters."""
N_QUARTERS = 4
OTHERS = "others"
OWN = ("trial", "row", "fold", "file_row", "target", "prediction", "evaluation")
ANSWERS = ("probability_", "decision")
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
NOTABLE = 2.0
"""Standard errors by which a notable group differs from the other rows."""


@dataclass(frozen=True)
class Bin:
    """Predictions in one range."""

    n: int
    mean: float
    """Mean probability, or mean predicted value."""
    observed: float
    """Share of the rows of the class, or mean true value."""
    low: float = math.nan
    """5 % quantile of the residuals; NaN for probabilities."""
    high: float = math.nan
    """95 % quantile of the residuals."""


@dataclass(frozen=True)
class Calibration:
    """Probabilities against what came true."""

    of: str
    """The class whose probability it is; empty for that of the predicted class."""
    bins: tuple[Bin, ...]
    """In order of probability; empty ranges are left out."""
    error: float
    """Expected calibration error: mean distance of probability and observed share."""
    brier: float
    """Mean squared distance of the probability from 0 or 1."""


@dataclass(frozen=True)
class Confusion:
    """Counts of predictions by true and predicted class."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    """A row a true class, a column a predicted one."""


@dataclass(frozen=True)
class Residuals:
    """Predicted minus true values."""

    mean: float
    absolute: float
    """Mean absolute residual."""
    squared: float
    """Root of the mean squared residual."""
    quantiles: tuple[float, ...]
    """At 5, 25, 50, 75 and 95 %."""
    bins: tuple[Bin, ...]
    """By tenths of the predicted values."""


@dataclass(frozen=True)
class Group:
    """Rows with one value of a column, or with values of one range."""

    name: str
    n: int
    value: float
    """Share of right predictions, or mean absolute residual."""
    error: float
    """Standard error of ``value``; NaN for a single row."""
    is_notable: bool
    """True if it differs from the other rows by more than two standard errors."""


@dataclass(frozen=True)
class GroupedColumn:
    """Groups of rows by one column."""

    column: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """Predictions of one trial, row by row."""

    trial: int
    n_rows: int
    n_predictions: int
    """More than rows if a row is tested in several folds."""
    is_classes: bool
    value: float
    """Share of right predictions, or mean absolute residual."""
    calibration: Calibration | None = None
    confusion: Confusion | None = None
    residuals: Residuals | None = None
    slices: tuple[GroupedColumn, ...] = ()


def predicted(table: "pd.DataFrame") -> Predicted | None:
    """Look at out-of-fold predictions of one trial.

    Args:
        table: at least one row, with columns ``trial``, ``row``, ``prediction``; usually also
            ``target`` and ``probability_<class>``. Other columns make groups of rows.

    Returns:
        ``None`` if there is no target, or more than one.
    """
    if not {"target", "prediction"} <= set(table.columns) or table["target"].isna().any():
        return None
    truth, answer = table["target"].to_numpy(), table["prediction"].to_numpy()
    is_classes = _is_classes(table)
    if is_classes:
        truth, answer = _texts(truth), _texts(answer)
        wrong = (truth == answer).astype(float)
    else:
        residuals = answer.astype(float) - truth.astype(float)
        wrong = np.abs(residuals)
    return Predicted(
        trial=int(table["trial"].iloc[0]),
        n_rows=int(table["row"].nunique()),
        n_predictions=len(table),
        is_classes=is_classes,
        value=float(wrong.mean()),
        calibration=_calibration(table, truth) if is_classes else None,
        confusion=_confusion(truth, answer) if is_classes else None,
        residuals=None if is_classes else _residuals(answer.astype(float), residuals),
        slices=_slices(table, wrong),
    )


def _is_classes(table: "pd.DataFrame") -> bool:
    has_scores = any(str(name).startswith(ANSWERS) for name in table.columns)
    # Without probabilities the type tells: regressors answer with fractions.
    return has_scores or table["prediction"].dtype.kind != "f"


def _texts(values: np.ndarray) -> np.ndarray:
    # A class `1` may be 1 in one column and 1.0 in another, as CSV files with gaps have it.
    return np.array([_text(value) for value in values.tolist()], dtype=object)


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


# -- classes -------------------------------------------------------------------------------------


def _confusion(truth: np.ndarray, answer: np.ndarray) -> Confusion:
    names, counts = np.unique(np.concatenate([truth, answer]), return_counts=True)
    if len(names) > MAX_CLASSES:
        kept = names[np.argsort(-counts, kind="stable")[: MAX_CLASSES - 1]]
        truth, answer = (np.where(np.isin(one, kept), one, OTHERS) for one in (truth, answer))
        names = np.array([*sorted(kept, key=_order), OTHERS], dtype=object)
    labels = [name for name in sorted(names, key=_order) if name != OTHERS]
    labels += [OTHERS] if OTHERS in names else []
    places = {label: place for place, label in enumerate(labels)}
    made = np.zeros((len(labels), len(labels)), dtype=int)
    np.add.at(made, ([places[one] for one in truth], [places[one] for one in answer]), 1)
    return Confusion(tuple(labels), tuple(tuple(map(int, row)) for row in made))


def _order(name: str) -> tuple[bool, float, str]:
    """Order of classes: numbers by value, then words."""
    try:
        return False, float(name), name
    except ValueError:
        return True, 0.0, name


def _calibration(table: "pd.DataFrame", truth: np.ndarray) -> Calibration | None:
    names = [str(name) for name in table.columns if str(name).startswith("probability_")]
    labels = [name.removeprefix("probability_") for name in names]
    if len(names) < 2 or not set(truth) <= {_number_free(label) for label in labels}:
        return None
    chances = table[names].fillna(0.0).to_numpy(dtype=float)
    classes = np.array([_number_free(label) for label in labels], dtype=object)
    if len(names) == 2:
        of, chance, is_true = labels[1], chances[:, 1], truth == classes[1]
    else:
        of, chance = "", chances.max(axis=1)
        is_true = truth == classes[chances.argmax(axis=1)]
    bins = tuple(_chance_bins(chance, is_true.astype(float)))
    gaps = [one.n * abs(one.mean - one.observed) for one in bins]
    brier = float(np.mean((chance - is_true) ** 2))
    return Calibration(of, bins, sum(gaps) / len(truth), brier)


def _number_free(label: str) -> str:
    """Write a class as its values are written: ``1`` for ``1.0``."""
    return label.removesuffix(".0")


def _chance_bins(chance: np.ndarray, is_true: np.ndarray) -> list[Bin]:
    places = np.clip((chance * N_BINS).astype(int), 0, N_BINS - 1)
    masks = (places == place for place in range(N_BINS))
    return [
        Bin(int(mask.sum()), float(chance[mask].mean()), float(is_true[mask].mean()))
        for mask in masks
        if mask.any()
    ]


# -- numbers -------------------------------------------------------------------------------------


def _residuals(answer: np.ndarray, residuals: np.ndarray) -> Residuals:
    order = np.argsort(answer, kind="stable")
    parts = [part for part in np.array_split(order, N_BINS) if len(part)]
    return Residuals(
        mean=float(residuals.mean()),
        absolute=float(np.abs(residuals).mean()),
        squared=float(np.sqrt(np.mean(residuals**2))),
        quantiles=tuple(map(float, np.quantile(residuals, QUANTILES))),
        bins=tuple(_residual_bin(answer[part], residuals[part]) for part in parts),
    )


def _residual_bin(answer: np.ndarray, residuals: np.ndarray) -> Bin:
    low, high = np.quantile(residuals, [QUANTILES[0], QUANTILES[-1]])
    mean = float(answer.mean())
    return Bin(len(answer), mean, float((answer - residuals).mean()), float(low), float(high))


# -- groups --------------------------------------------------------------------------------------


def _slices(table: "pd.DataFrame", values: np.ndarray) -> tuple[GroupedColumn, ...]:
    # Predictions of one row are no evidence of their own: each row counts once, with their mean.
    _, first, places = np.unique(table["row"], return_index=True, return_inverse=True)
    means = np.bincount(places, values) / np.bincount(places)
    rows = table.iloc[first]
    names = [n for n in table.columns if n not in OWN and not str(n).startswith(ANSWERS)]
    return tuple(GroupedColumn(str(name), _groups(rows[name], means)) for name in names)


def _groups(column: "pd.Series", values: np.ndarray) -> tuple[Group, ...]:
    names, order = _named(column)
    return tuple(_group(name, values[names == name], values[names != name]) for name in order)


def _named(column: "pd.Series") -> tuple[np.ndarray, Sequence[str]]:
    """Return each row's group, and the groups in their order."""
    empty = column.isna().to_numpy()
    filled = column[~empty]
    is_numeric = column.dtype.kind in "iuf"
    if is_numeric and filled.nunique() > MAX_GROUPS:
        texts, order = _quarters(filled.to_numpy(dtype=float))
    else:
        texts = _texts(filled.to_numpy())
        order = [str(one) for one in filled.map(_text).value_counts().index[:MAX_GROUPS]]
        if len(set(texts)) > MAX_GROUPS:
            order = [*order[: MAX_GROUPS - 1], OTHERS]
            texts = np.where(np.isin(texts, order), texts, OTHERS)
        order = sorted(order, key=lambda name: (name == OTHERS, _order(name)))
    names = np.full(len(column), "(empty)", dtype=object)
    names[~empty] = texts
    return names, [*order, *(["(empty)"] if empty.any() else [])]


def _quarters(numbers: np.ndarray) -> tuple[np.ndarray, list[str]]:
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, N_QUARTERS + 1)))
    # Each quarter but the last one is without its upper end.
    places = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, len(edges) - 2)
    order = [f"{edges[i]:.4g} to {edges[i + 1]:.4g}" for i in range(len(edges) - 1)]
    return np.array(order, dtype=object)[places], order


def _group(name: str, values: np.ndarray, others: np.ndarray) -> Group:
    error = _error(values)
    both = math.hypot(error, _error(others))
    distance = abs(float(values.mean()) - float(others.mean())) if len(others) else 0.0
    # False for NaN: of a single row nothing is known.
    return Group(name, len(values), float(values.mean()), error, distance > NOTABLE * both)


def _error(values: np.ndarray) -> float:
    n = len(values)
    return float(values.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
