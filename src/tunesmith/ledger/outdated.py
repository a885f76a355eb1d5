"""Which evaluations of earlier versions may have come from shared fits without saying so.

They say how many candidates shared a fit, but not that a pipeline began with steps, or XGBoost with
bins, that other fits had left. What may have been shared so is told from the definition of the run.
"""

from collections.abc import Mapping
from typing import Any

PREFIX = "prefix"
PIPELINES = ("steps", "factory", "preprocess", "estimators")
"""Keys of the objective that may make a pipeline."""
SHARED_ALONE = ("Pipeline", "XGB")
"""In the names of estimators that shared more than rows even where each had a fit of its own."""


def may_have_shared(definition: Mapping[str, Any], study: str) -> bool:
    """Whether fits of single candidates may have begun with what others left.

    Args:
        definition: of the run, as JSON.
        study: its name, in which a search in memory has its estimator's.
    """
    file = definition.get("file") or {}
    objective = file.get("objective")
    if objective is None:
        return any(name in study for name in SHARED_ALONE)
    if objective.get("command") or (file.get("execution") or {}).get("share") == "off":
        return False
    is_made = any(objective.get(key) not in (None, [], {}, "none") for key in PIPELINES)
    return is_made or any(name in str(objective.get("estimator")) for name in SHARED_ALONE)
