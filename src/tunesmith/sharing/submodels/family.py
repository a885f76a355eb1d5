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
from typing import Any, Protocol

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

    A family may have further attributes:

    - ``aliases``: other names of the parameter.
    - ``free``: names of further parameters that play no part in the fit. Candidates may differ in
      them. ``submodels`` then takes ``free=``, their values for each candidate, and ``values`` may
      repeat.
    - ``fit(estimator, X, y, **params)``: used if an estimator forgets what its submodels need. Its
      result is given to ``submodels``.
    - ``is_sized``: true if fits take time in proportion to the parameter.
    - ``border(estimator, value, n_rows) -> key``: used if the value of the parameter decides how an
      estimator is fitted. Values with different keys share no fit. ``n_rows`` is ``None`` if the
      rows are not known yet.
    - ``why_not(estimator)``: any further reason against sharing, in words; empty if there is none.
    """

    parameter: str
    proved: Proved
    """Conditions under which sharing is exact; a family without them shares nothing."""

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """True if one fit is exact for all these values of the parameter.

        Called only for estimators that ``proved`` accepts. ``border`` separates values on two sides
        of a border.

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


def fitted_for(family: Family | None, estimator: Any, X: Any, y: Any, **params: Any) -> Any:
    """Fit for ``submodels``, with the family's own ``fit`` if it has one."""
    fit = getattr(family, "fit", None)
    return fit(estimator, X, y, **params) if fit else estimator.fit(X, y, **params)


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
    found = copy(estimator)
    # Set on the copy, so that its class, and the estimators that share it, stay as they are.
    for name, answer in answers.items():
        setattr(found, name, _answer_for(X, answer, getattr(estimator, name)))
    return found


def _answer_for(X: Any, answer: Callable[..., Any], method: Callable[..., Any]) -> Any:
    @wraps(method)  # scikit-learn's scorers tell methods apart by their names
    def ask(given: Any = None, *args: Any, **options: Any) -> Any:
        # Identity, not equality: comparing rows would cost more than many predictions.
        return answer(*args, **options) if given is X else method(given, *args, **options)

    return ask


def resized(estimator: Any, **attributes: Any) -> Any:
    """Copy an object shallowly, with some attributes replaced."""
    found = copy(estimator)
    vars(found).update(attributes)
    return found


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
    proved = getattr(family, "proved", None)
    if proved is None:
        return f"{type(family).__name__} does not list what it has been proved for"
    own = (family.parameter, *getattr(family, "aliases", ()), *getattr(family, "free", ()))
    found: str = proved.blocker(estimator, own, fit_params)
    if found:
        return found
    if is_certainly_random(estimator):
        return "it draws random numbers without a seed"
    why_not = getattr(family, "why_not", None)
    if why_not and (reason := why_not(estimator)):
        return str(reason)
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
    border = getattr(family, "border", None)
    found: Hashable = border(estimator, value, n_rows) if border else None
    return found


def is_repeatable(estimator: Any) -> bool:
    """True if a fit repeats: it has a seed, or draws no numbers."""
    # A generator as `random_state` moves on with each fit, so that no fit repeats.
    seed = getattr(estimator, "random_state", None)
    return (seed is None or is_whole(seed)) and not is_certainly_random(estimator)


def are_counts(values: Sequence[Any]) -> bool:
    """True if all values are whole numbers from 1 on."""
    return all(is_whole(value) and value >= 1 for value in values)
