"""Tell whether a model's answers can be averaged, and how its class is chosen."""

from collections.abc import Iterator
from typing import Any

from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.utils import get_tags

LABELS = {
    "clusterer": "numbers clusters, in another order on every fold",
    "density_estimator": "numbers components, in another order on every fold",
    "outlier_detector": "marks outliers",
}
"""Kinds of estimators whose predictions are labels without ``classes_``, with what they do."""
INNER = ("best_estimator_", "estimator_")
"""Attributes of wrappers with the fitted estimator that answers for them."""


def why_no_mean(model: Any) -> str:
    """Return why several models of this kind have no mean, as a clause; empty if they have one.

    Args:
        model: fitted.

    >>> from sklearn.cluster import KMeans
    >>> why_no_mean(KMeans(2, random_state=0).fit([[0.0], [1.0]]))
    'numbers clusters, in another order on every fold'
    """
    try:
        tags = get_tags(model)
    except (AttributeError, TypeError):
        # An estimator in scikit-learn's style that says nothing of itself.
        return ""
    # A row of a kernel tells of the training rows, and these differ from fold to fold.
    if tags.input_tags.pairwise:
        return "takes distances to its own training rows, which differ from fold to fold"
    return LABELS.get(tags.estimator_type or "", "")


def has_own_rule(model: Any) -> bool:
    """True if a classifier chooses by a threshold of its own, and not the most probable class."""
    kinds = (FixedThresholdClassifier, TunedThresholdClassifierCV)
    return any(isinstance(one, kinds) for one in _answering(model))


def is_by_pair(model: Any) -> bool:
    """True if decision values are those of pairs of classes, and not of classes.

    Of three classes there are three pairs, so that the number of values does not tell.
    """
    shapes = [getattr(one, "decision_function_shape", "") for one in _answering(model)]
    return "ovo" in shapes


def _answering(model: Any) -> Iterator[Any]:
    """Yield a model, and what answers for it: the last step, or the estimator in a wrapper."""
    while model is not None:
        yield model
        steps = getattr(model, "steps", None)
        inner = [getattr(model, name) for name in INNER if hasattr(model, name)]
        model = steps[-1][1] if steps else next(iter(inner), None)
