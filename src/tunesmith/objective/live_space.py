"""Reading of spaces from Python objects, and errors for everything that is none.

Besides what ``tunesmith.space.python`` reads, values may be any objects, and scikit-optimize's
notation is understood: a tuple ``(low, high)``, also with ``"uniform"`` or
``"log-uniform"``, is a range, as are its ``Real`` and ``Integer``.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tunesmith.errors import UsageError
from tunesmith.objective.objects import Objects
from tunesmith.space import Categorical, Distribution, Float, Int, SearchSpace
from tunesmith.space.python import from_python, is_frozen, is_optunas, shown

PRIORS = ("uniform", "log-uniform")
"""Of scikit-optimize's ranges."""
WAYS = (
    "Give a list of values, Float, Int or Categorical of tunesmith, a frozen distribution of"
    " scipy.stats, or one of Optuna's."
)


class ForeignError(ValueError):
    """Something that cannot be read as a space; the message names it and the forms to write."""


def space_of(
    distributions: Any, objects: Objects, argument: str = "param_distributions"
) -> SearchSpace:
    """Return the space that the user wrote, its objects as tokens.

    Args:
        distributions: a dict of names with lists, ranges or distributions, or a list of such dicts.
        objects: gets the values that JSON cannot hold.
        argument: its name, for messages.

    Raises:
        ValueError: everything in it that cannot be searched.
    """
    problems: list[str] = []
    written = distributions
    if isinstance(distributions, Mapping) and set(distributions) == {"parameters", "constraints"}:
        written = distributions["parameters"]
    boxes = [_box(box, place, objects, problems) for box, place in _boxes(written, problems)]
    if not problems:
        constraints = {} if written is distributions else dict(distributions)
        try:
            return from_python({**constraints, "parameters": boxes} if constraints else boxes)
        except UsageError as error:
            problems.append(str(error))
    raise ValueError("\n".join(f"{argument}: {text}" for text in problems))


def _boxes(written: Any, problems: list[str]) -> Iterator[tuple[Mapping[Any, Any], str]]:
    """Yield the boxes with their places; anything else becomes a problem."""
    if isinstance(written, Mapping):
        yield written, ""
        return
    if not isinstance(written, list | tuple) or _is_counted(written):
        problems.append(_no_box(written))
        return
    for place, box in enumerate(written):
        if isinstance(box, Mapping):
            yield box, f" of space {place}"
        else:
            problems.append(f"space {place}: {_no_box(box)}")


def _is_counted(given: Any) -> bool:
    """Tell whether it is scikit-optimize's pair of a space and a number of candidates."""
    is_pair = isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], Mapping)
    return is_pair and not isinstance(given[1], Mapping)


def _no_box(given: Any) -> str:
    if _is_counted(given):
        return (
            "a space with a number of candidates of its own, as scikit-optimize takes it."
            " Candidates go where they promise most: give the spaces alone, and n_iter for all."
        )
    if given is None:
        return "is missing. Say what may vary, for example {'C': Float(0.1, 10, log=True)}."
    wanted = "expected a dict of names with their values, or a list of such dicts"
    return f"{wanted}; found {shown(given)}."


def _box(
    box: Mapping[Any, Any], place: str, objects: Objects, problems: list[str]
) -> dict[str, Any]:
    parameters = {}
    for name, values in box.items():
        if not isinstance(name, str):
            problems.append(f"the name of a parameter{place} is a text, not {shown(name)}.")
            continue
        try:
            parameters[name] = encoded_values(values, objects)
        except ForeignError as error:
            problems.append(f"{error} (`{name}`{place})")
    return parameters


def encoded_values(values: Any, objects: Objects) -> Any:
    """Return a parameter's values or range, its values as JSON.

    Raises:
        ForeignError: it cannot be read.
    """
    if isinstance(values, Float | Int | Distribution) or is_frozen(values):
        return values
    if isinstance(values, Mapping):
        return _encoded_definition(values, objects)
    # By its name, because scikit-optimize need not be installed.
    if type(values).__module__.startswith("skopt."):
        values = from_skopt(values)
    elif isinstance(values, tuple):
        values = from_tuple(values)
    if isinstance(values, Float | Int):
        return values
    if isinstance(values, Categorical) or is_optunas(values):
        if not hasattr(values, "choices"):
            return values
        values = list(values.choices)
    return [objects.encode(value) for value in _listed(values)]


