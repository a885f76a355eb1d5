"""The objective of an estimator in memory, for a study: scores as by ``cross_val_score``."""

import re
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import joblib
import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring, get_scorer, get_scorer_names
from sklearn.metrics._scorer import _MultimetricScorer, _PassthroughScorer
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    check_cv,
)
from sklearn.utils import indexable
from sklearn.utils.validation import _check_method_params, _num_samples

from tunesmith.config.rules import SCORERS_FOR
from tunesmith.data.reseeded import MemoryRows, ReseededSplits, reseeded
from tunesmith.data.row_blocks import blocks_of
from tunesmith.errors import DataError, UsageError, did_you_mean
from tunesmith.history import FURTHER, Failure, FoldResult
from tunesmith.objective.failure import failure_of, noting_warnings
from tunesmith.objective.live import LiveObjective, own_metric
from tunesmith.objective.outputs import Output
from tunesmith.objective.row_parts import PartsNoter
from tunesmith.sharing.kernel import Modelled
from tunesmith.sharing.prototype import Prototype, last_step
from tunesmith.space.parameter import canonical_json
from tunesmith.space.python import shown
from tunesmith.system.fingerprint import digest
from tunesmith.system.interruptions import is_ours
from tunesmith.types import Fit, Params

SCORING_FAILED = "Scoring failed."
"""Begin of scikit-learn's warning about a scorer that raised."""
METHODS = {
    KFold: "kfold",
    RepeatedKFold: "kfold",
    StratifiedKFold: "stratified",
    RepeatedStratifiedKFold: "stratified",
    GroupKFold: "group",
    StratifiedGroupKFold: "stratified_group",
}
"""Splitters whose folds each test one part of the rows, by the names of a configuration."""


@dataclass(eq=False, kw_only=True)
class MemoryObjective(LiveObjective):
    """Scores an estimator in memory; warnings are recorded with the results, not shown."""

    default_params: Params = field(default_factory=dict)
    """The estimator's own values of the space's parameters."""
    is_shared: bool = True
    """True if candidates may share fits; their scores are the same either way."""
    further: ReseededSplits | str = "there are no further splits"
    """Splits beyond those of the search, or the reason why they cannot be made."""
    parts: PartsNoter | None = None
    """Notes the parts of the rows in the scores; they are not computed without one."""

    def defaults(self) -> Params:
        """The estimator's own values of the space's parameters."""
        return self.default_params

    @property
    def _is_divisible(self) -> bool:
        return self.is_shared and super()._is_divisible

    # -- further splits ------------------------------------------------------------------------

    @property
    def n_repeat(self) -> int:
        """Number of folds of a repeat of further splits."""
        return self.n_folds if isinstance(self.further, str) else self.further.n_folds

    @property
    def no_further(self) -> str:
        """Reason why the rows cannot be split anew; empty if they can."""
        return self.further if isinstance(self.further, str) else ""

    @property
    def n_further(self) -> int:
        """Number of repeats of further splits that can be made."""
        return 0 if isinstance(self.further, str) else self.further.n_repeats(self.X, self.y)

    def key(self, params: Params, fold: int) -> str:
        """Digest of everything that the scores of one fold depend on."""
        if fold > FURTHER:
            return super().key(params, fold)
        of_fold = digest([dict(self.context), "further", joblib.hash(self._split(fold))])
        return digest([of_fold, canonical_json(dict(params))])

    def _split(self, fold: int) -> tuple[Any, Any]:
        if fold > FURTHER or isinstance(self.further, str):
            return super()._split(fold)
        return self.further.split(fold, self.X, self.y)

    def evaluate(self, fit: Fit) -> list[FoldResult]:
        """Train and score every candidate."""
        with noting_warnings() as noted:
            results = super().evaluate(fit)
        if self.parts is not None:
            results = self.parts.attached(fit, results)
        return [_noted(one, "".join(noted)) for one in results]

    @property
    def _notes_models(self) -> bool:
        return super()._notes_models or self.parts is not None

    def _note(self, modelled: Modelled[list[Any]]) -> None:
        super()._note(modelled)
        if self.parts is None:
            return
        score = self._deciding(modelled.fold, modelled.scores[0])
        if score is not None:
            self.parts.note(modelled.params, score, partial(self._judged, modelled))

    def _judged(self, modelled: Modelled[list[Any]]) -> tuple[Any, Any, Any, Any, Any]:
        """Scorer, model, X, y and blocks of the test rows."""
        several = getattr(self.scorer, "_scorers", None) or {}
        scorer = several.get(self.objectives[0].name, self.scorer)
        own = own_metric(modelled.model)
        if own and isinstance(scorer, _PassthroughScorer):
            scorer = get_scorer(own)
        n_rows = _num_samples(self.X)
        blocks = blocks_of(np.arange(n_rows)[self._split(modelled.fold)[1]], n_rows)
        y = self._slices.shared(modelled.fold).y_test
        return scorer, modelled.model, modelled.X_test, y, blocks

    def _fit_and_score(self, params: Params, fold: int, verbose: int = 0) -> Output:
        began = time.perf_counter()
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                output = super()._fit_and_score(params, fold, verbose)
        except BaseException as error:
            # scikit-learn notes exceptions of `fit` and of scorers alone: a score that is a text,
            # or a `sys.exit`, would end the study, or the notebook that it is a part of.
            if is_ours(error):
                raise
            told, seconds = failure_of(error), time.perf_counter() - began
            text = f"{told.traceback}\n{told.kind}: {told.message}".strip()
            failure = Failure(told.kind, told.message, text)
            return self.outputs.of(FoldResult(fold, {}, fit_time_s=seconds, failure=failure))
        for one in caught:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
        # Of a scorer that raised, scikit-learn leaves a NaN and a warning with the traceback.
        said = (str(one.message) for one in caught if SCORING_FAILED in str(one.message))
        of_scorer = next(said, None)
        return output if of_scorer is None else {**output, "score_error": of_scorer}

    def best_estimator(self, params: Params) -> Any:
        """Fit an estimator with these params on all rows, as ``GridSearchCV`` does.

        Args:
            params: a point of the space.
        """
        estimator = self._builder.build(params)
        target = () if self.y is None else (self.y,)
        return estimator.fit(self.X, *target, **self.fit_params)


