"""Fits that need not be made: an earlier one has shown that they would give the same model.

A search asks for a forest with ``max_depth`` 12 after one with 9, of which no tree came deeper than
7. Both are the same forest, bit by bit, so the second one gets the scores of the first
(``growth`` tells why). The study proposes the same trials as ever, which only end sooner.

The first scores of a kind of estimator that could be taken over are compared with those of a fit of
its own. If they differ, nothing is taken over.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import NoneType
from typing import Any, TypeAlias

from tunesmith.history import Check, FoldResult
from tunesmith.sharing.grouping import Grouping
from tunesmith.sharing.growth import GROWTHS, Growth
from tunesmith.sharing.prototype import last_step
from tunesmith.sharing.proved import SCIKIT_LEARN, installed
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Facts, Fit, Params

WAY = "SameModel"
"""Sharing method that is recorded with scores which were taken over."""
MAX_JUDGED = 1000
"""Estimators whose objection is remembered."""
Alike: TypeAlias = tuple[str, int]
"""Params but for those that may differ, as text, and a fold."""
Shown: TypeAlias = tuple[tuple[str, int], ...]
"""Facts as a key."""


@dataclass(frozen=True)
class _Growing:
    """Estimators of one choice whose params have some names."""

    growth: Growth
    kind: str
    own: Mapping[str, str]
    """Parameters that may differ, as candidates write them -> as the estimator does."""
    read: Mapping[str, str]
    """The same, with further ones on which forms depend."""
    usual: Mapping[str, Any]
    """Values of those that candidates lack."""

    def rest(self, params: Params) -> str:
        """Text of all that may not differ, whatever a fit shows."""
        others = {n: v for n, v in params.items() if n not in self.own}
        return canonical_json([others, self.growth.fixed(self._whole(params))])

    def judged_by(self, params: Params) -> str:
        """Text of all that decides if fits show anything.

        A plain number of a parameter that may differ does not: no rule looks at it. An object
        could be a source of random numbers.
        """
        numbers = {n for n in self.own if type(params[n]) in (int, float, NoneType)}
        return canonical_json({n: None if n in numbers else v for n, v in params.items()})

    def _whole(self, params: Params) -> dict[str, Any]:
        """The estimator's own parameters."""
        # Without building the estimator, which takes longer than the rest.
        return {**self.usual, **{short: params[name] for name, short in self.read.items()}}

    def form(self, params: Params, facts: Facts) -> str:
        """Form of params in view of the facts of a fit, as text."""
        return canonical_json(self.growth.form(self._whole(params), facts))


