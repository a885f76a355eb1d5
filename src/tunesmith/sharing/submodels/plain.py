"""Plain estimators from stand-ins: without prepared answers, so that they can be stored.

A stand-in answers for one set of rows from results of a whole path. Its plain form answers for any
rows by itself, as a fresh fit would.
"""

import inspect
from copy import copy
from typing import Any

from tunesmith.sharing.submodels.rounds import LightGBMRounds, XGBoostRounds


def plain(model: Any) -> Any:
    """Return a fitted estimator without prepared answers; one that has none stays as it is.

    Args:
        model: a fitted estimator, or a stand-in for one. It is not changed, and may be the stand-in
            of another candidate later: the result does not depend on it.
    """
    other = copy(model)
    own = vars(other) if hasattr(other, "__dict__") else {}
    for name in [name for name, value in own.items() if _is_prepared(model, name, value)]:
        del own[name]
    booster = own.get("_Booster")
    if isinstance(booster, LightGBMRounds | XGBoostRounds):
        own["_Booster"] = booster.cut()
    if type(own.get("steps")) is list:
        other.steps = [(name, _step(step)) for name, step in other.steps]
    return other


def _step(step: Any) -> Any:
    return plain(step) if hasattr(step, "fit") else step


def _is_prepared(model: Any, name: str, value: Any) -> bool:
    # Methods lie in classes; those in an instance were put there to answer in its place.
    return inspect.isfunction(value) and hasattr(type(model), name)
