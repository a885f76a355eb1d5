"""The part of a check that the process of a search makes while its workers start.

Workers import their libraries for most of a second, in which that process would wait. It compares
shared fits with fresh ones on a small part of the rows, which each worker would do otherwise.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tunesmith.sharing.pipeline_prefix import front_steps
from tunesmith.sharing.proved import blocker_of_parts
from tunesmith.types import Params

HARMLESS = ("sklearn",)
"""Packages that do not end the process: other libraries may, for parameters that do not fit."""


def may_go_ahead(estimator: Any) -> bool:
    """True if an unfitted estimator may be fitted in the process of the search.

    All its parts are scikit-learn's own, and no first steps are shared, which have checks of their
    own.
    """
    return not front_steps(estimator) and not blocker_of_parts(estimator, HARMLESS)


def first_groups(
    groups: Iterable[Sequence[Params]], choice_of: Callable[[Params], str], seconds: float
) -> Iterator[Sequence[Params]]:
    """Yield the first group of each prototype and each set of parameters.

    Args:
        groups: candidates that may share a fit.
        choice_of: params -> name of the prototype.
        seconds: of CPU, within which a group is yielded; the first one always is.
    """
    began, seen = time.process_time(), set[tuple[str, tuple[str, ...]]]()
    for candidates in groups:
        key = choice_of(candidates[0]), tuple(candidates[0])
        if key in seen or len(candidates) == 1:
            continue
        if seen and time.process_time() - began > seconds:
            return
        seen.add(key)
        yield candidates
