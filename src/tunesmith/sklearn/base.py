"""Base of the three searches: scikit-learn's ``fit`` around Tunesmith's loop."""

import time
import warnings
from abc import abstractmethod
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike
from typing import Any, NamedTuple, Self

from joblib import effective_n_jobs
from sklearn.base import _fit_context, clone, is_classifier
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import (
    _insert_error_scores,
    _warn_or_raise_about_fit_failures,
)
from sklearn.utils import indexable
from sklearn.utils._array_api import get_namespace
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_method_params

from tunesmith.models.keeper import Keeper
from tunesmith.models.store import ModelStore
from tunesmith.objective.identity.context import context_of, recognised
from tunesmith.objective.live import LiveObjective
from tunesmith.objective.objects import Objects
from tunesmith.objective.outputs import FoldOutputs, without_infinite
from tunesmith.reporting.report import Report
from tunesmith.sharing.randomness import has_seed_object
from tunesmith.sklearn.engine import Engine, SearchOutcome
from tunesmith.sklearn.models import kept_models, model_of, oof_predictions
from tunesmith.sklearn.plan import SearchPlan
from tunesmith.sklearn.report import definition_of, search_report
from tunesmith.sklearn.selection import one_se
from tunesmith.sklearn.sharing import by_their_loop, foreseen
from tunesmith.system.portable.versions import check_search_input

MODELS_SIZE = "500 MB"
"""Most bytes of fold models on the disk during a search."""
EXTRAS: dict[str, list[Any]] = {
    "ledger": [str, PathLike, None],
    "executor": [str],
    "selection": [StrOptions({"best", "one_se"})],
    "stop": [dict, None],
    "fit_timeout_s": [Interval(Real, 0, None, closed="neither"), None],
    "race": [StrOptions({"auto", "off"})],
    "model": [StrOptions({"best", "average", "ensemble"})],
    "oof_predictions": [bool, Interval(Integral, 1, None, closed="left")],
    "models_size": [str, Interval(Integral, 1, None, closed="left")],
}
"""Parameters of every search beyond scikit-learn's own."""
UNUSED = {
    "ledger": None,
    "executor": "auto",
    "selection": "best",
    "stop": None,
    "fit_timeout_s": None,
    "race": "off",
    "model": "best",
    "oof_predictions": False,
    "models_size": MODELS_SIZE,
}
"""Their values that change nothing."""
NO_FITS = "No fits were performed. Was the CV iterator empty? Were there no candidates?"


class TheirLoop(NamedTuple):
    """Reason for which scikit-learn's own loop has to make every fit, and the way out."""

    reason: str
    way_out: str


WATCHED = TheirLoop(
    "callbacks are registered with the search or an estimator in it", "Remove the callbacks"
)
FOREIGN = TheirLoop("X is an array of another library than NumPy", "Convert X to a NumPy array")


@dataclass(frozen=True)
class Task:
    """The checked arguments of ``fit``."""

    X: Any
    y: Any
    routed: Any
    scorer: Any
    refit_metric: Any


