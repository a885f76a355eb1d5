"""Bayesian search with the manners of scikit-learn's searches."""

from collections.abc import Iterator, Mapping
from os import PathLike
from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import RandomizedSearchCV
from sklearn.utils import check_random_state

from tunesmith import registry
from tunesmith.errors import UsageError
from tunesmith.history import Failure, FoldResult, Metric, Trial, TrialLog
from tunesmith.objective.objects import Objects
from tunesmith.objective.outputs import is_finite
from tunesmith.sklearn.base import EXTRAS, SearchCV
from tunesmith.sklearn.plan import Plan
from tunesmith.space import SearchSpace
from tunesmith.space.python import from_python
from tunesmith.study.strategy import LATER, Sampling

METHOD = "bayesian"


class BayesSearchCV(SearchCV):
    """Bayesian search, scored by cross-validation with shared fits.

    A Gaussian process proposes what to try from what was found so far; its trials are the same for
    any ``n_jobs``. A candidate of which a fold failed is never the best.

    What a fit scores besides (a forest of 150 trees those of 149 and fewer) is scored, too, and the
    candidate is the best of it; ``cv_results_`` shows that one. With callbacks, which are told of
    every fit, each candidate is the one proposed.

    Args:
        estimator: to tune.
        param_distributions: name -> list, array, ``Float``, ``Int`` or ``Categorical`` of
            Tunesmith, frozen scipy distribution, Optuna distribution; or a list of such dicts.
        n_iter: candidates to try; fewer where the space has fewer points.
        random_state: whole number, ``RandomState`` or ``None``. With a whole number, a search with
            a ``ledger`` is taken up where it ended.

    All else is described at ``GridSearchCV``.

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from tunesmith import Float
    >>> space = {"C": Float(0.01, 100, log=True), "kernel": ["rbf", "linear"]}
    >>> search = BayesSearchCV(SVC(), space, n_iter=12, random_state=0)
    >>> print(search.fit(*load_iris(return_X_y=True)).best_score_ > 0.97)
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **RandomizedSearchCV._parameter_constraints,
        **EXTRAS,
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 50,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: Any = "2*n_jobs",
        random_state: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        ledger: str | PathLike[str] | None = None,
        executor: str = "auto",
        selection: str = "best",
        stop: Mapping[str, Any] | None = None,
        fit_timeout_s: float | None = None,
    ) -> None:
        super().__init__(
            estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.random_state = random_state
        self.ledger = ledger
        self.executor = executor
        self.selection = selection
        self.stop = stop
        self.fit_timeout_s = fit_timeout_s

    def _plan(self) -> Plan:
        objects = Objects()
        space = space_of(self.param_distributions, objects)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        sampler = registry.load("samplers", METHOD)(seed=seed)
        strategy = Sampling(space, sampler, METHOD, seed)
        n_most = min(self.n_iter, strategy.n_points or self.n_iter)
        definition = {
            "file": {"search": {"method": METHOD, "seed": seed, "curves": True}},
            "space": space.to_json(),
            "seed": seed,
        }
        return Plan(strategy, n_most, definition, objects)

    def _run_search(self, evaluate_candidates: Any, *, callback_ctx: Any = None) -> None:
        """The candidates in scikit-learn's own loop, for callbacks: without curves."""
        plan, metric = self._plan(), self._leading_metric()
        log = TrialLog((Metric("score"),))
        search = callback_ctx.subcontext(task_name="search", max_subtasks=None)
        search.call_on_fit_task_begin(estimator=self)
        while batch := list(proposals(plan, log)):
            round_ = search.subcontext(
                task_name="batch",
                max_subtasks=len(batch) * self.n_splits_,
                sequential_subtasks=False,
            ).call_on_fit_task_begin(estimator=self)
            candidates = [plan.candidate(trial.number, trial.params) for trial in batch]
            results = evaluate_candidates(candidates, callback_ctx=round_)
            round_.call_on_fit_task_end(estimator=self)
            for trial in batch:
                log.tell(trial.told(folds_of(results, metric, trial.number, self.n_splits_)))
        search.call_on_fit_task_end(estimator=self)

    def _leading_metric(self) -> str:
        return self.refit if isinstance(self.refit, str) else "score"


def space_of(distributions: Any, objects: Objects) -> SearchSpace:
    """The space that the user wrote, its objects as tokens.

    Raises:
        ValueError: everything in it that cannot be searched.
    """
    boxes = distributions if isinstance(distributions, list | tuple) else [distributions]
    encoded = [
        {name: encoded_values(values, objects) for name, values in box.items()} for box in boxes
    ]
    try:
        return from_python(encoded)
    except UsageError as error:
        raise ValueError(f"param_distributions: {error}") from None


def encoded_values(values: Any, objects: Objects) -> Any:
    """A list's values as JSON; distributions and parameters as they are."""
    if isinstance(values, list | tuple | range) or hasattr(values, "tolist"):
        return [objects.encode(value) for value in values]
    return values


def proposals(plan: Plan, log: TrialLog) -> Iterator[Trial]:
    """As many new trials as may be asked now."""
    strategy = plan.strategy
    for _ in range(min(strategy.window, plan.n_most - len(log.asked))):
        found = strategy.propose(log)
        if found is None or found is LATER:
            return
        origin, params = found
        yield log.ask(params, strategy.key(params), origin)


def folds_of(
    results: Mapping[str, Any], metric: str, number: int, n_splits: int
) -> list[FoldResult]:
    """A candidate's fold results, from ``cv_results_``."""
    scores = [float(results[f"split{fold}_test_{metric}"][number]) for fold in range(n_splits)]
    return [
        FoldResult(fold, {"score": score})
        if is_finite(score)
        else FoldResult(fold, {}, failure=Failure("nan", "no finite score"))
        for fold, score in enumerate(scores)
    ]
