"""Shared bins: XGBoost sorts each column into bins before it grows any tree.

So the bins of a fold serve every candidate. The library is not imported here: its estimators are
recognised by class name and package, and the method that makes their matrix is replaced.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tunesmith.sharing.proved import Proved, Values
from tunesmith.sharing.submodels.gradient_libraries import XGBoost

BINS = "bins"
"""Name of this sharing method, which is verified or not as a whole."""
CELL_BYTES = 4
"""Most bytes of a cell, in all the forms in which the library keeps it."""
PLAIN = ("data", "label", "weight", "missing", "enable_categorical", "feature_types")
"""Arguments from which a shared matrix may be made; any other one prevents sharing."""

KeptOr = Callable[[tuple[object, ...], Callable[[], Any]], Any]
"""(place, function) -> the object kept there; if there is none, what the function makes."""


@dataclass(frozen=True, eq=False)
class _Binned:
    matrix: Any

    @property
    def nbytes(self) -> int:
        """Bytes, roughly."""
        return int(self.matrix.num_row() * self.matrix.num_col() * CELL_BYTES)


ROUNDS = Values("numbers of rounds", lambda value: isinstance(value, int), ())
PROVED = Proved(
    XGBoost.proved.classes,
    XGBoost.proved.versions,
    {**XGBoost.proved.params, "n_estimators": ROUNDS},
    XGBoost.proved.fit_params,
)
"""Proved for any trees; ``tree_method`` is judged separately."""


def has_bins(estimator: Any, fit_params: Mapping[str, Any] | None = None) -> bool:
    """True if an estimator's bins are found once, before its trees.

    Args:
        estimator: of any kind.
        fit_params: arguments of ``fit`` besides X and y.
    """
    if not PROVED.has(estimator) or PROVED.blocker(estimator, fit_params=fit_params):
        return False
    is_binned = estimator.tree_method in (None, "auto", "hist")
    return is_binned and hasattr(estimator, "_create_dmatrix")


@contextmanager
def keeping_bins(estimator: Any, place: tuple[object, ...], kept_or: KeptOr) -> Iterator[None]:
    """Let an estimator take its bins from the kept ones while the context lasts.

    Args:
        estimator: one that ``has_bins``.
        place: identifies the rows, their targets and weights.
        kept_or: returns kept bins, or makes and keeps them.
    """
    make = estimator._create_dmatrix

    def create(ref: Any = None, **rows: Any) -> Any:
        # With `ref`, bins come from another matrix; further arguments may change the bins, too.
        if ref is not None or any(rows[name] is not None for name in rows.keys() - set(PLAIN)):
            return make(ref=ref, **rows)
        there = (BINS, *place, *_options(estimator, rows))
        binned = kept_or(there, lambda: _Binned(make(ref=ref, **rows)))
        return binned.matrix

    estimator._create_dmatrix = create
    try:
        yield
    finally:
        del estimator._create_dmatrix


def _options(estimator: Any, rows: Mapping[str, Any]) -> list[object]:
    """Texts of all that bins depend on besides the rows."""
    # As text: NaN for `missing` is not equal to itself, and a key must be. The weights themselves
    # belong to the place; here it counts only that there are some.
    given = {**estimator.get_params(), **rows, "weight": rows.get("weight") is not None}
    names = ("weight", "missing", "enable_categorical", "feature_types", "max_bin", "n_jobs")
    return [type(estimator).__name__, *map(repr, map(given.get, names))]
