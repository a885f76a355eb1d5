"""What a family of submodels is, and the stand-ins that answer for its members.

A *submodel parameter* is one whose other values come free with one fit: a forest of 500 trees
holds those of 1 to 499 (caret and tidymodels call it so). Exactness is the law: scores of a
submodel are bitwise those of a fresh fit. A family says where that holds (``can_share``), and every
process checks its word on the first fit that it shares.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from functools import wraps
from typing import Any, Protocol

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
    proportion to the parameter has a true ``is_sized``.
    """

    parameter: str

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """Whether one fit is exact for all these values of the parameter.

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


def is_repeatable(estimator: Any) -> bool:
    """Whether nothing but the parameter decides a fit: no luck, from scratch, in one thread."""
    return (
        isinstance(getattr(estimator, "random_state", 0), int | None)
        and not is_certainly_random(estimator)
        and not getattr(estimator, "warm_start", False)
        and getattr(estimator, "n_jobs", None) in (None, 1)
    )


def is_tree_or_forest(estimator: Any) -> bool:
    """Whether it is a tree of scikit-learn's, or a forest of them without out-of-bag scores."""
    from sklearn import ensemble, tree

    kinds = (
        tree.DecisionTreeClassifier,
        tree.DecisionTreeRegressor,
        tree.ExtraTreeClassifier,
        tree.ExtraTreeRegressor,
        ensemble.RandomForestClassifier,
        ensemble.RandomForestRegressor,
        ensemble.ExtraTreesClassifier,
        ensemble.ExtraTreesRegressor,
    )
    return type(estimator) in kinds and not getattr(estimator, "oob_score", False)


def are_counts(values: Sequence[Any]) -> bool:
    """Whether all values are whole numbers from 1 on."""
    return all(isinstance(v, int) and not isinstance(v, bool) and v >= 1 for v in values)
