"""Scikit-learn's metrics without their repeated checks: the same arithmetic on one checked truth.

A function here gets a ``Truth`` and the answers of one estimator, and returns the number that
scikit-learn's metric returns, bit for bit: the same floating point operations in the same order. In
every special case (a class without rows, a value that is not finite, a division by zero, a warning
or an error) it returns ``None``, and scikit-learn's own metric is used.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

MAX_LABELS = 20
"""Largest number of labels; with more, scikit-learn may warn that they are no labels."""


@dataclass(eq=False)
class Truth:
    """True values of the predicted rows, and values that metrics derive from them."""

    y: np.ndarray
    """``(n,)``; must not change."""

    # -- labels ------------------------------------------------------------------------------

    @cached_property
    def labels(self) -> np.ndarray | None:
        """Labels, sorted; ``None`` if they are not plain."""
        if not are_labels(self.y):
            return None
        labels = np.unique(self.y)
        # With more classes than half of the rows, scikit-learn may warn.
        is_few = 2 <= len(labels) <= min(MAX_LABELS, len(self.y) // 2)
        return labels if is_few else None

    @property
    def n_labels(self) -> int:
        """Number of labels; 0 if they are not plain."""
        return 0 if self.labels is None else len(self.labels)

    @cached_property
    def codes(self) -> np.ndarray:
        """Places of the rows' labels among all labels, ``(n,)``."""
        return np.searchsorted(self._labels, self.y)

    @property
    def _labels(self) -> np.ndarray:
        assert self.labels is not None  # noqa: S101 - asked only where there are labels
        return self.labels

    @cached_property
    def _offsets(self) -> np.ndarray:
        return self.codes * self.n_labels

    @cached_property
    def _first(self) -> Any:
        """First label if they are consecutive whole numbers, else ``None``."""
        labels = self._labels
        is_row = labels.dtype.kind == "i" and int(labels[-1]) - int(labels[0]) < len(labels)
        return labels[0] if is_row else None

    @cached_property
    def columns(self) -> list[np.ndarray]:
        """For each label, ``(n,)`` booleans: true if a row has it."""
        return [self.codes == code for code in range(self.n_labels)]

    def place_of(self, label: Any) -> int | None:
        """Place of a label."""
        places = [place for place, known in enumerate(self._labels.tolist()) if known == label]
        return places[0] if places else None

    def of_label(self, table: np.ndarray) -> np.ndarray:
        """Entry of each row's true label in a table ``(n, n_labels)``, as ``(n,)``."""
        entries: np.ndarray = table[np.arange(len(table)), self.codes]
        return entries

    def confusion(self, predicted: Any) -> np.ndarray | None:
        """Counts, ``(n_labels, n_labels)``, by truth and prediction; ``None`` for other labels."""
        is_alike = type(predicted) is np.ndarray and predicted.shape == self.y.shape
        if not self.n_labels or not is_alike or predicted.dtype != self.y.dtype:
            return None
        codes = self._coded(predicted)
        if codes is None:
            return None
        n = self.n_labels
        return np.bincount(self._offsets + codes, minlength=n * n).reshape(n, n)

    def _coded(self, predicted: np.ndarray) -> np.ndarray | None:
        if self._first is not None:
            codes = predicted - self._first
            # As unsigned numbers, those below zero are too large as well.
            return codes if codes.view(f"u{codes.itemsize}").max() < self.n_labels else None
        # Objects of other types need not compare with texts.
        if predicted.dtype.kind == "O" and not are_labels(predicted):
            return None
        # A value above the last label would be one place beyond the table.
        codes = np.minimum(np.searchsorted(self._labels, predicted), self.n_labels - 1)
        return codes if (self._labels[codes] == predicted).all() else None

    # -- numbers -----------------------------------------------------------------------------

    @cached_property
    def column(self) -> np.ndarray | None:
        """True numbers, ``(n, 1)``; ``None`` if they are not plain."""
        if self.y.dtype.kind not in "if" or self.y.itemsize > 8 or len(self.y) < 2:
            return None
        column = self.y.astype(float).reshape(-1, 1)
        return column if np.isfinite(column).all() else None

    @cached_property
    def deviations(self) -> np.ndarray:
        """Squared distances from the mean, ``(n, 1)``."""
        column = self.column
        assert column is not None  # noqa: S101 - asked only where there are numbers
        squares: np.ndarray = (column - np.average(column, axis=0)) ** 2
        return squares

    @cached_property
    def spread(self) -> np.ndarray:
        """Sum of the squared distances, ``(1,)``."""
        total: np.ndarray = np.sum(self.deviations, axis=0)
        return total

    @cached_property
    def variance(self) -> np.ndarray:
        """Mean of the squared distances, ``(1,)``."""
        mean: np.ndarray = np.average(self.deviations, axis=0)
        return mean

    def beside(self, answers: Any) -> tuple[np.ndarray, np.ndarray] | None:
        """True and predicted numbers, each ``(n, 1)``; ``None`` if they are not plain."""
        is_alike = type(answers) is np.ndarray and answers.shape == self.y.shape
        if self.column is None or not is_alike or answers.dtype.kind != "f":
            return None
        # Single precision on both sides is computed in it.
        if np.float64 not in (answers.dtype, self.y.dtype) or answers.itemsize > 8:
            return None
        column = answers.astype(float, copy=False).reshape(-1, 1)
        return (self.column, column) if np.isfinite(column).all() else None


