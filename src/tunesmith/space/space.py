"""The search space: a union of boxes, conditions within a box, constraints over all.

A box is a param grid in scikit-learn's terms: names with the values that each may take. A list of
param grids is a union of boxes. A condition makes a parameter active only for some values of
another; inactive parameters are not part of a point.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tunesmith.space.expression import Expression, ExpressionError
from tunesmith.space.parameter import Parameter, canonical_json
from tunesmith.types import Params, Value

if TYPE_CHECKING:
    from numpy.random import Generator

MAX_REJECTIONS = 10_000


@dataclass(frozen=True)
class Condition:
    """``parent`` must have one of ``values`` for the parameter to be active.

    Examples:
        >>> Condition("kernel", ("rbf", "poly")).holds({"kernel": "linear"})
        False
    """

    parent: str
    values: tuple[Value, ...]

    @cached_property
    def _texts(self) -> frozenset[str]:
        return frozenset(canonical_json(value) for value in self.values)

    def holds(self, params: Params) -> bool:
        """True if the parent is active and has one of the values."""
        # Compared as JSON, since `1 == True` in Python.
        return self.parent in params and canonical_json(params[self.parent]) in self._texts


@dataclass(frozen=True)
class Box:
    """Named parameters, some of them conditional.

    Raises:
        ValueError: a condition names an unknown parent or a value that the parent cannot have, or
            conditions form a circle.

    Examples:
        >>> from tunesmith.space import Categorical, Float
        >>> kernels, gamma = Categorical(("linear", "rbf")), Float(1e-4, 1.0, log=True)
        >>> conditions = {"gamma": (Condition("kernel", ("rbf",)),)}
        >>> box = Box({"kernel": kernels, "gamma": gamma}, conditions)
        >>> SearchSpace((box,)).canonical({"kernel": "linear"})
        {'kernel': 'linear'}
    """

    parameters: Mapping[str, Parameter]
    conditions: Mapping[str, tuple[Condition, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, conditions in self.conditions.items():
            for condition in conditions:
                self._check(name, condition)
        if len(self.order) < len(self.parameters):
            circle = sorted(self.parameters.keys() - set(self.order))
            raise ValueError(f"conditions go round in a circle: {', '.join(circle)}")

    def _check(self, name: str, condition: Condition) -> None:
        parent = self.parameters.get(condition.parent)
        if parent is None:
            raise ValueError(f"`{name}` depends on the unknown parameter `{condition.parent}`")
        for value in condition.values:
            try:
                parent.canonical(value)
            except ValueError as error:
                raise ValueError(
                    f"`{name}` waits for `{condition.parent}` to be {value!r}: {error}"
                ) from None

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Names, sorted, with parents before the parameters that depend on them."""
        done: dict[str, None] = {}
        waiting = sorted(self.parameters)
        while waiting:
            ready = [
                name
                for name in waiting
                if all(c.parent in done for c in self.conditions.get(name, ()))
            ]
            if not ready:
                break
            done.update(dict.fromkeys(ready))
            waiting = [name for name in waiting if name not in done]
        return tuple(done)

    def point(self, units: Mapping[str, float]) -> dict[str, Value]:
        """The params at a point of the unit cube; inactive coordinates are ignored."""
        params: dict[str, Value] = {}
        for name in self.order:
            if self.is_active(name, params):
                params[name] = self.parameters[name].at(units[name])
        return params

    def is_active(self, name: str, params: Params) -> bool:
        """True if a parameter is active, given the values of its parents."""
        return all(condition.holds(params) for condition in self.conditions.get(name, ()))

    def canonical(self, params: Params) -> dict[str, Value]:
        """The active parameters in canonical form, sorted by name.

        Raises:
            ValueError: a name is unknown, an active parameter is missing, or a value lies outside.
        """
        unknown = sorted(params.keys() - self.parameters.keys())
        if unknown:
            raise ValueError(f"unknown parameter `{unknown[0]}`")
        values: dict[str, Value] = {}
        for name in self.order:
            if not self.is_active(name, values):
                continue
            if name not in params:
                raise ValueError(f"`{name}` is missing")
            try:
                values[name] = self.parameters[name].canonical(params[name])
            except ValueError as error:
                raise ValueError(f"`{name}`: {error}") from None
        return dict(sorted(values.items()))

    def to_json(self) -> dict[str, Any]:
        """The definition, sorted by name."""
        return {name: self._parameter_json(name) for name in sorted(self.parameters)}

    def _parameter_json(self, name: str) -> Any:
        definition = self.parameters[name].to_json()
        conditions = self.conditions.get(name, ())
        if not conditions:
            return definition
        body = {"values": definition} if isinstance(definition, list) else definition
        return {**body, "when": {c.parent: list(c.values) for c in conditions}}


