"""First steps of pipelines: fitted once per fold and shared by all candidates that agree in them.

Steps are fitted one by one, so candidates share as many first steps as they agree in: one scaler
serves every PCA, one PCA every classifier behind it. Transformers of one family share more than
that (``subtransformers``). Nested pipelines are included. The memory is bounded; the least recently
used results are dropped first.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

from tunesmith.data.slices import for_one, frozen, size_of
from tunesmith.sharing.submodels.family import answering, check_repeats
from tunesmith.sharing.subtransformers.family import TransformerFamily, may_share
from tunesmith.space.parameter import canonical_json

CACHE_BYTES = 512 * 1024**2
"""Bytes that transformed folds may take in each process."""
ASKED = ("predict", "predict_proba", "predict_log_proba", "decision_function")


@dataclass(frozen=True, eq=False)
class Transformed:
    """A fold after some fitted steps, read-only if that costs no copy."""

    fitted: Any
    X_train: Any
    X_test: Any

    @property
    def nbytes(self) -> int:
        """Bytes that both parts take."""
        return size_of(self.X_train) + size_of(self.X_test)


@dataclass(frozen=True, eq=False)
class Front:
    """A fold as the last step sees it."""

    place: tuple[object, ...]
    """Key of the fold behind these steps."""
    steps: dict[str, Any]
    """Fitted steps by full name."""
    X_train: Any
    X_test: Any
    families: tuple[TransformerFamily, ...]
    """Families that shared some of the steps."""


class PrefixCache:
    """Fitted transformers, and the folds that they transformed."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit, self._n_bytes = limit, 0
        self._kept: OrderedDict[tuple[object, ...], Any] = OrderedDict()

    def transformed(
        self,
        place: tuple[object, ...],
        steps: list[tuple[str, Any]],
        params: Mapping[str, Any],
        rows: tuple[Any, Any, Any],
        families: Sequence[TransformerFamily] = (),
    ) -> Front:
        """Return a fold behind some steps.

        Args:
            place: identifies the fold and the prototype.
            steps: (full name, unfitted transformer), in order.
            params: all params of the candidate, by full name.
            rows: X_train, y_train and X_test of the fold.
            families: of transformers that share more than the steps before them.

        Raises:
            CannotShareError: a step draws random numbers without a seed.
        """
        X_train, y_train, X_test = rows
        fitted, used = {}, []
        for name, step in steps:
            before, own = (*place, name), _of_step(name, params)
            # The key holds those of all steps before it: their parameters decide its rows, too.
            place = (*before, canonical_json(own))
            fitted[name] = step
            if step is None or step == "passthrough":
                continue
            check_repeats(step, X_train)
            rows = X_train, y_train, X_test
            family = _family_of(families, name, step, own, X_train)
            if family is None:
                made = self.kept_or(place, partial(_transform, step, *rows))
            else:
                used.append(family)
                # The key of what a family's members have in common lacks their own parameters.
                common = (*before, canonical_json(_without(own, name, family)), type(family))
                finish = partial(self._finish, common, family, step, rows)
                made = self.kept_or(place, finish)
            fitted[name] = made.fitted
            # The next step may write into its rows; what is kept must stay as it is.
            X_train, X_test = for_one(made.X_train), for_one(made.X_test)
        return Front(place, fitted, X_train, X_test, tuple(used))

    def clear(self) -> None:
        """Drop everything that is kept."""
        self._kept.clear()
        self._n_bytes = 0

    def _finish(
        self, place: object, family: TransformerFamily, step: Any, rows: tuple[Any, Any, Any]
    ) -> Transformed:
        X, y, X_test = rows
        common = self.kept_or((place,), partial(family.common, step, X, y))
        fitted, made = family.finished(common, step, X)
        return Transformed(fitted, frozen(made), frozen(fitted.transform(X_test)))

    def kept_or(self, place: tuple[object, ...], make: Callable[[], Any]) -> Any:
        """Return the object kept in a place, or make it and keep it."""
        if place in self._kept:
            self._kept.move_to_end(place)
            return self._kept[place]
        made = make()
        if size_of(made) <= self._limit:
            self._kept[place] = made
            self._n_bytes += size_of(made)
        while self._n_bytes > self._limit:
            _, oldest = self._kept.popitem(last=False)
            self._n_bytes -= size_of(oldest)
        return made


