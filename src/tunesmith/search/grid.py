"""Every point of a finite space, in scikit-learn's order or spread over the grid."""

from dataclasses import dataclass, field, replace
from math import gcd
from typing import ClassVar

from numpy.random import Generator

from tunesmith.history import History
from tunesmith.search.unseen import is_new
from tunesmith.space import Grid, SearchSpace
from tunesmith.space.grid import endless_parameters
from tunesmith.types import Params

GOLDEN = 618_033_988_749_894_848
"""The golden section, in 10^-18."""


@dataclass
class GridSampler:
    """Grid search: the first points in ``ParameterGrid`` order that the history does not know.

    With ``is_spread``, each point lies far from the ones before it: the numbers go round in steps
    of the golden section. A race then knows a good point early.

    An instance remembers the number below which all points are known, so that the millionth
    suggestion costs as much as the first.
    """

    looks_back: ClassVar[bool] = False
    is_exhaustive: ClassVar[bool] = True

    seed: int = 0
    is_spread: bool = False
    _progress: "_Progress | None" = field(default=None, init=False, repr=False, compare=False)

    def blocker(self, space: SearchSpace) -> str | None:
        """Objection to parameters without a finite list."""
        endless = endless_parameters(space)
        if not endless:
            return None
        names = ", ".join(f"`{name}`" for name in endless)
        return f"{names}: a range without `step` has no end of values; give a list or a `step`"

    def spread(self) -> "GridSampler":
        """Return a sampler of the same points, each far from the ones before it."""
        return replace(self, is_spread=True)

    def suggest(
        self,
        space: SearchSpace,
        history: History,
        n: int,
        rng: Generator,  # noqa: ARG002 - a grid has no randomness
    ) -> list[Params]:
        """Suggest the next points of the grid."""
        if self._progress is None or not self._progress.leads_to(space, history):
            grid = Grid(space)
            step = golden_step(grid.n_numbers) if self.is_spread else 1
            self._progress = _Progress(grid, history, step)
        return self._progress.advance(history, n)


@dataclass
class _Progress:
    """Progress of a history in a grid."""

    grid: Grid
    history: History
    step: int
    first_open: int = 0
    """All points with smaller places in the order are known."""

    def leads_to(self, space: SearchSpace, history: History) -> bool:
        return self.grid.space is space and history.continues(self.history)

    def advance(self, history: History, n: int) -> list[Params]:
        """The first ``n`` points that the history does not know."""
        points: dict[str, Params] = {}
        place = self.first_open
        while place < self.grid.n_numbers and len(points) < n:
            params = self.grid.point(place * self.step % self.grid.n_numbers)
            key = "" if params is None else self.grid.space.key(params)
            if params is not None and is_new(key, history, points):
                points[key] = params
            place += 1
            # A proposed point is not in the history yet, so this place must not pass it.
            if not points:
                self.first_open = place
        self.history = history
        return list(points.values())


def golden_step(n: int) -> int:
    """Step that visits all of ``n`` numbers, each far from those before it.

    >>> step = golden_step(10)
    >>> step, [i * step % 10 for i in range(10)]
    (7, [0, 7, 4, 1, 8, 5, 2, 9, 6, 3])
    """
    # In whole numbers, since a grid may have more points than a float tells apart.
    step = max((n * GOLDEN + 10**18 // 2) // 10**18, 1)
    while gcd(step, n) > 1:
        step += 1
    return step
