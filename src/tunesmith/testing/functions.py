"""An objective around a plain function, for tests of everything above the objective."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace

from tunesmith.history import Failure, FoldResult, Metric
from tunesmith.space import Int, SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.system.fingerprint import digest
from tunesmith.types import MOST_REPEATS, Fit, Params

Function = Callable[[Params, int], float | Mapping[str, float]]


@dataclass(frozen=True)
class FunctionObjective:
    """Scores params by ``function(params, fold)``, a number or one number a metric.

    Picklable if the function is. Two objectives with the same ``version`` share evaluations.
    """

    function: Function
    _: KW_ONLY
    n_folds: int = 1
    metrics: tuple[Metric, ...] = (Metric("score"),)
    version: str = "1"
    default_params: Params = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    has_holdout: bool = False
    no_further: str = ""
    """Reason why there are no further splits, whose folds are below 0; by default there are."""
    shared: str = ""
    """An ``Int`` parameter whose smaller values one fit scores, too."""

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """Return the metrics; all of them decide."""
        return self.metrics

    @property
    def n_repeat(self) -> int:
        """Return the folds of a repeat of further splits: as many as the search has."""
        return self.n_folds

    @property
    def n_further(self) -> int:
        """Return the most repeats of further splits: there is no end of them."""
        return MOST_REPEATS

    @property
    def context(self) -> Mapping[str, str]:
        """Return the version, which stands for all dependencies of the scores."""
        return {"code": self.version}

    def key(self, params: Params, fold: int) -> str:
        """Return a digest of the version, params and fold, short enough for every ledger."""
        return digest([self.version, dict(params), fold])

    def defaults(self) -> Params:
        """The given default params."""
        return self.default_params

    def groups(self, candidates: Sequence[Params]) -> list[tuple[int, ...]]:
        """Group candidates that differ in the shared parameter alone."""
        by_rest: dict[str, list[int]] = {}
        for index, params in enumerate(candidates):
            rest = {name: value for name, value in params.items() if name != self.shared}
            is_shared = self.shared in params
            by_rest.setdefault(canonical_json(rest) if is_shared else f"{index}", []).append(index)
        return [tuple(group) for group in by_rest.values()]

    def submodel_candidates(self, params: Params, space: SearchSpace) -> list[Params]:
        """Return all smaller values of the shared parameter, if that is in the space."""
        box, _ = space.locate(params)
        parameter = space.boxes[box].parameters.get(self.shared)
        if not isinstance(parameter, Int) or self.shared not in params:
            return [params]
        n = parameter.index(params[self.shared]) + 1
        points = [{**params, self.shared: parameter.level(index)} for index in range(n)]
        return [point for point in points if point in space]

    def evaluate(self, fit: Fit) -> list[FoldResult]:
        """Call the function for every candidate."""
        n_sharing = len(fit.all_candidates) if self.shared else 1
        results = [self._one(params, fit.fold) for params in fit.all_candidates]
        return [replace(result, n_sharing=n_sharing) for result in results]

    def _one(self, params: Params, fold: int) -> FoldResult:
        began = time.perf_counter()
        try:
            value = self.function(params, fold)
        except Exception as error:  # noqa: BLE001 - a failing fold is data
            return FoldResult(fold, {}, failure=Failure(type(error).__name__, str(error)))
        scores = dict(value) if isinstance(value, Mapping) else {self.metrics[0].name: value}
        return FoldResult(fold, scores, fit_time_s=time.perf_counter() - began)
