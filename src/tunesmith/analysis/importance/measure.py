"""The declared space as a probability measure, and points of it that differ in some parameters.

Points are drawn as random search draws them: a box, then each of its parameters, uniformly, in log
or by its distribution; points that break a constraint do not exist. Behind each point is a row of
independent *units*, one per name and one for the box. An inactive parameter has a unit without
effect, so that a parameter counts within its branch, by the branch's weight.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tunesmith.search.coordinates import Coordinate, Coordinates
from tunesmith.space import Box, Categorical, Int, SearchSpace
from tunesmith.space.parameter import canonical_json

BOX = "(box)"
"""Name of the choice of a box if no parameter tells the boxes apart."""
MAX_ROUNDS = 30
"""Attempts to redraw a point that breaks a constraint."""


@dataclass(frozen=True, eq=False)
class Measure:
    """A space from which points are drawn."""

    space: SearchSpace

    @cached_property
    def coordinates(self) -> Coordinates:
        """The space as matrices."""
        return Coordinates(self.space)

    @cached_property
    def owner(self) -> str:
        """Name that stands for the choice of the box: a parameter with other values in each."""
        names = sorted(set.intersection(*(set(box.parameters) for box in self.space)))
        return next((name for name in names if self._tells_boxes(name)), BOX)

    def _tells_boxes(self, name: str) -> bool:
        """Tell whether each box has values of its own for the parameter, without conditions."""
        texts: set[str] = set()
        n_texts = 0
        for box in self.space:
            parameter = box.parameters[name]
            if not isinstance(parameter, Categorical) or box.conditions.get(name):
                return False
            own = {canonical_json(choice) for choice in parameter.choices}
            texts |= own
            n_texts += len(own)
        return len(texts) == n_texts

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of what can vary, the choice of the box among them."""
        varying = {axis.name for axis in self.coordinates.axes if axis.name and axis.n_levels != 1}
        if len(self.space.boxes) > 1:
            varying.add(self.owner)
        return tuple(sorted(varying))

    @cached_property
    def _columns(self) -> dict[str, int]:
        """Unit of each parameter; the last one is the box's."""
        return {name: i for i, name in enumerate(self.space.names)}

    @property
    def n_units(self) -> int:
        """Number of units behind a point."""
        return len(self._columns) + 1

    def columns(self, names: Collection[str]) -> np.ndarray:
        """Positions of the units of some names."""
        places = {self._columns[name] for name in names if name in self._columns}
        if self.owner in names and len(self.space.boxes) > 1:
            places.add(len(self._columns))
        return np.array(sorted(places), dtype=int)

    def dependents(self, name: str) -> frozenset[str]:
        """Names that are active, or mean something, only given this one.

        These are the parameters that it switches on and off, directly or through others; for the
        choice of the box also the parameters that are not the same in all boxes.
        """
        found: set[str] = set()
        if name == self.owner and len(self.space.boxes) > 1:
            found |= {other for other in self.space.names if not self._is_common(other)} - {name}
        while True:
            grown = found | {
                child
                for box in self.space
                for child, conditions in box.conditions.items()
                if any(c.parent == name or c.parent in found for c in conditions)
            }
            if grown == found:
                return frozenset(found & set(self.names))
            found = grown

    def _is_common(self, name: str) -> bool:
        """Tell whether a parameter is the same in all boxes."""
        return len({_definition(box, name) for box in self.space}) == 1

    def rows(self, units: np.ndarray) -> np.ndarray:
        """Coordinates of points, ``(n, n_axes)``, from ``(n, n_units)`` units."""
        taken = [
            units[:, self._columns[axis.name] if axis.name else -1]
            for axis in self.coordinates.axes
        ]
        columns = [_placed(a, u) for a, u in zip(self.coordinates.axes, taken, strict=True)]
        return np.column_stack(columns)

    def active(self, units: np.ndarray) -> dict[str, np.ndarray]:
        """Tell by name at which points it is active, ``(n,)`` each."""
        found = {name: np.zeros(len(units), dtype=bool) for name in self.names}
        active = self.coordinates.active(self.rows(units))
        for column, axis in enumerate(self.coordinates.axes):
            name = axis.name or self.owner
            if name in found:
                found[name] |= active[:, column]
        return found

    def allowed(self, units: np.ndarray) -> np.ndarray:
        """Tell which points exist, ``(n,)``."""
        if not self.space.constraints:
            return np.ones(len(units), dtype=bool)
        return self.coordinates.allowed(self.rows(units))

    def redrawn(
        self, units: np.ndarray, fresh: np.ndarray, names: Collection[str], rng: np.random.Generator
    ) -> np.ndarray:
        """Draw some parameters anew, given the others.

        Args:
            units: ``(n, n_units)`` of existing points.
            fresh: ``(n, n_units)`` units to take at first.
            names: what is drawn anew.
            rng: for points that break a constraint with these. A point that finds no other place
                stays.
        """
        columns = self.columns(names)
        moved = units.copy()
        moved[:, columns] = fresh[:, columns]
        if not self.space.constraints:
            return moved
        left = np.arange(len(units))
        for _ in range(MAX_ROUNDS):
            left = left[~self.allowed(moved[left])]
            if not len(left):
                return moved
            moved[np.ix_(left, columns)] = rng.random((len(left), len(columns)))
        left = left[~self.allowed(moved[left])]
        moved[left] = units[left]
        return moved


def _definition(box: Box, name: str) -> str:
    parameter = box.parameters.get(name)
    if parameter is None:
        return ""
    conditions = [[c.parent, list(c.values)] for c in box.conditions.get(name, ())]
    return canonical_json([parameter.to_json(), conditions])


def _placed(axis: Coordinate, units: np.ndarray) -> np.ndarray:
    """Coordinates of the values at quantiles of the parameter."""
    n, parameter = axis.n_levels, axis.parameter
    if n is None:
        return units
    if isinstance(parameter, Int) and parameter.log and n > 1:
        # On a log scale, a whole number's share of the axis falls with the number.
        borders = np.log(np.arange(parameter.low, parameter.high) + 0.5)
        low, high = np.log(parameter.low - 0.5), np.log(parameter.high + 0.5)
        positions = np.searchsorted((borders - low) / (high - low), units, side="right")
    else:
        positions = np.minimum((units * n).astype(int), n - 1)
    return np.asarray(axis.places[positions])
