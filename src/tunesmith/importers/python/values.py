"""Values of Python as JSON holds them."""

import math
from typing import Any

from tunesmith.importers.refusal import Place, Refused


def plain(value: Any, place: Place = (0, 0)) -> Any:
    """Return a value as JSON has it: tuples are lists, numbers of NumPy are plain ones.

    Raises:
        Refused: it is an object, or a number that is not finite.

    >>> plain((1, None, {"a": (True, "x")}))
    [1, None, {'a': [True, 'x']}]
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, range | list | tuple):
        return [plain(item, place) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise Refused("the keys of a mapping must be text, as in JSON.", place)
        return {key: plain(item, place) for key, item in value.items()}
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Refused(f"{value} is no value that JSON can hold.", place)
        return value
    raise Refused(f"{type(value).__name__} values cannot be written as JSON.", place)


def has_tuple(value: Any) -> bool:
    """Tell whether a value is or holds a tuple, which becomes a list."""
    if isinstance(value, tuple):
        return True
    return isinstance(value, list) and any(map(has_tuple, value))


def distinct(values: list[Any]) -> list[Any]:
    """Leave out what is there already, as JSON tells values apart: 1 and true are two.

    >>> distinct([1, True, 1, "1"])
    [1, True, '1']
    """
    first: dict[str, Any] = {}
    for value in values:
        first.setdefault(repr(plain(value)), value)
    return list(first.values())


def choices(values: Any, place: Place) -> list[Any]:
    """Return a list of choices.

    Raises:
        Refused: it is no list, is empty, or a value is there twice.
    """
    listed = plain(values, place)
    if not isinstance(listed, list) or not listed:
        raise Refused("expected a list of values.", place)
    seen: list[str] = []
    for item in listed:
        text = repr(item)
        if text in seen:
            raise Refused(f"the value {item!r} is listed twice, so that it counts double.", place)
        seen.append(text)
    return listed


def are_equal(weights: Any) -> bool:
    """Tell whether choices that have these weights are all drawn as often; no weights are equal.

    >>> are_equal([0.5, 0.5]), are_equal([0.1, 0.9]), are_equal([0, 0]), are_equal("a")
    (True, False, False, False)
    """
    if not isinstance(weights, list | tuple):
        return False
    is_number = all(isinstance(w, int | float) and not isinstance(w, bool) for w in weights)
    return is_number and all(w > 0 and math.isclose(w, weights[0], rel_tol=1e-9) for w in weights)
