"""Pipelines: what stands before the varying step is fitted once per fold and shared behind it.

Steps are fitted one by one, so that candidates share as many of the first steps as they agree in:
one scaler serves every PCA, one PCA every classifier behind it. Nested pipelines are walked
through. What is kept is bounded; the least recently used goes first.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunesmith.objective.slices import size_of
from tunesmith.objective.submodels.family import answering
from tunesmith.space.parameter import canonical_json

CACHE_BYTES = 512 * 1024**2
"""How much of each process's memory transformed folds may take."""
ASKED = ("predict", "predict_proba", "predict_log_proba", "decision_function")


@dataclass(frozen=True, eq=False)
class Transformed:
    """A fold after some fitted steps; read-only where that is cheap to say."""

    fitted: Any
    X_train: Any
    X_test: Any

    @property
    def n_bytes(self) -> int:
        """Memory that both parts take."""
        return size_of(self.X_train) + size_of(self.X_test)


class PrefixCache:
    """Fitted transformers, and what they made of a fold."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit, self._n_bytes = limit, 0
        self._kept: OrderedDict[tuple[object, ...], Transformed] = OrderedDict()

    def transformed(
        self,
        place: tuple[object, ...],
        steps: list[tuple[str, Any]],
        params: Mapping[str, Any],
        X_train: Any,
        y_train: Any,
        X_test: Any,
    ) -> tuple[dict[str, Any], Any, Any]:
        """A fold as the last step sees it.

        Args:
            place: identifies the fold and the prototype.
            steps: (full name, unfitted transformer), in order.
            params: all params of the candidate, by full name.
            X_train, y_train, X_test: the fold.

        Returns:
            Fitted steps by full name, training rows, test rows.
        """
        fitted: dict[str, Any] = {}
        for name, step in steps:
            place = (*place, name, canonical_json(_of_step(name, params)))
            fitted[name] = step
            if step is None or step == "passthrough":
                continue
            made = self._kept.get(place)
            if made is None:
                made = _transform(step, X_train, y_train, X_test)
                self._keep(place, made)
            else:
                self._kept.move_to_end(place)
            fitted[name], X_train, X_test = made.fitted, made.X_train, made.X_test
        return fitted, X_train, X_test

    def _keep(self, place: tuple[object, ...], made: Transformed) -> None:
        if made.n_bytes > self._limit:
            return
        self._kept[place] = made
        self._n_bytes += made.n_bytes
        while self._n_bytes > self._limit:
            _, oldest = self._kept.popitem(last=False)
            self._n_bytes -= oldest.n_bytes


def _transform(step: Any, X_train: Any, y_train: Any, X_test: Any) -> Transformed:
    # As `Pipeline` does it: many transformers have a `fit_transform` of their own.
    if hasattr(step, "fit_transform"):
        made = step.fit_transform(X_train, y_train)
    else:
        made = step.fit(X_train, y_train).transform(X_train)
    return Transformed(step, _read_only(made), _read_only(step.transform(X_test)))


def _read_only(made: Any) -> Any:
    if isinstance(made, np.ndarray):
        made.flags.writeable = False
    return made


def _of_step(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The params of one step, and those that put another one in its place."""
    return {
        full: value
        for full, value in params.items()
        if full.startswith(f"{name}__") or f"{name}__".startswith(f"{full}__")
    }


# -- taking a pipeline apart and putting it together ---------------------------------------------


def is_plain_pipeline(estimator: Any) -> bool:
    """Whether steps may be fitted one by one: scikit-learn's own, without a memory of its own."""
    from sklearn.pipeline import Pipeline

    if type(estimator) is not Pipeline:
        return False
    return estimator.memory is None and getattr(estimator, "transform_input", None) is None


def flat_steps(pipeline: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(full name, step) in order, through nested pipelines."""
    for name, step in pipeline.steps:
        if is_plain_pipeline(step):
            yield from flat_steps(step, f"{prefix}{name}__")
        else:
            yield prefix + name, step


def rebuilt(pipeline: Any, steps: Mapping[str, Any], prefix: str = "") -> Any:
    """A copy of a pipeline with other steps in it."""
    found = copy(pipeline)
    found.steps = [
        (
            name,
            rebuilt(step, steps, f"{prefix}{name}__")
            if is_plain_pipeline(step)
            else steps[prefix + name],
        )
        for name, step in pipeline.steps
    ]
    return found


def answering_pipeline(pipeline: Any, last: Any, X: Any, X_last: Any) -> Any:
    """A fitted pipeline that does not transform ``X`` again: ``X_last`` is what comes of it."""
    answers = {method: _ask(last, method, X_last) for method in ASKED if hasattr(pipeline, method)}
    return answering(pipeline, X, answers)


def _ask(last: Any, method: str, X_last: Any) -> Any:
    def ask(*args: Any, **options: Any) -> Any:
        return getattr(last, method)(X_last, *args, **options)

    return ask
