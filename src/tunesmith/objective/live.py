"""The objective of estimators in the caller's memory, for scikit-learn's searches.

A fit that shares nothing is scikit-learn's own ``_fit_and_score``, so failures, warnings and all
kinds of scores are those that its users know. Shared fits go through the kernel.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import nan
from operator import is_
from typing import Any, Literal, TypeAlias

import joblib
import numpy as np
from sklearn import config_context, get_config
from sklearn.base import ClassifierMixin, RegressorMixin, clone
from sklearn.metrics import get_scorer
from sklearn.metrics._scorer import _PassthroughScorer
from sklearn.model_selection._validation import _fit_and_score, _score
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params, _num_samples

from tunesmith.data.slices import (
    SliceCache,
    Slices,
    for_one,
    frozen,
    is_read_only,
    own,
)
from tunesmith.history import FoldResult, Metric
from tunesmith.models.keeper import Keeper
from tunesmith.models.material import FoldRows
from tunesmith.objective.objects import Objects
from tunesmith.objective.outputs import FoldOutputs, LiveResult, Output, heard
from tunesmith.objective.quick_scores import (
    QuickScorers,
    is_plain_scorer,
    sees_answers_alone,
)
from tunesmith.sharing.kernel import Clock, Kernel, Modelled
from tunesmith.sharing.prototype import Prototype, is_json, last_step, to_json
from tunesmith.sharing.randomness import has_seed_object
from tunesmith.sharing.same_models import SameModels
from tunesmith.space import SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.system.fingerprint import digest
from tunesmith.types import Fit, Params, Value

Place: TypeAlias = tuple[int, Literal["test", "train"]]
"""Number of a fold, and one side of its split."""


@dataclass(frozen=True, eq=False)
class LiveBuilder:
    """Builds estimators by setting params on clones, as scikit-learn's searches do."""

    estimator: Any
    objects: Objects
    _made: dict[str, Prototype] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_made": {}}

    def choice_of(self, params: Params) -> str:
        """Params that replace parts of the estimator, as text."""
        return canonical_json({n: v for n, v in params.items() if self._replaces(n, v)})

    def own(self, params: Params) -> Params:
        """All other params."""
        return {n: v for n, v in params.items() if not self._replaces(n, v)}

    def _replaces(self, name: str, value: Any) -> bool:
        return name in self._parts or hasattr(self.objects.decode(value), "get_params")

    @cached_property
    def _parts(self) -> set[str]:
        """Names of the parameters that are estimators, or steps of one."""
        deep = self.estimator.get_params(deep=True)
        owners = {name.rpartition("__")[0] for name in deep}
        return {name for name in deep if name in owners or hasattr(deep[name], "get_params")}

    def prototype(self, choice: str) -> Prototype:
        """The estimator with its parts replaced."""
        if choice not in self._made:
            self._made[choice] = Prototype(self.build(json.loads(choice)))
        return self._made[choice]

    def build(self, params: Params) -> Any:
        """Clone the estimator with these params.

        Raises:
            ValueError: a parameter is unknown.
        """
        estimator = clone(self.estimator)
        if not params:
            return estimator
        # As in scikit-learn's searches, values that are estimators are cloned, too.
        return estimator.set_params(**clone(self.objects.decoded(params), safe=False))

    def fit_params(self, params: Params, given: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Keyword arguments of ``fit``, as the caller routed them."""
        return dict(given)


@dataclass(eq=False, kw_only=True)
class LiveObjective:
    """Scores an estimator's params on the folds of data in memory."""

    estimator: Any
    X: Any
    y: Any
    splits: Sequence[tuple[Any, Any]]
    """(training rows, test rows) of each fold."""
    scorer: Any
    """One scorer, or scikit-learn's combined one."""
    objects: Objects
    outputs: FoldOutputs
    fit_params: Mapping[str, Any] = field(default_factory=dict)
    score_params: Mapping[str, Any] = field(default_factory=dict)
    verbose: int = 0
    context: Mapping[str, str] = field(default_factory=dict)
    """Identity of the data and the code; empty if no ledger needs to recognise the results."""

    notes: tuple[str, ...] = ()
    """Sentences that a user should read."""
    keeper: Keeper | None = None
    """Keeps fold models; they are thrown away without one."""
    has_holdout = False

    def __post_init__(self) -> None:
        # scikit-learn's configuration belongs to a thread: a worker would have the defaults.
        self._home, self._config = os.getpid(), get_config()
        self._builder = LiveBuilder(self.estimator, self.objects)
        self._slices = SliceCache(self._cut)
        prefix = last_step(self.estimator)[0]
        given = {name.removeprefix(prefix): value for name, value in self.fit_params.items()}
        self._kernel = Kernel(
            builder=self._builder,
            rows=self._slices,
            score=self._score,
            fit_given=given,
            noted=self._note,
        )
        self._quick_scorers: dict[str | None, Callable[..., Any]] = {}
        self._truths: dict[Place, Any] = {}
        self._grouped: tuple[list[Params], list[tuple[int, ...]]] = [], []

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_quick_scorers": {}, "_truths": {}, "_grouped": ([], [])}

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return len(self.splits)

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """Metrics that decide; one, unless the study is multi-objective."""
        return self.outputs.objectives

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All metrics that are recorded."""
        return self.outputs.metrics

    @property
    def modules(self) -> list[str]:
        """Modules that a process imports before its first fit."""
        deep = (self.estimator, *self.estimator.get_params(deep=True).values())
        owners = {type(part).__module__ for part in deep if hasattr(part, "get_params")}
        return [__name__, *sorted(owners)]

    def defaults(self) -> Params:
        """The estimator's own values, as far as JSON can hold them."""
        values = self.estimator.get_params(deep=True)
        return {name: to_json(value) for name, value in values.items() if is_json(value)}

    def key(self, params: Params, fold: int) -> str:
        """Digest of everything that the scores of one fold depend on."""
        return digest([self.fold_digests[fold], canonical_json(dict(params))])

    @cached_property
    def fold_digests(self) -> list[str]:
        """Identity of each fold: a digest of all that its scores depend on besides the params."""
        if not self.context:
            return [str(fold) for fold in range(self.n_folds)]
        return [digest([dict(self.context), joblib.hash(split)]) for split in self.splits]

    # -- evaluation --------------------------------------------------------------------------

    def groups(self, candidates: Sequence[Params]) -> list[tuple[int, ...]]:
        """Group the indices of candidates that one fit can score."""
        if not self._may_share:
            return [(index,) for index in range(len(candidates))]
        # Asked for the plan that is shown, and again for the fits.
        known, groups = self._grouped
        if len(known) != len(candidates) or not all(map(is_, known, candidates)):
            groups = self._kernel.groups(candidates)
            self._grouped = list(candidates), groups
        return groups

    def size(self, candidates: Sequence[Params]) -> float:
        """Relative cost of one fit of these candidates, as far as their params tell."""
        return self._kernel.size(candidates) if self._is_divisible else 1.0

    def submodel_candidates(self, params: Params, space: SearchSpace) -> list[Params]:
        """Submodel candidates: points of the space that one fit scores, ``params`` included."""
        return self._kernel.submodel_candidates(params, space) if self._is_divisible else [params]

    def read_off(self, params: Params, space: SearchSpace) -> tuple[str, Value] | None:
        """Submodel parameter of which one fit holds all values, and the value to fit with."""
        return self._kernel.read_off(params, space) if self._may_share else None

    def same_models(self) -> SameModels | None:
        """Store of results that tells which fits need not be made, if models alone give scores."""
        is_usable = self._may_share and all(map(sees_answers_alone, self._scorers))
        return self._kernel.same_models() if is_usable else None

    @property
    def _may_share(self) -> bool:
        """True if candidates may share fits; if every fit is announced, every one is made."""
        return self._is_divisible and self.verbose <= 1

    @property
    def _is_divisible(self) -> bool:
        """True if rows and arguments allow an estimator to be taken apart."""
        return not self._obstacle

    @cached_property
    def _obstacle(self) -> str:
        """The reason why it may not be, whatever the candidates are; empty if it may."""
        # Everything that scikit-learn handles specially is left to it: pairwise rows, routed
        # arguments, fits without a target.
        prefix = last_step(self.estimator)[0]
        is_routed = bool(self._config["enable_metadata_routing"])
        elsewhere = [name for name in self.fit_params if not name.startswith(prefix)]
        if self.y is None:
            return "there is no y"
        if has_seed_object(self.estimator):
            return "its seed is an object, which draws on from fit to fit"
        if get_tags(self.estimator).input_tags.pairwise:
            return "it takes distances between rows instead of rows"
        if is_routed and (self.fit_params or self.score_params):
            return "metadata is routed to its parts"
        return f"`{elsewhere[0]}` goes to an earlier step of the pipeline" if elsewhere else ""

    @property
    def passed(self) -> set[str]:
        """Digests of the verified kinds of sharing; those of a ledger are added before a run."""
        return self._kernel.passed

    def blockers(
        self, candidates: Sequence[Params], *, has_submodel_candidates: bool = False
    ) -> list[str]:
        """List the reasons why candidates share no fits that might be expected to."""
        obstacle = self._obstacle
        if not obstacle and self.verbose > 1 and not has_submodel_candidates:
            obstacle = "with verbose=2 and more every fit is made and announced"
        return self._kernel.blockers(
            candidates, has_submodel_candidates=has_submodel_candidates, obstacle=obstacle
        )

    def check_ahead(self, candidates: Sequence[Params]) -> None:
        """Make the part of the checks of sharing that workers need not make.

        Args:
            candidates: of the search.
        """
        if self._may_share and self.splits:
            groups = ([candidates[i] for i in group] for group in self.groups(candidates))
            self._kernel.check_ahead(groups)

    def likeness(self, fit: Fit) -> tuple[str, tuple[str, ...], bool]:
        """Return what is equal for fits whose kinds of sharing are most likely the same."""
        params = fit.candidates[0]
        return self._builder.choice_of(params), tuple(params), len(fit.all_candidates) > 1

    def evaluate(self, fit: Fit) -> list[FoldResult]:
        """Train and score every candidate.

        Raises:
            Exception: the user's own, if ``error_score`` is ``"raise"``.
        """
        # In this process, output and warnings reach the user by themselves.
        if os.getpid() == self._home:
            return self._noting(self._evaluate(fit))
        with config_context(**self._config), heard() as (said, warned):
            results = self._noting(self._evaluate(fit))
        # All candidates are recorded, so the first one carries the output of the fit. Of submodel
        # candidates only one is recorded, and it may be any of them, so each carries it.
        n = len(results) if fit.extra_candidates else 1
        telling = [replace(one, said=said.getvalue(), warned=tuple(warned)) for one in results[:n]]
        return [*telling, *results[n:]]

    def _noting(self, results: list[LiveResult]) -> list[Any]:
        """Attach to the first result the checks that were made, and those that were left."""
        news, unchecked = self._kernel.take_news(), self._kernel.take_unchecked()
        trusted = self._kernel.take_trusted()
        if not results or not (news or unchecked or trusted):
            return [*results]
        first = replace(results[0], checks=news, unchecked=unchecked, trusted=trusted)
        return [first, *results[1:]]

    def _evaluate(self, fit: Fit) -> list[LiveResult]:
        # `groups` has decided about announced fits; submodel candidates are scored in any case.
        self._kernel.defers = fit.is_checked_elsewhere
        is_joint = len(fit.all_candidates) > 1 and self._is_divisible
        joint = self._together(fit) if is_joint else [None] * len(fit.all_candidates)
        results = fit.results(joint, alone=self._alone)
        return results if self.keeper is None else self.keeper.flushed(fit, results)

    def _together(self, fit: Fit) -> list[LiveResult | None]:
        return [
            None
            if one is None
            else self.outputs.result(
                fit.fold,
                output_of(one.scores, one.fit_s, one.score_s),
                one.n_sharing,
                one.ways,
                facts=one.facts,
            )
            for one in self._kernel.together(fit)
        ]

    def _alone(self, params: Params, fold: int) -> LiveResult:
        result = self._quickly(params, fold) if self._may_share else None
        if result is None:
            output = self._fit_and_score(params, fold, self.verbose)
            return self.outputs.result(fold, output)
        return result

    def _quickly(self, params: Params, fold: int) -> LiveResult | None:
        clock = Clock()
        try:
            scored = self._kernel.alone(params, fold, clock)
        except (Exception, SystemExit):  # noqa: BLE001 - scikit-learn's way will show whose it is
            return None
        if scored is None:
            return None
        output = output_of(scored.scores, clock.fit_s, clock.score_s)
        return self.outputs.result(fold, output, ways=scored.ways, facts=scored.facts)

    def _fit_and_score(self, params: Params, fold: int, verbose: int = 0) -> Output:
        train, test = self._split(fold)
        output: Output = _fit_and_score(
            clone(self.estimator),
            self.X,
            self.y,
            train=train,
            test=test,
            scorer=self.scorer,
            parameters=self.objects.decoded(params),
            fit_params=self.fit_params,
            score_params=self.score_params,
            return_train_score=self.outputs.has_train,
            return_times=True,
            return_estimator=self._notes_models,
            error_score=self.outputs.error_score,
            verbose=verbose,
            split_progress=(fold, self.n_folds),
        )
        model = output.pop("estimator", None)
        if output["fit_error"] is None and model is not None:
            # The rows are cut a second time: only who keeps models pays for it.
            X_test = self._cut(fold).X_test
            scores = [output["test_scores"]]
            self._note(Modelled(params, fold, model, X_test, scores))
        return output

    # -- models ------------------------------------------------------------------------------

    @property
    def _notes_models(self) -> bool:
        """True if fitted models are looked at before they are thrown away."""
        return self.keeper is not None

    def _note(self, modelled: Modelled[list[Any]]) -> None:
        # Further splits belong to no fold model of the search.
        if self.keeper is None or modelled.fold < 0:
            return
        # A fold without a finite score has failed, and its model is part of nothing.
        score = self._deciding(modelled.fold, modelled.scores[0])
        if score is not None:
            key = self.key(modelled.params, modelled.fold)
            self.keeper.note(key, score, modelled.model, modelled.X_test)

    def _deciding(self, fold: int, scores: Any) -> float | None:
        """Score by the metric that decides; ``None`` if it is no finite number."""
        result = self.outputs.result(fold, output_of([scores], 0.0, 0.0))
        return result.scores.get(self.objectives[0].name)

    def unfitted(self, params: Params) -> Any:
        """Build an estimator with these params."""
        return self._builder.build(params)

    def fold_model(self, params: Params, fold: int) -> Any:
        """Fit an estimator on the training rows of a fold, as scikit-learn does."""
        rows = self._cut(fold)
        target = () if rows.y_train is None else (rows.y_train,)
        return self._builder.build(params).fit(rows.X_train, *target, **rows.fit_params)

    def test_rows(self, fold: int) -> FoldRows:
        """Return the test rows of a fold."""
        rows, test = self._cut(fold), self._split(fold)[1]
        return FoldRows(rows.X_test, rows.y_test, np.arange(_num_samples(self.X))[test])

    def fold_score(self, model: Any, fold: int) -> float:
        """Score a fitted estimator on the test rows of a fold, by the metric that decides."""
        rows = self._slices.shared(fold)
        test = self._split(fold)[1]
        scores = self._scores_on(model, rows.X_test, rows.y_test, test, (fold, "test"))
        score = self._deciding(fold, scores)
        return nan if score is None else score

    # -- what the kernel asks ----------------------------------------------------------------

    def _split(self, fold: int) -> tuple[Any, Any]:
        """Training rows and test rows of a fold."""
        return self.splits[fold]

    def _cut(self, fold: int) -> Slices:
        train, test = self._split(fold)
        X_train, y_train = _safe_split(self.estimator, self.X, self.y, train)
        X_test, y_test = _safe_split(self.estimator, self.X, self.y, test, train)
        fit_params = _check_method_params(self.X, params=self.fit_params, indices=train)
        return Slices(X_train, y_train, X_test, y_test, fit_params)

    def _score(self, model: Any, X_test: Any, fold: int) -> list[Any]:
        """Test scores and, if they are wanted, training scores."""
        rows, (train, test) = self._slices.shared(fold), self._split(fold)
        scores = [self._scores_on(model, X_test, rows.y_test, test, (fold, "test"))]
        if self.outputs.has_train:
            X_train = for_one(rows.X_train)
            scores.append(self._scores_on(model, X_train, rows.y_train, train, (fold, "train")))
        return scores

    def _truth(self, place: Place, y: Any) -> Any:
        """True values as one and the same object every time, in a form that is scored quickly."""
        if place not in self._truths:
            # Other types of pandas convert to objects, which have no quick scores.
            is_series = hasattr(y, "to_numpy") and isinstance(getattr(y, "dtype", None), np.dtype)
            self._truths[place] = frozen(y.to_numpy()) if is_series else y
        return self._truths[place]

    def _scores_on(self, model: Any, X: Any, y: Any, rows: Any, place: Place) -> Any:
        if self.score_params:
            params = _check_method_params(self.X, params=self.score_params, indices=rows)
            return _score(model, X, own(y), self.scorer, params, "raise")
        if not self._is_plain:
            # A function of the user's may change its arguments, so it gets copies, as in
            # scikit-learn.
            X = X if is_read_only(X) else own(X)
            return _score(model, X, own(y), self.scorer, {}, "raise")
        return _score(model, X, self._truth(place, y), self._quick(model), {}, "raise")

    @cached_property
    def _is_plain(self) -> bool:
        """True if all scorers are scikit-learn's own metrics."""
        return all(map(is_plain_scorer, self._scorers))

    @property
    def _scorers(self) -> list[Any]:
        return list(getattr(self.scorer, "_scorers", {"score": self.scorer}).values())

    def _quick(self, model: Any) -> Callable[..., Any]:
        """The scorer in its quick form, for many models on the same rows."""
        metric = own_metric(model)
        if metric not in self._quick_scorers:
            self._quick_scorers[metric] = quickened(self.scorer, metric)
        return self._quick_scorers[metric]


def own_metric(model: Any) -> str | None:
    """The scorer that equals an estimator's own ``score``, if that is scikit-learn's usual one."""
    # Exactly this class: a subclass may score in a way of its own.
    while type(model) is Pipeline:
        model = model.steps[-1][1]
    usual = {ClassifierMixin.score: "accuracy", RegressorMixin.score: "r2"}
    return usual.get(getattr(type(model), "score", None))


def quickened(scorer: Any, own: str | None) -> Callable[..., Any]:
    """Wrap a scorer so that it gives the same scores, more quickly if the rows are the same.

    Args:
        scorer: one of scikit-learn's or of the user's, or several combined.
        own: the metric of the estimator's own ``score``.
    """
    several = getattr(scorer, "_scorers", None)
    named = {
        name: get_scorer(own) if own and isinstance(one, _PassthroughScorer) else one
        for name, one in (several or {"score": scorer}).items()
    }
    quick = QuickScorers(named)
    if several:
        return quick
    return lambda model, X, y: quick(model, X, y)["score"]


def output_of(scores: Sequence[Any], fit_s: float, score_s: float) -> Output:
    """Test and training scores as scikit-learn would return them."""
    named = dict(zip(("test_scores", "train_scores"), scores, strict=False))
    return {"fit_error": None, "fit_time": fit_s, "score_time": score_s, **named}
