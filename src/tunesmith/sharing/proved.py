"""Lists of the conditions under which sharing fits is proved; all others are refused.

A family lists the classes, the versions of their packages, the parameters and the arguments of
``fit`` for which one fit has been shown to hold the others. If anything else differs from its
default, each candidate is fitted by itself: an option that nobody has tried cannot make scores
wrong. ``tunesmith.testing`` draws from these lists and compares with fresh fits.
"""

import inspect
import re
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

KNOWN_FUNCTIONS = ("numpy", "scipy", "sklearn", "tunesmith")
"""Packages whose functions may be parameters: they depend on their arguments only."""
DISTRIBUTIONS = {"sklearn": ("scikit-learn",), "xgboost": ("xgboost", "xgboost-cpu")}
"""Package -> names under which it is installed, if they differ."""


@dataclass(frozen=True)
class Values:
    """Values of one parameter for which sharing is proved."""

    words: str
    """Description for the documentation."""
    holds: Callable[[Any], bool]
    examples: tuple[Any, ...]
    """Values that the contract suites draw."""


@dataclass(frozen=True)
class Versions:
    """A range of versions of an installed package."""

    package: str
    first: str
    below: str

    def __str__(self) -> str:
        return f"{self.package} {self.first} and later, before {self.below}"

    @property
    def blocker(self) -> str:
        """Reason why the installed version is outside the range; empty if it is inside."""
        version = installed(self.package)
        if version is not None and _order(self.first) <= _order(version) < _order(self.below):
            return ""
        return f"{self.package} {version or '(not installed)'} is not among the versions tried"


SCIKIT_LEARN = Versions("sklearn", "1.9", "1.10")
"""Versions that every family was tried with: scikit-learn clones, cuts rows and calls ``fit``, also
for the estimators of other libraries."""


@dataclass(frozen=True)
class Proved:
    """All conditions under which a family may share fits.

    Args:
        classes: import paths, exactly these classes and none derived from them.
        versions: of the package.
        params: constructor parameters that may differ from their defaults. The family's own
            parameter needs no entry.
        fit_params: arguments of ``fit`` besides X and y that may be given.
        canonical: a parameter's name -> the name under which its library knows it, by the library's
            own table; ``None`` if no table has it.
    """

    classes: tuple[str, ...]
    versions: Versions
    params: Mapping[str, Values] = field(default_factory=dict)
    fit_params: Mapping[str, Values] = field(default_factory=dict)
    canonical: Callable[[str], str | None] = str

    def blocker(
        self,
        estimator: Any,
        own: Collection[str] = (),
        fit_params: Mapping[str, Any] | None = None,
    ) -> str:
        """Give the reason why sharing is not proved for an estimator; empty if it is.

        Args:
            estimator: unfitted.
            own: parameters that candidates vary together, which the family judges itself.
            fit_params: arguments of ``fit`` besides X and y.
        """
        if not self.has(estimator):
            return f"{type(estimator).__name__} is not one of its estimators"
        return (
            self.versions.blocker
            or SCIKIT_LEARN.blocker
            or self._objection_to_params(estimator, own)
            or self._objection_to_fit(estimator, fit_params or {})
        )

    def has(self, estimator: Any) -> bool:
        """True if an estimator is of one of the classes itself; subclasses do not count."""
        return any(is_of(type(estimator), path) for path in self.classes)

    def _objection_to_params(self, estimator: Any, own: Collection[str]) -> str:
        # Libraries have several names for a parameter, so names are compared by the library's
        # table.
        listed = {self.canonical(name) or name: values for name, values in self.params.items()}
        own_names = {self.canonical(name) or name for name in own}
        for name, value in set_params(estimator).items():
            canonical = self.canonical(name)
            if name in own:
                continue
            if canonical is None or canonical in own_names or canonical not in listed:
                return f"`{name}` is set, and is not among the parameters tried"
            if not listed[canonical].holds(value):
                what = getattr(value, "__name__", "") or shown(value)
                return f"`{name}={what}` is not among the values tried"
        return ""

    def _objection_to_fit(self, estimator: Any, given: Mapping[str, Any]) -> str:
        defaults = defaults_of_fit(type(estimator))  # type: ignore[arg-type]
        for name, value in given.items():
            # An argument that has its default value changes nothing.
            if name in defaults and is_same(value, defaults[name]):
                continue
            if name not in self.fit_params or not self.fit_params[name].holds(value):
                return f"`fit` is given `{name}`, which is not among the arguments tried"
        return ""


