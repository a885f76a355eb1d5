"""The objective of estimators: cross-validation, bit for bit as scikit-learn computes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from tunesmith.config.model import Definition, OuterFold
from tunesmith.config.objective import CrossValidation, DataSection
from tunesmith.config.objective import ObjectiveSection as Section
from tunesmith.data.folds import Split, make_splits, n_folds_of
from tunesmith.data.mixed_columns import words_among_numbers
from tunesmith.data.preprocess import auto_preprocessor
from tunesmith.data.slices import SliceCache, Slices, cut
from tunesmith.data.table import Table, load_table
from tunesmith.errors import DataError, UsageError
from tunesmith.history import HOLDOUT, FoldResult, Metric
from tunesmith.objective.dryrun import dry_run
from tunesmith.objective.estimator import EstimatorBuilder
from tunesmith.objective.failure import failure_of, noting_warnings
from tunesmith.objective.metric import Scorers
from tunesmith.objective.outline import Outline, metric_of
from tunesmith.sharing.kernel import Clock, Kernel
from tunesmith.space import SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.system.fingerprint import code_digest, digest, versions
from tunesmith.system.interruptions import is_ours
from tunesmith.types import Fit, Params, Value

EVALUATION = 1
"""Version of the scores: raised when a change to this package changes them; part of every key."""


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

    def __post_init__(self) -> None:
        self._slices = SliceCache(partial(cut, self.table, self.splits))
        given = (
            {} if self.table.rows.weights is None else {"sample_weight": self.table.rows.weights}
        )
        self._kernel = Kernel(
            builder=self.builder, rows=self._slices, score=self._score, fit_given=given
        )

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_fold_digests"}

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return len(self.splits)

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
        return digest([self._fold_digests[fold], canonical_json(dict(params))])

    @cached_property
    def _fold_digests(self) -> dict[int, str]:
        context = dict(self.context)
        digests = {fold: digest([context, split.digest]) for fold, split in enumerate(self.splits)}
        if self.table.holdout is not None:
            digests[HOLDOUT] = digest([context, "holdout", self.table.holdout.digest])
        return digests

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
        n = len(fit.candidates)
        # A candidate that the shared fit left out is fitted alone.
        results = [
            one or self._alone(params, fit.fold)
            for params, one in zip(fit.candidates, joint, strict=False)
        ]
        # Extra candidates count only if all are there: one result per point, or none.
        extra_candidates = [one for one in joint[n:] if one is not None]
        results += extra_candidates if len(extra_candidates) == len(fit.extra_candidates) else []
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
            )
            for one in scored
        ]

    def _alone(self, params: Params, fold: int) -> FoldResult:
        clock, failure = Clock(), None
        scores: dict[str, float] = {}
        ways: tuple[str, ...] = ()
        with noting_warnings() as noted:
            try:
                scores, ways = self._scores(params, fold, clock)
            except BaseException as error:
                if is_ours(error):
                    raise
                failure = failure_of(error)
        warning = "".join(noted)
        return FoldResult(
            fold,
            scores,
            fit_time_s=clock.fit_s,
            score_time_s=clock.score_s,
            failure=failure,
            warning=warning,
            ways=ways,
        )

    def _scores(
        self, params: Params, fold: int, clock: Clock
    ) -> tuple[dict[str, float], tuple[str, ...]]:
        """Scores, and the sharing methods that they rest on."""
        try:
            scored = self._kernel.behind_prefix(params, fold, clock) if self._may_share else None
            if scored is not None:
                return scored.scores, scored.ways
            return self._fit_and_score(params, self._rows_for(params, fold), clock), ()
        except ValueError as error:
            if "read-only" not in str(error):
                raise
        # Some estimators work in place, or cannot read what they may not write: give them
        # slices of their own, as scikit-learn does for every fit.
        return self._fit_and_score(params, self._slices.fresh(fold), clock), ()

    def _rows_for(self, params: Params, fold: int) -> Slices:
        """Rows of a fold for one fit; the user's own estimators get them newly cut."""
        is_known = self._kernel.is_known(params)
        return self._slices.for_fit(fold) if is_known else self._slices.fresh(fold)

    def _score(self, model: Any, X_test: Any, fold: int) -> dict[str, float]:
        return self.scorers(model, X_test, self._slices.shared(fold).y_test)

    def _fit_and_score(self, params: Params, rows: Slices, clock: Clock) -> dict[str, float]:
        """Fit and score as scikit-learn does; only the rows are shared."""
        estimator = self.builder.build(params)
        fit_params = self.builder.fit_params(params, rows.fit_params)
        with clock.fitting():
            estimator.fit(rows.X_train, rows.y_train, **fit_params)
        with clock.scoring():
            scores = self.scorers(estimator, rows.X_test, rows.y_test)
        return scores | self.scorers.time_scores(clock.fit_s, clock.score_s)


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
    table = load_table(
        data_of(section),
        definition.root,
        fold_column=section.cv.column,
        in_time=section.cv.method == "time_series",
    )
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
        # The estimator may have failed on a single cell.
        rows = table.rows
        frame = rows.X if rows.numbers is None else rows.X.set_axis(rows.numbers)
        cells = "".join(f"\n  Note that {text}." for text in words_among_numbers(frame))
        raise DataError(f"{error}{cells}") from None
    return CrossValObjective(
        table=table,
        splits=splits,
        builder=builder,
        scorers=scorers,
        context=context_of(definition.root, table, builder, scorers),
        default_params=defaults_in(definition.space, builder),
        notes=(*table.notes, *builder.warnings, *notes),
        is_shared=definition.file.execution.share == "exact",
    )


