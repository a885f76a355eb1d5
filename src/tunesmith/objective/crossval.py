"""The objective of estimators: cross-validation, bit for bit as scikit-learn computes it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from tunesmith.config.model import Definition, OuterFold
from tunesmith.config.objective import CrossValidation
from tunesmith.config.objective import ObjectiveSection as Section
from tunesmith.data.columns import extreme_values
from tunesmith.data.folds import Split, make_splits
from tunesmith.data.further import FurtherSplits
from tunesmith.data.leaks.sign import Sign
from tunesmith.data.mixed_columns import words_among_numbers
from tunesmith.data.preprocess import auto_preprocessor
from tunesmith.data.row_blocks import blocks_of
from tunesmith.data.slices import SliceCache, Slices, cut
from tunesmith.data.table import Rows, Table
from tunesmith.errors import DataError
from tunesmith.history import FURTHER, HOLDOUT, FoldResult, Metric
from tunesmith.models.keeper import Keeper
from tunesmith.models.material import FoldRows
from tunesmith.objective.described import context_of, table_of
from tunesmith.objective.dryrun import dry_run
from tunesmith.objective.estimator import EstimatorBuilder
from tunesmith.objective.failure import failure_of, noting_warnings
from tunesmith.objective.identity.unwatched import unwatched
from tunesmith.objective.metric import Scorers, scorer_of
from tunesmith.objective.row_parts import PartsNoter
from tunesmith.sharing.kernel import Alone, Clock, Kernel, Modelled
from tunesmith.sharing.prototype import last_step
from tunesmith.sharing.same_models import SameModels
from tunesmith.space import SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.system.fingerprint import digest
from tunesmith.system.interruptions import is_ours
from tunesmith.types import Fit, Params, Value


@dataclass(eq=False, kw_only=True)
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
    """True if candidates may share fits; their scores are the same either way."""
    further: FurtherSplits | None = None
    """Splits beyond the search's folds."""
    keeper: Keeper | None = None
    """Keeps fold models; they are thrown away without one."""
    parts: PartsNoter | None = None
    """Notes the parts of the rows in the scores; they are not computed without one."""

    def __post_init__(self) -> None:
        self._slices = SliceCache(partial(cut, self.table, self.splits, self.further))
        given = (
            {} if self.table.rows.weights is None else {"sample_weight": self.table.rows.weights}
        )
        self._kernel = Kernel(
            builder=self.builder,
            rows=self._slices,
            score=self._score,
            fit_given=given,
            noted=self._note,
        )

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_fold_digests"}

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return len(self.splits)

    def signs_of_leaks(self) -> tuple[Sign, ...]:
        """Signs that features know the target, or that rows stand on both sides of a split."""
        from tunesmith.data.leaks.find import signs_of_leaks

        asked = {"is_classification": self.builder.is_classifier}
        marks = [split.digest for split in self.splits]
        on = digest([self.table.digest, marks, asked, self.context["versions"]])
        made = self.table.facts.get(
            f"leaks {on}",
            lambda: [one.content for one in signs_of_leaks(self.table, self.splits, **asked)],
        )
        return tuple(filter(None, map(Sign.of, made)))

    @property
    def has_holdout(self) -> bool:
        """True if rows are held out, to be scored as fold ``HOLDOUT``."""
        return self.table.holdout is not None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All metrics that are recorded; the deciding ones first."""
        return self.scorers.metrics

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """Metrics that decide."""
        return self.scorers.objectives

    def defaults(self) -> Params:
        """The estimator's own values of the space's parameters."""
        return self.default_params

    # -- identity ----------------------------------------------------------------------------

    def key(self, params: Params, fold: int) -> str:
        """Digest of everything that the scores of one fold depend on."""
        if fold <= FURTHER and self.further is not None:
            # As of a fold of the search: equal rows give equal scores.
            of_fold = digest([dict(self.context), self.further[fold].digest])
        else:
            of_fold = self._fold_digests[fold]
        return digest([of_fold, canonical_json(dict(params))])

    @cached_property
    def _fold_digests(self) -> dict[int, str]:
        context = dict(self.context)
        digests = {fold: digest([context, split.digest]) for fold, split in enumerate(self.splits)}
        if self.table.holdout is not None:
            digests[HOLDOUT] = digest([context, "holdout", self.table.holdout.digest])
        return digests

    @property
    def n_repeat(self) -> int:
        """Number of folds of a repeat of further splits."""
        return self.n_folds if self.further is None else self.further.n_folds

    @property
    def no_further(self) -> str:
        """Reason why the rows cannot be split anew; empty if they can."""
        return "there are no further splits" if self.further is None else self.further.blocker

    @property
    def n_further(self) -> int:
        """Number of repeats of further splits that can be made."""
        return 0 if self.further is None else self.further.n_repeats

    # -- evaluation --------------------------------------------------------------------------

    def groups(self, candidates: Sequence[Params]) -> list[tuple[int, ...]]:
        """Group the indices of candidates that one fit can score."""
        if not self._may_share:
            return [(index,) for index in range(len(candidates))]
        return self._kernel.groups(candidates)

    def size(self, candidates: Sequence[Params]) -> float:
        """Relative cost of one fit of these candidates, as far as their params tell."""
        return self._kernel.size(candidates)

    def submodel_candidates(self, params: Params, space: SearchSpace) -> list[Params]:
        """Submodel candidates: points of the space that one fit scores, ``params`` included."""
        return self._kernel.submodel_candidates(params, space) if self._may_share else [params]

    def read_off(self, params: Params, space: SearchSpace) -> tuple[str, Value] | None:
        """Submodel parameter of which one fit holds all values, and the value to fit with."""
        return self._kernel.read_off(params, space) if self._may_share else None

    def same_models(self) -> SameModels | None:
        """Store of results that tells which fits need not be made, if models alone give scores."""
        is_usable = self._may_share and self.scorers.see_answers_alone
        return self._kernel.same_models() if is_usable else None

    @property
    def _may_share(self) -> bool:
        # A fit that several candidates share has no fit time for each of them.
        return self.is_shared and not self.scorers.measures_time

    @property
    def passed(self) -> set[str]:
        """Digests of the verified kinds of sharing; those of a ledger are added before a run."""
        return self._kernel.passed

    def blockers(
        self, candidates: Sequence[Params], *, has_submodel_candidates: bool = False
    ) -> list[str]:
        """List the reasons why candidates share no fits that might be expected to."""
        if not self.is_shared:
            return []  # as was asked for
        timed = "the time of fits is measured" if self.scorers.measures_time else ""
        return self._kernel.blockers(
            candidates, has_submodel_candidates=has_submodel_candidates, obstacle=timed
        )

    def evaluate(self, fit: Fit) -> list[FoldResult]:
        """Train and score every candidate; a failure of the user's code becomes a result."""
        is_joint = len(fit.all_candidates) > 1 and self._may_share
        joint = self._together(fit) if is_joint else [None] * len(fit.all_candidates)
        results = fit.results(joint, alone=self._alone)
        if self.keeper is not None:
            results = self.keeper.flushed(fit, results)
        if self.parts is not None:
            results = self.parts.attached(fit, results)
        news = self._kernel.take_news()
        return [replace(results[0], checks=news), *results[1:]] if results and news else results

    def _together(self, fit: Fit) -> list[FoldResult | None]:
        with noting_warnings() as noted:
            scored = self._kernel.together(fit)
        warning = "".join(noted)
        return [
            None
            if one is None
            else FoldResult(
                fit.fold,
                one.scores,
                fit_time_s=one.fit_s,
                score_time_s=one.score_s,
                failure=None,
                n_sharing=one.n_sharing,
                warning=warning,
                ways=one.ways,
                facts=one.facts,
            )
            for one in scored
        ]

    def _alone(self, params: Params, fold: int) -> FoldResult:
        clock, failure = Clock(), None
        found: Alone[dict[str, float]] = Alone({}, ())
        with noting_warnings() as noted:
            try:
                found = self._scores(params, fold, clock)
            except BaseException as error:
                if is_ours(error):
                    raise
                failure = failure_of(error)
        warning = "".join(noted)
        return FoldResult(
            fold,
            found.scores,
            fit_time_s=clock.fit_s,
            score_time_s=clock.score_s,
            failure=failure,
            warning=warning,
            ways=found.ways,
            facts=found.facts,
        )

    def _scores(self, params: Params, fold: int, clock: Clock) -> Alone[dict[str, float]]:
        """Scores, and the sharing methods that they rest on."""
        try:
            scored = self._kernel.behind_prefix(params, fold, clock) if self._may_share else None
            if scored is not None:
                return scored
            return self._fit_and_score(params, fold, self._rows_for(params, fold), clock)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
        # Some estimators work in place, or cannot read what they may not write: give them
        # slices of their own, as scikit-learn does for every fit.
        return self._fit_and_score(params, fold, self._slices.fresh(fold), clock)

    def _rows_for(self, params: Params, fold: int) -> Slices:
        """Rows of a fold for one fit; the user's own estimators get them newly cut."""
        is_known = self._kernel.is_known(params)
        return self._slices.for_fit(fold) if is_known else self._slices.fresh(fold)

    def _score(self, model: Any, X_test: Any, fold: int) -> dict[str, float]:
        return self.scorers(model, X_test, self._slices.shared(fold).y_test)

    def _fit_and_score(
        self, params: Params, fold: int, rows: Slices, clock: Clock
    ) -> Alone[dict[str, float]]:
        """Fit and score as scikit-learn does; only the rows are shared."""
        estimator = self.builder.build(params)
        fit_params = self.builder.fit_params(params, rows.fit_params)
        with clock.fitting():
            estimator.fit(rows.X_train, rows.y_train, **fit_params)
        with clock.scoring():
            scores = self.scorers(estimator, rows.X_test, rows.y_test)
        self._note(Modelled(params, fold, estimator, rows.X_test, scores))
        times = self.scorers.time_scores(clock.fit_s, clock.score_s)
        facts = self._kernel.facts(params, last_step(estimator)[1]) if self._may_share else None
        return Alone(scores | times, (), facts=facts)

    # -- models ------------------------------------------------------------------------------

    def _note(self, modelled: Modelled[dict[str, float]]) -> None:
        score = modelled.scores.get(self.objectives[0].name)
        # Of the search's folds alone: hold-out rows and further splits choose no model.
        if self.keeper is not None and score is not None and modelled.fold >= 0:
            key = self.key(modelled.params, modelled.fold)
            self.keeper.note(key, score, modelled.model, modelled.X_test)
        if self.parts is not None and score is not None and self._has_parts(modelled.fold):
            self.parts.note(modelled.params, score, partial(self._judged, modelled))

    def _has_parts(self, fold: int) -> bool:
        # Rows of a group are alike: their parts would tell too little noise.
        return fold != HOLDOUT and self.table.rows.groups is None

    def _judged(self, modelled: Modelled[dict[str, float]]) -> tuple[Any, Any, Any, Any, Any]:
        """Scorer, model, X, y and blocks of the test rows."""
        fold, spec = modelled.fold, self.scorers.specs[0]
        split = self.splits[fold] if fold >= 0 or self.further is None else self.further[fold]
        scorer = None if spec.scorer is not None else scorer_of(spec)
        blocks = blocks_of(split.test, len(self.table.rows))
        y = self._slices.shared(fold).y_test
        return scorer, modelled.model, modelled.X_test, y, blocks

    def unfitted(self, params: Params) -> Any:
        """Build an estimator with these params."""
        return self.builder.build(params)

    def fold_model(self, params: Params, fold: int) -> Any:
        """Fit an estimator on the training rows of a fold, as scikit-learn does."""
        rows = self._slices.fresh(fold)
        fit_params = self.builder.fit_params(params, rows.fit_params)
        return self.builder.build(params).fit(rows.X_train, rows.y_train, **fit_params)

    def test_rows(self, fold: int) -> FoldRows:
        """Return the test rows of a fold; of ``HOLDOUT`` those that were held out."""
        rows = self._slices.fresh(fold)
        numbers = np.arange(len(rows.y_test)) if fold == HOLDOUT else self.splits[fold].test
        return FoldRows(rows.X_test, rows.y_test, numbers)

    def fold_score(self, model: Any, fold: int) -> float:
        """Score a fitted estimator on the test rows of a fold, by the metric that decides."""
        rows = self._slices.shared(fold)
        return self.scorers(model, rows.X_test, rows.y_test)[self.objectives[0].name]

    def best_estimator(self, params: Params) -> Any:
        """Fit an estimator with these params on all rows that the search has seen.

        Args:
            params: a point of the space.
        """
        rows = self.table.rows
        given = {} if rows.weights is None else {"sample_weight": rows.weights}
        fit_params = self.builder.fit_params(params, given)
        return self.builder.build(params).fit(rows.X, rows.y, **fit_params)


