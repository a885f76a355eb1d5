"""Families of submodels, and the stand-ins that answer for their members.

A *submodel parameter* is one whose other values come free with one fit: a forest of 500 trees holds
those of 1 to 499 (caret and tidymodels use the same term). Sharing must be exact: scores of a
submodel are bitwise those of a fresh fit. A family lists the conditions under which this is proved
(``proved``), judges the values (``can_share``), and is checked on the first fit of a kind that it
shares.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from copy import copy
from functools import wraps
from typing import Any, Protocol, runtime_checkable

from tunesmith.sharing.proved import Proved, is_whole, shown
from tunesmith.sharing.randomness import is_certainly_random, is_random


class CannotShareError(Exception):
    """A shared fit, or its rows, showed that submodels would differ from fresh fits."""


def check_repeats(estimator: Any, X: Any) -> None:
    """Refuse to share a fit that will not repeat.

    Raises:
        CannotShareError: it draws random numbers and has no seed.
    """
    if is_random(estimator, X):
        raise CannotShareError(f"{type(estimator).__name__} draws random numbers without a seed")


class Family(Protocol):
    """Estimators that share fits along one parameter.

    A family that shares anything is a ``ProvedFamily``. It may have the further capabilities below.
    """

    parameter: str

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """True if one fit is exact for all these values of the parameter.

        Called only for estimators that ``proved`` accepts. A ``BorderedFamily`` separates values on
        two sides of a border.

        Args:
            estimator: unfitted, with all other parameters set.
            values: at least one, of any type; what the estimator would refuse is not shared.
        """

    def in_order(self, values: Sequence[Any]) -> list[Any]:
        """Order the values as ``submodels`` wants them."""

    def widest(self, values: Sequence[Any]) -> Any:
        """Choose the value to fit with."""

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:
        """Yield the estimators that fits with these values would have given, one by one.

        Args:
            fitted: an estimator fitted with the widest value.
            values: from ``in_order``.
            X: rows that will be predicted; the same object leads to answers that are computed
                once for the whole path. Any other is predicted by the submodel itself.

        Yields:
            A fitted estimator, valid until the next one is taken.

        Raises:
            CannotShareError: each candidate must be fitted on its own after all.
        """


@runtime_checkable
class ProvedFamily(Protocol):
    """A family that lists the conditions under which its sharing is exact."""

    proved: Proved


@runtime_checkable
class AliasedFamily(Protocol):
    """A family whose parameter has other names."""

    aliases: tuple[str, ...]


@runtime_checkable
class FreeFamily(Protocol):
    """A family with further parameters that play no part in the fit.

    Candidates may differ in them. ``submodels`` then takes ``free=``, their values for each
    candidate, and ``values`` may repeat.
    """

    free: tuple[str, ...]


@runtime_checkable
class SizedFamily(Protocol):
    """A family that tells if its fits take time in proportion to the parameter."""

    is_sized: bool


@runtime_checkable
class FittingFamily(Protocol):
    """A family that fits itself, as an estimator forgets what its submodels need."""

    def fit(self, estimator: Any, X: Any, y: Any, **params: Any) -> Any:
        """Fit; the result is given to ``submodels``."""


@runtime_checkable
class BorderedFamily(Protocol):
    """A family in which the value of the parameter decides how an estimator is fitted."""

    def border(self, estimator: Any, value: Any, n_rows: int | None) -> Hashable:
        """Key of a value; values with different keys share no fit.

        Args:
            estimator: unfitted.
            value: of the parameter.
            n_rows: of the training rows; ``None`` if it is not known yet.
        """


@runtime_checkable
class ExplainingFamily(Protocol):
    """A family with further reasons against sharing."""

    def why_not(self, estimator: Any) -> str:
        """Give a reason against sharing, in words; empty if there is none."""


@runtime_checkable
class DemandingFamily(Protocol):
    """A family whose sharing shows on a certain number of rows only."""

    def n_small(self, values: Sequence[Any]) -> int:
        """Number of rows that a check of these values of the parameter needs."""


def names_of(family: Family) -> tuple[str, ...]:
    """All names of a family's parameter, the usual one first."""
    return (family.parameter, *aliases_of(family))


def aliases_of(family: object) -> tuple[str, ...]:
    """Other names of a family's parameter."""
    return tuple(family.aliases) if isinstance(family, AliasedFamily) else ()


def free_of(family: object) -> tuple[str, ...]:
    """Names of a family's parameters that play no part in the fit."""
    return tuple(family.free) if isinstance(family, FreeFamily) else ()


