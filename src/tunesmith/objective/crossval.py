"""The objective of estimators: cross-validation, bit for bit as scikit-learn computes it."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from tunesmith.config.model import Definition
from tunesmith.config.model import Objective as Section
from tunesmith.fingerprint import code_digest, digest, versions
from tunesmith.history import HOLDOUT, FoldResult, Metric
from tunesmith.objective.data import Table, load_table
from tunesmith.objective.dryrun import dry_run
from tunesmith.objective.estimator import EstimatorBuilder
from tunesmith.objective.failure import failure_of, noting_warnings
from tunesmith.objective.folds import Split, make_splits
from tunesmith.objective.metric import Scorers
from tunesmith.objective.objective import Fit
from tunesmith.objective.preprocess import auto_preprocessor
from tunesmith.objective.sharing import Path, Sharing
from tunesmith.objective.slices import SliceCache, Slices
from tunesmith.space import SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params

EVALUATION = 1
"""Raised when a change to this package changes scores; part of every key."""
PREFIX = "prefix"
"""The way of sharing that is no family's."""


@dataclass(eq=False)
class CrossValObjective:
    """Scores an estimator's params on the folds of a table."""

    table: Table
    splits: list[Split]
    builder: EstimatorBuilder
    scorers: Scorers
    context: Mapping[str, str]
    default_params: Params = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """Sentences that a user should read."""
    is_shared: bool = True
    """Whether candidates may share fits; their scores are the same either way."""

    def __post_init__(self) -> None:
        self._slices = SliceCache(self.table, self.splits)
        self._sharing = Sharing(self.builder)
        self._trust: dict[str, bool] = {}

    def __getstate__(self) -> dict[str, Any]:
        state = {k: v for k, v in self.__dict__.items() if k != "_fold_digests"}
        return {**state, "_trust": {}}

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return len(self.splits)

    @property
    def has_holdout(self) -> bool:
        """Whether rows are held out, to be scored as fold ``HOLDOUT``."""
        return self.table.holdout is not None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Everything recorded; the deciding ones first."""
        return self.scorers.metrics

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """The metrics that decide."""
        return self.scorers.objectives

    def defaults(self) -> Params:
        """The estimator's own values of the space's parameters."""
        return self.default_params

    # -- identity ----------------------------------------------------------------------------

    def key(self, params: Params, fold: int) -> str:
        """Digest of all that the scores of one fold depend on."""
        return digest([self._fold_digests[fold], canonical_json(dict(params))])

    @cached_property
    def _fold_digests(self) -> dict[int, str]:
        context = dict(self.context)
        found = {fold: digest([context, split.digest]) for fold, split in enumerate(self.splits)}
        if self.table.holdout is not None:
            found[HOLDOUT] = digest([context, "holdout", self.table.holdout.digest])
        return found

    # -- evaluation --------------------------------------------------------------------------

    def groups(self, candidates: Sequence[Params]) -> list[tuple[int, ...]]:
        """Indices of candidates, those together that one fit can score."""
        if not self._may_share:
            return [(index,) for index in range(len(candidates))]
        return self._sharing.groups(candidates)

    @property
    def _may_share(self) -> bool:
        # What a fit takes cannot be told apart where several candidates share it.
        return self.is_shared and not self.scorers.measures_time

    def evaluate(self, fit: Fit) -> list[FoldResult]:
        """Train and score every candidate; a failure of the user's code becomes a result."""
        together = self._together(fit) if len(fit.candidates) > 1 else None
        return together or [self._alone(params, fit.fold) for params in fit.candidates]

    def _alone(self, params: Params, fold: int) -> FoldResult:
        clock, scores, failure = Clock(), {}, None
        with noting_warnings() as noted:
            try:
                scores = self._scores(params, fold, clock)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's code
                failure = failure_of(error)
        warning = "".join(noted)
        return FoldResult(fold, scores, clock.fit_s, clock.score_s, failure, warning=warning)

    def _scores(self, params: Params, fold: int, clock: "Clock") -> dict[str, float]:
        try:
            return self._behind_prefix(params, fold, clock)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
        # Some estimators work in place, or cannot read what they may not write: give them
        # slices of their own, as scikit-learn does for every fit.
        return self._fit_and_score(params, self._slices.fresh(fold), clock)

    def _behind_prefix(self, params: Params, fold: int, clock: "Clock") -> dict[str, float]:
        rows = self._slices.shared(fold)
        is_shared = self._may_share and self._trust.get(PREFIX, True)
        if not is_shared or not self._sharing.has_prefix(params):
            return self._fit_and_score(params, rows, clock)
        with clock.fitting():
            fitted = self._sharing.fitted(params, fold, rows)
        with clock.scoring():
            scores = self.scorers(fitted.model, fitted.X_test, rows.y_test)
        if self._is_trusted(PREFIX, params, fold, scores):
            return scores
        return self._fit_and_score(params, rows, clock)

    def _fit_and_score(self, params: Params, rows: Slices, clock: "Clock") -> dict[str, float]:
        """As scikit-learn does it: nothing is shared but the rows."""
        estimator = self.builder.build(params)
        fit_params = self.builder.fit_params(params, rows.weights)
        with clock.fitting():
            # A shallow copy costs microseconds; what a fit does to its frame stays there.
            estimator.fit(rows.X_train.copy(deep=False), rows.y_train, **fit_params)
        with clock.scoring():
            scores = self.scorers(estimator, rows.X_test.copy(deep=False), rows.y_test)
        return scores | self.scorers.time_scores(clock.fit_s, clock.score_s)

    # -- sharing -----------------------------------------------------------------------------

    def _together(self, fit: Fit) -> list[FoldResult] | None:
        """One fit for all; ``None`` where each must be fitted on its own."""
        path = self._sharing.path(fit.candidates)
        if path is None or not self._trust.get(path.way, True):
            return None
        with noting_warnings() as noted:
            try:
                found = self._along(path, fit)
            except (Exception, SystemExit):  # noqa: BLE001 - one by one, it will show whose it is
                return None
        return found and [replace(result, warning="".join(noted)) for result in found]

    def _along(self, path: Path, fit: Fit) -> list[FoldResult] | None:
        clock, rows = Clock(), self._slices.shared(fit.fold)
        with clock.fitting():
            fitted = self._sharing.fitted(path.widest, fit.fold, rows)
        share_s = clock.fit_s / len(path.candidates)
        found: dict[str, FoldResult] = {}
        for params, model in zip(path.candidates, fitted.models(path), strict=True):
            with clock.scoring():
                scores = self.scorers(model, fitted.X_test, rows.y_test)
            if not self._is_trusted(path.way, params, fit.fold, scores):
                return None
            found[canonical_json(params)] = FoldResult(
                fit.fold, scores, share_s, clock.score_s, n_sharing=len(path.candidates)
            )
        return [found[canonical_json(params)] for params in fit.candidates]

    def _is_trusted(self, way: str, params: Params, fold: int, scores: Mapping[str, float]) -> bool:
        """Whether a way of sharing gave a fresh fit's scores when this process first used it."""
        if way not in self._trust:
            fresh = self._fit_and_score(params, self._slices.fresh(fold), Clock())
            self._trust[way] = fresh == scores
        return self._trust[way]


