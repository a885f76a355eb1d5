"""The points that a study tries first, and the current parameters among them."""

from dataclasses import dataclass
from typing import Any

from tunesmith.config.model import Definition
from tunesmith.errors import UsageError
from tunesmith.objective.objective import Objective
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.edits import edit_of
from tunesmith.parameters.texts import committed_parameters
from tunesmith.types import Params


@dataclass(frozen=True)
class StartingPoints:
    """The points that a study tries first, read from its configuration and the project's files."""

    definition: Definition

    def of(self, objective: Objective) -> list[tuple[str, Params]]:
        """List the points that ``start_with`` names, as (origin, params).

        Raises:
            UsageError: the file of the current parameters cannot be read.
        """
        points: list[tuple[str, Params]] = []
        for item in self.definition.file.starting_points:
            if item == "defaults":
                # A program need not tell its own values.
                defaults = objective.defaults()
                points += [("defaults", defaults)] if defaults else []
            elif item == "current" and (current := self._current) is not None:
                points.append(("current", current))
            elif isinstance(item, dict):
                points.append(("start_with", item))
        return points

    @property
    def current_parameters(self) -> Params | None:
        """Current parameters, whether they lie in the space or not; ``None`` if there are none.

        Raises:
            UsageError: the file cannot be read, and the study needs it.
        """
        try:
            params = self._current
        except UsageError:
            if "current" in self.definition.file.starting_points:
                raise
            return None
        try:
            return None if params is None else self.definition.space.canonical(params)
        except ValueError:
            return params

    @property
    def is_edited(self) -> bool:
        """True if the best-parameters file is user-owned and was edited."""
        if self.definition.file.outputs.tuned is None:
            return False
        return edit_of(BestFile.of(self.definition)) is not None

    @property
    def written(self) -> dict[str, Any] | None:
        """Parameters in the best-parameters file, here or in the base revision of a gate."""
        gate, best = self.definition.file.gate, BestFile.of(self.definition)
        if gate is not None and gate.base is not None:
            name = best.outputs.best.path
            return committed_parameters(self.definition.root, gate.base, name, best.shape)
        return dict(best.read()[0]) if best.path.is_file() else None

    @property
    def _current(self) -> Params | None:
        """Current parameters without the budget, which belongs to each trial."""
        params, budget = self.written, self.definition.file.budget_parameter
        return params if params is None else {k: v for k, v in params.items() if k != budget}
