"""A search space as matrices: many points at once, for models that compute with numbers.

A row holds one coordinate in [0, 1) per parameter of every box, and one for the box if there are
several. Coordinates of inactive parameters are kept but have no effect.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.random import Generator

from tunesmith.space import Box, Categorical, Parameter, SearchSpace
from tunesmith.types import Params, Value

MAX_LEVELS = 2048
"""Number of levels beyond which a parameter counts as a continuum."""
RESTING = 0.5
"""Coordinate of inactive numbers for the model: the same for all, so without distance."""


@dataclass(frozen=True)
class Coordinate:
    """One coordinate: a parameter of a box, or (``name`` empty) the choice of the box."""

    box: int
    name: str
    parameter: Parameter
    tables: tuple[tuple[int, np.ndarray], ...] = field(default=())
    """Parent axes, and for each of their positions whether this one is active."""

    @cached_property
    def is_ordered(self) -> bool:
        """True if near coordinates mean near values, as in lists of three or more numbers."""
        if not isinstance(self.parameter, Categorical):
            return True
        return len(self.parameter.choices) > 2 and all(map(_is_number, self.parameter.choices))

    @cached_property
    def n_levels(self) -> int | None:
        """Number of values; ``None`` for a continuum."""
        n = self.parameter.n_levels
        return n if n is not None and n <= MAX_LEVELS else None

    @cached_property
    def _order(self) -> np.ndarray:
        """Level at each position, ``(n_levels,)``."""
        if not isinstance(self.parameter, Categorical) or not self.is_ordered:
            return np.arange(self.n_levels or 0)
        return np.argsort(np.array(self.parameter.choices, dtype=float), kind="stable")

    @cached_property
    def places(self) -> np.ndarray:
        """Coordinate of each position, ``(n_levels,)``, rising."""
        n = self.n_levels or 0
        if isinstance(self.parameter, Categorical):
            return (np.arange(n) + 0.5) / n
        return np.array([self.parameter.unit(self.parameter.level(i)) for i in range(n)])

    @cached_property
    def _borders(self) -> np.ndarray:
        return (self.places[1:] + self.places[:-1]) / 2

    def positions(self, units: np.ndarray) -> np.ndarray:
        """Level that each coordinate falls on."""
        return np.searchsorted(self._borders, units, side="right")

    def unit(self, value: Value) -> float:
        """Coordinate of a value."""
        if isinstance(self.parameter, Categorical):
            level = self.parameter.index(value)
            return float(self.places[np.flatnonzero(self._order == level)[0]])
        return min(max(self.parameter.unit(value), 0.0), 1.0)

    def value(self, unit: float) -> Value:
        """Value at a coordinate."""
        if self.n_levels is None:
            # `at` takes quantiles below 1 only.
            return self.parameter.at(min(unit, float(np.nextafter(1.0, 0.0))))
        return self.parameter.level(int(self._order[int(self.positions(np.array(unit)))]))


@dataclass(frozen=True)
class Coordinates:
    """The axes of a space, parents before children, and operations on rows of them."""

    space: SearchSpace

    @cached_property
    def axes(self) -> tuple[Coordinate, ...]:
        """One axis for each parameter of each box; the box first if there are several."""
        n_boxes = len(self.space.boxes)
        axes = [Coordinate(-1, "", Categorical(tuple(range(n_boxes))))] if n_boxes > 1 else []
        for number, box in enumerate(self.space):
            axes += _box_axes(number, box, len(axes))
        return tuple(axes)

    @cached_property
    def _spans(self) -> list[range]:
        """Axes of each box."""
        return [
            range(where[0], where[-1] + 1)
            for number in range(len(self.space.boxes))
            if (where := [i for i, axis in enumerate(self.axes) if axis.box == number])
        ]

    @cached_property
    def groups(self) -> np.ndarray:
        """Group of each feature, ``(n_features,)``: axes that can vary, numbered from 0."""
        sizes = [1 if axis.is_ordered else axis.n_levels or 1 for axis in self._varying]
        return np.repeat(np.arange(len(sizes)), sizes)

    @cached_property
    def _varying(self) -> list[Coordinate]:
        return [axis for axis in self.axes if axis.n_levels != 1]

    def encode(self, params: Params) -> np.ndarray:
        """Coordinates of canonical params, ``(n_axes,)``; 0.5 for inactive parameters."""
        row = np.full(len(self.axes), RESTING)
        number = self.space.locate(params)[0] if len(self.space.boxes) > 1 else 0
        if len(self.space.boxes) > 1:
            row[0] = self.axes[0].places[number]
        for column in self._spans[number]:
            axis = self.axes[column]
            if axis.name in params:
                row[column] = axis.unit(params[axis.name])
        return row

    def decode(self, row: np.ndarray, names: frozenset[str] | None = None) -> dict[str, Value]:
        """Canonical params of a row; only those in ``names``, if given."""
        active = self.active(row[None])[0]
        values = {
            axis.name: axis.value(float(row[column]))
            for column, axis in enumerate(self.axes)
            if axis.name and active[column] and (names is None or axis.name in names)
        }
        return dict(sorted(values.items()))

    def snapped(self, rows: np.ndarray) -> np.ndarray:
        """Move every coordinate of the rows to the value that it stands for."""
        moved = np.clip(rows, 0.0, 1.0)
        for column, axis in enumerate(self.axes):
            if axis.n_levels is not None:
                moved[:, column] = axis.places[axis.positions(moved[:, column])]
        return moved

    def active(self, rows: np.ndarray) -> np.ndarray:
        """Tell which coordinates are active, ``(n, n_axes)``."""
        is_active = np.ones(rows.shape, dtype=bool)
        if len(self.space.boxes) > 1:
            box = self.axes[0].positions(rows[:, 0])
            is_active = box[:, None] == np.array([[axis.box for axis in self.axes]])
            is_active[:, 0] = True
        # Many parameters depend on one parent, whose positions are looked up once.
        positions = {
            parent: self.axes[parent].positions(rows[:, parent]) for parent in self._parents
        }
        # Parents come before their children; those of one parent are looked up together.
        for parent, tables in self._dependents:
            columns, allowed = zip(*tables, strict=True)
            holds = np.array(allowed)[:, positions[parent]].T
            is_active[:, columns] &= is_active[:, [parent]] & holds
        return is_active

    @cached_property
    def _dependents(self) -> list[tuple[int, list[tuple[int, np.ndarray]]]]:
        """Parents in order, each with the axes that depend on it and their tables."""
        found: dict[int, dict[int, np.ndarray]] = {parent: {} for parent in self._parents}
        for column, axis in enumerate(self.axes):
            for parent, table in axis.tables:
                # Two conditions on one parent hold together.
                found[parent][column] = table & found[parent].get(column, True)
        return [(parent, list(tables.items())) for parent, tables in found.items()]

    @cached_property
    def _parents(self) -> list[int]:
        """Axes on which others depend."""
        return sorted({parent for axis in self.axes for parent, _ in axis.tables})

    @cached_property
    def branch_axis(self) -> int | None:
        """Axis that chooses the box, or else the first category on which others depend.

        ``None`` if the space has no branches.
        """
        if len(self.space.boxes) > 1:
            return 0
        roots = (
            p for p in self._parents if not self.axes[p].tables and not self.axes[p].is_ordered
        )
        return next(roots, None)

    def features(self, rows: np.ndarray) -> np.ndarray:
        """Features that a kernel compares, ``(n, n_features)``: numbers, and single choices."""
        active = self.active(rows)
        resting = np.where(active, rows, RESTING)
        features = np.zeros((len(rows), len(self.groups)))
        numbers, places = self._number_columns
        features[:, places] = resting[:, numbers]
        for column, begin, end in self._choice_columns:
            axis = self.axes[column]
            hot = axis.positions(rows[:, column])[:, None] == np.arange(axis.n_levels or 0)
            # Two different choices then have a squared distance of 1.
            features[:, begin:end] = (hot & active[:, [column]]) * np.sqrt(0.5)
        return features

    @cached_property
    def _feature_ends(self) -> list[tuple[int, int, int]]:
        """Axis, first feature and end of its features, of each axis that can vary."""
        found, begin = [], 0
        for column, axis in enumerate(self.axes):
            if axis.n_levels != 1:
                end = begin + (1 if axis.is_ordered else axis.n_levels or 1)
                found.append((column, begin, end))
                begin = end
        return found

    @cached_property
    def _number_columns(self) -> tuple[list[int], list[int]]:
        """Axes with an order, and the feature of each."""
        ordered = [(c, begin) for c, begin, _ in self._feature_ends if self.axes[c].is_ordered]
        return [column for column, _ in ordered], [begin for _, begin in ordered]

    @cached_property
    def _choice_columns(self) -> list[tuple[int, int, int]]:
        """Axes without an order, with the first and the end of their features."""
        return [one for one in self._feature_ends if not self.axes[one[0]].is_ordered]

    def random(self, n: int, rng: Generator) -> np.ndarray:
        """Draw uniform points, ``(n, n_axes)``."""
        return self.snapped(rng.random((n, len(self.axes))))

    def mutated(self, rows: np.ndarray, step: np.ndarray, rng: Generator) -> np.ndarray:
        """Change some active coordinates of the rows, at least one in each.

        Args:
            rows: ``(n, n_axes)``.
            step: ``(n, 1)`` typical changes of a number; at least about one level of a ladder.
            rng: for everything.
        """
        free = self.active(rows) & self._can_vary
        luck = rng.random(rows.shape) * free
        # On average, one and a half coordinates of a row change.
        few = 1.0 - 1.5 / np.maximum(free.sum(axis=1, keepdims=True), 1.5)
        chosen = free & ((luck > few) | (luck == luck.max(axis=1, keepdims=True)))
        moved = rows + rng.normal(size=rows.shape) * np.maximum(step, self._smallest_steps)
        # Reflected at the borders, since clipping would pile up points there.
        moved = np.abs(moved)
        moved = np.where(moved > 1, 2 - moved, moved)
        moved = np.where(self._is_ordered, moved, rng.random(rows.shape))
        return self.snapped(np.where(chosen, moved, rows))

    @cached_property
    def _smallest_steps(self) -> np.ndarray:
        return np.array([0.7 / axis.n_levels if axis.n_levels else 0.0 for axis in self.axes])

    @cached_property
    def _can_vary(self) -> np.ndarray:
        return np.array([axis.n_levels != 1 for axis in self.axes])

    @cached_property
    def _is_ordered(self) -> np.ndarray:
        return np.array([axis.is_ordered for axis in self.axes])

    def allowed(self, rows: np.ndarray) -> np.ndarray:
        """Tell if every constraint holds, ``(n,)``."""
        constraints = self.space.constraints
        if not constraints:
            return np.ones(len(rows), dtype=bool)
        # Decoding all parameters would cost more than checking the constraints.
        names = frozenset().union(*(constraint.names for constraint in constraints))
        return np.array([self.space.allows(self.decode(row, names)) for row in rows], dtype=bool)


def _box_axes(number: int, box: Box, first: int) -> list[Coordinate]:
    axes: list[Coordinate] = []
    for name in box.order:
        tables = []
        for condition in box.conditions.get(name, ()):
            parent = box.order.index(condition.parent)
            tables.append((first + parent, _table(axes[parent], condition.values)))
        axes.append(Coordinate(number, name, box.parameters[name], tuple(tables)))
    return axes


def _table(axis: Coordinate, values: tuple[Value, ...]) -> np.ndarray:
    positions = axis.positions(np.array([axis.unit(value) for value in values]))
    # A continuum has one position.
    return np.isin(np.arange(max(axis.n_levels or 1, 1)), positions)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
