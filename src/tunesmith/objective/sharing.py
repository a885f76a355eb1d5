"""The evaluation kernel: one fit scores every candidate that it holds.

Two things are shared, both exactly: fits along a submodel parameter (``submodels``) and the first
steps of pipelines (``pipeline_prefix``). Scores are bitwise those of fresh fits, which ``kernel``
checks.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from tunesmith import registry
from tunesmith.objective.pipeline_prefix import (
    PrefixCache,
    answering_pipeline,
    flat_steps,
    is_plain_pipeline,
    rebuilt,
)
from tunesmith.objective.prototype import Prototype, last_step
from tunesmith.objective.slices import Slices, shallow
from tunesmith.objective.submodels.family import Family
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params


class Builder(Protocol):
    """Makes estimators of params."""

    def choice_of(self, params: Params) -> str:
        """The prototype of these params, by a name for it."""

    def prototype(self, choice: str) -> Prototype:
        """What the estimators of one choice are cloned from."""

    def build(self, params: Params) -> Any:
        """A fresh, unfitted estimator."""

    def own(self, params: Params) -> Params:
        """Params without those that choose the prototype."""

    def fit_params(self, params: Params, given: Mapping[str, Any]) -> dict[str, Any]:
        """The keyword arguments of ``fit``."""


@dataclass(frozen=True)
class Path:
    """Candidates along one submodel parameter, in the order of their submodels."""

    family: Family
    name: str
    """The parameter as the candidates write it."""
    candidates: tuple[Params, ...]

    @property
    def way(self) -> str:
        """The kind of sharing, which is trusted or not as a whole."""
        return type(self.family).__name__

    @property
    def values(self) -> list[Any]:
        """The parameter's values."""
        return [params[self.name] for params in self.candidates]

    @property
    def widest(self) -> Params:
        """What to fit."""
        return {**self.candidates[0], self.name: self.family.widest(self.values)}


