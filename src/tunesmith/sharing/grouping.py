"""Groups of candidates that share a fit, along one submodel parameter.

Nothing is fitted here.
"""

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from tunesmith import registry
from tunesmith.sharing.builder import Builder
from tunesmith.sharing.pipeline_prefix import front_steps, is_divisible, steps_of
from tunesmith.sharing.prototype import last_step
from tunesmith.sharing.proved import blocker_of_parts
from tunesmith.sharing.randomness import has_seed_object, is_certainly_random
from tunesmith.sharing.submodels.family import (
    Family,
    blocker,
    border_of,
    free_of,
    is_sized,
    names_of,
)
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params


@dataclass(frozen=True)
class Path:
    """Candidates along one submodel parameter, in the order of their submodels."""

    family: Family
    name: str
    """Name of the parameter as the candidates write it."""
    candidates: tuple[Params, ...]
    free: Mapping[str, str] = field(default_factory=dict)
    """The family's free parameters: as the candidates write them -> as the estimator does."""

    @property
    def way(self) -> str:
        """Name of the sharing method, which is verified or not as a whole."""
        return type(self.family).__name__

    def of(self, candidates: Sequence[Params]) -> "Path":
        """Copy the path with some of its candidates, in their order."""
        return replace(self, candidates=tuple(candidates))

    @property
    def values(self) -> list[Any]:
        """Values of the parameter."""
        return [params[self.name] for params in self.candidates]

    @property
    def widest(self) -> Params:
        """Params to fit: they hold all candidates."""
        return {**self.candidates[0], self.name: self.family.widest(self.values)}

    def submodels(self, fitted: Any, X: Any) -> Iterator[Any]:
        """Yield the family's estimators for the candidates."""
        if not self.free:
            return self.family.submodels(fitted, self.values, X)
        given = [
            {short: params[name] for name, short in self.free.items() if name in params}
            for params in self.candidates
        ]
        family: Any = self.family
        estimators: Iterator[Any] = family.submodels(fitted, self.values, X, free=given)
        return estimators