# -- building ------------------------------------------------------------------------------------


def build_objective(definition: Definition) -> CrossValObjective:
    """Build the objective of a study; check that data, parameters, folds and metrics fit together.

    Raises:
        UsageError: the estimator, a parameter or a metric cannot be used.
        DataError: the table or the folds cannot be used.
    """
    section = definition.file.objective
    scorers = Scorers(section.metric, section.also)
    scorers.check()
    table = table_of(section, definition.root)
    builder = EstimatorBuilder(
        section,
        definition.file.random_state,
        auto_preprocessor(table) if section.preprocess == "auto" else None,
    )
    builder.check(definition.space, budget=definition.file.budget_parameter)
    if definition.outer is not None:
        table = without_outer(table, section.cv, definition.outer, builder)
    splits = make_splits(section.cv, table.rows, is_classifier=builder.is_classifier)
    try:
        notes = dry_run(builder, scorers, table.rows, definition.space)
    except DataError as error:
        raise DataError(f"{error}{_odd_cells(table.rows)}") from None
    notes = (*notes, *unwatched(section.all_import_paths, definition.root))
    return CrossValObjective(
        table=table,
        splits=splits,
        builder=builder,
        scorers=scorers,
        context=context_of(definition.root, table, builder, scorers),
        default_params=defaults_in(definition.space, builder),
        notes=(*table.notes, *builder.warnings, *scorers.notes, *notes),
        is_shared=definition.file.execution.share == "exact",
        further=FurtherSplits(section.cv, table.rows, builder.is_classifier),
        # Only a gate looks at them.
        parts=None if definition.file.gate is None else PartsNoter(),
    )