@dataclass
class Sharing:
    """Finds candidates that can share a fit, and fits them."""

    builder: Builder
    _prefixes: PrefixCache = field(default_factory=PrefixCache, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {"builder": self.builder, "_prefixes": PrefixCache()}

    @cached_property
    def families(self) -> list[Family]:
        """Every registered family."""
        return [registry.load("submodels", name)() for name in registry.names("submodels")]

    # -- who shares with whom ----------------------------------------------------------------

    def groups(self, candidates: Sequence[Params]) -> list[tuple[int, ...]]:
        """Indices of candidates, those together that one fit can answer; by first member."""
        by_choice: dict[str, list[int]] = defaultdict(list)
        for index, params in enumerate(candidates):
            by_choice[self.builder.choice_of(params)].append(index)
        found = [
            group
            for choice, indices in by_choice.items()
            for group in self._groups_of(choice, candidates, indices)
        ]
        return sorted(found)

    def _groups_of(
        self, choice: str, candidates: Sequence[Params], indices: list[int]
    ) -> list[tuple[int, ...]]:
        alone: list[tuple[int, ...]] = [(index,) for index in indices]
        chosen = [candidates[index] for index in indices]
        if len(indices) == 1 or self.builder.prototype(choice).unseeded:
            return alone
        partitions = [
            self._partition(family, name, candidates, indices)
            for family, name in self._parameters(choice, chosen)
        ]
        return min([alone, *partitions], key=len)

    def _parameters(
        self, choice: str, candidates: Sequence[Params]
    ) -> Iterator[tuple[Family, str]]:
        """Families by the parameter that they would share along, as the candidates name it."""
        prototype = self.builder.prototype(choice)
        prefix = last_step(prototype.estimator)[0]
        for name in sorted({name for params in candidates for name in params}):
            for family in self.families:
                if prototype.full_name(name) == f"{prefix}{family.parameter}":
                    yield family, name

    def _partition(
        self, family: Family, name: str, candidates: Sequence[Params], indices: list[int]
    ) -> list[tuple[int, ...]]:
        alike: dict[str, list[int]] = defaultdict(list)
        for index in indices:
            key = _rest(candidates[index], name) or f"{index}"
            alike[key].append(index)
        found: list[tuple[int, ...]] = []
        for group in alike.values():
            members = [candidates[index] for index in group]
            is_shared = len(group) > 1 and self._can_share(family, name, members)
            found += [tuple(group)] if is_shared else [(index,) for index in group]
        return found

    def _can_share(self, family: Family, name: str, candidates: Sequence[Params]) -> bool:
        try:
            last = last_step(self.builder.build(candidates[0]))[1]
        except Exception:  # noqa: BLE001 - the fit itself will say what is wrong
            return False
        return family.can_share(last, [params[name] for params in candidates])

    def path(self, candidates: Sequence[Params]) -> Path | None:
        """How one fit can score all candidates, which stood in one group."""
        choice = self.builder.choice_of(candidates[0])
        for family, name in self._parameters(choice, candidates):
            rests = {_rest(params, name) for params in candidates}
            if len(rests) == 1 and None not in rests and self._can_share(family, name, candidates):
                by_value = {params[name]: params for params in candidates}
                ordered = family.in_order(list(by_value))
                return Path(family, name, tuple(by_value[value] for value in ordered))
        return None

    # -- fitting -----------------------------------------------------------------------------

    def fitted(self, params: Params, fold: int, rows: Slices) -> "Fitted":
        """Fit one candidate, behind steps that were fitted before where that is possible.

        Args:
            params: the candidate.
            fold: identifies the rows.
            rows: of that fold.
        """
        estimator = self.builder.build(params)
        fit_params = self.builder.fit_params(params, rows.fit_params)
        X_train, X_test = shallow(rows.X_train), shallow(rows.X_test)
        if not is_divisible(estimator):
            estimator.fit(X_train, rows.y_train, **fit_params)
            return Fitted(estimator, {"": estimator}, X_test, X_test)
        *front, (name, last) = flat_steps(estimator)
        choice = self.builder.choice_of(params)
        full = self.builder.prototype(choice).converted(self.builder.own(params))
        steps, Xt_train, Xt_test = self._prefixes.transformed(
            (fold, choice), front, full, X_train, rows.y_train, X_test
        )
        own = {key.removeprefix(f"{name}__"): value for key, value in fit_params.items()}
        last.fit(Xt_train, rows.y_train, **own)
        return Fitted(estimator, {**steps, name: last}, X_test, Xt_test)

    def has_prefix(self, params: Params) -> bool:
        """Whether a candidate has first steps to share, all of them repeatable."""
        prototype = self.builder.prototype(self.builder.choice_of(params))
        return is_divisible(prototype.estimator) and not prototype.unseeded


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted estimator, taken apart."""

    whole: Any
    steps: dict[str, Any]
    """Fitted steps by full name, the predicting one last."""
    X_test: Any
    Xt_test: Any
    """The test rows as the last step sees them."""

    @property
    def model(self) -> Any:
        """The estimator, quick to answer for ``X_test``."""
        return self.with_last(list(self.steps.values())[-1])

    def models(self, path: Path) -> Iterator[Any]:
        """The estimators that fresh fits of the path's candidates would be, in its order."""
        last = list(self.steps.values())[-1]
        for submodel in path.family.submodels(last, path.values, self.Xt_test):
            yield self.with_last(submodel)

    def with_last(self, last: Any) -> Any:
        """The estimator with another fitted last step."""
        name = list(self.steps)[-1]
        if not name:
            return last
        pipeline = rebuilt(self.whole, {**self.steps, name: last})
        return answering_pipeline(pipeline, last, self.X_test, self.Xt_test)


def is_divisible(estimator: Any) -> bool:
    """Whether steps may be fitted one by one: a plain pipeline that ends in an estimator."""
    if not is_plain_pipeline(estimator):
        return False
    steps = list(flat_steps(estimator))
    return len(steps) > 1 and hasattr(steps[-1][1], "fit")


def _rest(params: Params, name: str) -> str | None:
    """All params but one, as text; ``None`` where that one is inactive."""
    if name not in params:
        return None
    return canonical_json({k: v for k, v in params.items() if k != name})