class Clock:
    """Seconds of one fit and of its scoring, kept also when they fail."""

    def __init__(self) -> None:
        self.fit_s = self.score_s = 0.0

    @contextmanager
    def fitting(self) -> Iterator[None]:
        """Time a fit."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.fit_s = time.perf_counter() - began

    @contextmanager
    def scoring(self) -> Iterator[None]:
        """Time the scoring of one candidate."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.score_s = time.perf_counter() - began


# -- building ------------------------------------------------------------------------------------


def build_objective(definition: Definition) -> CrossValObjective:
    """The objective of a study, checked: its data, parameters, folds and metrics fit together.

    Raises:
        UsageError: the estimator, a parameter or a metric cannot be used.
        DataError: the table or the folds cannot serve.
    """
    section = definition.file.objective
    scorers = Scorers(section.metric, section.also)
    scorers.check()
    table = load_table(
        section.data,
        definition.root,
        fold_column=section.cv.column,
        in_time=section.cv.method == "time_series",
    )
    builder = EstimatorBuilder(
        section,
        definition.file.search.seed if section.random_state is None else section.random_state,
        auto_preprocessor(table) if section.preprocess == "auto" else None,
    )
    builder.check(definition.space)
    splits = make_splits(section.cv, table.rows, is_classifier=builder.is_classifier)
    notes = dry_run(builder, scorers, table.rows, definition.space)
    return CrossValObjective(
        table,
        splits,
        builder,
        scorers,
        context_of(definition, table, builder, scorers),
        defaults_in(definition.space, builder),
        (*table.notes, *builder.warnings, *notes),
        is_shared=definition.file.execution.share == "exact",
    )


def context_of(
    definition: Definition, table: Table, builder: EstimatorBuilder, scorers: Scorers
) -> dict[str, str]:
    """What all scores of a study depend on: name -> digest."""
    paths = import_paths(definition.file.objective)
    spec = [EVALUATION, builder.spec(), digest(table.kinds), scorers.spec()]
    return {
        "data": table.digest,
        "code": code_digest(paths, definition.root),
        "objective": digest(spec),
        "versions": digest(versions(paths, definition.root)),
    }


def import_paths(section: Section) -> list[str]:
    """Every import path whose code scores depend on; the splitter's shows in the splits alone."""
    found = [section.estimator, section.factory]
    found += [step.estimator for step in section.steps]
    found += [choice.estimator for choice in section.estimators.values()]
    found += [metric.scorer for metric in (*section.metric, *section.also)]
    return [path for path in found if path]


def modules_of(definition: Definition) -> tuple[str, ...]:
    """What a process imports before its first fit, as far as the definition tells."""
    paths = import_paths(definition.file.objective)
    own = [path.replace(":", ".").rpartition(".")[0] for path in paths]
    return (__name__, "sklearn.utils", "sklearn.pipeline", "sklearn.metrics", *own)


def defaults_in(space: SearchSpace, builder: EstimatorBuilder) -> Params:
    """The estimator's own values, of the first box of the space that has room for them."""
    points = [builder.defaults(box, choice) for box in space for choice in builder.choices_for(box)]
    inside = (point for point in points if point in space)
    return next(inside, points[0])
