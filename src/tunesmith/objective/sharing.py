"""The evaluation kernel: one fit scores every candidate that it holds.

Three things are shared, all exactly: fits along a submodel parameter (``submodels``), the first
steps of pipelines (``pipeline_prefix``, ``subtransformers``) and rows in bins (``bins``). Scores
are bitwise those of fresh fits, which ``kernel`` checks.
"""

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from tunesmith import registry
from tunesmith.objective.bins import BINS, has_bins, keeping_bins
from tunesmith.objective.pipeline_prefix import (
    PrefixCache,
    answering_pipeline,
    flat_steps,
    is_plain_pipeline,
    rebuilt,
)
from tunesmith.objective.prototype import Prototype, last_step
from tunesmith.objective.randomness import is_certainly_random
from tunesmith.objective.slices import Slices, shallow
from tunesmith.objective.submodels.family import (
    CannotShareError,
    Family,
    check_repeats,
    fitted_for,
)
from tunesmith.objective.subtransformers.family import TransformerFamily
from tunesmith.space import Parameter, SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params

MAX_POINTS = 256
"""So many points are on a curve at most: each is scored on every fold."""
MAX_LEVELS = 65_536
"""A longer list of values counts as a continuum."""


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
    free: Mapping[str, str] = field(default_factory=dict)
    """The family's free parameters: as the candidates write them -> as the estimator does."""

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

    def submodels(self, fitted: Any, X: Any) -> Iterator[Any]:
        """The family's estimators for the candidates."""
        if not self.free:
            return self.family.submodels(fitted, self.values, X)
        given = [
            {short: params[name] for name, short in self.free.items() if name in params}
            for params in self.candidates
        ]
        family: Any = self.family
        found: Iterator[Any] = family.submodels(fitted, self.values, X, free=given)
        return found