def proved_of(family: object) -> Proved | None:
    """Conditions under which a family's sharing is exact; ``None`` if it lists none."""
    return family.proved if isinstance(family, ProvedFamily) else None


def is_sized(family: object) -> bool:
    """True if fits of a family take time in proportion to its parameter."""
    return family.is_sized if isinstance(family, SizedFamily) else False


def fitted_for(family: object, estimator: Any, X: Any, y: Any, **params: Any) -> Any:
    """Fit for ``submodels``, by the family itself if it can."""
    if isinstance(family, FittingFamily):
        return family.fit(estimator, X, y, **params)
    return estimator.fit(X, y, **params)


class Counted:
    """Common part of families along a count: the larger one holds the smaller ones."""

    parameter = "n_estimators"
    is_sized = True

    def in_order(self, values: Sequence[Any]) -> list[Any]:
        """Sort from few to many."""
        return sorted(values)

    def widest(self, values: Sequence[Any]) -> Any:
        """Choose the largest."""
        return max(values)


class Staged:
    """Rising partial results, computed as far as needed; only the last one is kept in memory."""

    def __init__(self, stages: Iterator[Any]) -> None:
        self._stages, self._n, self._last = stages, 0, None

    def at(self, n: int) -> Any:
        """Copy the result after ``n`` stages, or after the last one; ``n`` may not fall."""
        while self._n < n:
            try:
                self._last = next(self._stages)
            except StopIteration:
                break
            self._n += 1
        # Some methods of estimators change the array that another one has returned.
        return copy(self._last)


def answering(estimator: Any, X: Any, answers: Mapping[str, Callable[..., Any]]) -> Any:
    """Copy a fitted estimator so that its methods answer for one ``X`` from prepared results.

    Args:
        estimator: fitted.
        X: the object for which the answers hold, compared by identity.
        answers: method -> a function of the further arguments.
    """
    stand_in = copy(estimator)
    # Set on the copy, so that its class, and the estimators that share it, stay as they are.
    for name, answer in answers.items():
        setattr(stand_in, name, _answer_for(X, answer, getattr(estimator, name)))
    return stand_in


def _answer_for(X: Any, answer: Callable[..., Any], method: Callable[..., Any]) -> Any:
    @wraps(method)  # scikit-learn's scorers tell methods apart by their names
    def ask(given: Any = None, *args: Any, **options: Any) -> Any:
        # Identity, not equality: comparing rows would cost more than many predictions.
        return answer(*args, **options) if given is X else method(given, *args, **options)

    return ask


def resized(estimator: Any, **attributes: Any) -> Any:
    """Copy an object shallowly, with some attributes replaced."""
    other = copy(estimator)
    vars(other).update(attributes)
    return other


def blocker(
    family: Family, estimator: Any, values: Sequence[Any], fit_params: Mapping[str, Any]
) -> str:
    """Give the reason why a family may not share fits; empty if it may.

    Args:
        family: of the parameter.
        estimator: unfitted, with all other parameters set.
        values: of the parameter; empty if they do not matter yet.
        fit_params: arguments of ``fit`` besides X and y.
    """
    proved = proved_of(family)
    if proved is None:
        return f"{type(family).__name__} does not list what it has been proved for"
    own = (*names_of(family), *free_of(family))
    if reason := proved.blocker(estimator, own, fit_params):
        return reason
    if is_certainly_random(estimator):
        return "it draws random numbers without a seed"
    if isinstance(family, ExplainingFamily) and (reason := family.why_not(estimator)):
        return reason
    if values and not family.can_share(estimator, values):
        return f"not for `{family.parameter}` of {', '.join(map(shown, values))}"
    return ""


def border_of(family: Family, estimator: Any, value: Any, n_rows: int | None) -> Hashable:
    """Side of a family's borders on which a value lies; ``None`` without borders.

    Args:
        family: of the parameter.
        estimator: unfitted.
        value: of the parameter.
        n_rows: of the training rows; ``None`` if it is not known.
    """
    if not isinstance(family, BorderedFamily):
        return None
    return family.border(estimator, value, n_rows)


def is_repeatable(estimator: Any) -> bool:
    """True if a fit repeats: it has a seed, or draws no numbers."""
    # A generator as `random_state` moves on with each fit, so that no fit repeats.
    seed = getattr(estimator, "random_state", None)
    return (seed is None or is_whole(seed)) and not is_certainly_random(estimator)


def are_counts(values: Sequence[Any]) -> bool:
    """True if all values are whole numbers from 1 on."""
    return all(is_whole(value) and value >= 1 for value in values)