def _odd_cells(rows: Rows) -> str:
    """Sentences on single cells at which an estimator may have failed."""
    frame = rows.X if rows.numbers is None else rows.X.set_axis(rows.numbers)
    texts = (*words_among_numbers(frame), *_extremes(frame))
    return "".join(f"\n  Note that {text}." for text in texts)


def _extremes(frame: pd.DataFrame) -> Iterator[str]:
    """Sentences on columns with numbers that many estimators cannot take."""
    most = float(np.finfo(np.float32).max)
    for name, column in frame.select_dtypes("number").items():
        why = "estimators that compute with 32 bits, as trees do, cannot hold them"
        if text := extreme_values(column, most, why):
            yield f"the column `{name}` {text}"


def without_outer(
    table: Table, cv: CrossValidation, outer: OuterFold, builder: EstimatorBuilder
) -> Table:
    """Hold out an outer fold of a table, made as the section makes its folds."""
    # Repeats would put a row into several outer folds.
    outside = cv.model_copy(update={"folds": outer.n_folds, "repeats": 1})
    splits = make_splits(outside, table.rows, is_classifier=builder.is_classifier)
    split = splits[outer.number]
    seen, unseen = table.rows.take(split.train), table.rows.take(split.test)
    return replace(table, rows=seen, holdout=unseen)


def modules_of(section: Section) -> tuple[str, ...]:
    """Modules that a process imports before its first fit, as far as the configuration tells."""
    own = [path.replace(":", ".").rpartition(".")[0] for path in section.import_paths]
    return (__name__, "sklearn.utils", "sklearn.pipeline", "sklearn.metrics", *own)


def defaults_in(space: SearchSpace, builder: EstimatorBuilder) -> Params:
    """The estimator's own values, from the first box of the space that has room for them."""
    points = [builder.defaults(box, choice) for box in space for choice in builder.choices_for(box)]
    inside = (point for point in points if point in space)
    return next(inside, points[0])
