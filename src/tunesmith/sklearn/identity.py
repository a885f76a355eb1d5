"""Dependencies of a search's scores in memory, so that a ledger recognises them."""

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import joblib

from tunesmith.errors import UsageError
from tunesmith.objective.crossval import EVALUATION
from tunesmith.system.fingerprint import code_digest, digest, versions


def context_of(estimator: Any, data: Any, scorer: Any, given: Any) -> dict[str, str]:
    """Return name -> digest, as the ledger keeps it.

    Args:
        estimator: unfitted.
        data: the rows.
        scorer: one, or scikit-learn's combined one.
        given: further arguments of ``fit`` and the scorer.

    Raises:
        UsageError: something in it has no content that another process could recognise.
    """
    parts = list(parts_of(estimator, scorer))
    # Sorted, because a set has another order in each process, and these become a digest.
    paths = sorted({f"{part.__module__}:{part.__qualname__}" for part in parts})
    root = Path.cwd()
    settings = [EVALUATION, _hash("the estimator", estimator), _hash("the scorer", scorer)]
    return {
        "data": digest([_hash("the data", data), _hash("what fit was given", given)]),
        "code": digest([code_digest(paths, root), *_loose_code(parts)]),
        "objective": digest(settings),
        "versions": digest(versions(paths, root)),
    }


def parts_of(estimator: Any, scorer: Any) -> Iterator[Any]:
    """Yield every class and function whose code makes the scores."""
    deep = estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ()
    for value in (estimator, *deep):
        if hasattr(value, "get_params"):
            yield type(value)
        elif inspect.isfunction(value):
            yield value
    for one in getattr(scorer, "_scorers", {"score": scorer}).values():
        code = getattr(one, "_score_func", one)
        yield code if inspect.isfunction(code) else type(code)


def _loose_code(parts: Sequence[Any]) -> list[str]:
    """Source text of code that is defined in a notebook or a script itself."""
    # `__main__` has no file that another process could find by its name.
    loose = [part for part in parts if part.__module__ == "__main__"]
    try:
        return sorted(inspect.getsource(part) for part in loose)
    except (OSError, TypeError):
        raise UsageError(
            f"ledger: the code of {loose[0].__qualname__} cannot be read. Define it in a module."
        ) from None


def _hash(what: str, value: Any) -> str:
    try:
        return str(joblib.hash(value))
    # Wrong digests would reuse wrong scores, so whatever cannot be hashed is refused.
    except Exception as error:  # noqa: BLE001 - whatever pickling may raise
        raise UsageError(
            f"ledger: {what} cannot be recognised in another process: {error}."
            " Define functions and classes in a module, or leave `ledger` out."
        ) from None
