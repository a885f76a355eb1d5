"""The sections ``gate`` and ``confirm``: what decides about the current parameters."""

from typing import Annotated, Any

from pydantic import Field

from tunesmith.config.section import Section
from tunesmith.types import SHARE, USUAL_SHARE


class GateSection(Section):
    """Comparison of the winner with the current parameters (``outputs: {best: …}`` as it was when
    the study began), which are evaluated on the same folds, with any search."""

    min_improvement: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Gain of the first metric's mean, in its own unit, that is worth a change."""
    base: str | None = Field(default=None, pattern=r"^[^-\s][^\s]*$", max_length=200)
    """Git revision with the current best-parameters file, e.g. ``origin/main``; by default the file
    in the project folder counts."""
    keep: bool = True
    """The best-parameters file keeps the current parameters unless the verdict is to adopt; with
    ``false`` the winner is written in any case, and the verdict is only reported."""


def gated(given: Any) -> Any:
    """Complete ``true`` or a smallest gain to a section, as `tunesmith.tune` takes them.

    >>> gated(True), gated(0.002), gated(False)
    ({}, {'min_improvement': 0.002}, None)
    """
    if isinstance(given, bool):
        return {} if given else None
    return {"min_improvement": given} if isinstance(given, int | float) else given


class ConfirmSection(Section):
    """Further evaluations that decide whether the winner replaces the current parameters."""

    fits: Annotated[str, Field(pattern=SHARE)] | Annotated[int, Field(ge=0)] = USUAL_SHARE
    """Most further fits, for the winner and the current parameters together: a share of the
    search's evaluations, or a number. The usual share allows one repeat at least. The decision
    often needs fewer."""
    within: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Differences of the first metric up to this size, in its own unit, are practically equal; by
    default ``gate: {min_improvement: …}``."""
