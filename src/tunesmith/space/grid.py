"""Every point of a finite space, lazily, in the order of scikit-learn's ``ParameterGrid``.

A point has a number: boxes come one after the other, and within a box the last name (sorted) varies
fastest. Numbers that would repeat a point (they differ only in inactive parameters) or break a
constraint have no point. Nothing is stored, so a grid of 10^9 points costs as much as one of ten.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod

from tunesmith.space.parameter import Parameter
from tunesmith.space.space import Box, SearchSpace
from tunesmith.types import Params, Value

COUNT_LIMIT = 100_000


@dataclass(frozen=True)
class Grid:
    """The points of a space by number.

    Raises:
        ValueError: a parameter has no finite list of values.

    >>> from tunesmith.space import Categorical
    >>> grid = Grid(SearchSpace.of({"b": Categorical((1, 2)), "a": Categorical(("x", "y"))}))
    >>> [grid.point(i) for i in range(grid.n_numbers)][:2]
    [{'a': 'x', 'b': 1}, {'a': 'x', 'b': 2}]
    """

    space: SearchSpace

    def __post_init__(self) -> None:
        endless = endless_parameters(self.space)
        if endless:
            raise ValueError(f"`{endless[0]}` is a continuum")

    @cached_property
    def _sizes(self) -> list[int]:
        return [prod(_levels(p) for p in box.parameters.values()) for box in self.space]

    @property
    def n_numbers(self) -> int:
        """Count the numbers; an upper bound of the number of points."""
        return sum(self._sizes)

    @cached_property
    def n_points(self) -> int | None:
        """Count the points; ``None`` if that would take too long."""
        if not self.space.constraints and not any(box.conditions for box in self.space):
            return self.n_numbers
        if self.n_numbers > COUNT_LIMIT:
            return None
        return sum(self.point(number) is not None for number in range(self.n_numbers))

    def point(self, number: int) -> dict[str, Value] | None:
        """Params with this number; ``None`` if the number has no point.

        Raises:
            IndexError: there is no such number.
        """
        box, offset = self._split(number)
        chosen = _decode(box, offset)
        params: dict[str, Value] = {}
        for name in box.order:
            if box.is_active(name, params):
                params[name] = box.parameters[name].level(chosen[name])
            elif chosen[name] > 0:
                # The first level of an inactive parameter represents the point; others would repeat
                # it.
                return None
        return dict(sorted(params.items())) if self.space.allows(params) else None

    def number(self, params: Params) -> int:
        """Number of a point; the inverse of ``point``.

        Raises:
            ValueError: the point lies outside the space.
        """
        index, point = self.space.locate(params)
        offset = 0
        for name, parameter in sorted(self.space.boxes[index].parameters.items()):
            level = parameter.index(point[name]) if name in point else 0
            offset = offset * _levels(parameter) + level
        return sum(self._sizes[:index]) + offset

    def after(self, number: int) -> Iterator[dict[str, Value]]:
        """Yield the points with larger numbers, in order."""
        for following in range(number + 1, self.n_numbers):
            params = self.point(following)
            if params is not None:
                yield params

    def _split(self, number: int) -> tuple[Box, int]:
        offset = number
        for box, size in zip(self.space, self._sizes, strict=True):
            if 0 <= offset < size:
                return box, offset
            offset -= size
        raise IndexError(f"no grid point {number} among {self.n_numbers}")


def endless_parameters(space: SearchSpace) -> list[str]:
    """List the parameters that no grid can list."""
    names = [n for box in space for n, p in box.parameters.items() if p.n_levels is None]
    return list(dict.fromkeys(names))


def count_points(space: SearchSpace) -> int | None:
    """Count the points of a space; ``None`` for a continuum, or if counting takes too long."""
    return None if endless_parameters(space) else Grid(space).n_points


def _levels(parameter: Parameter) -> int:
    assert parameter.n_levels is not None  # noqa: S101 - Grid refuses a continuum
    return parameter.n_levels


def _decode(box: Box, offset: int) -> dict[str, int]:
    chosen = {}
    # The last name varies fastest, as in `ParameterGrid`, so its level is split off first.
    for name, parameter in sorted(box.parameters.items(), reverse=True):
        offset, chosen[name] = divmod(offset, _levels(parameter))
    return chosen