# -- what is set ---------------------------------------------------------------------------------


def set_params(estimator: Any) -> dict[str, Any]:
    """Collect an estimator's parameters that differ from the defaults of its constructor."""
    defaults = defaults_of(type(estimator))  # type: ignore[arg-type]
    return {
        name: value
        for name, value in estimator.get_params(deep=False).items()
        if name not in defaults or not is_same(value, defaults[name])
    }


@cache
def defaults_of(cls: Hashable) -> dict[str, Any]:
    """Defaults of a constructor by parameter, including those that it passes on to its bases."""
    defaults: dict[str, Any] = {}
    for owner in cls.__mro__:  # type: ignore[attr-defined]
        if "__init__" not in vars(owner) or owner is object:
            continue
        parameters = inspect.signature(vars(owner)["__init__"]).parameters.values()
        for one in parameters:
            if one.default is not inspect.Parameter.empty:
                defaults.setdefault(one.name, one.default)
        # Without `**kwargs` a constructor passes nothing on: its bases' defaults do not count.
        if not any(one.kind is one.VAR_KEYWORD for one in parameters):
            break
    return defaults


@cache
def defaults_of_fit(cls: Hashable) -> dict[str, Any]:
    """Defaults of the arguments of ``fit``."""
    parameters = inspect.signature(cls.fit).parameters.values()  # type: ignore[attr-defined]
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


def is_same(one: Any, other: Any) -> bool:
    """True if two values are the same plain thing: of one type and equal, or both NaN."""
    if one is other:
        return True
    # `True == 1` and `1 == 1.0`, but estimators treat them differently; arrays have no single
    # truth.
    if type(one) is not type(other) or isinstance(one, np.ndarray):
        return False
    if isinstance(one, float) and one != one:
        return bool(other != other)
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 - what cannot be compared is not the default
        return False


def is_of(cls: type, path: str) -> bool:
    """True if a class is the one at an import path, whichever module below it defines the class."""
    package, _, name = path.rpartition(".")
    # Public paths are shorter than those where classes are defined, and the latter may change.
    return cls.__name__ == name and f"{cls.__module__}.".startswith(f"{package}.")


@cache
def installed(package: str) -> str | None:
    """Return the installed version of a package; ``None`` if it is not installed."""
    for name in DISTRIBUTIONS.get(package, (package,)):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None


def _order(text: str) -> tuple[int, ...]:
    """Turn a version into numbers; a suffix does not count.

    >>> _order("1.10.2rc1") > _order("1.9")
    True
    """
    numbers = []
    for part in text.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)


