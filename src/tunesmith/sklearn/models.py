"""Fold models of a search: kept in a temporary folder, averaged, or asked for their predictions."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tunesmith.config.section import n_bytes
from tunesmith.errors import UsageError
from tunesmith.models.build import (
    Built,
    RankedTrial,
    average_of,
    candidates_for,
    ensemble_of,
)
from tunesmith.models.material import Material
from tunesmith.models.predictions import predictions_of
from tunesmith.models.store import ModelStore, new_secret

if TYPE_CHECKING:
    import pandas as pd

    from tunesmith.sklearn.engine import Engine, SearchOutcome


@contextmanager
def kept_models(search: Any) -> Iterator[ModelStore | None]:
    """Yield the store of a search's fold models; ``None`` if it needs none.

    Raises:
        ValueError: the size of the store cannot be understood.
    """
    if search.model == "best" and not search.oof_predictions:
        yield None
        return
    try:
        size = n_bytes(search.models_size)
    except ValueError as error:
        raise ValueError(f"models_size: {error}") from None
    # The models live as long as the search: what is needed of them is in its attributes then.
    folder = Path(tempfile.mkdtemp(prefix="tunesmith-models-"))
    try:
        yield ModelStore(folder, new_secret(), size)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def oof_predictions(search: Any, engine: "Engine", outcome: "SearchOutcome") -> "pd.DataFrame":
    """Return the out-of-fold predictions of the best candidates."""
    # True counts as 1.
    n = int(search.oof_predictions)
    numbers = _ranked(search)[:n]
    if n == 1 and hasattr(search, "best_index_"):
        numbers = [int(search.best_index_)]
    trials = {number: outcome.points[number] for number in numbers}
    return predictions_of(Material(engine.objective, engine.store), trials)


def model_of(search: Any, engine: "Engine", outcome: "SearchOutcome") -> Built:
    """Build the average or the ensemble that a search asks for.

    Raises:
        ValueError: the estimator's answers cannot be averaged.
    """
    material = Material(engine.objective, engine.store)
    # A list of splits speaks of these rows; an average that is fitted on others makes its own.
    cv = search.cv if hasattr(search.cv, "split") else search.n_splits_
    best = int(search.best_index_)
    try:
        if search.model == "average":
            return average_of(material, RankedTrial(best, outcome.points[best]), cv=cv)
        ranked = [RankedTrial(number, outcome.points[number]) for number in _ranked(search)]
        chosen = candidates_for(material, ranked, always_in=(best,))
        return ensemble_of(material, chosen, sign=engine.objective.objectives[0].sign, cv=cv)
    except UsageError as error:
        raise ValueError(f"model={search.model!r}: {error}") from error


def _ranked(search: Any) -> list[int]:
    """Numbers of the candidates with a finite mean score, the best first."""
    results = search.cv_results_
    name = search.refit if isinstance(search.refit, str) else "score"
    key = f"mean_test_{name}" if f"mean_test_{name}" in results else None
    if key is None:
        key = next(one for one in results if one.startswith("mean_test_"))
    means = np.asarray(results[key], dtype=float)
    order = np.argsort(-means, kind="stable")
    return [int(number) for number in order if np.isfinite(means[number])]
