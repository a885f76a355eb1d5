"""The ``stop`` section of a configuration."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from tunesmith import registry
from tunesmith.config.section import Duration, Section, listed

Score = Annotated[float, Field(allow_inf_nan=False)]


class ConvergenceSpec(Section):
    """Ends the study if the gain of recent trials is below the folds' own noise; with several
    metrics, if no recent trial moved the Pareto front by more than that."""

    window: int = Field(default=20, ge=2)
    """Number of recent trials to look at."""


def _spelled_out(given: Any) -> Any:
    """Complete ``noise`` or a number to a section."""
    return {"below": given} if isinstance(given, str | int | float) else given


class FurtherGainSpec(Section):
    """Ends the study if further trials are expected to gain too little."""

    below: Literal["noise"] | Annotated[float, Field(gt=0, allow_inf_nan=False)] = "noise"
    """Smallest gain that is worth the trials, in units of the metric; ``noise`` is the standard
    error of the difference of two trials on the same folds."""
    trials: int = Field(default=20, ge=1, le=1000)
    """Number of further trials."""


class StopSection(Section):
    """End of the study. Of several criteria, the first to be met ends it."""

    trials: int | None = Field(default=None, ge=1)
    """Number of trials."""
    fits: int | None = Field(default=None, ge=1)
    """Number of candidate-times-fold evaluations."""
    time: Duration | None = None
    """Wall time of one run: ``90s``, ``30m``, ``1h30m``."""
    target: Score | dict[str, Score] | None = None
    """Mean score that is good enough. With several metrics, name them, e.g.
    ``{recall: 0.9, precision: 0.8}``: the study ends when one trial reaches all of these. A number
    alone is for the first of several metrics; the study then goes on until 10 trials in a row
    have brought nothing new onto the Pareto front."""
    patience: int | None = Field(default=None, ge=1)
    """Number of trials without a better best; with several metrics, without a new trial on the
    Pareto front. With a budget parameter, only trials with the full budget count."""
    convergence: ConvergenceSpec | None = None
    further_gain: Annotated[
        FurtherGainSpec | None,
        BeforeValidator(_spelled_out, json_schema_input_type=FurtherGainSpec | float | str | None),
    ] = None
    """Ends when further trials are expected to gain less than this, or less than the folds'
    ``noise``."""
    # As text, because the class does not exist yet.
    any: Annotated["tuple[StopSection, ...]", BeforeValidator(listed)] = ()
    """Ends when one of these does."""
    all: Annotated["tuple[StopSection, ...]", BeforeValidator(listed)] = ()
    """Ends when all of these have been met."""
    first_failures: int = Field(default=5, ge=1)
    """Give up when the first so many trials all fail."""

    _registered: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def registered(self) -> Mapping[str, Any]:
        """Criteria of installed packages: the name of each, and its value."""
        return self._registered

    @model_validator(mode="wrap")
    @classmethod
    def _take_registered(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Keys that an installed package registers are no unknown keys."""
        # Looking through all installed packages takes long, and keys of our own need none.
        is_usual = not isinstance(data, Mapping) or data.keys() <= cls.model_fields.keys()
        outside = {} if is_usual else registry.outside("stopping")
        taken = {name: value for name, value in data.items() if name in outside} if outside else {}
        stop = handler({k: v for k, v in data.items() if k not in taken} if taken else data)
        # pydantic freezes fields, and lets a private attribute be set.
        stop._registered = taken
        return stop

    @model_serializer(mode="wrap")
    def _with_registered(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """As it was written, so that a changed criterion is seen as a change."""
        written: dict[str, Any] = handler(self)
        return {**written, **self._registered}