def are_labels(values: Any) -> bool:
    """True if values are an array of a type that scikit-learn takes for labels: whole or text."""
    if type(values) is not np.ndarray or values.ndim != 1:
        return False
    if values.dtype.kind == "f":
        return bool((values == np.floor(values)).all() and (np.abs(values) < 2**31).all())
    is_text = values.dtype.kind == "O" and all(type(value) is str for value in values)
    return is_text or values.dtype.kind in "bU" or values.dtype in (np.int32, np.int64)


# -- of predicted labels -------------------------------------------------------------------------


def accuracy(truth: Truth, predicted: Any) -> float | None:
    """``accuracy_score``."""
    counts = truth.confusion(predicted)
    return None if counts is None else int(np.trace(counts)) / len(truth.y)


def balanced_accuracy(truth: Truth, predicted: Any) -> float | None:
    """``balanced_accuracy_score``."""
    counts = truth.confusion(predicted)
    return None if counts is None else float((np.diagonal(counts) / counts.sum(axis=1)).mean())


def matthews(truth: Truth, predicted: Any) -> float | None:
    """``matthews_corrcoef``."""
    counts = truth.confusion(predicted)
    if counts is None:
        return None
    true, answered = counts.sum(axis=1, dtype=float), counts.sum(axis=0, dtype=float)
    correct, n = np.trace(counts, dtype=float), answered.sum()
    spread = (n**2 - np.dot(answered, answered)) * (n**2 - np.dot(true, true))
    return float((correct * n - np.dot(true, answered)) / np.sqrt(spread)) if spread else None


Rate = Callable[[Any, Any, Any], tuple[Any, Any]]
"""Numerator and denominator from hits, predicted and true counts."""
RATES: dict[str, Rate] = {
    "precision_score": lambda hits, found, _true: (hits, found),
    "recall_score": lambda hits, _found, true: (hits, true),
    "f1_score": lambda hits, found, true: (2.0 * hits, true + found),
    "jaccard_score": lambda hits, found, true: (hits, true + found - hits),
}


def rate(
    truth: Truth, predicted: Any, *, of: Rate, average: str = "binary", pos_label: Any = 1
) -> float | None:
    """``precision_score``, ``recall_score``, ``f1_score`` or ``jaccard_score``."""
    counts = truth.confusion(predicted)
    if counts is None:
        return None
    hits, answered, true = np.diagonal(counts), counts.sum(axis=0), counts.sum(axis=1)
    if average == "binary":
        place = truth.place_of(pos_label) if truth.n_labels == 2 else None
        return None if place is None else _ratio(*of(hits[place], answered[place], true[place]))
    if average == "micro" and of is not RATES["jaccard_score"]:
        return _ratio(*of(hits.sum(), answered.sum(), true.sum()))
    above, below = of(hits, answered, true)
    if average == "micro":
        return _ratio(above.sum(), below.sum())
    if not below.all():
        return None
    return float(np.average(above / below, weights=true if average == "weighted" else None))


def _ratio(above: Any, below: Any) -> float | None:
    return float(above / below) if below else None