@dataclass
class Grouping:
    """Finds candidates that can share a fit.

    Args:
        builder: params -> estimators.
        fit_given: arguments of the last step's ``fit`` besides X and y.
    """

    builder: Builder
    fit_given: Mapping[str, Any] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, Any]:
        # Without the cached families, which another process loads from its own registry.
        return {"builder": self.builder, "fit_given": self.fit_given}

    @cached_property
    def _known(self) -> "dict[tuple[str, str, str], _Alike]":
        return {}

    @cached_property
    def families(self) -> list[Family]:
        """Families that are registered."""
        return [registry.load("submodels", name)() for name in registry.names("submodels")]

    @cached_property
    def _names(self) -> list[tuple[Family, tuple[str, ...]]]:
        """Families with the names of their parameters, which are asked for many times."""
        return [(family, names_of(family)) for family in self.families]

    # -- groups ------------------------------------------------------------------------------

    def groups(self, candidates: Sequence[Params]) -> list[tuple[int, ...]]:
        """Group the indices of candidates that one fit can answer; ordered by first member."""
        by_choice: dict[str, list[int]] = defaultdict(list)
        for index, params in enumerate(candidates):
            by_choice[self.builder.choice_of(params)].append(index)
        groups = [
            group
            for choice, indices in by_choice.items()
            for group in self._groups_of(choice, candidates, indices)
        ]
        return sorted(groups)

    def _groups_of(
        self, choice: str, candidates: Sequence[Params], indices: list[int]
    ) -> list[tuple[int, ...]]:
        alone: list[tuple[int, ...]] = [(index,) for index in indices]
        chosen = [candidates[index] for index in indices]
        if len(indices) == 1:
            return alone
        partitions = [
            self._partition(family, name, candidates, indices)
            for family, name in self.parameters(choice, chosen)
        ]
        # The parameter that needs the fewest fits wins; the first one among equals, so that the
        # groups do not depend on anything else.
        return min([alone, *partitions], key=len)

    def parameters(self, choice: str, candidates: Sequence[Params]) -> Iterator[tuple[Family, str]]:
        """Yield (family, parameter name) for parameters that candidates could share along."""
        prototype = self.builder.prototype(choice)
        prefix = last_step(prototype.estimator)[0]
        for name in sorted({name for params in candidates for name in params}):
            full = prototype.full_name(name)
            for family, known in self._names:
                if full in [prefix + other for other in known]:
                    yield family, name

    def size(self, candidates: Sequence[Params]) -> float:
        """Relative cost of one fit of these candidates, as far as their params tell."""
        try:
            known = list(self.parameters(self.builder.choice_of(candidates[0]), candidates[:1]))
        except Exception:  # noqa: BLE001 - the fit itself will say what is wrong
            return 1.0
        names = {name for family, name in known if is_sized(family)}
        values = [params[name] for params in candidates for name in names & params.keys()]
        return float(max((v for v in values if isinstance(v, int | float)), default=1.0))

    def _partition(
        self, family: Family, name: str, candidates: Sequence[Params], indices: list[int]
    ) -> list[tuple[int, ...]]:
        alike: dict[str, list[int]] = defaultdict(list)
        free = self.free(family, [candidates[index] for index in indices])
        for index in indices:
            # A candidate without the parameter gets a key of its own and so stays alone.
            key = rest_of(candidates[index], name, free) or f"{index}"
            alike[key].append(index)
        groups: list[tuple[int, ...]] = []
        for group in alike.values():
            members = [candidates[index] for index in group]
            sections = self.sections(family, name, members)
            groups += [tuple(group[place] for place in section) for section in sections]
        return groups

    def sections(
        self, family: Family, name: str, candidates: Sequence[Params], n_rows: int | None = None
    ) -> list[list[int]]:
        """Split candidates into sections that one fit holds.

        Args:
            family: of the parameter.
            name: of the parameter, as the candidates write it.
            candidates: equal but for the parameter and the family's free ones.
            n_rows: number of training rows, if it is known.

        Returns:
            Places of the candidates; one that may not share is alone.
        """
        if len(candidates) == 1:
            return [[0]]
        sides: dict[object, list[int]] = defaultdict(list)
        for place, params in enumerate(candidates):
            alike = self._alike(family, name, params)
            key = ALONE if alike is None else alike.side(params[name], n_rows)
            sides[("alone", place) if key is ALONE else ("side", key)].append(place)
        return list(sides.values())

    def _alike(self, family: Family, name: str, params: Params) -> "_Alike | None":
        """Judge what candidates have in common; ``None`` if the parameter is inactive."""
        rest = rest_of(params, name)
        if rest is None:
            return None
        # Kept for the other folds: making and judging an estimator takes milliseconds.
        key = type(family).__name__, name, rest
        if key not in self._known:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[key] = _Alike(self, family, params)
        return self._known[key]

    def free(self, family: Family, candidates: Sequence[Params]) -> dict[str, str]:
        """The family's free parameters: as the candidates write them -> as the estimator does."""
        prototype = self.builder.prototype(self.builder.choice_of(candidates[0]))
        prefix = last_step(prototype.estimator)[0]
        by_full = {f"{prefix}{short}": short for short in free_of(family)}
        names = sorted({name for params in candidates for name in params})
        pairs = ((name, prototype.full_name(name) or "") for name in names)
        return {name: by_full[full] for name, full in pairs if full in by_full}

    # -- why not -----------------------------------------------------------------------------

    def can_share(self, family: Family, name: str, candidates: Sequence[Params]) -> bool:
        """True if one fit holds all of these, as far as is known before it."""
        if len(candidates) == 1:
            return not self.blocker(family, name, candidates[0])
        # Each value was judged: one that may not share is a section of its own.
        return len(self.sections(family, name, candidates)) == 1

    def blocker(self, family: Family, name: str, params: Params) -> str:
        """Give the reason why a candidate may not share along a parameter; empty if it may."""
        try:
            estimator = self.builder.build(params)
        except Exception as error:  # noqa: BLE001 - the fit itself will say what is wrong
            return f"it cannot be made: {error}"
        return self.objection_to(family, estimator, [params[name]])

    def objection_to(self, family: Family, estimator: Any, values: Sequence[Any] = ()) -> str:
        """Do the same for an estimator that is already made; without values, for any of them."""
        try:
            return self._objection_to(family, estimator, values)
        except Exception as error:  # noqa: BLE001 - the fit itself will say what is wrong
            return f"its parameters cannot be judged: {error}"

    def _objection_to(self, family: Family, estimator: Any, values: Sequence[Any]) -> str:
        return self.objection_to_repeats(estimator) or blocker(
            family, last_step(estimator)[1], values, self.fit_given
        )

    def objection_to_repeats(self, estimator: Any) -> str:
        """Give the reason why a fit may not repeat, whatever its last step is; empty if none."""
        # Before anything else: asking for parameters makes some libraries draw from such an object.
        if has_seed_object(estimator):
            return "its seed is an object, which draws on from fit to fit"
        if any(is_certainly_random(step) for step in steps_of(estimator)):
            return "it draws random numbers without a seed"
        return self.objection_to_front(estimator)

    def objection_to_front(self, estimator: Any) -> str:
        """Give the reason why steps before the last one may not be shared; empty if they may."""
        if last_step(estimator)[0] and not is_divisible(estimator):
            return "the pipeline has a memory, a last step that is none, or a class of its own"
        for name, step in front_steps(estimator):
            if reason := blocker_of_parts(step):
                return f"step `{name}`: {reason}"
        return ""

    # -- paths -------------------------------------------------------------------------------

    def paths(self, candidates: Sequence[Params], n_rows: int) -> list[Path]:
        """Split the candidates of one group into as few fits as possible.

        Args:
            candidates: members of the group.
            n_rows: number of training rows, which may show a border that was not known before.

        Returns:
            Paths; candidates on no path must be fitted alone.
        """
        choice = self.builder.choice_of(candidates[0])
        for family, name in self.parameters(choice, candidates):
            free = self.free(family, candidates)
            rests = {rest_of(params, name, free) for params in candidates}
            if len(rests) > 1 or None in rests or not self.can_share(family, name, candidates):
                continue
            sections = self.sections(family, name, candidates, n_rows)
            members = [[candidates[place] for place in section] for section in sections]
            return [
                Path(family, name, ordered(family, name, section), free)
                for section in members
                if len(section) > 1
            ]
        return []