def _transform(step: Any, X_train: Any, y_train: Any, X_test: Any) -> Transformed:
    # As `Pipeline` does: many transformers have a `fit_transform` of their own, and its bits may
    # differ.
    if hasattr(step, "fit_transform"):
        made = step.fit_transform(X_train, y_train)
    else:
        made = step.fit(X_train, y_train).transform(X_train)
    return Transformed(step, frozen(made), frozen(step.transform(X_test)))


def _of_step(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Params of one step, and those that replace the step."""
    return {
        full: value
        for full, value in params.items()
        if full.startswith(f"{name}__") or f"{name}__".startswith(f"{full}__")
    }


def _family_of(
    families: Sequence[TransformerFamily], name: str, step: Any, own: Mapping[str, Any], X: Any
) -> TransformerFamily | None:
    """Find the family of a step that is searched along one of the family's parameters."""
    searched = (f for f in families if any(f"{name}__{other}" in own for other in f.parameters))
    return next((family for family in searched if may_share(family, step, X)), None)


def _without(own: Mapping[str, Any], name: str, family: TransformerFamily) -> dict[str, Any]:
    """Params of a step that decide the common part of its family's members."""
    left_out = {f"{name}__{other}" for other in family.parameters}
    return {full: value for full, value in own.items() if full not in left_out}


# -- taking a pipeline apart and putting it together ---------------------------------------------


def is_plain_pipeline(estimator: Any) -> bool:
    """True for scikit-learn's own ``Pipeline`` without a memory."""
    from sklearn.pipeline import Pipeline

    # Not `isinstance`: a class of the user's may fit in another way.
    if type(estimator) is not Pipeline:
        return False
    return estimator.memory is None and getattr(estimator, "transform_input", None) is None


def flat_steps(pipeline: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (full name, step) in order, through nested pipelines."""
    for name, step in pipeline.steps:
        if is_plain_pipeline(step):
            yield from flat_steps(step, f"{prefix}{name}__")
        else:
            yield prefix + name, step


def steps_of(estimator: Any) -> list[Any]:
    """List the steps that are fitted one by one; the estimator itself if it has none."""
    return [s for _, s in flat_steps(estimator)] if is_divisible(estimator) else [estimator]


def front_steps(estimator: Any) -> list[tuple[str, Any]]:
    """List (full name, step) of the steps before the last one that do something."""
    if not is_divisible(estimator):
        return []
    *front, _ = flat_steps(estimator)
    return [(name, step) for name, step in front if step is not None and step != "passthrough"]


def is_divisible(estimator: Any) -> bool:
    """True if steps may be fitted one by one: a plain pipeline that ends in an estimator."""
    if not is_plain_pipeline(estimator):
        return False
    return hasattr(list(flat_steps(estimator))[-1][1], "fit")


def rebuilt(pipeline: Any, steps: Mapping[str, Any], prefix: str = "") -> Any:
    """Copy a pipeline with other steps in it."""
    other = copy(pipeline)
    other.steps = [
        (
            name,
            rebuilt(step, steps, f"{prefix}{name}__")
            if is_plain_pipeline(step)
            else steps[prefix + name],
        )
        for name, step in pipeline.steps
    ]
    return other


def answering_pipeline(pipeline: Any, last: Any, X: Any, X_last: Any) -> Any:
    """Copy a fitted pipeline so that it answers for ``X`` from ``X_last``, transformed before."""
    answers = {method: _ask(last, method, X_last) for method in ASKED if hasattr(pipeline, method)}
    return answering(pipeline, X, answers)


def _ask(last: Any, method: str, X_last: Any) -> Any:
    def ask(*args: Any, **options: Any) -> Any:
        return getattr(last, method)(X_last, *args, **options)

    return ask