def _noted(result: FoldResult, warning: str) -> FoldResult:
    told = getattr(result, "warned", ())
    if told:
        # In another process, warnings were collected there.
        category, message = told[0]
        warning = f"{category.__name__}: {message}"
    return replace(result, warning=warning[:500]) if warning else result


# -- arguments -----------------------------------------------------------------------------------


def checked_estimator(estimator: Any) -> str:
    """Refuse what is no estimator; return the name of its class.

    Raises:
        UsageError: says what is missing.
    """
    if isinstance(estimator, type):
        raise UsageError(
            f"{estimator.__name__} is a class. Give an instance: tune({estimator.__name__}(), …)."
        )
    needed = ("fit", "get_params", "set_params")
    lacking = [name for name in needed if not hasattr(estimator, name)]
    if lacking:
        raise UsageError(
            f"{shown(estimator)} is no estimator: it lacks {', '.join(lacking)}"
            " (scikit-learn's BaseEstimator has the latter two)."
        )
    return type(estimator).__name__


def rows_of(name: str, X: Any, y: Any) -> tuple[Any, Any]:
    """Return rows and targets in a form that can be indexed.

    Args:
        name: of the estimator.
        X: rows.
        y: targets or ``None``.

    Raises:
        DataError: they cannot be used together.
    """
    if X is None:
        raise DataError(f"X is missing: tune({name}(), X, y, space=…).")
    try:
        rows, target = indexable(X, y)
    except (TypeError, ValueError) as error:
        raise DataError(f"X and y cannot be used together: {error}") from None
    return rows, target