def shown(value: Any) -> str:
    """Shorten a value for a sentence."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


# -- values --------------------------------------------------------------------------------------


def among(*choices: Any) -> Values:
    """Allow these values themselves."""
    words = ", ".join(f"`{choice!r}`" for choice in choices)
    return Values(words, lambda value: any(is_same(value, one) for one in choices), choices)


def whole(low: int, *examples: int) -> Values:
    """Allow whole numbers from ``low`` on."""
    return Values(f"whole numbers from {low} on", lambda v: is_whole(v) and v >= low, examples)


def number(low: float, high: float, *examples: float) -> Values:
    """Allow finite numbers between two, both included."""
    words = f"{low:g} to {high:g}" if np.isfinite(high) else f"{low:g} and more"
    return Values(words, lambda v: is_number(v) and low <= v <= high, examples)


def fraction(*examples: float) -> Values:
    """Allow floating-point numbers above 0 and up to 1."""
    return Values("a share of 0 to 1", lambda v: isinstance(v, float) and 0 < v <= 1, examples)


def either(*several: Values) -> Values:
    """Allow the values of any of these."""
    words = "; ".join(values.words for values in several)
    examples = tuple(one for values in several for one in values.examples)
    return Values(words, lambda value: any(v.holds(value) for v in several), examples)


def any_of(words: str, *kinds: type, examples: tuple[Any, ...] = ()) -> Values:
    """Allow all values of some types."""
    return Values(words, lambda value: isinstance(value, kinds), examples)


FLAG = among(True, False)
QUIET = Values("any number or switch", lambda v: isinstance(v, bool | int), (0,))
"""Verbosity of a fit, which changes no result."""
SEED = whole(0, 0, 7)
WEIGHTS = Values("one number a row", lambda value: value is not None, ())
CLASS_WEIGHT = either(
    among("balanced"),
    Values("numbers by class", lambda v: isinstance(v, dict), ()),
)
SIGNS = Values(
    "-1, 0 and 1, by column", lambda v: isinstance(v, dict | list | tuple | np.ndarray), ()
)


def is_whole(value: Any) -> bool:
    """True for a whole number of Python's or NumPy's."""
    # `bool` is a subclass of `int`, but no number to an estimator.
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """True for a finite number of Python's or NumPy's."""
    is_any = isinstance(value, int | float | np.integer | np.floating)
    return is_any and not isinstance(value, bool) and bool(np.isfinite(value))


# -- estimators within estimators ----------------------------------------------------------------


def blocker_of_parts(estimator: Any, packages: Collection[str] = ("sklearn", "tunesmith")) -> str:
    """Give the reason why a fit may depend on more than an estimator's parameters and rows.

    scikit-learn's own estimators with plain parameters, at any depth, give no reason. Code of the
    user's, a function or a class, may draw random numbers, count its calls or read a file.

    Args:
        estimator: unfitted.
        packages: names of packages with known estimators.
    """
    if SCIKIT_LEARN.blocker:
        return SCIKIT_LEARN.blocker
    for name, value in _deep(estimator):
        reason = _objection_to_value(value, packages)
        if _is_in_place(name, value):
            reason = "the fit may write into its rows"
        if reason:
            return f"`{name}`: {reason}" if name else reason
    return ""


def _deep(estimator: Any) -> Iterator[tuple[str, Any]]:
    yield "", estimator
    if hasattr(estimator, "get_params"):
        yield from estimator.get_params(deep=True).items()


def may_be_in_place(name: str) -> bool:
    """True if a parameter's name says that it chooses between copies and the rows themselves."""
    own = name.rpartition("__")[2].lower()
    return "copy" in own or _OVERWRITES.search(own) is not None


def _is_in_place(name: str, value: Any) -> bool:
    """True if a parameter lets a fit write into its rows: ``copy=False``, ``copy_X=False``.

    Training scores are then those of rows that the fit has changed.
    """
    own = name.rpartition("__")[2].lower()
    if _OVERWRITES.search(own):
        return bool(value)
    return "copy" in own and value is not None and not value


_OVERWRITES = re.compile(r"overwrite|in_?place")


def _objection_to_value(value: Any, packages: Collection[str]) -> str:
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return next(filter(None, (_objection_to_value(one, packages) for one in value)), "")
    if value is None or isinstance(
        value, slice | bool | int | float | str | np.generic | np.dtype | type
    ):
        return ""
    if hasattr(value, "get_params") and not isinstance(value, type):
        is_known = type(value).__module__.partition(".")[0] in packages
        return "" if is_known else f"{type(value).__name__} is none of a known library's"
    if isinstance(value, np.ndarray):
        # Arrays of objects may hold code of the user's; arrays of numbers may not.
        return "" if value.dtype.kind != "O" else "an array of objects"
    if _is_known_function(value):
        return ""
    name = getattr(value, "__name__", "")
    return f"{f'`{name}`' if name else shown(value)} is of your own: nobody knows what it does"


def _may_draw(function: Any) -> bool:
    """True if a function draws random numbers unless it is given a seed."""
    if isinstance(getattr(function, "__self__", None), np.random.RandomState | np.random.Generator):
        return True
    try:
        found = inspect.signature(function).parameters.get("random_state")
    except (TypeError, ValueError):  # what is compiled need not tell its parameters
        return False
    return found is not None and found.default is None


def _is_known_function(value: Any, *, is_seeded: bool = False) -> bool:
    if isinstance(value, np.ufunc):
        return True
    inner = getattr(value, "func", None)
    # A `functools.partial` is as known as its function, if its arguments are plain.
    if inner is not None and hasattr(value, "keywords"):  # functools.partial
        plain = (*value.args, *value.keywords.values())
        is_seeded = is_whole(value.keywords.get("random_state"))
        is_known = _is_known_function(inner, is_seeded=is_seeded)
        return is_known and not any(_objection_to_value(one, ()) for one in plain)
    if not is_seeded and _may_draw(value):
        return False
    package = str(getattr(value, "__module__", "")).partition(".")[0]
    return callable(value) and package in KNOWN_FUNCTIONS