@dataclass(frozen=True)
class SearchSpace:
    """All points that a study may evaluate.

    Examples:
        >>> from tunesmith.space import Categorical
        >>> space = SearchSpace.of({"kernel": Categorical(("linear", "rbf"))})
        >>> space.key({"kernel": "rbf"})
        '{"kernel":"rbf"}'
    """

    boxes: tuple[Box, ...]
    constraints: tuple[Expression, ...] = ()

    def __post_init__(self) -> None:
        if not self.boxes or not all(box.parameters for box in self.boxes):
            raise ValueError("a space needs at least one parameter")
        names = set(self.names)
        for constraint in self.constraints:
            unknown = sorted(constraint.names - names)
            if unknown:
                raise ValueError(f"`{constraint.text}` speaks of the unknown `{unknown[0]}`")

    @classmethod
    def of(cls, *boxes: Mapping[str, Parameter]) -> "SearchSpace":
        """A union of plain boxes without conditions."""
        return cls(tuple(Box(box) for box in boxes))

    @property
    def names(self) -> list[str]:
        """Every parameter of every box, in order of first appearance."""
        return list(dict.fromkeys(name for box in self.boxes for name in box.parameters))

    def allows(self, params: Params) -> bool:
        """True if every constraint holds; one that cannot be computed does not."""
        try:
            return all(constraint.holds(params) for constraint in self.constraints)
        except ExpressionError:
            return False

    def locate(self, params: Params) -> tuple[int, dict[str, Value]]:
        """Find the box that holds the params, and their canonical form.

        It is the first box in which all of them are active, else the first that holds them at all:
        a point keeps its meaning if boxes overlap.

        Raises:
            ValueError: no box holds them, or a constraint is broken.
        """
        reasons, holding = [], []
        for index, box in enumerate(self.boxes):
            try:
                holding.append((index, box.canonical(params)))
            except ValueError as error:
                reasons.append(str(error))
                continue
            if len(holding[-1][1]) == len(params):
                break
        if not holding:
            raise ValueError(min(reasons, key=len) if len(reasons) > 1 else reasons[0])
        index, point = max(holding, key=lambda item: len(item[1]) == len(params))
        if not self.allows(point):
            raise ValueError("a constraint is broken")
        return index, point

    def canonical(self, params: Params) -> dict[str, Value]:
        """Canonical form of a point: active parameters, canonical values, sorted names.

        Raises:
            ValueError: the point lies outside the space.
        """
        return self.locate(params)[1]

    def __contains__(self, params: Params) -> bool:
        try:
            self.locate(params)
        except ValueError:
            return False
        return True

    @staticmethod
    def key(params: Params) -> str:
        """The text that identifies canonical params."""
        return canonical_json(dict(params))

    def sample(self, rng: "Generator") -> dict[str, Value]:
        """Draw a random point: a box, then each of its parameters, uniformly or in log.

        Raises:
            ValueError: the constraints leave practically nothing.
        """
        for _ in range(MAX_REJECTIONS):
            # After a rejection the box is drawn anew: one with few allowed points would get too
            # many.
            box = self.boxes[int(rng.integers(len(self.boxes)))]
            units = dict(zip(box.order, rng.random(len(box.order)), strict=True))
            params = box.point(units)
            if self.allows(params):
                return dict(sorted(params.items()))
        raise ValueError(f"no point in {MAX_REJECTIONS} met the constraints")

    def to_json(self) -> dict[str, Any]:
        """The definition that identifies the space."""
        boxes = [box.to_json() for box in self.boxes]
        return {"boxes": boxes, "constraints": [c.text for c in self.constraints]}

    def __iter__(self) -> Iterator[Box]:
        return iter(self.boxes)