@dataclass
class SameModels:
    """Results of one study, by what their models depend on.

    Args:
        grouping: knows the estimators of params.
    """

    grouping: Grouping
    _results: dict[Alike, dict[Shown, dict[str, FoldResult]]] = field(
        default_factory=dict, repr=False
    )
    """Results of params that are alike, by the facts of their fits, then by form."""
    _trust: dict[str, bool] = field(default_factory=dict, repr=False)
    """Kind of estimator -> true if scores that were taken over were right."""
    _awaited: dict[Alike, tuple[str, FoldResult]] = field(default_factory=dict, repr=False)
    """Params and fold of fits that are compared -> the kind, and the result that is expected."""
    _grown: dict[str, _Growing | None] = field(default_factory=dict, repr=False)
    _objections: dict[str, str] = field(default_factory=dict, init=False, repr=False)
    """Params that matter, as text -> reason why their fits show nothing; empty if they do."""

    # -- in a worker -------------------------------------------------------------------------

    def facts(self, params: Params, last: Any) -> Facts | None:
        """Describe a fitted model; ``None`` if no other params are known to give the same one.

        Args:
            params: of the fit.
            last: its fitted last step.
        """
        grown = self._of(params)
        if grown is None or not grown.growth.proved.has(last):
            return None
        return None if self._objection(grown, params) else grown.growth.facts(last)

    def _objection(self, grown: _Growing, params: Params) -> str:
        # Each fold asks for it, and the estimator is built for the answer alone.
        key = grown.judged_by(params)
        if key not in self._objections:
            if len(self._objections) >= MAX_JUDGED:
                self._objections.clear()
            self._objections[key] = self._judged(grown.growth, params)
        return self._objections[key]

    def _judged(self, growth: Growth, params: Params) -> str:
        estimator = self.grouping.builder.build(params)
        last, own = last_step(estimator)[1], (growth.parameter, *growth.free)
        return (
            self.grouping.objection_to_repeats(estimator)
            or growth.proved.blocker(last, own, self.grouping.fit_given)
            or growth.why_not(last)
        )

    # -- in the process of the search --------------------------------------------------------

    def alike(self, params: Params, fold: int) -> Alike | None:
        """Key of fits that may turn out to give one model; ``None`` if that cannot be."""
        grown = self._of(params)
        return None if grown is None else (grown.rest(params), fold)

    def alike_of(self, fit: Fit) -> Alike | None:
        """Key of whole fits that may turn out to give one model."""
        # Of no certain candidate: the proposed one comes first, and is another in each trial.
        keys = (self.alike(params, fit.fold) for params in fit.all_candidates)
        return min((key for key in keys if key is not None), default=None)

    def learn(self, params: Params, result: FoldResult) -> FoldResult:
        """Note the result of a fit; return it, with a check if it was the one that is compared."""
        result = self._compared(params, result)
        grown = self._of(params)
        if grown is None or result.facts is None or result.failure is not None:
            return result
        alike = self._results.setdefault((grown.rest(params), result.fold), {})
        by_form = alike.setdefault(tuple(sorted(result.facts.items())), {})
        kept = replace(result, facts=None, delivery=None, checks=())
        by_form.setdefault(grown.form(params, result.facts), kept)
        return result

    def find(self, params: Params, fold: int) -> FoldResult | None:
        """Result that a fit would have; ``None`` if it has to be made."""
        grown = self._of(params)
        if grown is None or not self._trust.get(grown.kind, True):
            return None
        for facts, by_form in self._results.get((grown.rest(params), fold), {}).items():
            result = by_form.get(grown.form(params, dict(facts)))
            if result is not None:
                return self._taken_over(grown.kind, params, result)
        return None

    def find_all(self, fit: Fit) -> list[FoldResult] | None:
        """Results of all candidates of a fit; ``None`` if it has to be made."""
        results = [self.find(params, fit.fold) for params in fit.all_candidates]
        whole = [result for result in results if result is not None]
        return whole if len(whole) == len(results) else None

    def _taken_over(self, kind: str, params: Params, result: FoldResult) -> FoldResult | None:
        """The result as that of other params, if such results have been compared with a fit."""
        if kind not in self._trust:
            # A race may drop the fit, so that all those on the way are compared.
            self._awaited[canonical_json(dict(params)), result.fold] = kind, result
            return None
        ways = tuple(dict.fromkeys((*result.ways, WAY)))
        # It is no part of a fit that several candidates share: no time was spent on it.
        return replace(result, ways=ways, n_sharing=1)

    def _compared(self, params: Params, result: FoldResult) -> FoldResult:
        awaited = self._awaited.pop((canonical_json(dict(params)), result.fold), None)
        # A fit that has failed or was ended tells nothing; the next one is compared.
        if awaited is None or result.failure is not None:
            return result
        kind, expected = awaited
        is_same = dict(result.scores) == dict(expected.scores)
        self._trust[kind] = is_same and self._trust.get(kind, True)
        if is_same:
            return result
        return replace(result, checks=(*result.checks, Check(kind, is_passed=False)))

    def _of(self, params: Params) -> _Growing | None:
        """The kind of estimator, if candidates differ in what a fit may show to change nothing."""
        choice = self.grouping.builder.choice_of(params)
        key = canonical_json([choice, *params])
        if key not in self._grown:
            self._grown[key] = self._found(choice, tuple(params))
        return self._grown[key]

    def _found(self, choice: str, names: Sequence[str]) -> _Growing | None:
        prototype = self.grouping.builder.prototype(choice)
        prefix, last = last_step(prototype.estimator)
        growth = next((one for one in GROWTHS if one.proved.has(last)), None)
        if growth is None:
            return None
        full_names = ((name, prototype.full_name(name) or "") for name in names)
        short = {name: full[len(prefix) :] for name, full in full_names if full.startswith(prefix)}
        own = {n: s for n, s in short.items() if s in (growth.parameter, *growth.free)}
        versions = {SCIKIT_LEARN.package: installed(SCIKIT_LEARN.package)}
        kind = {"way": WAY, "estimator": type(last).__name__, "versions": versions}
        usual = last.get_params(deep=False)
        read = {n: s for n, s in short.items() if s in usual}
        return _Growing(growth, json.dumps(kind), own, read, usual) if own else None