class SearchCV(BaseSearchCV):  # type: ignore[misc]
    """A search with scikit-learn's interface; subclasses choose the candidates."""

    @_fit_context(prefer_skip_nested_validation=False)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Search, then fit the winner on all rows.

        Args:
            X: ``(n_rows, n_features)``, whatever the estimator takes.
            y: ``(n_rows,)`` or ``(n_rows, n_outputs)`` targets, or none.
            params: for the estimator's ``fit``, the scorer and the splitter, as scikit-learn
                routes them.

        Returns:
            This search, fitted.

        Raises:
            ValueError: an argument cannot be used, or all fits failed.
            KeyboardInterrupt: after Ctrl-C; ``cv_results_`` and ``best_params_`` speak of the
                candidates that were finished by then.
        """
        if theirs := why_their_loop(self, X):
            refuse_extras(self, theirs)
            self.plan_ = by_their_loop(theirs.reason)
            return super().fit(X, y, **params)  # type: ignore[no-any-return]
        task = self._checked(X, y, params)
        plan = self._plan()
        with kept_models(self) as store:
            return self._searched(task, plan, store)

    def _searched(self, task: "Task", plan: SearchPlan, store: ModelStore | None) -> Self:
        engine = self._engine(task, plan.objects, store)
        engine.import_ahead()
        plan = self._fitted_to(plan, engine.objective)
        if self.race == "auto" and self.n_splits_ > 1:
            plan = plan.raced(engine.objective)
        self._definition = definition_of(plan)
        self.plan_ = foreseen(engine.objective, plan, is_checked_once=engine.is_checked_once)
        outcome = engine.run(plan, self.plan_)
        self._keep(outcome, task)
        if outcome.is_interrupted:
            # Only now: a notebook has the attributes of what was finished by then.
            raise KeyboardInterrupt
        if self.oof_predictions:
            self.oof_predictions_ = oof_predictions(self, engine, outcome)
        if self.refit and self.model != "best":
            self._take_model(engine, outcome)
        elif self.refit:
            self._refit(task)
        return self

    def _take_model(self, engine: Engine, outcome: SearchOutcome) -> None:
        """Set the average or ensemble of fold models as the best estimator."""
        began = time.time()
        self.model_ = model_of(self, engine, outcome)
        self.best_estimator_ = self.model_.model
        self.refit_time_ = time.time() - began
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_

    def report(self, form: str = "markdown") -> Report:
        """Return the report of the finished search as a text, which notebooks show.

        Args:
            form: ``markdown``, ``html``, ``comment``, ``json``, or the name of an installed one.

        Raises:
            UsageError: the search is not fitted, or there is no such form.
        """
        return search_report(self, form)

    @abstractmethod
    def _plan(self) -> SearchPlan:
        """Return the candidates to try."""

    def _fitted_to(self, plan: SearchPlan, objective: LiveObjective) -> SearchPlan:  # noqa: ARG002
        """Return the plan in the form that suits what fits can share; by default as it is."""
        return plan

    # -- before the search -------------------------------------------------------------------

    def _checked(self, X: Any, y: Any, params: Mapping[str, Any]) -> Task:
        if self.selection != "best" and callable(self.refit):
            raise ValueError(
                f"selection={self.selection!r} and a callable refit would both choose the winner."
                " Leave one of them out."
            )
        if self.model != "best" and not self.refit:
            raise ValueError(f"model={self.model!r} is built instead of refitting: leave refit on.")
        scorer, refit_metric = self._get_scorers()
        X, y = indexable(X, y)
        routed = self._get_routed_params_for_fit(_check_method_params(X, params=params))
        # The name is scikit-learn's own, which methods that we inherit read.
        self._checked_cv_orig = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        check_search_input(self, X, y, routed.splitter.split)
        self.n_splits_ = self._checked_cv_orig.get_n_splits(X, y, **routed.splitter.split)
        return Task(X, y, routed, scorer, refit_metric)

    def _engine(self, task: Task, objects: Objects, store: ModelStore | None = None) -> Engine:
        objective = self._objective(task, objects)
        if store is not None:
            objective.keeper = Keeper(store, objective.objectives[0].sign)
        return Engine(
            objective=objective,
            store=store,
            n_jobs=effective_n_jobs(self.n_jobs),
            executor=self.executor,
            stop=self.stop,
            fit_timeout_s=self.fit_timeout_s,
            ledger=self.ledger,
            name=f"{type(self).__name__}-{type(self.estimator).__name__}",
            verbose=self.verbose,
        )

    def _objective(self, task: Task, objects: Objects) -> LiveObjective:
        fit_params, score_params = task.routed.estimator.fit, task.routed.scorer.score
        context: Mapping[str, str] = {}
        # Digests of all rows take time, and only a ledger needs them.
        if self.ledger is not None:
            given = (fit_params, score_params, self.return_train_score)
            of = context_of(self.estimator, (task.X, task.y), task.scorer, given, objects.contents)
            context = recognised(of)
        return LiveObjective(
            estimator=clone(self.estimator),
            X=task.X,
            y=task.y,
            splits=self._splits(task),
            scorer=task.scorer,
            objects=objects,
            outputs=self._outputs(task),
            fit_params=fit_params,
            score_params=score_params,
            verbose=self.verbose,
            context=context,
        )

    def _splits(self, task: Task) -> list[tuple[Any, Any]]:
        splits = list(self._checked_cv_orig.split(task.X, task.y, **task.routed.splitter.split))
        if len(splits) != self.n_splits_:
            raise ValueError(
                "cv.split and cv.get_n_splits return inconsistent results."
                f" Expected {self.n_splits_} splits, got {len(splits)}"
            )
        return splits

    def _outputs(self, task: Task) -> FoldOutputs:
        is_several = isinstance(task.scorer, _MultimetricScorer)
        single = self.scoring if isinstance(self.scoring, str) else "score"
        names = tuple(task.scorer._scorers) if is_several else (single,)
        deciding = self.refit if isinstance(self.refit, str) else (*names, "score")[0]
        return FoldOutputs(names, is_several, deciding, self.return_train_score, self.error_score)

    # -- after the search --------------------------------------------------------------------

    def _format_results(
        self, candidate_params: Any, n_splits: int, out: Any, more_results: Any = None
    ) -> Any:
        """Format as scikit-learn, but an infinite score is a failed fold: it never ranks first."""
        if infinite := without_infinite(out, self.error_score):
            warnings.warn(
                f"Scoring failed: {', '.join(infinite)}, which is no finite number. The score on"
                f" these train-test partitions for these parameters is set to {self.error_score}.",
                UserWarning,
                stacklevel=2,
            )
        return super()._format_results(candidate_params, n_splits, out, more_results)

    def _keep(self, outcome: SearchOutcome, task: Task) -> None:
        """Set the attributes that describe what was found."""
        self.n_fits_, self.n_reused_ = outcome.n_fits, outcome.n_reused
        self.n_stopped_ = outcome.n_raced
        self.stopped_by_ = outcome.reason.text
        if not outcome.outputs:
            if outcome.is_interrupted:
                return
            raise ValueError(NO_FITS)
        _warn_or_raise_about_fit_failures(outcome.outputs, self.error_score)
        if callable(self.scoring):
            _insert_error_scores(outcome.outputs, self.error_score)
        with warnings.catch_warnings():
            if outcome.n_raced:
                # Of folds that a race left out; failed folds have been named before.
                warnings.filterwarnings("ignore", "One or more of the .* scores are non-finite")
            results = self._format_results(outcome.candidates, self.n_splits_, outcome.outputs)
        self._choose(results, outcome.outputs[0]["test_scores"], task)
        is_several = isinstance(task.scorer, _MultimetricScorer)
        self.scorer_ = task.scorer._scorers if is_several else task.scorer
        self.cv_results_ = results

    def _choose(self, results: Mapping[str, Any], first_score: Any, task: Task) -> None:
        """Set what describes the winner."""
        refit_metric = task.refit_metric
        self.multimetric_ = isinstance(first_score, dict)
        if callable(self.scoring) and self.multimetric_:
            # The metrics of a custom scorer are known only after it has run.
            self._check_refit_for_multimetric(first_score)
            refit_metric = self.refit
        if not self.refit and self.multimetric_:
            return
        if self.selection == "one_se":
            self.best_index_ = one_se(results, refit_metric, self.n_splits_)
        else:
            self.best_index_ = self._select_best_index(self.refit, refit_metric, results)
        if not callable(self.refit):
            self.best_score_ = results[f"mean_test_{refit_metric}"][self.best_index_]
        self.best_params_ = results["params"][self.best_index_]

    def _refit(self, task: Task) -> None:
        # The params are cloned because some are estimators; those in `cv_results_` stay unfitted.
        params = clone(self.best_params_, safe=False)
        self.best_estimator_ = clone(self.estimator).set_params(**params)
        target = () if task.y is None else (task.y,)
        began = time.time()
        self.best_estimator_.fit(task.X, *target, **task.routed.estimator.fit)
        self.refit_time_ = time.time() - began
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_


def why_their_loop(search: Any, X: Any) -> TheirLoop | None:
    """Return the reason for which scikit-learn's own loop has to make every fit, if there is one.

    Callbacks are told of every fit, and other arrays live on other devices.
    """
    if is_watched(search):
        return WATCHED
    return None if is_numpy(X) else FOREIGN


def refuse_extras(search: Any, theirs: TheirLoop) -> None:
    """Refuse our arguments, if some are set, as scikit-learn's own loop does not know them.

    Raises:
        ValueError: names all of them.
    """
    given = [name for name, unused in UNUSED.items() if getattr(search, name) != unused]
    if given:
        names = " and ".join(given)
        raise ValueError(
            f"{names} cannot be used here: {theirs.reason}, so scikit-learn's own loop makes every"
            f" fit, which knows nothing of {names}. {theirs.way_out}, or leave out {names}."
        )


def is_watched(search: Any) -> bool:
    """Tell whether callbacks are registered with a search or with an estimator in it."""
    inner = search.estimator
    # `get_params` of XGBoost draws from a seed that is a generator object.
    inner = deepcopy(inner) if has_seed_object(inner) else inner
    parts = inner.get_params(deep=True).values() if hasattr(inner, "get_params") else ()
    return any(getattr(part, "_skl_callbacks", None) for part in (search, inner, *parts))


def is_numpy(X: Any) -> bool:
    """Tell whether rows are NumPy's or can become so: no array of another library."""
    try:
        xp, _ = get_namespace(X)
    except (TypeError, ValueError):
        return True  # the estimator will say what is wrong
    return str(xp.__name__).rpartition(".")[2].startswith("numpy")
