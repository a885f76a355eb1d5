"""The points that a study tries first, and the current parameters among them."""

from dataclasses import dataclass
from typing import Any

from tunesmith.config.model import Definition
from tunesmith.errors import UsageError
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.rows import as_recorded
from tunesmith.objective.objective import Objective
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.edits import edit_of
from tunesmith.parameters.texts import committed_parameters
from tunesmith.runs.experience.earlier import EarlierStudies
from tunesmith.runs.experience.portfolio import from_portfolio
from tunesmith.types import Params


@dataclass(frozen=True)
class StartingPoints:
    """The points that a study tries first, read from its configuration and the project's files."""

    definition: Definition

    def of(self, objective: Objective, ledger: Ledger | None = None) -> list[tuple[str, Params]]:
        """List the points that ``start_with`` names, as (origin, params).

        Args:
            objective: tells the defaults, and which data there are.
            ledger: has the earlier studies; ``None`` if there is none.

        Raises:
            UsageError: the file of the current parameters cannot be read.
        """
        points: list[tuple[str, Params]] = []
        for item in self.definition.file.starting_points:
            if isinstance(item, dict):
                points.append(("start_with", item))
            else:
                points += [(item, params) for params in self._named(item, objective, ledger)]
        return points

    @property
    def unsaid(self) -> tuple[str, ...]:
        """Origins of points that may be left out without a word."""
        # Defaults outside the space are common, and the user did not ask for them.
        return () if self.definition.file.search.start_with else ("defaults",)

    @property
    def without_code(self) -> list[tuple[str, Params]]:
        """Return the points, as (origin, params), that depend on no code of the project."""
        points: list[tuple[str, Params]] = []
        for item in self.definition.file.starting_points:
            if isinstance(item, dict):
                points.append(("start_with", item))
            elif item == "current" and self._current is not None:
                points.append((item, self._current))
        return points

    def _named(self, word: str, objective: Objective, ledger: Ledger | None) -> list[Params]:
        """Points that a word of ``start_with`` stands for."""
        file, space = self.definition.file, self.definition.space
        if word == "current":
            return [] if self._current is None else [self._current]
        # A program need not tell its own values.
        defaults = objective.defaults()
        if word == "defaults":
            return [defaults] if defaults else []
        if word == "portfolio":
            return from_portfolio(file.objective, space, defaults)
        if ledger is None:
            return []
        recorded = as_recorded(self.definition.as_json())
        data = objective.context.get("data", "")
        return EarlierStudies(ledger, file.study, recorded, data).points(space, defaults)

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
