"""Values as far as they are known without running a function."""

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MAX_VALUES = 128
"""Most values of a parameter that conditions may depend on."""


@dataclass(frozen=True)
class KnownValue:
    """A constant."""

    value: Any


@dataclass(frozen=True)
class ChosenValue:
    """A value that a parameter with few values decides."""

    name: str
    table: tuple[tuple[Any, Any], ...]
    """Each value of the parameter, as JSON has it, and the value that follows from it."""

    def mapped(self, function: Callable[[Any], Any]) -> "ChosenValue":
        """Return what follows further."""
        return ChosenValue(self.name, tuple((own, function(value)) for own, value in self.table))

    @property
    def every(self) -> tuple[Any, ...]:
        """Every value of the parameter that this tells of."""
        return tuple(own for own, _ in self.table)


@dataclass(frozen=True)
class Joint:
    """A test of several parameters: all of its parts hold, or any of them."""

    parts: tuple[ChosenValue, ...]
    is_all: bool

    @property
    def opposite(self) -> "Joint":
        """The test that holds if this one fails."""
        parts = tuple(part.mapped(lambda holds: not holds) for part in self.parts)
        return Joint(parts, not self.is_all)


@dataclass(frozen=True)
class Drawn:
    """A value that depends on parameters, in a way that no table tells."""

    names: frozenset[str]


@dataclass(frozen=True)
class Unknown:
    """A value that only a run tells."""


@dataclass(frozen=True)
class TrialValue:
    """The object that proposes values."""


@dataclass
class Struct:
    """A dictionary with constant keys."""

    items: dict[Any, "Abstract"] = field(default_factory=dict)


@dataclass
class Listed:
    """A list whose items are known one by one."""

    items: list["Abstract"] = field(default_factory=list)


@dataclass(frozen=True)
class Class:
    """A class of the file."""

    node: ast.ClassDef


@dataclass
class Instance:
    """An object of a class of the file."""

    node: ast.ClassDef
    fields: dict[str, "Abstract"] = field(default_factory=dict)


@dataclass
class Function:
    """A function of the file, with the names that are known around it."""

    node: ast.FunctionDef | ast.Lambda
    around: dict[str, "Abstract"]
    owner: Instance | None = None


Abstract = (
    KnownValue
    | ChosenValue
    | Joint
    | Drawn
    | Unknown
    | TrialValue
    | Struct
    | Listed
    | Class
    | Instance
    | Function
)


def known(value: Abstract) -> tuple[bool, Any]:
    """Return if a value is a constant, and which one."""
    if isinstance(value, KnownValue):
        return True, value.value
    if isinstance(value, Struct | Listed):
        items = value.items.values() if isinstance(value, Struct) else value.items
        pairs = [known(item) for item in items]
        if all(is_known for is_known, _ in pairs):
            plain = [item for _, item in pairs]
            return True, dict(zip(value.items, plain, strict=True)) if isinstance(
                value, Struct
            ) else plain
    return False, None


def dependent(*values: Abstract) -> Abstract:
    """Return a value that follows from others in some way."""
    names: set[str] = set()
    for value in values:
        if isinstance(value, ChosenValue):
            names.add(value.name)
        elif isinstance(value, Drawn):
            names |= value.names
        elif isinstance(value, Joint):
            names |= {part.name for part in value.parts}
    return Drawn(frozenset(names)) if names else Unknown()


def computed(function: Callable[..., Any], *values: Abstract) -> Abstract:
    """Apply a function to constants and values that one parameter decides.

    Errors of the function are what the script would end with: the result is unknown.
    """
    chosen = [v for v in values if isinstance(v, ChosenValue)]
    others = [known(v) for v in values if not isinstance(v, ChosenValue)]
    if not all(is_known for is_known, _ in others):
        return dependent(*values)
    if len({c.name for c in chosen}) > 1:
        return dependent(*values)
    try:
        if not chosen:
            return KnownValue(function(*(value for _, value in others)))
        rows = []
        for row, (own, _) in enumerate(chosen[0].table):
            arguments = [
                v.table[row][1] if isinstance(v, ChosenValue) else known(v)[1] for v in values
            ]
            rows.append((own, function(*arguments)))
        return ChosenValue(chosen[0].name, tuple(rows))
    except Exception:  # noqa: BLE001 - any error that the script's own operation may raise
        return dependent(*values)


def joined(
    test: Abstract | None, one: dict[str, Abstract], other: dict[str, Abstract]
) -> dict[str, Abstract]:
    """Return the names after a branch, if both sides of it may have been taken."""
    names: dict[str, Abstract] = {}
    for name in [*one, *(n for n in other if n not in one)]:
        left, right = one.get(name, Unknown()), other.get(name, Unknown())
        names[name] = left if left == right else _either(test, left, right)
    return names


def _either(test: Abstract | None, left: Abstract, right: Abstract) -> Abstract:
    if isinstance(left, Struct) and isinstance(right, Struct):
        return Struct(joined(test, left.items, right.items))
    if isinstance(test, ChosenValue):
        sides = [known(left), known(right)]
        if all(is_known for is_known, _ in sides):
            return test.mapped(lambda holds: sides[0][1] if holds else sides[1][1])
    return dependent(left, right, *([test] if test is not None else []))


def copied(value: Abstract) -> Abstract:
    """Copy a value that may be changed in place."""
    if isinstance(value, Struct):
        return Struct({key: copied(item) for key, item in value.items.items()})
    if isinstance(value, Listed):
        return Listed([copied(item) for item in value.items])
    return value