ALONE = object()
"""Side of a value that shares with no other."""
MAX_KNOWN = 1000
"""Number of estimators whose judgement is kept; a search over real numbers has ever new ones."""


class _Alike:
    """Candidates that differ in one parameter; their estimator is made and judged once."""

    def __init__(self, grouping: Grouping, family: Family, params: Params) -> None:
        self._family = family
        self._blocker = ""
        self._sides: dict[tuple[type, object, int | None], object] = {}
        try:
            estimator = grouping.builder.build(params)
        except Exception:  # noqa: BLE001 - the fit itself will say what is wrong
            self._blocker = "it cannot be made"
            return
        self._last = last_step(estimator)[1]
        self._blocker = grouping.objection_to(family, estimator)

    def side(self, value: Any, n_rows: int | None) -> object:
        """Side of a border on which a value lies; values on one side share a fit."""
        # With its type: `1`, `1.0` and `True` are equal, and estimators tell them apart.
        key = type(value), repr(value), n_rows
        if key not in self._sides:
            self._sides[key] = self._side(value, n_rows)
        return self._sides[key]

    def _side(self, value: Any, n_rows: int | None) -> object:
        try:
            if self._blocker or not self._family.can_share(self._last, [value]):
                return ALONE
            return border_of(self._family, self._last, value, n_rows)
        except Exception:  # noqa: BLE001 - the fit itself will say what is wrong
            return ALONE


def ordered(family: Family, name: str, candidates: Sequence[Params]) -> tuple[Params, ...]:
    """Distinct candidates in the order of their submodels."""
    # Equal candidates would be scored twice, and `1` and `1.0` are one value here.
    by_value: dict[Any, dict[str, Params]] = defaultdict(dict)
    for params in candidates:
        by_value[params[name]][canonical_json(params)] = params
    return tuple(
        params for value in family.in_order(list(by_value)) for params in by_value[value].values()
    )


def rest_of(params: Params, name: str, free: Container[str] = ()) -> str | None:
    """Text of all params but one, free ones without values; ``None`` if that one is inactive."""
    if name not in params:
        return None
    return canonical_json({k: None if k in free else v for k, v in params.items() if k != name})
