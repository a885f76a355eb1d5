"""Evaluations of earlier versions that may have come from shared fits without a note.

They record how many candidates shared a fit, but not that a pipeline began with steps, or XGBoost
with bins, of other fits. The definition of the run tells if that was possible.
"""

from tunesmith.ledger.recorded_study import RecordedStudy

PREFIX = "prefix"
SHARED_ALONE = ("Pipeline", "XGB")
"""Parts of names of estimators that shared more than rows, even with a fit for each."""


def may_have_shared(recorded: RecordedStudy, study: str) -> bool:
    """True if fits of single candidates may have begun with results of other fits.

    Args:
        recorded: definition of the run.
        study: its name; that of a search in memory contains its estimator's.
    """
    objective = recorded.objective
    if objective is None:
        return any(name in study for name in SHARED_ALONE)
    if objective.is_program or not recorded.shares_fits:
        return False
    named = objective.estimator or ""
    return objective.may_be_pipeline or any(name in named for name in SHARED_ALONE)
