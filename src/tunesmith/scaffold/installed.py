"""Facts about installed libraries: the parameters of an estimator, the names of scorers."""

import inspect
from functools import cache
from importlib import import_module
from importlib.util import find_spec


@cache
def known_parameters(estimator: str) -> frozenset[str]:
    """Return the constructor's parameters of an installed estimator; empty if that is not known.

    Nothing of the project itself is imported: only what lies in ``site-packages``.
    """
    module, _, name = estimator.rpartition(".")
    try:
        spec = find_spec(module.partition(".")[0])
        # To import a module of the project would run its code.
        if spec is None or "site-packages" not in str(spec.origin):
            return frozenset()
        parameters = inspect.signature(getattr(import_module(module), name)).parameters
    except (ImportError, AttributeError, ValueError, TypeError):
        return frozenset()
    # It takes names that its signature does not tell, as LightGBM's estimators do.
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return frozenset()
    return frozenset(parameters)


@cache
def scorers() -> frozenset[str]:
    """Return the names of scikit-learn's scorers."""
    from sklearn.metrics import get_scorer_names

    return frozenset(get_scorer_names())