# -- of probabilities and scores -----------------------------------------------------------------


def log_loss(truth: Truth, answers: Any) -> float | None:
    """``log_loss``."""
    if not _are_probabilities(truth, answers):
        return None
    if answers.ndim == 1:
        likely = np.where(truth.codes == 1, answers, 1 - answers)
    else:
        likely = truth.of_label(answers)
    eps = np.finfo(answers.dtype).eps
    return float((-np.log(np.clip(likely, eps, 1 - eps))).mean())


def brier(truth: Truth, answers: Any) -> float | None:
    """``brier_score_loss``."""
    if not _are_probabilities(truth, answers) or truth.y.dtype.kind in "OU":
        return None
    is_binary = answers.ndim == 1
    table = np.stack((1 - answers, answers), axis=1) if is_binary else answers
    one_hot = np.stack(truth.columns, axis=1).astype(table.dtype)
    score = np.average(np.sum((one_hot - table) ** 2, axis=1))
    return float(score * table.dtype.type(0.5)) if is_binary else float(score)


def _are_probabilities(truth: Truth, answers: Any) -> bool:
    """True for probabilities, of the second of two classes or of each, that need no warning."""
    if not truth.n_labels or not _are_floats(answers) or len(answers) != len(truth.y):
        return False
    if not (answers.min() >= 0 and answers.max() <= 1):
        return False
    if answers.ndim == 1:
        return truth.n_labels == 2
    if answers.shape[1:] != (truth.n_labels,) or truth.n_labels == 2:
        return False
    # Well inside of what scikit-learn takes for one.
    far = np.abs(answers.sum(axis=1) - 1).max()
    return bool(far < 0.01 * np.sqrt(np.finfo(answers.dtype).eps))


def _are_floats(answers: Any) -> bool:
    return type(answers) is np.ndarray and answers.dtype in (np.float32, np.float64)


def roc_auc(truth: Truth, answers: Any) -> float | None:
    """``roc_auc_score`` of two classes."""
    is_plain = truth.n_labels == 2 and _are_floats(answers) and answers.shape == truth.y.shape
    return _area(truth.columns[1], answers) if is_plain else None


def roc_auc_ovr(truth: Truth, answers: Any, *, average: str = "macro") -> float | None:
    """``roc_auc_score`` of each class against the rest."""
    if truth.n_labels == 2:
        return roc_auc(truth, answers)
    if not _are_probabilities(truth, answers):
        return None
    areas = [_area(truth.columns[c], answers[:, c].ravel()) for c in range(truth.n_labels)]
    if None in areas:
        return None
    weights = [column.sum() for column in truth.columns] if average == "weighted" else None
    return float(np.average(np.array(areas, dtype=float), weights=weights))


def _area(positive: np.ndarray, scores: np.ndarray) -> float | None:
    """Area under the ROC curve."""
    counts = _counts(positive, scores)
    if counts is None:
        return None
    false, true = counts
    if len(false) > 2:
        # Points on a straight line are left out: it changes the rounding of the sum.
        corners = np.logical_or(np.diff(false, 2), np.diff(true, 2))
        kept = np.flatnonzero(np.concatenate([[True], corners, [True]]))
        false, true = false[kept], true[kept]
    x = np.concatenate([[0.0], false]) / false[-1]
    y = np.concatenate([[0.0], true]) / true[-1]
    return float((np.diff(x) * (y[1:] + y[:-1]) / 2.0).sum())


def average_precision(truth: Truth, answers: Any) -> float | None:
    """``average_precision_score`` of two classes, one of them called 1."""
    is_plain = truth.n_labels == 2 and _are_floats(answers) and answers.shape == truth.y.shape
    place = truth.place_of(1) if is_plain else None
    counts = None if place is None else _counts(truth.columns[place], answers)
    if counts is None:
        return None
    false, true = counts
    precision = np.concatenate([np.flip(true / (true + false)), [1.0]])
    recall = np.concatenate([np.flip(true / true[-1]), [0.0]])
    return float(max(0.0, -np.sum(np.diff(recall) * precision[:-1])))