@dataclass
class Sharing:
    """Finds candidates that can share a fit, and fits them."""

    builder: Builder
    _prefixes: PrefixCache = field(default_factory=PrefixCache, repr=False)
    _distrusted: set[str] = field(default_factory=set, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {"builder": self.builder, "_prefixes": PrefixCache(), "_distrusted": set()}

    @cached_property
    def families(self) -> list[Family]:
        """Every registered family."""
        return [registry.load("submodels", name)() for name in registry.names("submodels")]

    @cached_property
    def transformers(self) -> list[TransformerFamily]:
        """Every registered family of transformers that is trusted."""
        group = "subtransformers"
        found = [registry.load(group, name)() for name in registry.names(group)]
        return [family for family in found if type(family).__name__ not in self._distrusted]

    def distrust(self, way: str) -> None:
        """Do without a family of transformers or without bins, and without what came of them."""
        self._distrusted.add(way)
        self.__dict__.pop("transformers", None)
        self._prefixes.clear()

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
        if len(indices) == 1:
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
                known = (family.parameter, *getattr(family, "aliases", ()))
                if prototype.full_name(name) in [prefix + other for other in known]:
                    yield family, name

    def _partition(
        self, family: Family, name: str, candidates: Sequence[Params], indices: list[int]
    ) -> list[tuple[int, ...]]:
        alike: dict[str, list[int]] = defaultdict(list)
        free = self._free(family, [candidates[index] for index in indices])
        for index in indices:
            key = _rest(candidates[index], name, free) or f"{index}"
            alike[key].append(index)
        found: list[tuple[int, ...]] = []
        for group in alike.values():
            members = [candidates[index] for index in group]
            is_shared = len(group) > 1 and self._can_share(family, name, members)
            found += [tuple(group)] if is_shared else [(index,) for index in group]
        return found

    def _free(self, family: Family, candidates: Sequence[Params]) -> dict[str, str]:
        """The family's free parameters: as the candidates write them -> as the estimator does."""
        prototype = self.builder.prototype(self.builder.choice_of(candidates[0]))
        prefix = last_step(prototype.estimator)[0]
        by_full = {f"{prefix}{short}": short for short in getattr(family, "free", ())}
        names = sorted({name for params in candidates for name in params})
        pairs = ((name, prototype.full_name(name) or "") for name in names)
        return {name: by_full[full] for name, full in pairs if full in by_full}

    def _can_share(self, family: Family, name: str, candidates: Sequence[Params]) -> bool:
        """Whether the family can, whatever the candidates make of its free parameters."""
        alike: dict[str, list[Params]] = defaultdict(list)
        for params in candidates:
            alike[_rest(params, name) or ""].append(params)
        return all(self._can_share_alike(family, name, group) for group in alike.values())

    def _can_share_alike(self, family: Family, name: str, candidates: Sequence[Params]) -> bool:
        try:
            estimator = self.builder.build(candidates[0])
        except Exception:  # noqa: BLE001 - the fit itself will say what is wrong
            return False
        if any(is_certainly_random(step) for step in steps_of(estimator)):
            return False
        return family.can_share(last_step(estimator)[1], [params[name] for params in candidates])

    def path(self, candidates: Sequence[Params]) -> Path | None:
        """How one fit can score all candidates, which stood in one group."""
        choice = self.builder.choice_of(candidates[0])
        for family, name in self._parameters(choice, candidates):
            free = self._free(family, candidates)
            rests = {_rest(params, name, free) for params in candidates}
            if len(rests) > 1 or None in rests:
                continue
            if self._can_share(family, name, candidates):
                return Path(family, name, _ordered(family, name, candidates), free)
        return None

    # -- what comes with a fit ---------------------------------------------------------------

    def curve(self, params: Params, space: SearchSpace) -> list[Params]:
        """Points of a space that the fit of one of them answers, that one included.

        Returns:
            Along the one submodel parameter that gives most, in the family's order.
        """
        choice = self.builder.choice_of(params)
        found = [
            self._curve_along(family, name, params, space)
            for family, name in self._parameters(choice, [params])
        ]
        return max([[params], *found], key=len)

    def _curve_along(
        self, family: Family, name: str, params: Params, space: SearchSpace
    ) -> list[Params]:
        if not self._can_share(family, name, [params]):
            return [params]
        last = last_step(self.builder.build(params))[1]
        box, _ = space.locate(params)
        values = held(family, last, params[name], space.boxes[box].parameters[name])
        points = [{**params, name: value} for value in values]
        inside = [point for point in points if _is_canonical(point, space)]
        if not inside or not family.can_share(last, [point[name] for point in inside]):
            return [params]
        return list(_ordered(family, name, inside))

    # -- fitting -----------------------------------------------------------------------------

    def fitted(
        self, params: Params, fold: int, rows: Slices, family: Family | None = None
    ) -> "Fitted":
        """Fit one candidate, behind steps that were fitted before where that is possible.

        Args:
            params: the candidate.
            fold: identifies the rows.
            rows: of that fold.
            family: of the submodels that will be asked for.

        Raises:
            CannotShareError: the fit will never repeat.
        """
        estimator = self.builder.build(params)
        if any(is_certainly_random(step) for step in steps_of(estimator)):
            raise CannotShareError("random numbers without a seed")
        fit_params = self.builder.fit_params(params, rows.fit_params)
        X_train, X_test = shallow(rows.X_train), shallow(rows.X_test)
        choice = self.builder.choice_of(params)
        if not is_divisible(estimator):
            check_repeats(estimator, X_train)
            with self._bins(estimator, (fold, choice)) as ways:
                last = fitted_for(family, estimator, X_train, rows.y_train, **fit_params)
            return Fitted(estimator, {"": last}, X_test, X_test, ways)
        *front, (name, last) = flat_steps(estimator)
        full = self.builder.prototype(choice).converted(self.builder.own(params))
        begun = self._prefixes.transformed(
            (fold, choice), front, full, (X_train, rows.y_train, X_test), self.transformers
        )
        own = {key.removeprefix(f"{name}__"): value for key, value in fit_params.items()}
        check_repeats(last, begun.X_train)
        with self._bins(last, begun.place) as ways:
            last = fitted_for(family, last, begun.X_train, rows.y_train, **own)
        ways = (*(type(transformers).__name__ for transformers in begun.families), *ways)
        return Fitted(estimator, {**begun.steps, name: last}, X_test, begun.X_test, ways)

    @contextmanager
    def _bins(self, estimator: Any, place: tuple[object, ...]) -> Iterator[tuple[str, ...]]:
        """Let a fit take its bins from others; gives the ways of sharing that this is."""
        if BINS in self._distrusted or not has_bins(estimator):
            yield ()
            return
        with keeping_bins(estimator, place, self._prefixes.kept_or):
            yield (BINS,)

    def has_start(self, params: Params) -> bool:
        """Whether other fits may leave something that a candidate's fit can start with.

        That are first steps, or bins.
        """
        estimator = self.builder.prototype(self.builder.choice_of(params)).estimator
        if BINS not in self._distrusted and has_bins(last_step(estimator)[1]):
            return True
        return is_divisible(estimator) and len(list(flat_steps(estimator))) > 1


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted estimator, taken apart."""

    whole: Any
    steps: dict[str, Any]
    """Fitted steps by full name, the predicting one last."""
    X_test: Any
    Xt_test: Any
    """The test rows as the last step sees them."""
    ways: tuple[str, ...] = ()
    """The kinds of sharing in its transformers and bins, each trusted or not as a whole."""

    @property
    def is_divided(self) -> bool:
        """Whether there were first steps that others may have fitted."""
        return len(self.steps) > 1

    @property
    def model(self) -> Any:
        """The estimator, quick to answer for ``X_test``."""
        return self.with_last(list(self.steps.values())[-1])

    def models(self, path: Path) -> Iterator[Any]:
        """The estimators that fresh fits of the path's candidates would be, in its order."""
        last = list(self.steps.values())[-1]
        for submodel in path.submodels(last, self.Xt_test):
            yield self.with_last(submodel)

    def with_last(self, last: Any) -> Any:
        """The estimator with another fitted last step."""
        name = list(self.steps)[-1]
        if not name:
            return last
        pipeline = rebuilt(self.whole, {**self.steps, name: last})
        return answering_pipeline(pipeline, last, self.X_test, self.Xt_test)


def steps_of(estimator: Any) -> list[Any]:
    """The steps that are fitted one by one; the estimator itself where there are none."""
    return [s for _, s in flat_steps(estimator)] if is_divisible(estimator) else [estimator]


def is_divisible(estimator: Any) -> bool:
    """Whether steps may be fitted one by one: a plain pipeline that ends in an estimator."""
    if not is_plain_pipeline(estimator):
        return False
    return hasattr(list(flat_steps(estimator))[-1][1], "fit")


def held(family: Family, estimator: Any, proposed: Any, parameter: Parameter) -> list[Any]:
    """The values of a parameter that the fit with one of them answers, thinned where many.

    Args:
        family: of the parameter.
        estimator: unfitted.
        proposed: the value to fit with.
        parameter: whose values to choose from; of a continuum there are none.

    Returns:
        At most ``MAX_POINTS`` in the parameter's order, ``proposed`` among them.
    """
    n_levels = parameter.n_levels
    if n_levels is None or n_levels > MAX_LEVELS:
        return []
    levels = [parameter.level(index) for index in range(n_levels)]
    found = [value for value in levels if _is_held(family, estimator, proposed, value)]
    # The same steps for all that are about as long: curves that overlap then meet.
    step = -(-len(found) // (MAX_POINTS - 1)) or 1
    return [value for i, value in enumerate(found) if i % step == 0 or value == proposed]


def _is_held(family: Family, estimator: Any, proposed: Any, value: Any) -> bool:
    """Whether a fit for both is the fit for the proposed value alone."""
    both = [proposed, value]
    return family.can_share(estimator, both) and family.widest(both) == family.widest([proposed])


def _is_canonical(params: Params, space: SearchSpace) -> bool:
    """Whether these are a point of the space, with the active parameters and no others."""
    try:
        return canonical_json(space.canonical(params)) == canonical_json(dict(params))
    except ValueError:
        return False


def _ordered(family: Family, name: str, candidates: Sequence[Params]) -> tuple[Params, ...]:
    """Different candidates in the order of their submodels."""
    by_value: dict[Any, dict[str, Params]] = defaultdict(dict)
    for params in candidates:
        by_value[params[name]][canonical_json(params)] = params
    return tuple(
        params for value in family.in_order(list(by_value)) for params in by_value[value].values()
    )


def _rest(params: Params, name: str, free: Container[str] = ()) -> str | None:
    """All params but one as text, free ones without values; ``None`` where that one is inactive."""
    if name not in params:
        return None
    return canonical_json({k: None if k in free else v for k, v in params.items() if k != name})
