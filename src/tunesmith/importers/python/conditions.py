"""Conditions of a place in a function: values that parameters must have to get there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

Values = tuple[Any, ...]


@dataclass(frozen=True)
class Route:
    """Conditions that hold together.

    >>> Route().narrowed("kernel", ("rbf",), ("rbf", "linear")).needs
    {'kernel': ('rbf',)}
    """

    needs: Mapping[str, Values] = field(default_factory=dict)
    doubt: str = ""
    """Reason for which only a run tells if the place is reached; empty if there is none."""

    def narrowed(self, name: str, values: Values, every: Values) -> "Route | None":
        """Return the path if a parameter has one of some values; ``None`` if it never has."""
        before = self.needs.get(name, every)
        both = tuple(value for value in before if is_in(value, values))
        if not both:
            return None
        if len(both) == len(every):
            return self
        return Route({**self.needs, name: both}, self.doubt)

    def doubtful(self, reason: str) -> "Route":
        """Return the path with a reason for doubt; the first one stays."""
        return Route(self.needs, self.doubt or reason)


def is_in(value: Any, values: Sequence[Any]) -> bool:
    """Tell whether a value is among others, as JSON tells values apart."""
    return any(is_same(value, other) for other in values)


def is_same(left: Any, right: Any) -> bool:
    """Tell whether two values are the same: 1, 1.0 and true are three.

    >>> is_same(1, True), is_same([1], [1])
    (False, True)
    """
    return type(left) is type(right) and bool(left == right)


def united(paths: Sequence[Mapping[str, Values]]) -> dict[str, Values] | None:
    """Return the conditions under which one of several paths is taken, if they are simple.

    Returns:
        Values by parameter; ``None`` if no values of single parameters tell it.

    >>> united([{"a": (1,)}, {"a": (2,)}]), united([{"a": (1,)}, {"b": (2,)}])
    ({'a': (1, 2)}, None)
    """
    left = [dict(path) for path in paths]
    while len(left) > 1:
        pair = next((p for p in combinations(left, 2) if _joined(*p) is not None), None)
        if pair is None:
            return None
        joined = _joined(*pair)
        left = [path for path in left if path is not pair[0] and path is not pair[1]]
        left.append(joined or {})
    return left[0]


def _joined(one: dict[str, Values], other: dict[str, Values]) -> dict[str, Values] | None:
    for wide, narrow in ((one, other), (other, one)):
        if all(n in narrow and _covers(values, narrow[n]) for n, values in wide.items()):
            return wide
    if one.keys() != other.keys():
        return None
    names = [n for n in one if not (_covers(one[n], other[n]) and _covers(other[n], one[n]))]
    if len(names) != 1:
        return None
    name = names[0]
    added = tuple(v for v in other[name] if not is_in(v, one[name]))
    return {**one, name: (*one[name], *added)}


def _covers(wide: Values, narrow: Values) -> bool:
    return all(is_in(value, wide) for value in narrow)


def are_disjoint(one: Mapping[str, Values], other: Mapping[str, Values]) -> bool:
    """Tell whether two paths are never taken together."""
    shared = one.keys() & other.keys()
    return any(not any(is_in(v, other[name]) for v in one[name]) for name in shared)
