"""FoldAnswers of fitted models for rows, and blends of several models' answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunesmith.errors import UsageError
from tunesmith.models.meaning import has_own_rule, is_by_pair, why_no_mean

METHODS = ("predict_proba", "decision_function", "predict")


@dataclass(frozen=True, eq=False)
class FoldAnswers:
    """FoldAnswers of one model for some rows, as it gave them.

    >>> FoldAnswers({"predict": np.array([1.5, 2.0])}).n_rows
    2
    """

    values: Mapping[str, Any]
    """Method -> its answer: ``predict`` ``(n_rows,)`` or ``(n_rows, n_outputs)``,
    ``predict_proba`` ``(n_rows, n_classes)``, ``decision_function`` ``(n_rows,)`` or
    ``(n_rows, n_classes)``."""
    classes: np.ndarray | None = None
    """``(n_classes,)`` sorted, of a classifier; the columns of its probabilities."""
    has_own_rule: bool = False
    """True if its class is not the most probable one, but chosen by a threshold of its own."""
    is_by_pair: bool = False
    """True if its decision values are those of pairs of classes."""
    no_mean: str = ""
    """Reason why answers of several such models have no mean, as a sentence without its end."""

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.values["predict"])


def answers_of(model: Any, X: Any) -> FoldAnswers:
    """Collect the answers of a fitted model.

    Args:
        model: with ``predict``.
        X: rows, as the model takes them.

    Raises:
        UsageError: the model predicts nothing, or classes of several outputs.
    """
    if not hasattr(model, "predict"):
        raise UsageError(f"{type(model).__name__} predicts nothing for rows that it has not seen.")
    values = {name: getattr(model, name)(X) for name in METHODS if hasattr(model, name)}
    classes = getattr(model, "classes_", None)
    if isinstance(classes, list) or any(isinstance(value, list) for value in values.values()):
        raise UsageError(
            f"{type(model).__name__} predicts classes of several outputs, which are not averaged."
        )
    reason = why_no_mean(model)
    # A column per output, of which each may be chosen: not one class of several.
    if classes is not None and np.ndim(values["predict"]) > 1:
        reason = "predicts classes of several outputs"
    return FoldAnswers(
        values,
        None if classes is None else np.asarray(classes),
        has_own_rule=has_own_rule(model),
        is_by_pair=is_by_pair(model),
        no_mean=reason and f"{type(model).__name__} {reason}",
    )


# -- blends --------------------------------------------------------------------------------------


def all_classes(members: Sequence[np.ndarray]) -> np.ndarray:
    """Return the classes that any member has seen, sorted."""
    return np.unique(np.concatenate([np.asarray(classes) for classes in members]))


def mean_of(parts: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Return the weighted mean of arrays of one shape, added up in their order.

    >>> mean_of([np.array([0.0, 1.0]), np.array([1.0, 1.0])], [1, 3]).tolist()
    [0.75, 1.0]
    """
    # Not divided and multiplied again: the answers of a single model stay as they are, bit by bit.
    if len(parts) == 1:
        return np.array(parts[0], dtype=float)
    total: Any = 0.0
    for part, weight in zip(parts, weights, strict=True):
        total = total + weight * np.asarray(part, dtype=float)
    mean: np.ndarray = total / sum(weights)
    return mean


def probabilities(values: np.ndarray, own: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return probabilities by all classes; a class that a member has not seen gets 0.

    Args:
        values: ``(n_rows, n_own)``.
        own: the member's classes.
        classes: all classes, sorted.
    """
    if len(own) == len(classes):
        return values
    # Its classes are among all classes, which are sorted.
    wide = np.zeros((len(values), len(classes)))
    wide[:, np.searchsorted(classes, own)] = values
    return wide


def decisions(
    values: np.ndarray, own: np.ndarray, classes: np.ndarray, *, is_by_pair: bool = False
) -> np.ndarray | None:
    """Return decision values by all classes; ``None`` if the member's have another meaning.

    Args:
        values: ``(n_rows,)`` of two classes, else ``(n_rows, n_own)``.
        own: the member's classes.
        classes: all classes, sorted.
        is_by_pair: there is a value per pair of classes, as of ``decision_function_shape="ovo"``.
    """
    # The only pair of two classes has the value that a classifier has otherwise.
    if is_by_pair and len(own) > 2:
        return None
    n_columns = 1 if values.ndim == 1 else values.shape[1]
    if len(own) != len(classes) or n_columns != (1 if len(own) == 2 else len(own)):
        return None
    return values


def votes(parts: Sequence[np.ndarray], weights: Sequence[float], classes: np.ndarray) -> np.ndarray:
    """Return the weighted share of the members that predict each class: ``(n_rows, n_classes)``."""
    shares = np.zeros((len(parts[0]), len(classes)))
    for part, weight in zip(parts, weights, strict=True):
        shares[np.arange(len(part)), np.searchsorted(classes, part)] += weight
    return shares / sum(weights)


def blend(members: Sequence[FoldAnswers], weights: Sequence[float]) -> FoldAnswers:
    """Blend answers of several models for the same rows, as the averaged estimators do.

    Args:
        members: at least one; all classifiers, or none.
        weights: of the members, not all 0.
    """
    if len(members) == 1:
        return members[0]
    if members[0].classes is None:
        return FoldAnswers(
            {"predict": mean_of([one.values["predict"] for one in members], weights)}
        )
    owned = [one.classes for one in members if one.classes is not None]
    classes = all_classes(owned)
    values: dict[str, Any] = {}
    if all("predict_proba" in one.values for one in members):
        wide = [
            probabilities(one.values["predict_proba"], own, classes)
            for one, own in zip(members, owned, strict=True)
        ]
        values["predict_proba"] = mean_of(wide, weights)
    if all("decision_function" in one.values for one in members):
        parts = [
            decisions(one.values["decision_function"], own, classes, is_by_pair=one.is_by_pair)
            for one, own in zip(members, owned, strict=True)
        ]
        if all(part is not None for part in parts):
            values["decision_function"] = mean_of([p for p in parts if p is not None], weights)
    predicted = [one.values["predict"] for one in members]
    own_rules = any(one.has_own_rule for one in members)
    values["predict"] = classes[chosen({} if own_rules else values, predicted, weights, classes)]
    return FoldAnswers(values, classes)


def chosen(
    values: Mapping[str, np.ndarray],
    predicted: Sequence[np.ndarray],
    weights: Sequence[float],
    classes: np.ndarray,
) -> np.ndarray:
    """Return the place of each row's class: by probability, else by decision value, else by vote.

    Args:
        values: blended answers by method.
        predicted: classes that the members predict.
        weights: of the members.
        classes: all classes, sorted.
    """
    if "predict_proba" in values:
        places: np.ndarray = np.asarray(values["predict_proba"]).argmax(axis=1)
        return places
    if "decision_function" in values:
        decided = np.asarray(values["decision_function"])
        places = np.asarray(decided > 0, dtype=int)
        return places if decided.ndim == 1 else np.asarray(decided.argmax(axis=1))
    return np.asarray(votes(predicted, weights, classes).argmax(axis=1))
