"""The results of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from tunesmith.analysis import numbers
from tunesmith.analysis.summary import Summary
from tunesmith.errors import ExitCode, UsageError, did_you_mean
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.report import Report, report_of
from tunesmith.reporting.table import cv_results, flat, rows_of
from tunesmith.reporting.wording.without_result import without_result
from tunesmith.runs.outputs import Written
from tunesmith.types import Params

if TYPE_CHECKING:
    import pandas as pd

    from tunesmith.models.build import Built
    from tunesmith.plot import Figures
    from tunesmith.reporting.page.background import ServedPage
    from tunesmith.runs.models.build import StudyModels

MAX_PARAMS = 6
"""Number of parameters in the short form of a result."""


@runtime_checkable
class RefittingObjective(Protocol):
    """An objective that can fit a winner on all rows of the search."""

    def best_estimator(self, params: Params) -> Any:
        """Fit an estimator with these params on all rows."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Result:
    """Results of a run, as ``tune`` returns them.

    A notebook shows it as a card with the verdict, the best parameters, charts and the first
    trials.

    >>> import tunesmith
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"C": [0.1, 1.0, 10.0], "kernel": ["linear", "rbf"]}
    >>> result = tunesmith.tune(
    ...     SVC(), X, y, space=space, search="grid", workers=1, progress=False
    ... )
    >>> result
    <Result of SVC: 6 trials, accuracy 0.9800 ± 0.0082 (trial 2): C=1.0, kernel=linear>
    >>> result.best_params
    {'C': 1.0, 'kernel': 'linear'}
    >>> print(f"{result.best_score:.2f}")
    0.98
    >>> result.trials[["param_C", "param_kernel", "mean_test_score"]].shape
    (6, 3)
    >>> result.best_estimator().predict(X[:2])
    array([0, 0])
    >>> print(result.report().splitlines()[0])
    # Tuning results: `SVC`
    """

    record: StudyRecord
    """The study as it is in the ledger now."""
    summary: Summary
    """Content of the report."""
    n_evaluated: int
    """Evaluations made by this run."""
    n_reused: int
    """Evaluations that the ledger already knew."""
    n_fits: int
    """Fits made by this run; one may have scored several candidates."""
    written: tuple[Written, ...]
    """Output files."""
    exit_code: ExitCode | int = ExitCode.OK
    """0; 1 without a usable trial; 130 or 143 when interrupted."""
    objective: Any = field(default=None, compare=False)
    """The objective that was scored: rows, folds and estimators, or a program."""
    objects: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """Values of parameters that JSON cannot hold, by the JSON text of their tokens."""
    ledger: Any = field(default=None, compare=False)
    """Path or URL of the ledger."""

    @property
    def best_params(self) -> dict[str, Any] | None:
        """The winner's params, with your own objects; ``None`` if no trial is usable."""
        chosen = self.summary.chosen
        return None if chosen is None else self._decoded(chosen.params)

    @property
    def best_score(self) -> float | None:
        """The winner's mean score by the first metric; ``None`` if no trial is usable."""
        chosen = self.summary.chosen
        return None if chosen is None else float(chosen.means[self.summary.metric.name])

    @property
    def cv_results_(self) -> dict[str, Any]:
        """The trials in the layout of scikit-learn's ``cv_results_``."""
        return cv_results(self.record)

    @property
    def trials(self) -> "pd.DataFrame":
        """The trials as a table, in their order, with the columns of ``cv_results_``."""
        import pandas as pd

        rows = [{**row, "params": self._decoded(row["params"])} for row in rows_of(self.record)]
        return pd.DataFrame([flat(row) for row in rows])

    def best_estimator(self) -> Any:
        """Fit the winner on all rows that the search has seen.

        Raises:
            UsageError: a program or a function was tuned, or no trial is usable.
        """
        chosen = self.summary.chosen
        if not isinstance(self.objective, RefittingObjective):
            raise UsageError(
                "best_estimator: what was tuned makes no estimator here."
                " `best_params` has the parameters to use."
            )
        if chosen is None:
            raise UsageError(f"best_estimator: {without_result(self.summary)}")
        return self.objective.best_estimator(chosen.params)

    if not TYPE_CHECKING:  # editors shall mark a name that is not there

        def __getattr__(self, name: str) -> Any:
            text = f"{type(self).__name__!r} object has no attribute {name!r}"
            # Libraries probe objects for names with underscores, which no person types.
            if name.startswith("_"):
                raise AttributeError(text)
            from tunesmith.reporting.wording.result_names import hint

            known = [one for one in dir(type(self)) if not one.startswith("_")]
            raise AttributeError(f"{text}. {hint(name, [*known, *self.__dataclass_fields__])}")

    # -- models ------------------------------------------------------------------------------

    def model(self, kind: str = "average") -> "Built":
        """Build a model of the same fits; its ``model`` is a scikit-learn estimator.

        Args:
            kind: ``average`` is the mean of the winner's fold models, ``ensemble`` a greedy
                ensemble of the best trials' fold models, ``best`` the winner fitted on all rows.

        Raises:
            UsageError: there is no such kind, or what was tuned gives no models.
            NoResultError: no trial is usable.
        """
        from tunesmith.models.build import KINDS

        if kind not in KINDS:
            raise UsageError(f"model: there is no kind `{kind}`. {did_you_mean(str(kind), KINDS)}")
        return self._models.build(kind)

    def oof_predictions(self, n_trials: int = 1) -> "pd.DataFrame":
        """Return what each fold model predicted for the test rows of its fold.

        Args:
            n_trials: 1 for the winner alone, else so many of the best trials.

        Raises:
            UsageError: what was tuned gives no models.
            NoResultError: no trial is usable.
        """
        if isinstance(n_trials, bool) or not isinstance(n_trials, int) or n_trials < 1:
            raise UsageError(f"n_trials: {n_trials!r} is no number of trials: 1 or more.")
        return self._models.predictions(n_trials)

    @property
    def _models(self) -> "StudyModels":
        from tunesmith.runs.models.build import StudyModels

        keeper = getattr(self.objective, "keeper", None)
        return StudyModels(self.objective, self.record, keeper and keeper.store)

    # -- reports -----------------------------------------------------------------------------

    def report(self, form: str = "markdown") -> Report:
        """Return the report as a text, which notebooks show and ``save`` writes.

        Args:
            form: ``markdown``, ``html``, ``comment``, ``json``, or the name of an installed one.

        Raises:
            UsageError: there is no such form.
        """
        return report_of(self.record, self.summary, form)

    @property
    def figures(self) -> "Figures":
        """The figures: ``result.figures.history``, ``importance``, ``parallel`` and so on."""
        from tunesmith.plot import Figures

        return Figures(self.record, self.summary)

    def serve(self, port: int = 0) -> "ServedPage":
        """Show the HTML report in a browser, at an address that only this machine can reach.

        Args:
            port: 0 for any free one.

        Returns:
            The page, which ``close()`` ends.
        """
        from tunesmith.reporting.page.background import serve

        return serve(lambda: self.record, port, summarise=lambda _record: self.summary)

    def __repr__(self) -> str:
        summary, chosen = self.summary, self.summary.chosen
        n = f"{summary.n_trials:,} trial{'' if summary.n_trials == 1 else 's'}"
        if chosen is None:
            return f"<Result of {summary.study}: {n}, no usable result>"
        name = summary.metric.name
        score = numbers.with_error(chosen.means[name], chosen.error(name))
        params = [f"{n}={numbers.value(v)}" for n, v in sorted(chosen.params.items())]
        more = [f"and {len(params) - MAX_PARAMS} more"] if len(params) > MAX_PARAMS else []
        listed = ", ".join([*params[:MAX_PARAMS], *more])
        return f"<Result of {summary.study}: {n}, {name} {score} (trial {chosen.number}): {listed}>"

    def _repr_html_(self) -> str:
        from tunesmith.reporting.notebook.card import card

        return card(self.record, self.summary, repr(self))

    def _decoded(self, params: Params) -> dict[str, Any]:
        if not self.objects:
            return dict(params)
        from tunesmith.space.parameter import canonical_json

        return {
            name: self.objects.get(canonical_json(value), value)
            if isinstance(value, dict)
            else value
            for name, value in params.items()
        }
