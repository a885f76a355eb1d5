"""Spaces as Python code writes them: lists, arrays, scipy's and Optuna's distributions."""

from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UsageError
from tunesmith.space.parameter import Categorical, Distribution, Float, Int
from tunesmith.space.parse import parse_space
from tunesmith.space.space import SearchSpace


def from_python(data: Any) -> SearchSpace:
    """Convert a space from the forms that Python code uses.

    Args:
        data: scikit-learn's ``param_grid`` or ``param_distributions``: names with lists, arrays,
            frozen scipy distributions or Optuna's, or a list of such dicts. Parameters
            (``Float(0, 1)``) and what a configuration would write (``{"int": [1, 9]}``) may stand
            among them.

    Returns:
        The space; ``uniform``, ``loguniform`` and ``randint`` are ranges in it, other
        distributions keep their quantiles.

    Raises:
        UsageError: all parts that cannot be searched.
    """
    space, violations = parse_space(as_written(data))
    if space is None:
        raise UsageError("\n".join(str(violation) for violation in violations))
    return space


def as_written(data: Any) -> Any:
    """Convert Python objects to the form of a configuration; anything but a mapping stays as it is.

    Raises:
        UsageError: one of them cannot be written.
    """
    if isinstance(data, list | tuple):
        return [as_written(box) for box in data]
    if not isinstance(data, Mapping):
        return data
    if set(data) == {"parameters", "constraints"}:
        return {**data, "parameters": as_written(data["parameters"])}
    return {name: _named(name, value) for name, value in data.items()}


def _named(name: Any, value: Any) -> Any:
    try:
        return _plain(value)
    except UsageError as error:
        raise UsageError(f"space.{name}: {error}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return value
    if is_frozen(value):
        return _from_scipy(value)
    if is_optunas(value):
        return _from_optuna(value)
    if isinstance(value, Float | Int | Categorical | Distribution):
        definition = value.to_json()
        return {"values": definition} if isinstance(definition, list) else definition
    # `tolist` also makes numbers of Python's own from numpy's, which JSON does not know.
    if hasattr(value, "tolist"):
        value = value.tolist()
    # Texts can be iterated over: `"rbf"` would become a choice among three letters.
    if isinstance(value, str | bytes | type) or not hasattr(value, "__iter__"):
        message = f"expected a list, an array or a scipy distribution, found {shown(value)}"
        raise UsageError(message)
    return [_plain_value(item) for item in value]


def _plain_value(item: Any) -> Any:
    value = item.item() if hasattr(item, "item") and getattr(item, "ndim", 0) == 0 else item
    if isinstance(value, tuple):
        value = list(value)
    if not isinstance(value, str | int | float | bool | list | dict | None):
        raise UsageError(
            f"{shown(value)} cannot be written as JSON; choose among named `estimators` instead"
        )
    return value


def is_frozen(value: Any) -> bool:
    """True for a distribution of scipy's with its arguments."""
    return hasattr(value, "ppf") and hasattr(value, "dist") and hasattr(value, "support")


def is_optunas(value: Any) -> bool:
    """True for a distribution of Optuna's."""
    cls = type(value)
    return cls.__module__.startswith("optuna.") and cls.__name__.endswith("Distribution")


def shown(value: Any) -> str:
    """Shorten a value for a message."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # noqa: BLE001 - an object that cannot be printed can still be refused
        text = f"an object of class {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:79]}…"


def _from_scipy(frozen: Any) -> dict[str, Any]:
    name = frozen.dist.name
    try:
        low, high = (float(bound) for bound in frozen.support())
        args = [_plain_value(arg) for arg in frozen.args]
        kwds = {key: _plain_value(value) for key, value in frozen.kwds.items()}
    except (TypeError, ValueError) as error:
        raise UsageError(f"scipy.stats.{name}: arguments must be single numbers: {error}") from None
    # The support holds `loc` and `scale`, whether they were given as args or as kwds.
    if name == "uniform":
        return {"float": [low, high]}
    if name in ("loguniform", "reciprocal"):
        return {"float": [low, high], "log": True}
    if name == "randint":
        # scipy's `randint(low, high)` excludes `high`, but its support ends at the last number.
        return {"int": [int(low), int(high)]}
    return {"scipy": name, "args": args, "kwds": kwds}


def _from_optuna(distribution: Any) -> Any:
    if hasattr(distribution, "choices"):
        return {"values": [_plain_value(item) for item in distribution.choices]}
    whole = isinstance(distribution.low, int) and isinstance(distribution.high, int)
    parameter: dict[str, Any] = {"int" if whole else "float": [distribution.low, distribution.high]}
    # Optuna's whole numbers have a step of one, which on a log scale says nothing.
    if distribution.step is not None and not (whole and distribution.step == 1):
        parameter["step"] = distribution.step
    return parameter | ({"log": True} if distribution.log else {})
