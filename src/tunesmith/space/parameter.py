"""Types of parameters: their values, and the mapping to the unit interval.

Every parameter has the same methods, so that no search strategy needs to know the types:

- ``at(u)``: the value at quantile ``u`` in [0, 1);
- ``unit(value)``: the inverse, the middle of the value's share of [0, 1];
- ``n_levels``: the number of values, ``None`` for a continuum;
- ``level(i)``: the i-th value in grid order; ``index(value)`` its inverse;
- ``canonical(value)``: the value in its one JSON form;
- ``to_json()``: the definition, as a configuration would write it.
"""

import json
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from tunesmith.types import Value


@dataclass(frozen=True)
class Float:
    """A real number in ``[low, high]``.

    ``log`` spreads it evenly over orders of magnitude; ``step`` makes it a finite ladder from
    ``low``.

    Examples:
        >>> Float(1e-4, 1.0, log=True).at(0.5)
        0.01
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    def __post_init__(self) -> None:
        _check_range(self.low, self.high, log=self.log)
        if self.step is not None and not (math.isfinite(self.step) and self.step > 0):
            raise ValueError(f"step must be a positive number (found {self.step})")
        if self.step is not None and self.log:
            raise ValueError("step and log: true exclude each other")
        # `[0, 1]` and `[0.0, 1.0]` must be one definition, with one identity.
        object.__setattr__(self, "low", float(self.low))
        object.__setattr__(self, "high", float(self.high))

    @property
    def n_levels(self) -> int | None:
        """Number of steps; ``None`` for a continuum."""
        if self.step is None:
            return 1 if self.low == self.high else None
        # The tolerance keeps a last step that rounding puts just beyond `high`.
        return math.floor((self.high - self.low) / self.step + 1e-9) + 1

    def level(self, index: int) -> float:
        """Value ``index`` steps above ``low``, free of accumulated rounding."""
        return min(float(f"{self.low + index * (self.step or 0.0):.12g}"), self.high)

    def index(self, value: Value) -> int:
        """Number of steps of a value above ``low``."""
        # Without a step there is one value, `low`, so that any divisor will do.
        return round((_as_number(value) - self.low) / (self.step or 1.0))

    def at(self, u: float) -> float:
        """Value at quantile ``u``."""
        if self.n_levels is not None:
            return self.level(min(int(u * self.n_levels), self.n_levels - 1))
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            value = math.exp(low + u * (high - low))
        else:
            value = self.low + u * (self.high - self.low)
        # 12 digits: libm's exp may differ in its last bits between machines; keys must not.
        return min(max(float(f"{value:.12g}"), self.low), self.high)

    def unit(self, value: Value) -> float:
        """Quantile of a value."""
        number = _as_number(value)
        if self.n_levels is not None:
            return (self.index(value) + 0.5) / self.n_levels
        if self.log:
            return math.log(number / self.low) / math.log(self.high / self.low)
        return (number - self.low) / (self.high - self.low)

    def canonical(self, value: Value) -> float:
        """Convert the value to a float.

        Raises:
            ValueError: no number, or outside the range or off the ladder.
        """
        number = float(_as_number(value))
        if not self.low <= number <= self.high:
            raise ValueError(f"{number!r} is outside [{self.low}, {self.high}]")
        if self.step is None:
            return number
        level = self.level(round((number - self.low) / self.step))
        # A computed number, as from `numpy.arange`, may miss its step by a rounding error.
        if not math.isclose(level, number, rel_tol=1e-9, abs_tol=1e-12):
            raise ValueError(f"{number!r} is not a step of {self.step} above {self.low}")
        return level

    def to_json(self) -> dict[str, Any]:
        """The definition as a configuration writes it."""
        return {"float": [self.low, self.high], **_options(self)}


MAX_INT = 2**63 - 1
"""Largest number that estimators and files of numbers can hold."""


@dataclass(frozen=True)
class Int:
    """A whole number in ``[low, high]``, both included, every ``step``-th from ``low``.

    Examples:
        >>> [Int(50, 200, step=50).level(i) for i in range(4)]
        [50, 100, 150, 200]
    """

    low: int
    high: int
    log: bool = False
    step: int = 1

    def __post_init__(self) -> None:
        _check_range(self.low, self.high, log=self.log)
        for name in ("low", "high", "step"):
            value = getattr(self, name)
            if value != int(value):
                raise ValueError(f"{name} must be a whole number (found {value})")
            if abs(value) > MAX_INT:
                raise ValueError(f"{name} must lie within ±{MAX_INT}, 64 bits (found {value})")
            object.__setattr__(self, name, int(value))
        if self.step < 1:
            raise ValueError(f"step must be at least 1 (found {self.step})")
        if self.log and self.step != 1:
            raise ValueError("step and log: true exclude each other")

    @property
    def n_levels(self) -> int:
        """Number of values."""
        return (self.high - self.low) // self.step + 1

    def level(self, index: int) -> int:
        """Value ``index`` steps above ``low``."""
        return self.low + index * self.step

    def index(self, value: Value) -> int:
        """Number of steps of a value above ``low``."""
        return int(_as_number(value) - self.low) // self.step

    def at(self, u: float) -> int:
        """Value at quantile ``u``; each whole number has its share of the axis."""
        if not self.log:
            return self.level(min(int(u * self.n_levels), self.n_levels - 1))
        # Half a unit more on each side, so that the end values get their full share.
        low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
        return min(max(round(math.exp(low + u * (high - low))), self.low), self.high)

    def unit(self, value: Value) -> float:
        """Quantile of a value."""
        number = _as_number(value)
        if not self.log:
            return (self.index(value) + 0.5) / self.n_levels
        low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
        return (math.log(number) - low) / (high - low)

    def canonical(self, value: Value) -> int:
        """Convert the value to an int.

        Raises:
            ValueError: no whole number, or outside the range or between two steps.
        """
        number = _as_number(value)
        if number != int(number):
            raise ValueError(f"{number!r} is not a whole number")
        if not self.low <= number <= self.high:
            raise ValueError(f"{value!r} is outside [{self.low}, {self.high}]")
        if (int(number) - self.low) % self.step:
            raise ValueError(f"{value!r} is not a step of {self.step} above {self.low}")
        return int(number)

    def to_json(self) -> dict[str, Any]:
        """The definition as a configuration writes it."""
        # With or without `step: 1` it must be one definition, with one identity.
        options = {k: v for k, v in _options(self).items() if (k, v) != ("step", 1)}
        return {"int": [self.low, self.high], **options}


@dataclass(frozen=True)
class Categorical:
    """One of a list of JSON values, compared as in JSON: ``1``, ``1.0`` and ``true`` differ.

    A constant is a choice among one.

    Examples:
        >>> Categorical(("sqrt", None, 0.5)).level(1) is None
        True
    """

    choices: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.choices:
            raise ValueError("needs at least one value")
        repeated = [t for i, t in enumerate(self._texts) if t in self._texts[:i]]
        if repeated:
            raise ValueError(f"the value {repeated[0]} is listed twice")

    @cached_property
    def _texts(self) -> list[str]:
        try:
            return [canonical_json(choice) for choice in self.choices]
        except ValueError:
            raise ValueError(f"{list(self.choices)} holds a number that is not finite") from None
        except TypeError as error:
            raise ValueError(
                f"values must be such as JSON can hold ({error});"
                " BayesSearchCV takes a plain list of any objects"
            ) from None

    @cached_property
    def _index(self) -> dict[str, int]:
        return {text: index for index, text in enumerate(self._texts)}

    @property
    def n_levels(self) -> int:
        """Number of choices."""
        return len(self.choices)

    def level(self, index: int) -> Value:
        """Choice at ``index``, in the order listed."""
        return self.choices[index]

    def at(self, u: float) -> Value:
        """Choice at quantile ``u``."""
        return self.choices[min(int(u * self.n_levels), self.n_levels - 1)]

    def index(self, value: Value) -> int:
        """Place of a value in the list.

        Raises:
            ValueError: not one of the choices.
        """
        exact = self._index.get(canonical_json(value))
        if exact is not None:
            return exact
        # JSON may hold 3000000 for a listed 3e6; an exact match, as between 1 and 1.0, went first.
        alike = [i for i, choice in enumerate(self.choices) if _same_number(choice, value)]
        if len(alike) != 1:
            raise ValueError(f"{value!r} is not one of {list(self.choices)}")
        return alike[0]

    def unit(self, value: Value) -> float:
        """Middle of the choice's share of the axis."""
        return (self.index(value) + 0.5) / self.n_levels

    def canonical(self, value: Value) -> Value:
        """Choice that equals the value (``3000000`` finds a listed ``3e6``)."""
        return self.choices[self.index(value)]

    def to_json(self) -> list[Value]:
        """The list of choices."""
        return list(self.choices)


