"""Words for an option that a class or function does not take."""

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any

from tunesmith.errors import did_you_mean

UNEXPECTED = re.compile(r"unexpected keyword argument '(\w+)'")


def unknown_option(
    key: str,
    part: str,
    error: Exception,
    known: Iterable[str] = (),
) -> str:
    """Return a sentence that names an option which was refused, with the one that was meant.

    Args:
        key: place of the options in the configuration.
        part: name of the class or function.
        error: of its call.
        known: names of its options; none if they cannot be told.

    >>> error = TypeError("f() got an unexpected keyword argument 'minimun'")
    >>> unknown_option("adapt", "f", error, ["minimum", "maximum"])
    'adapt.minimun: f has no such option. Did you mean `minimum`? Known: maximum, minimum.'
    """
    match = UNEXPECTED.search(str(error))
    if match is None:
        return f"{key}: {part} does not accept them: {error}"
    hint = did_you_mean(match[1], sorted(known))
    return f"{key}.{match[1]}: {part} has no such option{f'. {hint}' if hint else ''}"


def options_of(made: Callable[..., Any], own: Iterable[str] = ()) -> list[str]:
    """Return the names of the options that a class or function takes by keyword.

    Args:
        made: the class or function.
        own: names that are given in another way.
    """
    try:
        parameters = inspect.signature(made).parameters.values()
    except (TypeError, ValueError):
        # Classes in C tell nothing.
        return []
    by_name = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in by_name and p.name not in own]
