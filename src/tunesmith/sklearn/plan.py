"""The candidates of a search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tunesmith.objective.live import LiveObjective
from tunesmith.objective.objects import Objects
from tunesmith.runs.proposing import RACE
from tunesmith.space import SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.study.race import Race, raced_window
from tunesmith.study.strategy import FixedList, Strategy
from tunesmith.types import Params, Value


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """The strategy of a search."""

    strategy: Strategy
    n_most: int
    """Largest number of candidates."""
    definition: Mapping[str, Any]
    """All that fixes their sequence, as JSON."""
    objects: Objects
    originals: Sequence[Mapping[str, Any]] = ()
    """The candidates as the user wrote them, if they are known beforehand."""
    space: SearchSpace | None = None
    """The space, if candidates are proposed from results."""
    points: Sequence[Params] = ()
    """The params of these; else of some that might be tried, to tell what can be shared."""

    n_start: int = 0
    """Number of candidates that come first and run to their end in a race."""

    def raced(self, objective: LiveObjective) -> "SearchPlan":
        """Return the plan with a race over the folds.

        Args:
            objective: of the search.
        """
        definition = dict(self.definition)
        file = dict(definition["file"])
        definition["file"] = {**file, "search": {**file["search"], "race": RACE}}
        proposing = self.strategy
        if isinstance(proposing, FixedList):
            proposing = replace(proposing, window=raced_window(proposing, objective))
        strategy = Race(proposing, n_start=self.n_start)
        return replace(self, strategy=strategy, definition=definition)

    def candidate(self, number: int, params: Params) -> dict[str, Any]:
        """Return a trial's params as ``cv_results_`` shows them, with the user's own objects."""
        return dict(self.originals[number]) if self.originals else self.objects.decoded(params)


def listed(method: str, candidates: Sequence[Mapping[str, Any]]) -> SearchPlan:
    """Return the plan to try these candidates, in order."""
    objects = Objects()
    params = [{name: objects.encode(v) for name, v in one.items()} for one in candidates]
    box = values_of(params)
    definition = {
        "file": {"search": {"method": method}},
        "space": {"boxes": [box]},
        "candidates": params,
    }
    return SearchPlan(
        strategy=FixedList(params, method),
        n_most=len(params),
        definition=definition,
        objects=objects,
        originals=candidates,
        points=params,
    )


def values_of(candidates: Sequence[Params]) -> dict[str, list[Value]]:
    """Return every parameter's values, each once, in the order of their appearance."""
    by_name: dict[str, dict[str, Value]] = {}
    for params in candidates:
        for name, value in params.items():
            # By its text: a list cannot be a key, and `1 == True` holds in Python.
            by_name.setdefault(name, {}).setdefault(canonical_json(value), value)
    return {name: list(values.values()) for name, values in sorted(by_name.items())}