class MemoryFolds(NamedTuple):
    """Folds of rows in memory."""

    splitter: Any
    splits: list[tuple[Any, Any]]
    """(training rows, test rows) of each fold."""
    further: ReseededSplits | str
    """Splits beyond these, or the reason why they cannot be made."""

    @property
    def section(self) -> dict[str, Any]:
        """Section ``cv`` as a ledger records it, by which reports weigh scores."""
        further = self.further
        share = test_share(self.splits)
        shared = {} if share is None else {"test_fraction": share}
        if isinstance(further, str) or further.n_folds < 2:
            return {"method": "predefined", **shared}
        method = METHODS.get(type(self.splitter))
        if method is None:
            # Of a splitter that can be made anew, nothing but the share of test rows counts.
            return {"method": "shuffle_split", "folds": further.n_folds, **shared}
        repeats = len(self.splits) // further.n_folds
        shuffle = repeats > 1 or bool(getattr(self.splitter, "shuffle", False))
        folds = {"folds": further.n_folds, "repeats": repeats, "shuffle": shuffle}
        return {"method": method, **folds}


def folds_of(cv: Any, estimator: Any, X: Any, y: Any, groups: Any) -> MemoryFolds:
    """Return the folds as ``cross_val_score`` makes them.

    Args:
        cv: number of folds, splitter, or list of splits; 5 folds by default.
        estimator: decides whether the folds are stratified.
        X: rows.
        y: targets or ``None``.
        groups: of the rows, for splitters that keep groups together.

    Raises:
        DataError: the folds cannot be made.
    """
    if isinstance(cv, Mapping):
        raise UsageError(
            "cv: a dict describes folds of a file. Give a number of folds, a splitter such as"
            " KFold(5, shuffle=True, random_state=0), or a list of (train, test) pairs."
        )
    try:
        splitter = check_cv(cv, y, classifier=is_classifier(estimator))
        splits = list(splitter.split(X, y, groups))
    except (TypeError, ValueError, AttributeError) as error:
        raise DataError(f"cv: the folds cannot be made: {error}") from None
    if not splits:
        raise DataError("cv: there is no fold.")
    _check_rows(splits, _num_samples(X))
    return MemoryFolds(splitter, splits, reseeded(splitter, splits, MemoryRows(X, y, groups)))


def _check_rows(splits: Sequence[Any], n_rows: int) -> None:
    """Refuse splits that name no rows, or rows that are not there.

    Raises:
        DataError: says which split it is.
    """
    for fold, split in enumerate(splits):
        if not isinstance(split, tuple | list) or len(split) != 2:
            raise DataError(f"cv: split {fold} is no pair of training rows and test rows.")
        for name, rows in zip(("training", "test"), map(np.asarray, split), strict=True):
            if not _are_rows(rows, n_rows):
                raise DataError(
                    f"cv: the {name} rows of split {fold} are not rows of X, which has {n_rows:,}:"
                    " numbers from 0, or a mask with an entry for each row."
                )


def _are_rows(rows: np.ndarray, n_rows: int) -> bool:
    if rows.ndim != 1 or not len(rows) or rows.dtype.kind not in "biu":
        return False
    if rows.dtype.kind == "b":
        return len(rows) == n_rows
    return bool(rows.max() < n_rows and rows.min() >= -n_rows)


def test_share(splits: Sequence[tuple[Any, Any]]) -> float | None:
    """Share of test rows, from the mean ratio of test rows to training rows; ``None`` if unknown.

    >>> test_share([([0, 1, 2], [3]), ([1, 2, 3], [0])])
    0.25
    """
    pairs = [(_n_rows(train), _n_rows(test)) for train, test in splits]
    if not all(n_train and n_test for n_train, n_test in pairs):
        return None
    ratio = float(np.mean([n_test / n_train for n_train, n_test in pairs]))
    return ratio / (1 + ratio)


def _n_rows(rows: Any) -> int:
    array = np.asarray(rows)
    return int(array.sum()) if array.dtype == bool else len(array)


