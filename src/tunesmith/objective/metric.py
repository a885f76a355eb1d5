"""Scores: one finite number per metric, all from one set of predictions."""

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isinf, isnan
from numbers import Real
from typing import Any

from tunesmith.config.objective import MetricSpec
from tunesmith.errors import UsageError, did_you_mean
from tunesmith.history import Metric
from tunesmith.objective.failure import BadScoreError
from tunesmith.objective.quick_scores import QuickScorers, sees_answers_alone
from tunesmith.system.importing import load
from tunesmith.types import Direction

TIMES = ("fit_time", "score_time")
"""Metrics that are measured, not computed: seconds, less is better."""
ESTIMATOR_NAMES = ("estimator", "est", "model", "clf", "reg", "classifier", "regressor")
RESPONSES: dict[str, Any] = {
    "y_score": ("decision_function", "predict_proba"),
    "y_proba": "predict_proba",
    "y_prob": "predict_proba",
    "y_pred_proba": "predict_proba",
}


class MetricWarning(UserWarning):
    """A metric that decides nothing could not be computed."""


@dataclass(frozen=True)
class Scorers:
    """Scores a fitted estimator by every metric of a study. Picklable: scorers are made on use.

    If you bring your own metric, a path leads to a scikit-learn scorer object, to a function
    ``scorer(estimator, X, y)`` (three arguments, or a first one called ``estimator`` or ``model``),
    or to a function ``metric(y_true, y_pred)``. A metric whose second argument is called
    ``y_score`` gets the decision function or probabilities, one with ``y_proba`` or ``y_prob``
    probabilities, any other predictions.
    """

    deciding: tuple[MetricSpec, ...]
    also: tuple[MetricSpec, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        return {"deciding": self.deciding, "also": self.also}

    @cached_property
    def objectives(self) -> tuple[Metric, ...]:
        """Metrics that decide."""
        return tuple(Metric(spec.name, direction_of(spec)) for spec in self.deciding)

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """All metrics, the deciding ones first, each once."""
        return tuple(Metric(spec.name, direction_of(spec)) for spec in self.specs)

    @cached_property
    def specs(self) -> tuple[MetricSpec, ...]:
        """Metrics as configured, the deciding ones first, each name once."""
        named: dict[str, MetricSpec] = {}
        for spec in (*self.deciding, *self.also):
            named.setdefault(spec.name, spec)
        return tuple(named.values())

    @property
    def measures_time(self) -> bool:
        """True if a metric is a measured time."""
        return any(spec.name in TIMES for spec in self.specs)

    @property
    def see_answers_alone(self) -> bool:
        """True if no metric gets the estimator itself, whose parameters it might read."""
        return not self.measures_time and all(
            sees_answers_alone(scorer_of(spec)) for spec in self.specs
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentence on measured times that decide; empty without any."""
        clocks = [spec.name for spec in self.deciding if spec.name in TIMES]
        if not clocks:
            return ()
        text = (
            f"{' and '.join(clocks)} decides and depends on the machine: the same study and seed"
            " may find other trials and another winner"
        )
        return (text,)

    def check(self) -> None:
        """Refuse unknown names, missing directions and scorers that cannot be imported.

        Raises:
            UsageError: every problem at once.
        """
        problems = []
        for spec in self.specs:
            try:
                direction_of(spec)
                scorer_of(spec)
            except UsageError as error:
                problems.append(str(error))
        if problems:
            raise UsageError("\n".join(dict.fromkeys(problems)))

    def __call__(self, estimator: Any, X: Any, y: Any) -> dict[str, float]:
        """Score a fitted estimator; measured times are left out.

        A metric of ``also`` that cannot be computed is left out with a warning, since it decides
        nothing.

        Raises:
            BadScoreError: a deciding metric is no finite real number.
            Exception: whatever a deciding metric raises.
        """
        names = {metric.name for metric in self.objectives}
        try:
            raw = self._all(estimator, X, y)
        except Exception as error:
            if not self.also:
                raise
            # All metrics share one prediction; only after a failure are the deciding ones computed
            # apart.
            raw = self._only_deciding(estimator, X, y)
            warnings.warn(f"`also` could not be computed: {error}", MetricWarning, stacklevel=2)
        scores = {}
        for name, score in raw.items():
            try:
                scores[name] = real(name, score)
            except BadScoreError as error:
                if name in names:
                    raise
                warnings.warn(str(error), MetricWarning, stacklevel=2)
        return scores

    def time_scores(self, fit_s: float, score_s: float) -> dict[str, float]:
        """Measured times that were configured."""
        times = dict(zip(TIMES, (fit_s, score_s), strict=True))
        return {metric.name: times[metric.name] for metric in self.metrics if metric.name in times}

    @cached_property
    def _all(self) -> Callable[..., Mapping[str, Any]]:
        return together(self.specs)

    @cached_property
    def _only_deciding(self) -> Callable[..., Mapping[str, Any]]:
        return together(self.deciding)

    def spec(self) -> list[Any]:
        """Identity of the metrics, as JSON."""
        # The direction decides which trial is best, but changes no score.
        return [spec.model_dump(mode="json", exclude={"direction"}) for spec in self.specs]


def together(specs: Sequence[MetricSpec]) -> Callable[..., Mapping[str, Any]]:
    """Combine several metrics into one scorer, which predicts once."""
    scoring = {spec.name: scorer_of(spec) for spec in specs if spec.name not in TIMES}
    if not scoring:
        return lambda _estimator, _X, _y: {}
    return QuickScorers(scoring)


def direction_of(spec: MetricSpec) -> Direction:
    """Direction of a metric.

    Raises:
        UsageError: it cannot be known, or contradicts scikit-learn's.
    """
    where = f"metric.{spec.name}"
    if spec.scorer is not None:
        if spec.direction is None and not is_scorer_object(load(where, spec.scorer)):
            raise UsageError(f"{where}: a metric of your own needs direction: maximize or minimize")
        return spec.direction or "maximize"
    if spec.name in TIMES:
        return spec.direction or "minimize"
    if spec.direction == "minimize":
        raise UsageError(
            f"{where}: scikit-learn's scorers are always maximized (losses are negated:"
            " neg_log_loss, neg_mean_squared_error). Leave direction out."
        )
    return "maximize"


def scorer_of(spec: MetricSpec) -> Any:
    """Build a ``scorer(estimator, X, y)`` for one metric; ``None`` for a measured time.

    Raises:
        UsageError: there is none.
    """
    from sklearn.metrics import get_scorer, get_scorer_names

    if spec.scorer is not None:
        return _own_scorer(spec)
    if spec.name in TIMES:
        return None
    known = get_scorer_names()
    if spec.name not in known:
        hint = did_you_mean(spec.name, [*known, *TIMES])
        raise UsageError(
            f"metric: scikit-learn has no scorer `{spec.name}`. {hint}"
            " For a metric of your own, give its import path as `scorer`."
        )
    return get_scorer(spec.name)


def _own_scorer(spec: MetricSpec) -> Any:
    from sklearn.metrics import make_scorer

    where = f"metric.{spec.name}"
    function = load(where, spec.scorer or "")
    if not callable(function) or inspect.isclass(function):
        raise UsageError(f"{where}: `{spec.scorer}` is no function")
    if takes_estimator(where, function):
        return function

    def checked(y_true: Any, answers: Any) -> float:
        # Checked here, before scikit-learn multiplies it by a sign: True would become 1.
        return real(spec.name, function(y_true, answers))

    names = list(inspect.signature(function).parameters)
    return make_scorer(checked, response_method=RESPONSES.get(names[1], "predict"))


def takes_estimator(where: str, function: Callable[..., Any]) -> bool:
    """True for a ``scorer(estimator, X, y)``, false for a ``metric(y_true, y_pred)``.

    Raises:
        UsageError: it is neither.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise UsageError(f"{where}: the arguments of {function!r} cannot be read") from None
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = [p for p in positional if p.default is p.empty]
    if len(needed) <= 3 <= len(positional) and positional[0].name in ESTIMATOR_NAMES:
        return True
    if len(needed) in (2, 3) and len(positional) >= 2:
        return len(needed) == 3
    raise UsageError(
        f"{where}: a scorer takes (estimator, X, y), a metric (y_true, y_pred);"
        f" this one takes ({', '.join(p.name for p in parameters)})"
    )


def is_scorer_object(scorer: Any) -> bool:
    """True for an object of ``make_scorer``, which knows its own direction."""
    return not inspect.isfunction(scorer) and type(scorer).__module__.startswith("sklearn.metrics")


def real(name: str, score: Any) -> float:
    """Convert a score to a float.

    Raises:
        BadScoreError: it is no finite real number.
    """
    value = _unwrapped(score)
    if isinstance(value, bool) or not isinstance(value, Real):
        shown = repr(value)[:80]
        raise BadScoreError(
            "type", f"metric `{name}` gave {shown} ({type(value).__name__}) instead of a number"
        )
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if isnan(number):
        raise BadScoreError("nan", f"metric `{name}` is not a number (NaN)")
    if isinf(number):
        raise BadScoreError("inf", f"metric `{name}` is infinite")
    return number


def _unwrapped(score: Any) -> Any:
    """Convert NumPy's scalars to Python's, as scikit-learn does."""
    if not hasattr(score, "item"):
        return score
    try:
        return score.item()
    except (TypeError, ValueError):
        return score
