"""Who shares a fit with whom: candidates along a submodel parameter, and the curves of params.

Nothing is fitted here.
"""

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tunesmith import registry
from tunesmith.objective.builder import Builder
from tunesmith.objective.pipeline_prefix import steps_of
from tunesmith.objective.prototype import last_step
from tunesmith.objective.randomness import is_certainly_random
from tunesmith.objective.submodels.family import Family
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params


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
class Grouping:
    """Finds candidates that can share a fit."""

    builder: Builder

    def __getstate__(self) -> dict[str, Any]:
        return {"builder": self.builder}

    @cached_property
    def families(self) -> list[Family]:
        """Every registered family."""
        return [registry.load("submodels", name)() for name in registry.names("submodels")]

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
            for family, name in self.parameters(choice, chosen)
        ]
        return min([alone, *partitions], key=len)

    def parameters(self, choice: str, candidates: Sequence[Params]) -> Iterator[tuple[Family, str]]:
        """Families by the parameter that they would share along, as the candidates name it."""
        prototype = self.builder.prototype(choice)
        prefix = last_step(prototype.estimator)[0]
        for name in sorted({name for params in candidates for name in params}):
            for family in self.families:
                known = (family.parameter, *getattr(family, "aliases", ()))
                if prototype.full_name(name) in [prefix + other for other in known]:
                    yield family, name

    def size(self, candidates: Sequence[Params]) -> float:
        """How long one fit of these takes beside others of its kind, as far as params tell."""
        try:
            known = list(self.parameters(self.builder.choice_of(candidates[0]), candidates[:1]))
        except Exception:  # noqa: BLE001 - the fit itself will say what is wrong
            return 1.0
        names = {name for family, name in known if getattr(family, "is_sized", False)}
        values = [params[name] for params in candidates for name in names & params.keys()]
        return float(max((v for v in values if isinstance(v, int | float)), default=1.0))

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
            is_shared = len(group) > 1 and self.can_share(family, name, members)
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

    def can_share(self, family: Family, name: str, candidates: Sequence[Params]) -> bool:
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
        for family, name in self.parameters(choice, candidates):
            free = self._free(family, candidates)
            rests = {_rest(params, name, free) for params in candidates}
            if len(rests) > 1 or None in rests:
                continue
            if self.can_share(family, name, candidates):
                return Path(family, name, ordered(family, name, candidates), free)
        return None


def ordered(family: Family, name: str, candidates: Sequence[Params]) -> tuple[Params, ...]:
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
