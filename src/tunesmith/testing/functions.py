"""An objective around a plain function, for tests of everything above the objective."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tunesmith.history import Failure, FoldResult, Metric
from tunesmith.objective.objective import Fit
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params

Function = Callable[[Params, int], float | Mapping[str, float]]


@dataclass(frozen=True)
class FunctionObjective:
    """Scores params by ``function(params, fold)``, a number or one number a metric.

    Picklable if the function is. Two objectives with the same ``version`` share evaluations.
    """

    function: Function
    n_folds: int = 1
    metrics: tuple[Metric, ...] = (Metric("score"),)
    version: str = "1"
    default_params: Params = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    has_holdout: bool = False

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """All metrics decide."""
        return self.metrics

    @property
    def context(self) -> Mapping[str, str]:
        """The version stands for everything that scores depend on."""
        return {"code": self.version}

    def key(self, params: Params, fold: int) -> str:
        """The text of everything, unhashed."""
        return canonical_json([self.version, dict(params), fold])

    def defaults(self) -> Params:
        """The given default params."""
        return self.default_params

    def groups(self, candidates: Sequence[Params]) -> list[tuple[int, ...]]:
        """Nobody shares anything."""
        return [(index,) for index in range(len(candidates))]

    def evaluate(self, fit: Fit) -> list[FoldResult]:
        """Call the function for every candidate."""
        return [self._one(params, fit.fold) for params in fit.candidates]

    def _one(self, params: Params, fold: int) -> FoldResult:
        began = time.perf_counter()
        try:
            found = self.function(params, fold)
        except Exception as error:  # noqa: BLE001 - a failing fold is data
            return FoldResult(fold, {}, failure=Failure(type(error).__name__, str(error)))
        scores = dict(found) if isinstance(found, Mapping) else {self.metrics[0].name: found}
        return FoldResult(fold, scores, fit_time_s=time.perf_counter() - began)
