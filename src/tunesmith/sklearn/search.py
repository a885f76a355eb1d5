"""Grid and random search as scikit-learn's users know them."""

from collections.abc import Mapping
from os import PathLike
from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import GridSearchCV as TheirGridSearchCV
from sklearn.model_selection import ParameterGrid, ParameterSampler
from sklearn.model_selection import RandomizedSearchCV as TheirRandomizedSearchCV

from tunesmith.sklearn.base import EXTRAS, MODELS_SIZE, SearchCV
from tunesmith.sklearn.plan import SearchPlan, listed


# Ours comes first, so that its `fit` wins; everything else is inherited from theirs.
class GridSearchCV(SearchCV, TheirGridSearchCV):  # type: ignore[misc]
    """Every combination of a grid, scored by cross-validation with shared fits.

    It takes the arguments of scikit-learn's ``GridSearchCV``, has its attributes and methods, and
    gives the same scores bit for bit; scikit-learn's documentation holds. Further parameters:

    Args:
        ledger: file or database URL in which every score is kept; the same search continues after
            an interruption, and scores of earlier searches are not computed again.
        executor: ``"auto"``, ``"serial"``, ``"processes"`` or an installed one's name.
        selection: ``"best"``, or ``"one_se"`` for the simplest candidate whose mean score is
            within one standard error of the best.
        stop: when to end early, as in a configuration's ``stop`` section, for example
            ``{"time": "10m", "patience": 50}``.
        fit_timeout_s: seconds after which a fit is stopped and counts as failed.
        race: ``"auto"`` stops a candidate before its last fold if its first ones make it unlikely
            that its mean would pass the best so far. Scores of the folds left out are NaN, the
            candidate ranks last, and the tables are no longer those of scikit-learn's search.
        model: ``"best"`` fits the winner on all rows, as scikit-learn does. ``"average"`` takes the
            mean of the winner's fold models, ``"ensemble"`` a greedy ensemble of the fold models of
            the best candidates; both need no further fit while the models find room.
        oof_predictions: true, or the number of best candidates, for ``oof_predictions_``.
        models_size: most bytes of fold models on the disk during the search, such as ``"500 MB"``;
            models that found no room are fitted again if they are needed.

    Attributes:
        plan_: what was foreseen of shared fits, and why there were not more; ``print`` it.
        n_fits_: fits made; one may have scored several candidates.
        n_reused_: scores of a candidate on a fold that needed no fit: the ledger knew them, or an
            earlier fit has shown to give the same model.
        n_stopped_: candidates that a race stopped before their last fold.
        stopped_by_: reason for which the search ended.
        oof_predictions_: table with what each fold model predicted for its test rows.
        model_: members, worth, cost and further fits of an average or ensemble.

    ``n_jobs`` changes no result. ``pre_dispatch`` is accepted and has no effect.

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> search = GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=3)
    >>> len(search.fit(*load_iris(return_X_y=True)).cv_results_["params"])
    2
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **TheirGridSearchCV._parameter_constraints,
        **EXTRAS,
    }

    def __init__(
        self,
        estimator: Any,
        param_grid: Any,
        *,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: Any = "2*n_jobs",
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
    ) -> None:
        super().__init__(
            estimator,
            param_grid,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.ledger = ledger
        self.executor = executor
        self.selection = selection
        self.stop, self.fit_timeout_s = stop, fit_timeout_s
        self.race, self.model = race, model
        self.oof_predictions, self.models_size = oof_predictions, models_size

    def _plan(self) -> SearchPlan:
        return listed("grid", list(ParameterGrid(self.param_grid)))


class RandomizedSearchCV(SearchCV, TheirRandomizedSearchCV):  # type: ignore[misc]
    """Random candidates, the same ones as scikit-learn's, scored with shared fits.

    It takes the arguments of scikit-learn's ``RandomizedSearchCV``, has its attributes and methods,
    and gives the same scores bit for bit; scikit-learn's documentation holds. Further parameters
    are described at ``GridSearchCV``.

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> search = RandomizedSearchCV(SVC(), {"C": [0.1, 1.0, 10.0]}, n_iter=2, random_state=0)
    >>> len(search.fit(*load_iris(return_X_y=True)).cv_results_["params"])
    2
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **TheirRandomizedSearchCV._parameter_constraints,
        **EXTRAS,
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 10,
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
    ) -> None:
        super().__init__(
            estimator,
            param_distributions,
            n_iter=n_iter,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=random_state,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.ledger = ledger
        self.executor = executor
        self.selection = selection
        self.stop, self.fit_timeout_s = stop, fit_timeout_s
        self.race, self.model = race, model
        self.oof_predictions, self.models_size = oof_predictions, models_size

    def _plan(self) -> SearchPlan:
        sampler = ParameterSampler(
            self.param_distributions, self.n_iter, random_state=self.random_state
        )
        return listed("random", list(sampler))
