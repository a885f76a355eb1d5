"""The objective of estimators: cross-validation, bit for bit as scikit-learn computes it."""

import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from tunesmith.config.model import Definition
from tunesmith.config.model import Objective as Section
from tunesmith.errors import UsageError
from tunesmith.fingerprint import code_digest, digest, versions
from tunesmith.history import FoldResult, Metric
from tunesmith.objective.data import Table, load_table
from tunesmith.objective.dryrun import dry_run
from tunesmith.objective.estimator import EstimatorBuilder
from tunesmith.objective.failure import WarningTally, failure_of
from tunesmith.objective.folds import Split, make_splits
from tunesmith.objective.metric import Scorers
from tunesmith.objective.objective import Fit
from tunesmith.objective.preprocess import auto_preprocessor
from tunesmith.space import SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params

CACHE_BYTES = 512 * 1024**2
"""How much of each process's memory sliced folds may take."""
EVALUATION = 1
"""Raised when a change to this package changes scores; part of every key."""
HOLDOUT = -1
"""The fold number of the hold-out rows."""


@dataclass(frozen=True, eq=False)
class Slices:
    """The rows of one fold, read-only, so that no fit can change what the next one sees."""

    X_train: pd.DataFrame
    y_train: np.ndarray
    weights: np.ndarray | None
    X_test: pd.DataFrame
    y_test: np.ndarray

    @property
    def n_bytes(self) -> int:
        """Memory that the slices take."""
        frames = sum(int(f.memory_usage(index=True).sum()) for f in (self.X_train, self.X_test))
        arrays = (self.y_train, self.y_test, self.weights)
        return frames + sum(array.nbytes for array in arrays if array is not None)


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
    warnings: WarningTally = field(default_factory=WarningTally)
    """Warnings that fits of this process gave; they are counted, not printed."""

    def __post_init__(self) -> None:
        self._cache: OrderedDict[int, Slices] = OrderedDict()
        self._cached_bytes = 0

    def __getstate__(self) -> dict[str, Any]:
        state = {k: v for k, v in self.__dict__.items() if k != "_fold_digests"}
        return {**state, "_cache": OrderedDict(), "_cached_bytes": 0, "warnings": WarningTally()}

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return len(self.splits)

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
    def _fold_digests(self) -> list[str]:
        context = dict(self.context)
        return [digest([context, split.digest]) for split in self.splits]

    # -- evaluation --------------------------------------------------------------------------

    def evaluate(self, fit: Fit) -> list[FoldResult]:
        """Train and score every candidate; a failure of the user's code becomes a result."""
        return [self._evaluate(params, fit.fold) for params in fit.candidates]

    def score_holdout(self, params: Params) -> FoldResult:
        """Train on all rows that the search saw, score on those that it never saw.

        Raises:
            UsageError: the configuration holds no rows out.
        """
        if self.table.holdout is None:
            raise UsageError("data.holdout: no rows are held out")
        return self._evaluate(params, HOLDOUT)

    def _evaluate(self, params: Params, fold: int) -> FoldResult:
        clock = _Clock()
        with self.warnings.counting():
            try:
                scores = self._scores(params, fold, clock)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's code
                reason = failure_of(error)
                return FoldResult(fold, {}, clock.fit_s, clock.score_s, reason)
        return FoldResult(fold, scores, clock.fit_s, clock.score_s)

    def _scores(self, params: Params, fold: int, clock: "_Clock") -> dict[str, float]:
        try:
            return self._fit_and_score(params, self._slices(fold), clock)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
        # Some estimators work in place, or cannot read what they may not write: give them
        # slices of their own, as scikit-learn does for every fit.
        return self._fit_and_score(params, self._slice(fold, is_shared=False), clock)

    def _fit_and_score(self, params: Params, rows: Slices, clock: "_Clock") -> dict[str, float]:
        estimator = self.builder.build(params)
        fit_params = self.builder.fit_params(params, rows.weights)
        with clock.fitting():
            # A shallow copy costs microseconds; what a fit does to its frame stays there.
            estimator.fit(rows.X_train.copy(deep=False), rows.y_train, **fit_params)
        with clock.scoring():
            scores = self.scorers(estimator, rows.X_test.copy(deep=False), rows.y_test)
        return scores | self.scorers.time_scores(clock.fit_s, clock.score_s)

    # -- slices ------------------------------------------------------------------------------

    def _slices(self, fold: int) -> Slices:
        if fold in self._cache:
            self._cache.move_to_end(fold)
            return self._cache[fold]
        made = self._slice(fold, is_shared=True)
        if made.n_bytes <= CACHE_BYTES:
            self._cache[fold] = made
            self._cached_bytes += made.n_bytes
        while self._cached_bytes > CACHE_BYTES:
            _, oldest = self._cache.popitem(last=False)
            self._cached_bytes -= oldest.n_bytes
        return made

    def _slice(self, fold: int, *, is_shared: bool) -> Slices:
        rows = self.table.rows
        train = np.arange(len(rows)) if fold == HOLDOUT else self.splits[fold].train
        weights = None if rows.weights is None else rows.weights[train]
        if fold == HOLDOUT and self.table.holdout is not None:
            X_test, y_test = self.table.holdout.X, self.table.holdout.y
        else:
            test = self.splits[fold].test
            X_test, y_test = _taken(rows.X, test), rows.y[test]
        made = Slices(_taken(rows.X, train), rows.y[train], weights, X_test, y_test)
        return _read_only(made) if is_shared else made


class _Clock:
    """Seconds of one fit and of its scoring, kept also when they fail."""

    def __init__(self) -> None:
        self.fit_s = self.score_s = 0.0

    @contextmanager
    def fitting(self) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.fit_s = time.perf_counter() - began

    @contextmanager
    def scoring(self) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.score_s = time.perf_counter() - began


def _taken(frame: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    # scikit-learn's own slicing: the memory order of a slice decides the last bits of sums.
    from sklearn.utils import _safe_indexing

    taken: pd.DataFrame = _safe_indexing(frame, rows)
    return taken


def _read_only(rows: Slices) -> Slices:
    return Slices(
        _frozen_frame(rows.X_train),
        _frozen(rows.y_train),
        None if rows.weights is None else _frozen(rows.weights),
        _frozen_frame(rows.X_test),
        _frozen(rows.y_test),
    )


def _frozen(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view


def _frozen_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame over a read-only array, in the same memory order.

    Columns of several types need no freezing: whoever wants an array of them gets a copy.
    """
    types = set(frame.dtypes)
    if len(types) != 1 or not isinstance(next(iter(types)), np.dtype):
        return frame
    values = np.array(frame.to_numpy(), order="K", copy=True)
    values.flags.writeable = False
    return pd.DataFrame(values, index=frame.index, columns=frame.columns, copy=False)


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


def defaults_in(space: SearchSpace, builder: EstimatorBuilder) -> Params:
    """The estimator's own values, of the first box of the space that has room for them."""
    points = [builder.defaults(box, choice) for box in space for choice in builder.choices_for(box)]
    inside = (point for point in points if point in space)
    return next(inside, points[0])
