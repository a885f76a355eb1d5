"""Bayesian search with the interface of scikit-learn's searches."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from numbers import Integral
from os import PathLike
from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import RandomizedSearchCV
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from tunesmith import registry
from tunesmith.errors import UsageError
from tunesmith.history import Failure, FoldResult, Metric, Trial, TrialLog
from tunesmith.objective.live import LiveObjective
from tunesmith.objective.live_space import space_of
from tunesmith.objective.objects import Objects
from tunesmith.objective.outputs import is_finite
from tunesmith.search.sampler import Sampler, version_of
from tunesmith.search.unseen import sampled
from tunesmith.sklearn.base import EXTRAS, MODELS_SIZE, SearchCV
from tunesmith.sklearn.plan import SearchPlan
from tunesmith.space import SearchSpace
from tunesmith.space.python import shown
from tunesmith.study.look_ahead import default_window
from tunesmith.study.loop import unique_start
from tunesmith.study.read_off import ReadOffStrategy, with_read_off
from tunesmith.study.seeds import trial_rng
from tunesmith.study.strategy import LATER, SamplerStrategy
from tunesmith.types import Params

METHOD = "bayesian"
N_LOOKED_AT = 8
"""Random points, to tell beforehand what can be shared."""


class BayesSearchCV(SearchCV):
    """Bayesian search, scored by cross-validation with shared fits.

    A Gaussian process proposes candidates from the results so far; they are the same for any
    ``n_jobs``. A candidate of which a fold failed is never the best.

    Extra candidates that a fit contains (a forest of 150 trees those of 149 and fewer) are scored,
    too, and the best of them becomes the candidate that ``cv_results_`` shows. With callbacks,
    which are told of every fit, each candidate is the one proposed.

    Args:
        estimator: to tune.
        param_distributions: name -> list, array, ``Float``, ``Int`` or ``Categorical`` of
            Tunesmith, frozen scipy distribution, Optuna distribution; or a list of such dicts.
            A tuple ``(low, high)`` or ``(low, high, "log-uniform")`` is a range, as in
            scikit-optimize, whose ``Real``, ``Integer`` and ``Categorical`` are taken, too.
        search_spaces: scikit-optimize's name of ``param_distributions``.
        n_iter: candidates to try; fewer if the space has fewer points.
        random_state: whole number, ``RandomState`` or ``None``. With a whole number, a search with
            a ``ledger`` continues after an interruption.
        window: the look-ahead: a candidate is proposed from all results but those of the last
            ``window - 1``, however many workers there are. By default 8 divided by the number of
            folds, rounded up, and at most 4. An ``n_jobs`` beyond ``window`` times the folds is of
            no use.
        sampler: the model behind the search: ``"auto"``, ``"gp"``, ``"tpe"``, ``"cmaes"``,
            ``"sobol"``, or an installed one's name.
        start_with: tried first: ``"defaults"`` (the estimator's own parameters, if they lie in the
            space; this is the default), a dict of parameters, or a list of these; ``[]`` for
            nothing.

    All other parameters are described at ``GridSearchCV``.

    Examples:
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
        "param_distributions": "no_validation",  # `space_of` says more
        "search_spaces": "no_validation",
        "window": [Interval(Integral, 1, None, closed="left"), None],
        "sampler": [str],
        "start_with": "no_validation",
    }

    # scikit-learn reads parameters from this signature, so it cannot be shortened to `**kwargs`.
    def __init__(
        self,
        estimator: Any,
        param_distributions: Any = None,
        *,
        search_spaces: Any = None,
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
        race: str = "off",
        model: str = "best",
        oof_predictions: bool | int = False,
        models_size: str | int = MODELS_SIZE,
        window: int | None = None,
        sampler: str = "auto",
        start_with: Any = None,
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
        self.search_spaces = search_spaces
        self.n_iter = n_iter
        self.random_state = random_state
        self.ledger = ledger
        self.executor = executor
        self.selection = selection
        self.stop = stop
        self.fit_timeout_s = fit_timeout_s
        self.race = race
        self.model = model
        self.oof_predictions = oof_predictions
        self.models_size = models_size
        self.window = window
        self.sampler = sampler
        self.start_with = start_with

    def _plan(self) -> SearchPlan:
        objects = Objects()
        space = space_of(self._distributions(), objects)
        # A `RandomState` moves on with every fit, as in scikit-learn's searches.
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        sampler = sampler_of(self.sampler, seed, space)
        start = start_of(self.start_with, self.estimator, space, objects)
        # The strategies that fit into scikit-learn's loop know the folds by now.
        window = self.window or default_window(self.n_splits_)
        strategy = SamplerStrategy(
            space, sampler, name=METHOD, seed=seed, window=window, start=start
        )
        # A finite space is exhausted after as many candidates as it has points.
        n_most = min(self.n_iter, strategy.n_points or self.n_iter)
        search = {"method": METHOD, "seed": seed, "curves": True}
        search |= {"sampler": self.sampler, "window": window, "version": version_of(sampler)}
        definition = {
            "file": {"search": search},
            "space": space.to_json(),
            "seed": seed,
            "start": [[origin, dict(params)] for origin, params in start],
        }
        # From a fixed seed, so that the plan of a search reads the same each time.
        drawn = (sampled(space, trial_rng(0, number)) for number in range(N_LOOKED_AT))
        points = [params for params in drawn if params is not None]
        return SearchPlan(
            strategy=strategy,
            n_most=n_most,
            definition=definition,
            objects=objects,
            space=space,
            points=points,
            n_start=len(start),
        )

    def _fitted_to(self, plan: SearchPlan, objective: LiveObjective) -> SearchPlan:
        """Leave out of the search what every fit answers for all values."""
        assert isinstance(plan.strategy, SamplerStrategy)  # noqa: S101 - it was made by `_plan`
        strategy = with_read_off(plan.strategy, objective)
        if not isinstance(strategy, ReadOffStrategy):
            return plan
        return replace(
            plan,
            strategy=strategy,
            n_most=min(self.n_iter, strategy.n_points or self.n_iter),
            points=[strategy.read_off.proposed(params) for params in plan.points],
        )

    def _distributions(self) -> Any:
        """Return the space as it was given, under either name."""
        if self.search_spaces is None:
            return self.param_distributions
        if self.param_distributions is not None:
            raise ValueError(
                "param_distributions and search_spaces are two names of the space."
                " Leave search_spaces out."
            )
        warnings.warn(
            "search_spaces is scikit-optimize's name; here it is called param_distributions,"
            " as in scikit-learn.",
            UserWarning,
            stacklevel=2,
        )
        return self.search_spaces

    def _run_search(self, evaluate_candidates: Any, *, callback_ctx: Any = None) -> None:
        """Run the candidates in scikit-learn's own loop, which makes no extra candidates."""
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
                log.tell(trial.completed(folds_of(results, metric, trial.number, self.n_splits_)))
        search.call_on_fit_task_end(estimator=self)

    def _leading_metric(self) -> str:
        return self.refit if isinstance(self.refit, str) else "score"


def own_points(estimator: Any, space: SearchSpace, objects: Objects) -> list[Params]:
    """Return the estimator's own values of each box's parameters, as far as it has them."""
    own = estimator.get_params(deep=True)
    return [{n: objects.encode(own[n]) for n in box.parameters if n in own} for box in space]


def start_of(
    start_with: Any, estimator: Any, space: SearchSpace, objects: Objects
) -> tuple[tuple[str, Params], ...]:
    """Return the first candidates, as (origin, params); warns of those outside the space.

    Raises:
        ValueError: ``start_with`` holds something else than ``"defaults"`` and params.
    """
    given = [start_with] if isinstance(start_with, str | Mapping) else start_with
    wanted: list[tuple[str, Params]] = []
    for item in ["defaults"] if given is None else given:
        if isinstance(item, Mapping):
            wanted.append(("start_with", {name: objects.encode(v) for name, v in item.items()}))
        elif isinstance(item, str) and item == "defaults":
            points = own_points(estimator, space, objects)
            wanted.append(("defaults", next((p for p in points if p in space), points[0])))
        else:
            raise ValueError(
                f"start_with: expected 'defaults' (the estimator's own parameters) or a dict of"
                f" parameters, found {shown(item)}"
            )
    # Defaults outside the space are common, and you have not asked for them: no warning.
    start, notes = unique_start(space, wanted, ("defaults",) if given is None else ())
    for note in notes:
        warnings.warn(note, UserWarning, stacklevel=2)
    return start


def sampler_of(name: str, seed: int, space: SearchSpace) -> Sampler:
    """Return the model behind the search.

    Raises:
        ValueError: it is unknown, or cannot search this space.
    """
    try:
        sampler: Sampler = registry.load("samplers", METHOD)(seed=seed, sampler=name)
    except UsageError as error:
        raise ValueError(f"sampler: {error}") from None
    if blocker := sampler.blocker(space):
        raise ValueError(f"sampler: {name} cannot search this space: {blocker}")
    return sampler


def proposals(plan: SearchPlan, log: TrialLog) -> Iterator[Trial]:
    """Yield as many new trials as the look-ahead allows now."""
    strategy = plan.strategy
    for _ in range(min(strategy.window, plan.n_most - len(log.trials))):
        proposal = strategy.propose(log)
        if proposal is None or proposal is LATER:
            return
        origin, params = proposal
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
