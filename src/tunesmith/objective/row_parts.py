"""Parts of the single rows in a score: what the luck of these rows may be worth.

Many metrics are means over rows, or smooth functions of such means. A row's part is then its
influence on the score, and the variance of the score over other rows of the same kind is the
variance of the parts by the number of rows (the delta method). The area under the ROC curve is a
mean over pairs of rows, and a row's part is its placement among those of the other class (DeLong,
DeLong & Clarke-Pearson 1988). Parts are kept as sums over blocks of neighbouring rows, so that they
take few bytes, and so that what neighbours have in common counts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import isclose, sqrt
from typing import Any, TypeVar

import numpy as np

from tunesmith.data.row_blocks import in_text
from tunesmith.history import FoldResult
from tunesmith.objective.quick_scores import Part, taken_answers
from tunesmith.space.parameter import canonical_json
from tunesmith.system.interruptions import is_ours
from tunesmith.system.user_output import unnoticed
from tunesmith.types import Fit, Params

R = TypeVar("R", bound=FoldResult)
MOST_CANDIDATES = 100
"""Candidates of one fit that have parts: of hundreds, ledgers would become large."""
CLOSE = 1e-6
"""Relative difference to the recorded score that rounding explains."""


@dataclass(frozen=True, eq=False)
class Influence:
    """A score, and the influence of each row on it."""

    score: float
    rows: np.ndarray
    """``(n,)`` with mean 0; their variance by n is that of the score."""

    @classmethod
    def of_mean(cls, values: np.ndarray, score: float | None = None) -> "Influence":
        """Influences on a mean over rows, or on a score that moves as this mean does."""
        n, mean = len(values), float(values.mean())
        # As the variance of a sample, which has lost a degree of freedom to the mean.
        return cls(mean if score is None else score, (values - mean) * sqrt(n / (n - 1)))


def text_of(scorer: Any, model: Any, X: Any, y: Any, *, score: float, blocks: np.ndarray) -> str:
    """Return the rows' parts in a score as text; empty if they cannot be had.

    Args:
        scorer: of the metric; only scikit-learn's own have parts.
        model: fitted.
        X: test rows.
        y: their true values.
        score: that was recorded.
        blocks: ``(n,)`` block of each row.
    """
    part = Part.of(scorer)
    influences = None if part is None else INFLUENCES.get(_name_of(part))
    if part is None or influences is None or len(blocks) < 2:
        return ""
    y = np.asarray(y)
    found = influences(y, np.asarray(taken_answers(part, model, X)), part.options)
    # Special cases of the metric are not repeated here: what gives another score has no parts.
    if found is None or not isclose(part.sign * found.score, score, rel_tol=CLOSE, abs_tol=1e-9):
        return ""
    return in_text(part.sign * found.rows / len(y), blocks)


def _name_of(part: Part) -> str:
    from sklearn import metrics

    name = getattr(part.score_func, "__name__", "")
    # A function of the user's may have the name of a metric.
    return name if getattr(metrics, name, None) is part.score_func else ""


# -- of classes ----------------------------------------------------------------------------------

Influences = Callable[[np.ndarray, np.ndarray, Mapping[str, Any]], Influence | None]
"""(y, answers as the metric gets them, its options) -> influences; ``None`` in special cases."""


def _accuracy(y: np.ndarray, found: np.ndarray, _options: Any) -> Influence:
    return Influence.of_mean((y == found).astype(float))


def _balanced_accuracy(y: np.ndarray, found: np.ndarray, _options: Any) -> Influence | None:
    labels, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    if len(labels) < 2 or counts.min() < 2:
        return None
    right = (y == found).astype(float)
    recalls = np.bincount(codes, weights=right) / counts
    # Each class is a sample of its own, and the score the mean over classes.
    weights = np.sqrt(counts / (counts - 1)) / counts * len(y) / len(labels)
    return Influence(float(recalls.mean()), (right - recalls[codes]) * weights[codes])


def _log_loss(y: np.ndarray, found: np.ndarray, _options: Any) -> Influence | None:
    labels, codes = np.unique(y, return_inverse=True)
    table = np.column_stack([1 - found, found]) if found.ndim == 1 else found
    if table.shape[1] != len(labels):
        return None
    eps = np.finfo(table.dtype).eps
    shares = np.clip(table[np.arange(len(y)), codes], eps, 1 - eps)
    return Influence.of_mean(-np.log(shares))


def _brier(y: np.ndarray, found: np.ndarray, _options: Any) -> Influence | None:
    labels = np.unique(y)
    if len(labels) != 2 or found.ndim != 1:
        return None
    return Influence.of_mean((found - (y == labels[1])) ** 2)


def _roc_auc(y: np.ndarray, found: np.ndarray, options: Any) -> Influence | None:
    labels = np.unique(y)
    if len(labels) != 2 or found.ndim != 1 or options:
        return None
    is_high = y == labels[1]
    placed, rows = np.empty(len(y)), np.empty(len(y))
    for own, other, turn in ((is_high, ~is_high, 1), (~is_high, is_high, -1)):
        n_other, ranked = int(other.sum()), np.sort(found[other])
        if n_other < 2:
            return None
        # Ties count half: the mean of the rank before and behind them.
        below = [np.searchsorted(ranked, found[own], side=side) for side in ("left", "right")]
        share = (below[0] + below[1]) / (2 * n_other)
        placed[own] = share if turn > 0 else 1 - share
    score = float(placed[is_high].mean())
    for own in (is_high, ~is_high):
        n = int(own.sum())
        rows[own] = (placed[own] - score) * sqrt(n / (n - 1)) * len(y) / n
    return Influence(score, rows)


def _f1(y: np.ndarray, found: np.ndarray, options: Mapping[str, Any]) -> Influence | None:
    labels = np.unique(np.concatenate([y, found]))
    average = options.get("average", "binary")
    if average == "macro":
        wanted = labels.tolist()
    elif average == "binary" and len(labels) == 2:
        wanted = [options.get("pos_label", 1)]
    else:
        return None
    parts = [_f1_of(y == label, found == label) for label in wanted]
    score = float(np.mean([one.score for one in parts]))
    return Influence(score, np.mean([one.rows for one in parts], axis=0))


def _f1_of(true: np.ndarray, found: np.ndarray) -> Influence:
    """Influences on a ratio of two means, by the delta method."""
    above, below = 2.0 * (true & found), true.astype(float) + found
    share = float(above.mean() / below.mean()) if below.any() else 0.0
    return Influence.of_mean((above - share * below) / max(float(below.mean()), CLOSE), share)


# -- of numbers ----------------------------------------------------------------------------------


def _squared(y: np.ndarray, found: np.ndarray, _options: Any) -> Influence:
    return Influence.of_mean((y - found) ** 2)


def _root_squared(y: np.ndarray, found: np.ndarray, _options: Any) -> Influence | None:
    squares = (y - found) ** 2
    root = sqrt(float(squares.mean()))
    return Influence.of_mean(squares / (2 * root), root) if root else None


def _absolute(y: np.ndarray, found: np.ndarray, _options: Any) -> Influence:
    return Influence.of_mean(np.abs(y - found))


def _relative(y: np.ndarray, found: np.ndarray, _options: Any) -> Influence:
    return Influence.of_mean(np.abs(y - found) / np.maximum(np.abs(y), np.finfo(float).eps))


def _r2(y: np.ndarray, found: np.ndarray, _options: Any) -> Influence | None:
    squares, spread = (y - found) ** 2, (y - y.mean()) ** 2
    whole = float(spread.mean())
    if not whole:
        return None
    left = float(squares.mean()) / whole
    # Both the errors and what there is to explain depend on the rows.
    return Influence.of_mean((left * spread - squares) / whole, 1 - left)


INFLUENCES: Mapping[str, Influences] = {
    "accuracy_score": _accuracy,
    "balanced_accuracy_score": _balanced_accuracy,
    "log_loss": _log_loss,
    "brier_score_loss": _brier,
    "roc_auc_score": _roc_auc,
    "f1_score": _f1,
    "mean_squared_error": _squared,
    "root_mean_squared_error": _root_squared,
    "mean_absolute_error": _absolute,
    "mean_absolute_percentage_error": _relative,
    "r2_score": _r2,
}
"""Metrics of scikit-learn that have parts, by name."""


# -- of the fits of an objective -----------------------------------------------------------------


@dataclass
class PartsNoter:
    """Notes the parts of fitted models while they are valid, and hands them to the results."""

    _noted: dict[str, str] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {"_noted": {}}

    def note(
        self, params: Params, score: float, judged: Callable[[], tuple[Any, Any, Any, Any, Any]]
    ) -> None:
        """Note the parts of one candidate; none if anything goes wrong.

        Args:
            params: of the candidate.
            score: that was recorded.
            judged: returns scorer, model, X, y and blocks.
        """
        key = canonical_json(dict(params))
        # A second fit of the same candidate replaces the first, which was not verified.
        self._noted.pop(key, None)
        if len(self._noted) >= MOST_CANDIDATES:
            return
        try:
            # Its answers have been asked for before, with all that may be said of them. What a
            # model draws for them now must not change what comes after it.
            with unnoticed(), np.errstate(all="ignore"):
                scorer, model, X, y, blocks = judged()
                self._noted[key] = text_of(scorer, model, X, y, score=score, blocks=blocks)
        except BaseException as error:
            if is_ours(error):
                raise

    def attached(self, fit: Fit, results: list[R]) -> list[R]:
        """Return the results of a fit that has ended, with what was noted."""
        noted, self._noted = self._noted, {}
        keys = [canonical_json(dict(params)) for params in fit.all_candidates]
        return [
            one if one.failure or not noted.get(key) else replace(one, parts=noted[key])
            for key, one in zip(keys, results, strict=False)
        ]