def outline_estimator(definition: Definition) -> Outline:
    """Describe the results of a study and all that they depend on; no code is imported for it.

    Raises:
        DataError: the table or the folds cannot be used.
    """
    section = definition.file.objective
    table = load_table(
        data_of(section),
        definition.root,
        fold_column=section.cv.column,
        in_time=section.cv.method == "time_series",
    )
    builder = EstimatorBuilder(section, definition.file.random_state)
    scorers = Scorers(section.metric, section.also)
    metrics = tuple(map(metric_of, scorers.specs))
    return Outline(
        context=context_of(definition.root, table, builder, scorers),
        metrics=metrics,
        objectives=tuple(map(metric_of, scorers.deciding)),
        n_folds=n_folds_of(section.cv, table.rows),
        has_holdout=table.holdout is not None,
    )


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


def data_of(section: Section) -> DataSection:
    """Section of the configuration that describes the table.

    Raises:
        UsageError: there is none, which the configuration's rules refuse.
    """
    if section.data is None:
        raise UsageError("objective.data: is missing")
    return section.data


def context_of(
    root: Path, table: Table, builder: EstimatorBuilder, scorers: Scorers
) -> dict[str, str]:
    """Everything that all scores of a study depend on: name -> digest.

    Args:
        root: the project folder.
        table: data of the study.
        builder: of its estimators.
        scorers: of its metrics.
    """
    paths = builder.section.import_paths
    spec = [EVALUATION, builder.spec(), digest(table.kinds), scorers.spec()]
    return {
        "data": table.digest,
        "code": code_digest(paths, root),
        "objective": digest(spec),
        "versions": digest(versions(paths, root)),
    }


def modules_of(section: Section) -> tuple[str, ...]:
    """Modules that a process imports before its first fit, as far as the configuration tells."""
    own = [path.replace(":", ".").rpartition(".")[0] for path in section.import_paths]
    return (__name__, "sklearn.utils", "sklearn.pipeline", "sklearn.metrics", *own)


def defaults_in(space: SearchSpace, builder: EstimatorBuilder) -> Params:
    """The estimator's own values, from the first box of the space that has room for them."""
    points = [builder.defaults(box, choice) for box in space for choice in builder.choices_for(box)]
    inside = (point for point in points if point in space)
    return next(inside, points[0])
