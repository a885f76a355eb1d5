"""Fits that begin with the results of other fits: first steps of pipelines, rows in bins.

Their scores are bitwise those of fresh fits, which ``kernel`` checks.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tunesmith import registry
from tunesmith.data.slices import Slices
from tunesmith.sharing.bins import BINS, has_bins, keeping_bins
from tunesmith.sharing.builder import Builder
from tunesmith.sharing.grouping import Path
from tunesmith.sharing.pipeline_prefix import (
    PrefixCache,
    answering_pipeline,
    flat_steps,
    front_steps,
    is_divisible,
    rebuilt,
    steps_of,
)
from tunesmith.sharing.prototype import last_step
from tunesmith.sharing.proved import blocker_of_parts
from tunesmith.sharing.randomness import is_certainly_random
from tunesmith.sharing.submodels.family import (
    CannotShareError,
    Family,
    check_repeats,
    fitted_for,
    proved_of,
)
from tunesmith.sharing.subtransformers.family import TransformerFamily, another_of
from tunesmith.types import Params


@dataclass
class Fitting:
    """Fits candidates; keeps first steps and bins for the next ones."""

    builder: Builder
    _prefixes: PrefixCache = field(default_factory=PrefixCache, repr=False)
    _distrusted: set[str] = field(default_factory=set, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # Fitted steps are large and may not pickle; each process makes its own.
        return {"builder": self.builder, "_prefixes": PrefixCache(), "_distrusted": set()}

    @cached_property
    def transformers(self) -> list[TransformerFamily]:
        """Registered families of transformers that are not distrusted."""
        group = "subtransformers"
        families = [registry.load(group, name)() for name in registry.names(group)]
        return [family for family in families if type(family).__name__ not in self._distrusted]

    def anew(self) -> "Fitting":
        """Copy with the same distrust and nothing kept yet."""
        return Fitting(self.builder, _distrusted=set(self._distrusted))

    def distrust(self, way: str) -> None:
        """Stop using a sharing method, and drop the results that came of it."""
        self._distrusted.add(way)
        # The list is cached: without this, the family would still be in it.
        self.__dict__.pop("transformers", None)
        self._prefixes.clear()

    def fitted(
        self, params: Params, fold: int, rows: Slices, family: Family | None = None
    ) -> "Fitted":
        """Fit one candidate, behind steps that were fitted before if possible.

        Args:
            params: the candidate.
            fold: identifies the rows.
            rows: rows of that fold, for this fit only.
            family: family of the submodels that will be asked for.

        Raises:
            CannotShareError: the fit never repeats, or its first steps are not scikit-learn's.
        """
        estimator = self.builder.build(params)
        # A cheap question, asked before anything is fitted.
        if any(is_certainly_random(step) for step in steps_of(estimator)):
            raise CannotShareError("random numbers without a seed")
        fit_params = self.builder.fit_params(params, rows.fit_params)
        X_train, X_test = rows.X_train, rows.X_test
        choice = self.builder.choice_of(params)
        if not is_divisible(estimator):
            # Asked again with the rows: for some estimators their number decides (see
            # ``randomness``).
            check_repeats(estimator, X_train)
            with self._bins(estimator, (fold, choice), fit_params) as ways:
                last = fitted_for(family, estimator, X_train, rows.y_train, **fit_params)
            return Fitted(estimator, {"": last}, X_test, X_test, ways)
        for step_name, step in front_steps(estimator):
            if reason := blocker_of_parts(step):
                raise CannotShareError(f"step `{step_name}`: {reason}")
        *front, (name, last) = flat_steps(estimator)
        full = self.builder.prototype(choice).converted(self.builder.own(params))
        begun = self._prefixes.transformed(
            (fold, choice), front, full, (X_train, rows.y_train, X_test), self.transformers
        )
        own = {key.removeprefix(f"{name}__"): value for key, value in fit_params.items()}
        check_repeats(last, begun.X_train)
        with self._bins(last, begun.place, own) as ways:
            last = fitted_for(family, last, begun.X_train, rows.y_train, **own)
        ways = (*(type(transformers).__name__ for transformers in begun.families), *ways)
        return Fitted(estimator, {**begun.steps, name: last}, X_test, begun.X_test, ways)

    @contextmanager
    def _bins(
        self, estimator: Any, place: tuple[object, ...], fit_params: Mapping[str, Any]
    ) -> Iterator[tuple[str, ...]]:
        """Let a fit take its bins from other fits; yield the sharing methods that this uses."""
        if BINS in self._distrusted or not has_bins(estimator, fit_params):
            yield ()
            return
        with keeping_bins(estimator, place, self._prefixes.kept_or):
            yield (BINS,)

    def primed(self, params: Params) -> Params:
        """Change params so that their fit leaves shared results for a fit with ``params``.

        A transformer gets other parameters of its family, so that the second fit really shares.
        """
        choice = self.builder.choice_of(params)
        prototype, changed = self.builder.prototype(choice), dict(params)
        for name, step in front_steps(self.builder.build(params)):
            for family in self.transformers:
                proved = proved_of(family)
                if proved is not None and proved.has(step):
                    full = {f"{name}__{one}": v for one, v in another_of(family).items()}
                    names = {n: prototype.full_name(n) for n in params}
                    changed |= {n: full[f] for n, f in names.items() if f in full}
        return changed

    def has_start(self, params: Params) -> bool:
        """True if other fits may leave something that a candidate's fit can begin with.

        These are first steps, or bins.
        """
        estimator = self.builder.prototype(self.builder.choice_of(params)).estimator
        if BINS not in self._distrusted and has_bins(last_step(estimator)[1]):
            return True
        steps = front_steps(estimator)
        return bool(steps) and not any(blocker_of_parts(step) for _, step in steps)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted estimator, taken apart into its steps."""

    whole: Any
    steps: dict[str, Any]
    """Fitted steps by full name, the predicting one last."""
    X_test: Any
    Xt_test: Any
    """Test rows as the last step sees them."""
    ways: tuple[str, ...] = ()
    """Sharing methods of its transformers and bins, each verified or not as a whole."""

    @property
    def is_divided(self) -> bool:
        """True if there were first steps that other fits may have made."""
        return len(self.steps) > 1

    @property
    def last(self) -> Any:
        """The fitted last step."""
        return list(self.steps.values())[-1]

    @property
    def model(self) -> Any:
        """The estimator, with its answers for ``X_test`` prepared."""
        return self.with_last(self.last)

    def models(self, path: Path) -> Iterator[Any]:
        """Yield the estimators that fresh fits of the path's candidates would be, in its order."""
        for submodel in path.submodels(self.last, self.Xt_test):
            yield self.with_last(submodel)

    def with_last(self, last: Any) -> Any:
        """Copy the estimator with another fitted last step."""
        name = list(self.steps)[-1]
        if not name:
            return last
        pipeline = rebuilt(self.whole, {**self.steps, name: last})
        return answering_pipeline(pipeline, last, self.X_test, self.Xt_test)
