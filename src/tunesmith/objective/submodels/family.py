"""What a family of submodels is, and the stand-ins that answer for its members.

A *submodel parameter* is one whose other values come free with one fit: a forest of 500 trees
holds those of 1 to 499 (caret and tidymodels call it so). Exactness is the law: scores of a
submodel are bitwise those of a fresh fit. A family lists where that is proved (``proved``), judges
the values (``can_share``), and its word is checked on the first fit of a kind that it shares.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from copy import copy
from functools import wraps
from typing import Any, Protocol

from tunesmith.objective.proved import Proved, is_whole, shown
from tunesmith.objective.randomness import is_certainly_random, is_random


class CannotShareError(Exception):
    """Only the fit, or its rows, showed that submodels would not be fresh fits."""


def check_repeats(estimator: Any, X: Any) -> None:
    """Refuse to share a fit that will not repeat.

    Raises:
        CannotShareError: it draws random numbers, and nobody has given it a seed.
    """
    if is_random(estimator, X):
        raise CannotShareError(f"{type(estimator).__name__} draws random numbers without a seed")


class Family(Protocol):
    """Estimators that share fits along one parameter.

    A family may have ``aliases``, other names of the parameter; and ``free``, names of further
    parameters that play no part in the fit. Its candidates may differ in them, too; ``submodels``
    then takes ``free=``, their values for each candidate, and ``values`` may repeat. Where an
    estimator forgets what its submodels need, a family may have ``fit(estimator, X, y, **params)``;
    what that returns is then given to ``submodels``. One whose fits take time in
    proportion to the parameter has a true ``is_sized``. Where the value of the parameter
    decides how an estimator is fitted, a family has ``border(estimator, value, n_rows) -> key``
    (``n_rows`` is ``None`` where they are not known yet): values with different keys share no fit.
    What more it has against an estimator, ``why_not(estimator)`` tells in words.
    """

    parameter: str
    proved: Proved
    """Where its word holds; a family without shares nothing."""

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """Whether one fit is exact for all these values of the parameter.

        Asked for estimators that ``proved`` has no objection to. Values on two sides of a
        border are told apart by ``border``.

        Args:
            estimator: unfitted, with all other parameters set.
            values: at least one, of any type; what the estimator would refuse is not shared.
        """

    def in_order(self, values: Sequence[Any]) -> list[Any]:
        """The values in the order in which ``submodels`` wants them."""

    def widest(self, values: Sequence[Any]) -> Any:
        """The value to fit with."""

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:
        """The estimators that fits with these values would have been, one after the other.

        Args:
            fitted: an estimator fitted with the widest value.
            values: from ``in_order``.
            X: rows that will be predicted; the same object leads to answers that are computed
                once for the whole path. Any other is predicted by the submodel itself.

        Yields:
            A fitted estimator, good until the next one is asked for.

        Raises:
            CannotShareError: each candidate must be fitted on its own after all.
        """


def fitted_for(family: Family | None, estimator: Any, X: Any, y: Any, **params: Any) -> Any:
    """What ``submodels`` is given: a fitted estimator, or what the family's own ``fit`` made."""
    fit = getattr(family, "fit", None)
    return fit(estimator, X, y, **params) if fit else estimator.fit(X, y, **params)


class Counted:
    """What families along a count have in common: more of it holds fewer."""

    parameter = "n_estimators"
    is_sized = True

    def in_order(self, values: Sequence[Any]) -> list[Any]:
        """From few to many."""
        return sorted(values)

    def widest(self, values: Sequence[Any]) -> Any:
        """The most."""
        return max(values)


class Staged:
    """Rising partial results, computed as far as asked and not kept: memory for one of them."""

    def __init__(self, stages: Iterator[Any]) -> None:
        self._stages, self._n, self._last = stages, 0, None

    def at(self, n: int) -> Any:
        """A copy of the result after ``n`` stages, or after the last one; ``n`` may not fall."""
        while self._n < n:
            try:
                self._last = next(self._stages)
            except StopIteration:
                break
            self._n += 1
        # Some methods work in place on what another one answers.
        return copy(self._last)


def answering(estimator: Any, X: Any, answers: Mapping[str, Callable[..., Any]]) -> Any:
    """A copy of a fitted estimator whose methods have the answers for one ``X`` ready.

    Args:
        estimator: fitted.
        X: the object for which the answers hold, told by identity.
        answers: method -> a function of the further arguments.
    """
    found = copy(estimator)
    for name, answer in answers.items():
        setattr(found, name, _answer_for(X, answer, getattr(estimator, name)))
    return found


def _answer_for(X: Any, answer: Callable[..., Any], method: Callable[..., Any]) -> Any:
    @wraps(method)  # scikit-learn's scorers tell methods apart by their names
    def ask(given: Any = None, *args: Any, **options: Any) -> Any:
        return answer(*args, **options) if given is X else method(given, *args, **options)

    return ask


def resized(estimator: Any, **attributes: Any) -> Any:
    """A shallow copy with some attributes replaced."""
    found = copy(estimator)
    vars(found).update(attributes)
    return found


def objection(
    family: Family, estimator: Any, values: Sequence[Any], fit_params: Mapping[str, Any]
) -> str:
    """Why a family may not share fits, in words; empty where it may.

    Args:
        family: of the parameter.
        estimator: unfitted, with all other parameters set.
        values: of the parameter; none, where they do not matter yet.
        fit_params: what ``fit`` is given besides X and y.
    """
    proved = getattr(family, "proved", None)
    if proved is None:
        return f"{type(family).__name__} does not list what it has been proved for"
    own = (family.parameter, *getattr(family, "aliases", ()), *getattr(family, "free", ()))
    found: str = proved.objection(estimator, own, fit_params)
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
    """On which side of a family's borders a value stands.

    Args:
        family: of the parameter.
        estimator: unfitted.
        value: of the parameter.
        n_rows: of the training rows; ``None`` where they are not known.
    """
    border = getattr(family, "border", None)
    found: Hashable = border(estimator, value, n_rows) if border else None
    return found


def is_repeatable(estimator: Any) -> bool:
    """Whether a fit repeats: it has a seed where it draws numbers."""
    seed = getattr(estimator, "random_state", None)
    return (seed is None or is_whole(seed)) and not is_certainly_random(estimator)


def are_counts(values: Sequence[Any]) -> bool:
    """Whether all values are whole numbers from 1 on."""
    return all(is_whole(value) and value >= 1 for value in values)
