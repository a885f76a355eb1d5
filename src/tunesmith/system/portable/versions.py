"""Differences between the versions of libraries that Tunesmith works with."""

import sys
from collections.abc import Mapping
from inspect import signature
from typing import Any

PRINT_OPTIONS: Mapping[str, Any] = {
    "edgeitems": 3,
    "threshold": 1000,
    "floatmode": "maxprec",
    "precision": 8,
    "suppress": False,
    "linewidth": 75,
    "nanstr": "nan",
    "infstr": "inf",
    "sign": "-",
    "formatter": None,
    "legacy": False,
}
"""NumPy's own print options before version 2, where they belong to the process."""


def sobol(n_dimensions: int, seed: Any, **options: Any) -> Any:
    """Make a scrambled Sobol sequence; scipy before 1.15 calls ``rng`` ``seed``.

    Args:
        n_dimensions: of the points.
        seed: a number or a generator.
        options: further ones.
    """
    from scipy.stats import qmc

    name = "rng" if "rng" in signature(qmc.Sobol.__init__).parameters else "seed"
    return qmc.Sobol(n_dimensions, scramble=True, **{name: seed}, **options)


def check_search_input(search: Any, X: Any, y: Any, split_params: Mapping[str, Any]) -> None:
    """Call the hook of scikit-learn's searches for checks of their own, which came with 1.7."""
    hook = getattr(search, "_check_input_parameters", None)
    if hook is not None:
        hook(X=X, y=y, split_params=split_params)


def process_print_options() -> Mapping[str, Any]:
    """Return NumPy's own print options if they belong to the process and not to a thread."""
    numpy = sys.modules.get("numpy")
    is_old = numpy is not None and str(numpy.__version__).startswith("1.")
    return PRINT_OPTIONS if is_old else {}