@dataclass(frozen=True)
class Distribution:
    """A frozen scipy.stats distribution, by name and arguments (Python API and random search).

    Examples:
        >>> Distribution("expon", (), {"scale": 2.0}).at(0.5)
        1.38629436112
    """

    name: str
    args: tuple[float, ...] = ()
    # A dictionary has no hash; comparisons still look at it.
    kwds: dict[str, float] = field(default_factory=dict, hash=False)

    n_levels = None

    @cached_property
    def _frozen(self) -> Any:
        from scipy import stats

        return getattr(stats, self.name)(*self.args, **self.kwds)

    @property
    def _discrete(self) -> bool:
        return hasattr(self._frozen, "pmf")

    def level(self, index: int) -> Value:
        """Refuse: a continuum has no levels."""
        raise IndexError(f"scipy.stats.{self.name} has no level {index}")

    def index(self, value: Value) -> int:
        """Refuse: a continuum has no levels."""
        raise IndexError(f"scipy.stats.{self.name} has no level for {value}")

    def at(self, u: float) -> float:
        """Value at quantile ``u``, kept off the ends, which may be infinite."""
        value = float(self._frozen.ppf(min(max(u, 1e-12), 1 - 1e-12)))
        return int(value) if self._discrete else float(f"{value:.12g}")

    def unit(self, value: Value) -> float:
        """Quantile of a value."""
        number = _as_number(value)
        if self._discrete:
            # The middle of the value's share, as for other parameters with levels.
            return float(self._frozen.cdf(number) - self._frozen.pmf(number) / 2)
        return float(self._frozen.cdf(number))

    def canonical(self, value: Value) -> float:
        """Convert the value to the form that the distribution yields.

        Raises:
            ValueError: outside the distribution's support.
        """
        number = _as_number(value)
        low, high = self._frozen.support()
        if not low <= number <= high:
            raise ValueError(f"{number!r} is outside [{low}, {high}]")
        return int(number) if self._discrete else float(number)

    def to_json(self) -> dict[str, Any]:
        """Name and arguments."""
        return {"scipy": self.name, "args": list(self.args), "kwds": dict(self.kwds)}