def _encoded_definition(given: Mapping[Any, Any], objects: Objects) -> dict[str, Any]:
    """Return the parameter as in a configuration, with objects as tokens."""
    parameter = {str(key): value for key, value in given.items()}
    if "values" in parameter:
        parameter["values"] = [objects.encode(value) for value in _listed(parameter["values"])]
    if "value" in parameter:
        parameter["value"] = objects.encode(parameter["value"])
    if isinstance(parameter.get("when"), Mapping):
        parameter["when"] = {
            name: [objects.encode(v) for v in (values if isinstance(values, list) else [values])]
            for name, values in parameter["when"].items()
        }
    return parameter


def from_tuple(values: tuple[Any, ...]) -> Any:
    """Read a tuple as scikit-optimize does: ``(low, high[, prior[, base]])``, or choices.

    Raises:
        ForeignError: it begins as a range and does not continue as one.
    """
    if not (2 <= len(values) <= 4 and all(map(_is_number, values[:2]))):
        return list(values)
    low, high, *more = values
    if more and not isinstance(more[0], str):
        return list(values)
    if more and more[0] not in PRIORS:
        raise ForeignError(
            f"{shown(values)} begins as a range: after its ends comes 'uniform' or"
            f" 'log-uniform', not {more[0]!r}. Choices are given as a list."
        )
    # Read as two choices, a range would be searched badly and without a word.
    return _range(low, high, is_log=bool(more) and more[0] == "log-uniform")


def from_skopt(dimension: Any) -> Any:
    """Read a dimension of scikit-optimize's.

    Raises:
        ForeignError: it is none.
    """
    kind = type(dimension).__name__
    if kind == "Categorical":
        given = dimension.prior
        if given is not None and len(set(given)) > 1:
            warnings.warn(
                f"the probabilities of {shown(dimension)} are not used: every choice counts alike",
                UserWarning,
                stacklevel=2,
            )
        return list(dimension.categories)
    if kind in ("Real", "Integer"):
        low, high = dimension.low, dimension.high
        if kind == "Real":
            # `Real(1, 10)` has whole ends, which would make it a range of whole numbers.
            low, high = float(low), float(high)
        return _range(low, high, is_log=dimension.prior == "log-uniform")
    raise ForeignError(f"expected Real, Integer or Categorical of scikit-optimize; found {kind}.")


def _range(low: Any, high: Any, *, is_log: bool) -> Float | Int:
    whole = (int, np.integer)
    try:
        if isinstance(low, whole) and isinstance(high, whole):
            return Int(int(low), int(high), log=is_log)
        return Float(float(low), float(high), log=is_log)
    except ValueError as error:
        raise ForeignError(f"({low}, {high}) is read as a range: {error}.") from None


def _is_number(value: Any) -> bool:
    numbers = (int, float, np.integer, np.floating)
    return isinstance(value, numbers) and not isinstance(value, bool)


def _listed(values: Any) -> Sequence[Any]:
    """The values of a sequence or an array with one axis.

    Raises:
        ForeignError: it is something else.
    """
    if isinstance(values, str | bytes) or not _is_listed(values):
        raise ForeignError(_foreign(values))
    return list(values)


def _is_listed(values: Any) -> bool:
    if isinstance(values, Sequence):
        return True
    return hasattr(values, "tolist") and getattr(values, "ndim", 1) == 1


def _foreign(values: Any) -> str:
    """Describe a value that is no range or list, and name the forms to write instead."""
    return f"expected a list, an array or a distribution; found {shown(values)}. {_way_out(values)}"


def _way_out(values: Any) -> str:
    if isinstance(values, str | bytes) or _is_number(values) or values is None:
        return f"A single value stands in a list: [{shown(values)}]."
    if getattr(values, "ndim", 1) != 1:
        return "Values stand in an array with one axis."
    if type(values).__module__.startswith("scipy.") and hasattr(values, "freeze"):
        return "It lacks its arguments: write, for example, scipy.stats.uniform(0, 1)."
    if hasattr(values, "__iter__") or hasattr(values, "__next__"):
        return "Put its values into a list: their order must stay."
    if hasattr(values, "rvs"):
        return "It can only be drawn from, and a search needs quantiles: a method ppf."
    return WAYS