def scorers_of(estimator: Any, deciding: Any, also: Any) -> tuple[dict[str, Any], int]:
    """Return scorers by the names of their metrics, the deciding ones first, and their number.

    Args:
        estimator: its own ``score`` is the default.
        deciding: name, scorer, dict of scorers, or a list of names and scorers.
        also: the same, for metrics that are only recorded.

    Raises:
        UsageError: one of them is no scorer, or two have one name.
    """
    first = _named(estimator, deciding)
    others = {} if not also else _named(estimator, also)
    twice = sorted(first.keys() & others.keys())
    if twice:
        raise UsageError(f"also: the metric `{twice[0]}` is named twice.")
    return {**first, **others}, len(first)


def _named(estimator: Any, given: Any) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return {str(name): _scorer(estimator, one) for name, one in given.items()}
    listed = list(given) if isinstance(given, list | tuple | set) else [given]
    named: dict[str, Any] = {}
    for one in listed:
        name = _name(estimator, one)
        if name in named:
            raise UsageError(
                f"metric: two metrics are called `{name}`. Give a dict of names with their scorers."
            )
        named[name] = _scorer(estimator, one)
    if not named:
        raise UsageError("metric: no metric is given.")
    return named


def _name(estimator: Any, one: Any) -> str:
    if one is None:
        return own_metric(estimator) or "score"
    if isinstance(one, str):
        return one
    function = getattr(one, "_score_func", one)
    name = str(getattr(function, "__name__", type(one).__name__))
    # Scikit-learn's scorers of losses are negated.
    negated = getattr(one, "_sign", 1) < 0
    name = f"neg_{name}" if negated else name
    return "score" if name == "<lambda>" else name


def _scorer(estimator: Any, one: Any) -> Any:
    if isinstance(one, str) and one not in get_scorer_names():
        meant = SCORERS_FOR.get(one)
        hint = f"Did you mean `{meant}`?" if meant else did_you_mean(one, get_scorer_names())
        raise UsageError(f"metric: scikit-learn has no scorer `{one}`. {hint}")
    try:
        return check_scoring(estimator, one)
    except (TypeError, ValueError) as error:
        text = " ".join(str(error).split())
        raise UsageError(
            f"metric: {shown(one)} is no scorer: {text}\n  A scorer takes (estimator, X, y);"
            " of a function (y_true, y_pred) sklearn.metrics.make_scorer makes one."
        ) from None


def combined(scorers: Mapping[str, Any]) -> Any:
    """Return one scorer for all metrics; a single one stays as it is."""
    if len(scorers) == 1:
        return next(iter(scorers.values()))
    return _MultimetricScorer(scorers=dict(scorers), raise_exc=False)


def fit_params_of(
    estimator: Any, X: Any, weights: Any, fit_params: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the keyword arguments of ``fit``; weights go to the last step of a pipeline.

    Raises:
        UsageError: weights are given twice.
    """
    given = dict(fit_params)
    if weights is not None:
        name = f"{last_step(estimator)[0]}sample_weight"
        if name in given:
            raise UsageError(f"weights: `{name}` is in fit_params, too. Keep one of them.")
        given[name] = weights
    checked: dict[str, Any] = _check_method_params(X, params=given)
    return checked


def check_names(
    estimator: Any, names: Iterable[str], is_object: Any, *, section: str = "space"
) -> None:
    """Refuse parameters that the estimator does not have.

    Args:
        estimator: unfitted.
        names: of parameters.
        is_object: function that tells of a parameter's name if it may be replaced by an object,
            which has parameters of its own.
        section: argument that the names are from.

    Raises:
        UsageError: every unknown parameter at once.
    """
    known = dict(estimator.get_params(deep=True))
    prototype = Prototype(estimator)
    problems = []
    for name in names:
        owners = [name[: at.start()] for at in _ends(name)]
        if name in known or any(is_object(owner) for owner in owners):
            continue
        # A short name of the last step's parameter is known there by its full name.
        full = prototype.full_name(name)
        hint = f"Did you mean `{full}`?" if full in known else did_you_mean(name, list(known))
        problems.append(f"{section}.{name}: {prototype.title} has no parameter `{name}`. {hint}")
    if problems:
        raise UsageError("\n".join(problems))


def _ends(name: str) -> Iterator[re.Match[str]]:
    return re.finditer("__", name)
