"""Definitions of parameters as a configuration writes them."""

import math
from typing import Any

from tunesmith.importers.refusal import Place, Refused

MAX_NUMBER, MAX_EXPONENT = 1e300, 300
SIGNIFICANT = 12
MAX_TABLE = 128
"""Most values that conditions may depend on."""


def real(low: Any, high: Any, place: Place, *, log: bool = False, step: Any = None) -> Any:
    """Define a range of numbers, both ends included.

    Raises:
        Refused: the bounds are no numbers, or log and step come together.

    >>> real(1e-4, 1, (1, 1), log=True)
    {'float': [0.0001, 1.0], 'log': True}
    """
    low, high = number(low, place), number(high, place)
    if log and step is not None:
        raise Refused("a log scale with steps has no equal.", place)
    if low > high:
        raise Refused(f"the lower bound {low} is above the upper one, {high}.", place)
    if low == high:
        return [float(low)]
    options: dict[str, Any] = {"log": True} if log else {}
    if step is not None:
        options = {"step": number(step, place)}
    return {"float": [float(low), float(high)], **options}


def whole(low: Any, high: Any, place: Place, *, log: bool = False, step: Any = 1) -> Any:
    """Define a range of whole numbers, both ends included.

    Raises:
        Refused: the bounds are no whole numbers, or log and step come together.

    >>> whole(1, 9, (1, 1), step=2)
    {'int': [1, 9], 'step': 2}
    """
    bounds = [number(bound, place) for bound in (low, high, step)]
    if any(int(bound) != bound for bound in bounds):
        raise Refused(f"[{low}, {high}] in steps of {step} are no whole numbers.", place)
    first, last, width = (int(bound) for bound in bounds)
    if log and width != 1:
        raise Refused("a log scale with steps has no equal.", place)
    if first > last:
        raise Refused(f"the lower bound {first} is above the upper one, {last}.", place)
    if first == last:
        return [first]
    if log and first < 1:
        raise Refused(f"a log scale needs a lower bound of at least 1 (found {first}).", place)
    options = {"log": True} if log else {"step": width} if width != 1 else {}
    return {"int": [first, last], **options}


def number(value: Any, place: Place) -> float:
    """Return a number.

    Raises:
        Refused: it is none.
    """
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(f"{value!r} is no number.", place)
    return finite(value, f"{value:.4g}" if isinstance(value, float) else "it", place)


def finite(value: float, name: str, place: Place) -> float:
    """Return a number.

    Raises:
        Refused: it is infinite, or too large to compute with.
    """
    # YAML has numbers beyond all bounds, and whole ones of any length.
    if not -MAX_NUMBER <= value <= MAX_NUMBER:
        raise Refused(f"{name} is no number to search between.", place)
    return value


def powers(base: float, low: float, high: float, place: Place) -> tuple[float, float]:
    """Return the bounds that two exponents stand for.

    Raises:
        Refused: they lie beyond all numbers.
    """
    largest = max(abs(low), abs(high)) * abs(math.log10(base)) if base > 0 else math.inf
    if largest > MAX_EXPONENT:
        raise Refused(f"`{low:g}` and `{high:g}` are exponents of {base:.3g}.", place)
    first, last = (float(f"{base**bound:.{SIGNIFICANT}g}") for bound in (low, high))
    return first, last


def table(definition: Any) -> tuple[tuple[Any, Any], ...] | None:
    """Return each value of a definition twice, if there are few; ``None`` for many."""
    if isinstance(definition, list):
        return tuple((value, value) for value in definition)
    if "int" in definition:
        low, high = definition["int"]
        values = range(low, high + 1, definition.get("step", 1))
        if len(values) <= MAX_TABLE:
            return tuple((value, value) for value in values)
    return None


def with_conditions(definition: Any, conditions: dict[str, Any]) -> Any:
    """Return a definition with its ``when``."""
    if not conditions:
        return definition
    body = {"values": definition} if isinstance(definition, list) else definition
    return {**body, "when": conditions}
