"""A study of objects in memory as its caller asked for it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike, fspath
from typing import Any

from tunesmith.analysis.confirmation import WAYS
from tunesmith.config.model import Definition
from tunesmith.errors import UsageError
from tunesmith.objective.live_space import space_of
from tunesmith.objective.objects import Objects
from tunesmith.runs.memory.definition import define_in_memory
from tunesmith.space import SearchSpace
from tunesmith.space.python import shown

DEFAULT_TRIALS = 50
"""Number of trials if nothing else ends a search that has no end of its own."""
NO_SLUG = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, kw_only=True)
class MemoryRequest:
    """The arguments of ``tune`` for objects in memory."""

    space: Any = None
    search: Any = None
    seed: int | None = None
    start_with: Any = None
    metric: Any = None
    also: Any = None
    cv: Any = None
    groups: Any = None
    weights: Any = None
    fit_params: Mapping[str, Any] = field(default_factory=dict)
    stop: Any = None
    budget: Mapping[str, Any] | None = None
    gate: Any = None
    confirm: Any = None
    current: Mapping[str, Any] | None = None
    selection: str | Mapping[str, Any] | None = None
    models: Mapping[str, Any] | None = None
    predictions: str | PathLike[str] | Mapping[str, Any] | None = None
    ledger: str | PathLike[str] | None = None
    study: str | None = None
    workers: int | None = None
    execution: Mapping[str, Any] | None = None
    version: str | None = None

    def read_space(self, objects: Objects) -> SearchSpace:
        """Return the search space.

        Args:
            objects: gets the values that JSON cannot hold.

        Raises:
            UsageError: there is none, or a part of it cannot be searched.
        """
        if isinstance(self.space, SearchSpace):
            return self.space
        if self.space is None:
            raise UsageError(
                "space: is missing. Say what may vary, for example"
                " space={'C': Float(0.01, 100, log=True)}."
            )
        try:
            return space_of(self.space, objects, "space")
        except ValueError as error:
            raise UsageError(str(error)) from None

    def define(
        self,
        space: SearchSpace,
        objects: Objects,
        objective: Mapping[str, Any],
        *,
        name: str,
        ledger: str,
        workers: int | None = None,
        race: str | None = None,
    ) -> Definition:
        """Build the definition of the study.

        Args:
            space: of the study.
            objects: values that JSON cannot hold.
            objective: its section.
            name: of the study, if none is given.
            ledger: its place.
            workers: number of processes, if none is given.
            race: setting of the race, if none is given.

        Raises:
            ConfigError: every value that means nothing.
        """
        search = self._search(objects)
        if race is not None:
            search.setdefault("race", race)
        sections = {
            "study": self.study or slug(name),
            "objective": objective,
            "search": search,
            "stop": self._stop(search),
            "budget": self.budget,
            "gate": self._gate(),
            "confirm": self.confirm,
            "selection": self.selection,
            "models": self.models,
            "outputs": self._outputs,
            "execution": self._execution(workers),
            "ledger": ledger,
        }
        return define_in_memory(sections, space)

    def _execution(self, workers: int | None) -> dict[str, Any]:
        execution = dict(self.execution or {})
        # 0 is no number of workers, which the check of the section says.
        asked = workers if self.workers is None else self.workers
        if asked is not None:
            execution.setdefault("workers", asked)
        return execution

    @property
    def _outputs(self) -> dict[str, Any] | None:
        given = self.predictions
        if given is None:
            return None
        return {"predictions": fspath(given) if isinstance(given, PathLike) else given}

    @property
    def shares(self) -> bool:
        """False if sharing of fits is turned off."""
        return (self.execution or {}).get("share") != "off"

    @property
    def place(self) -> str | None:
        """The ledger's path or URL; ``None`` for a temporary one."""
        return None if self.ledger is None else fspath(self.ledger)

    def cannot_confirm(self, further: Any) -> tuple[str, ...]:
        """Return a sentence if the gate of this study can adopt nothing.

        Args:
            further: splits beyond those of the search, or the reason why there are none.
        """
        if self._gate() is None or self.confirm == "off" or not isinstance(further, str):
            return ()
        said = (
            "the gate cannot confirm a winner on further splits, and keeps the current parameters:"
            f" `cv` cannot be made anew ({further}). To confirm, {WAYS['memory']}"
        )
        return (said,)

    def _search(self, objects: Objects) -> dict[str, Any]:
        given = self.search
        if given is not None and not isinstance(given, str | Mapping):
            raise UsageError(
                f"search: {shown(given)} is no search. Write its method, for example"
                " 'bayesian', 'random' or 'grid', or a dict with `method`, `sampler`, `seed` …"
            )
        search = dict(given) if isinstance(given, Mapping) else {"method": given or "bayesian"}
        if self.seed is not None:
            search.setdefault("seed", self.seed)
        if self.start_with is not None:
            search.setdefault("start_with", self.start_with)
        if search.get("start_with") is not None:
            search["start_with"] = [_encoded(p, objects) for p in listed(search["start_with"])]
        return search

    def _stop(self, search: Mapping[str, Any]) -> Any:
        if self.stop is None:
            is_grid = search.get("method") == "grid"
            return None if is_grid else {"trials": DEFAULT_TRIALS}
        return self.stop

    @property
    def has_gate(self) -> bool:
        """True if the winner must beat the current parameters."""
        return self._gate() is not None

    def _gate(self) -> Any:
        if self.gate is None or self.gate is False:
            return None
        if self.gate is True:
            return {}
        if isinstance(self.gate, int | float):
            return {"min_improvement": self.gate}
        return self.gate

    def encoded_current(self, objects: Objects) -> dict[str, Any] | None:
        """Return the current parameters with tokens for objects."""
        return None if self.current is None else dict(_encoded(self.current, objects))


def _encoded(point: Any, objects: Objects) -> Any:
    if not isinstance(point, Mapping):
        return point
    return {name: objects.encode(value) for name, value in point.items()}


def listed(given: Any) -> Sequence[Any]:
    """Return a single item as a list of one."""
    return list(given) if isinstance(given, list | tuple) else [given]


def slug(name: str) -> str:
    """Return the name of a study that is made of the name of a class or function.

    >>> slug("<lambda>"), slug("make_model.<locals>.Model")
    ('lambda', 'make_model.locals.Model')
    """
    return NO_SLUG.sub("", name).strip("._-")[:80] or "study"