Parameter: TypeAlias = Float | Int | Categorical | Distribution


# Made once: `json.dumps` would make one in each call, which takes as long as the text.
ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False
)


def canonical_json(value: object) -> str:
    """The one JSON text of a value: sorted keys, no blanks, no NaN.

    >>> canonical_json({"b": 1, "a": [True, None]})
    '{"a":[true,null],"b":1}'
    """
    # Ledgers and histories hold digests of such texts: in another form, none would be found again.
    return ENCODER.encode(value)


def _check_range(low: float, high: float, *, log: bool) -> None:
    for name, bound in (("low", low), ("high", high)):
        if not hasattr(bound, "__float__") or not hasattr(bound, "__lt__"):
            raise ValueError(f"{name} must be a number (found {bound!r})")
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"bounds must be finite (found low={low}, high={high})")
    if low > high:
        raise ValueError(f"low must not exceed high (found low={low}, high={high})")
    if log and low <= 0:
        raise ValueError(f"a log scale needs low > 0 (found low={low}, high={high})")


def _as_number(value: Value) -> float:
    # In Python, bool is a subclass of int.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a number")
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is not finite")
    return value


def _same_number(left: Value, right: Value) -> bool:
    kinds = (left, right)
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in kinds):
        return False
    return left == right


def _options(parameter: Float | Int) -> dict[str, Any]:
    options: dict[str, Any] = {"log": True} if parameter.log else {}
    return options if parameter.step is None else {**options, "step": parameter.step}
