"""Reasons why fits that you might expect to be shared are not: for the plan, before a run."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tunesmith.sharing.grouping import Grouping, rest_of
from tunesmith.sharing.pipeline_prefix import front_steps
from tunesmith.sharing.prototype import last_step
from tunesmith.sharing.proved import is_of
from tunesmith.sharing.submodels.family import Family, names_of, proved_of
from tunesmith.types import Params


@dataclass(frozen=True)
class ReasonQuery:
    """Candidates of which the reasons are asked for."""

    grouping: Grouping
    candidates: Sequence[Params]
    has_submodel_candidates: bool = False
    """True if the fit of each might score other values of its parameter."""
    obstacle: str = ""
    """A reason against all sharing, whatever the candidates are."""

    def reasons(self) -> list[str]:
        """List why candidates that differ only in one parameter share no fit.

        Each reason is given once. A value that is alone among others that share is no reason.
        """
        reasons: dict[str, None] = {}
        builder = self.grouping.builder
        for choice in dict.fromkeys(map(builder.choice_of, self.candidates)):
            chosen = [one for one in self.candidates if builder.choice_of(one) == choice]
            with suppress(Exception):  # the fits themselves will say what is wrong
                reasons |= dict.fromkeys(self._reasons_of(choice, chosen))
        return list(reasons)

    def _reasons_of(self, choice: str, chosen: Sequence[Params]) -> Iterator[str]:
        grouping = self.grouping
        estimator = grouping.builder.prototype(choice).estimator
        last = last_step(estimator)[1]
        if reason := len(chosen) > 1 and self._front(estimator):
            yield f"steps before the last one: {reason}"
        for family, name in grouping.parameters(choice, chosen):
            base = meant(family, last)
            if base is None:
                continue
            derived = "" if base is type(last) else _derived(last, base)
            for params in self._left_alone(family, name, chosen):
                reason = self.obstacle or derived or grouping.blocker(family, name, params)
                if reason:
                    yield f"along `{name}`: {reason}"
        yield from self._other_names(choice, chosen, last)

    def _front(self, estimator: Any) -> str:
        has_front = bool(last_step(estimator)[0]) and bool(list(front_steps(estimator)))
        return self.grouping.objection_to_front(estimator) if has_front else ""

    def _left_alone(
        self, family: Family, name: str, candidates: Sequence[Params]
    ) -> Iterator[Params]:
        """One of each kind of candidates that do not share with those that are alike."""
        alike: dict[str | None, list[Params]] = defaultdict(list)
        free = self.grouping.free(family, candidates)
        for params in candidates:
            alike[rest_of(params, name, free)].append(params)
        for rest, members in alike.items():
            if rest is None or (len(members) == 1 and not self.has_submodel_candidates):
                continue
            if self.obstacle:
                yield members[0]
                continue
            sections = self.grouping.sections(family, name, members)
            if max(map(len, sections)) == 1:
                yield from (members[section[0]] for section in sections)

    def _other_names(self, choice: str, candidates: Sequence[Params], last: Any) -> Iterator[str]:
        """Parameters under names that the library knows, and fits are not shared along."""
        prototype = self.grouping.builder.prototype(choice)
        prefix = last_step(prototype.estimator)[0]
        for name in sorted({name for params in candidates for name in params}):
            full = prototype.full_name(name) or ""
            short = full.removeprefix(prefix) if full.startswith(prefix) else ""
            for family in self.grouping.families:
                proved = proved_of(family)
                if proved is None or not short or short in names_of(family):
                    continue
                if meant(family, last) is not type(last):
                    continue
                known = proved.canonical
                if known(short) is not None and known(short) == known(family.parameter):
                    yield f"along `{name}`: it is another name of `{family.parameter}`; search that"


def meant(family: Family, last: Any) -> type | None:
    """The class of a family that an estimator is of, or is derived from."""
    proved = proved_of(family)
    if proved is None:
        return None
    bases = type(last).__mro__
    return next((c for c in bases if any(is_of(c, path) for path in proved.classes)), None)


def _derived(last: Any, base: type) -> str:
    return (
        f"{type(last).__name__} is derived from {base.__name__}, and may fit otherwise; only"
        f" {base.__name__} itself was tried"
    )