def _counts(positive: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """False and true positives above each distinct score, from the highest down.

    The order of ties does not matter: all counts are whole numbers.
    """
    order = np.argsort(scores)[::-1]
    ranked = scores[order]
    # NaN is sorted to the end.
    if not (np.isfinite(ranked[0]) and np.isfinite(ranked[-1])):
        return None
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    true = np.cumsum(positive[order], dtype=float)[last]
    return 1 + last.astype(float) - true, true


# -- of predicted numbers ------------------------------------------------------------------------


def r2(truth: Truth, answers: Any) -> float | None:
    """``r2_score``."""
    if (numbers := truth.beside(answers)) is None:
        return None
    true, predicted = numbers
    return _explained(np.sum((true - predicted) ** 2, axis=0), truth.spread)


def explained_variance(truth: Truth, answers: Any) -> float | None:
    """``explained_variance_score``."""
    if (numbers := truth.beside(answers)) is None:
        return None
    true, predicted = numbers
    shift = np.average(true - predicted, axis=0)
    return _explained(np.average((true - predicted - shift) ** 2, axis=0), truth.variance)


def _explained(left: np.ndarray, whole: np.ndarray) -> float | None:
    # A perfect prediction and constant true values are special cases of scikit-learn's.
    return float((1 - left / whole)[0]) if left.all() and whole.all() else None


Error = Callable[[np.ndarray, np.ndarray], Any]
"""One number from true and found numbers, each ``(n, 1)``."""
ERRORS: dict[str, Error] = {
    "mean_squared_error": lambda true, found: np.average((true - found) ** 2, axis=0),
    "root_mean_squared_error": lambda true, found: np.sqrt(np.average((true - found) ** 2, axis=0)),
    "mean_absolute_error": lambda true, found: np.average(np.abs(found - true), axis=0),
    "median_absolute_error": lambda true, found: np.median(np.abs(found - true), axis=0),
    "max_error": lambda true, found: np.max(np.abs(true - found), axis=0),
    "mean_absolute_percentage_error": lambda true, found: np.average(
        np.abs(found - true) / np.maximum(np.abs(true), np.finfo(float).eps), axis=0
    ),
}


def error(truth: Truth, answers: Any, *, by: Error) -> float | None:
    """Compute any of ``ERRORS``."""
    numbers = truth.beside(answers)
    return None if numbers is None else float(by(*numbers)[0])


# -- by scikit-learn's names ---------------------------------------------------------------------

Metric = Callable[[Truth, Any], float | None]
PLAIN: dict[str, Metric] = {
    "accuracy_score": accuracy,
    "balanced_accuracy_score": balanced_accuracy,
    "matthews_corrcoef": matthews,
    "log_loss": log_loss,
    "brier_score_loss": brier,
    "roc_auc_score": roc_auc,
    "average_precision_score": average_precision,
    "r2_score": r2,
    "explained_variance_score": explained_variance,
    **{name: partial(error, by=by) for name, by in ERRORS.items()},
}
AVERAGES = ("binary", "macro", "micro", "weighted")


def quick_metric(score_func: Any, options: Mapping[str, Any]) -> Metric | None:
    """Find the quick form of one of scikit-learn's metrics; ``None`` if there is none.

    Args:
        score_func: a metric ``(y_true, answers)``.
        options: its further arguments.
    """
    from sklearn import metrics

    name = getattr(score_func, "__name__", "")
    # A function of the user's may have the name of a metric.
    if getattr(metrics, name, None) is not score_func:
        return None
    if name in RATES:
        return _quick_rate(RATES[name], **options) if _are_of_rates(options) else None
    if name == "roc_auc_score" and options.get("multi_class") == "ovr":
        return _quick_ovr(options)
    return None if options else PLAIN.get(name)


def _are_of_rates(options: Mapping[str, Any]) -> bool:
    is_known = options.keys() <= {"average", "pos_label"}
    return is_known and options.get("average", "binary") in AVERAGES


def _quick_rate(of: Rate, **options: Any) -> Metric | None:
    is_odd = options.get("average", "binary") != "binary" and options.get("pos_label", 1) not in (
        None,
        1,
    )
    return None if is_odd else partial(rate, of=of, **options)


def _quick_ovr(options: Mapping[str, Any]) -> Metric | None:
    average = options.get("average", "macro")
    is_known = options.keys() <= {"average", "multi_class"} and average in ("macro", "weighted")
    return partial(roc_auc_ovr, average=average) if is_known else None
