"""Evaluations of earlier versions that may have come from shared fits without a note.

They record how many candidates shared a fit, but not that a pipeline began with steps, or XGBoost
with bins, of other fits. The definition of the run tells if that was possible.
"""

from collections.abc import Mapping
from typing import Any

PREFIX = "prefix"
PIPELINES = ("steps", "factory", "preprocess", "estimators")
"""Keys of the objective that may make a pipeline."""
SHARED_ALONE = ("Pipeline", "XGB")
"""Parts of names of estimators that shared more than rows, even with a fit for each."""


def may_have_shared(definition: Mapping[str, Any], study: str) -> bool:
    """True if fits of single candidates may have begun with results of other fits.

    Args:
        definition: definition of the run, as JSON.
        study: its name; that of a search in memory contains its estimator's.
    """
    file = definition.get("file") or {}
    objective = file.get("objective")
    if objective is None:
        return any(name in study for name in SHARED_ALONE)
    if objective.get("command") or (file.get("execution") or {}).get("share") == "off":
        return False
    is_made = any(objective.get(key) not in (None, [], {}, "none") for key in PIPELINES)
    return is_made or any(name in str(objective.get("estimator")) for name in SHARED_ALONE)
