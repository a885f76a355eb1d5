"""Every point of a finite space, in scikit-learn's order."""

from dataclasses import dataclass, field
from typing import ClassVar

from numpy.random import Generator

from tunesmith.history import History
from tunesmith.search.unseen import is_new
from tunesmith.space import Grid, SearchSpace
from tunesmith.space.grid import endless_parameters
from tunesmith.types import Params


@dataclass
class GridSampler:
    """Grid search: the first points in ``ParameterGrid`` order that the history does not know.

    An instance remembers the number below which all points are known, so that the millionth
    suggestion costs as much as the first.
    """

    looks_back: ClassVar[bool] = False
    is_exhaustive: ClassVar[bool] = True

    seed: int = 0
    _progress: "_Progress | None" = field(default=None, init=False, repr=False, compare=False)

    def blocker(self, space: SearchSpace) -> str | None:
        """Objection to parameters without a finite list."""
        endless = endless_parameters(space)
        if not endless:
            return None
        names = ", ".join(f"`{name}`" for name in endless)
        return f"{names}: a range without `step` has no end of values; give a list or a `step`"

    def suggest(
        self,
        space: SearchSpace,
        history: History,
        n: int,
        rng: Generator,  # noqa: ARG002 - a grid has no randomness
    ) -> list[Params]:
        """Suggest the next points of the grid."""
        if self._progress is None or not self._progress.leads_to(space, history):
            self._progress = _Progress(Grid(space), history)
        return self._progress.advance(history, n)


@dataclass
class _Progress:
    """Progress of a history in a grid."""

    grid: Grid
    history: History
    first_open: int = 0
    """All points with smaller numbers are known."""

    def leads_to(self, space: SearchSpace, history: History) -> bool:
        return self.grid.space is space and history.continues(self.history)

    def advance(self, history: History, n: int) -> list[Params]:
        """The first ``n`` points that the history does not know."""
        points: dict[str, Params] = {}
        number = self.first_open
        while number < self.grid.n_numbers and len(points) < n:
            params = self.grid.point(number)
            key = "" if params is None else self.grid.space.key(params)
            if params is not None and is_new(key, history, points):
                points[key] = params
            number += 1
            # A proposed point is not in the history yet, so this number must not pass it.
            if not points:
                self.first_open = number
        self.history = history
        return list(points.values())
