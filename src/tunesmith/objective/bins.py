"""Rows in bins: XGBoost sorts each column into bins before it grows trees, whatever trees they are.

So the bins of a fold serve every candidate. The library is not imported here: its estimators are
told by their class's name and place, and give in to this where they make their matrix.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tunesmith.objective.proved import Proved, Values
from tunesmith.objective.submodels.gradient_libraries import XGBoost

BINS = "bins"
"""This way of sharing, which is trusted or not as a whole."""
CELL_BYTES = 4
"""At most, of a cell in all the forms in which the library keeps it."""
PLAIN = ("data", "label", "weight", "missing", "enable_categorical", "feature_types")
"""What a matrix may be made of; nothing else may be given."""

KeptOr = Callable[[tuple[object, ...], Callable[[], Any]], Any]
"""(place, function) -> what is kept there; what the function makes, if nothing is."""


@dataclass(frozen=True, eq=False)
class _Binned:
    matrix: Any

    @property
    def nbytes(self) -> int:
        """Memory, roughly."""
        return int(self.matrix.num_row() * self.matrix.num_col() * CELL_BYTES)


ROUNDS = Values("numbers of rounds", lambda value: isinstance(value, int), ())
PROVED = Proved(
    XGBoost.proved.classes,
    XGBoost.proved.versions,
    {**XGBoost.proved.params, "n_estimators": ROUNDS},
    XGBoost.proved.fit_params,
)
"""Whatever trees are grown; ``tree_method`` is judged by itself."""


def has_bins(estimator: Any, fit_params: Mapping[str, Any] | None = None) -> bool:
    """Whether an estimator's bins are found once, before its trees.

    Args:
        estimator: of any kind.
        fit_params: what ``fit`` is given besides X and y.
    """
    if not PROVED.has(estimator) or PROVED.objection(estimator, fit_params=fit_params):
        return False
    is_binned = estimator.tree_method in (None, "auto", "hist")
    return is_binned and hasattr(estimator, "_create_dmatrix")


@contextmanager
def keeping_bins(estimator: Any, place: tuple[object, ...], kept_or: KeptOr) -> Iterator[None]:
    """As long as this lasts, an estimator takes its bins from what is kept.

    Args:
        estimator: one that ``has_bins``.
        place: identifies the rows, their targets and weights.
        kept_or: where they are kept.
    """
    make = estimator._create_dmatrix

    def create(ref: Any = None, **rows: Any) -> Any:
        if ref is not None or any(rows[name] is not None for name in rows.keys() - set(PLAIN)):
            return make(ref=ref, **rows)
        there = (BINS, *place, *_options(estimator, rows))
        found = kept_or(there, lambda: _Binned(make(ref=ref, **rows)))
        return found.matrix

    estimator._create_dmatrix = create
    try:
        yield
    finally:
        del estimator._create_dmatrix


def _options(estimator: Any, rows: Mapping[str, Any]) -> list[object]:
    """What bins depend on besides the rows, as text: it may hold what is not equal to itself."""
    given = {**estimator.get_params(), **rows, "weight": rows.get("weight") is not None}
    names = ("weight", "missing", "enable_categorical", "feature_types", "max_bin", "n_jobs")
    return [type(estimator).__name__, *map(repr, map(given.get, names))]
