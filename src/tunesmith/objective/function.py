"""The objective of a plain Python function: params -> score, one for each fold."""

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, NamedTuple

from tunesmith.errors import UsageError
from tunesmith.history import FoldResult, Metric
from tunesmith.objective.failure import BadScoreError, failure_of, noting_warnings
from tunesmith.objective.metric import real
from tunesmith.objective.objects import Objects
from tunesmith.space import SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.space.python import shown
from tunesmith.system.fingerprint import digest
from tunesmith.system.interruptions import is_ours
from tunesmith.types import Fit, Params

FOLD = "fold"
"""Name of the parameter of a function that wants to be called once for each fold."""
WANTED = (
    "Return a number, a dict of metrics with their numbers, or a list of these, one for each fold."
)


def _counted(n: int, word: str) -> str:
    return f"{n or 'no'} {word}{'' if n == 1 else 's'}"


class FunctionAnswer(NamedTuple):
    """A call of the function, which may have scored all folds at once."""

    scores: Sequence[Any]
    """Results by fold; a single item if it scored one fold."""
    seconds: float
    warning: str
    error: BaseException | None = None


@dataclass(eq=False, kw_only=True)
class CalledObjective:
    """Scores params by calling a function of the user's."""

    function: Callable[..., Any]
    takes_fold: bool
    """True if it is called once for each fold, with its number."""
    n_folds: int
    metrics: tuple[Metric, ...]
    n_deciding: int
    objects: Objects
    context: Mapping[str, str] = field(default_factory=dict)
    answers: dict[str, FunctionAnswer] = field(default_factory=dict)
    """Answers that are known, by the text of the params; each is taken once for each fold."""

    notes = ()
    has_holdout = False

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """Metrics that decide."""
        return self.metrics[: self.n_deciding]

    def key(self, params: Params, fold: int) -> str:
        """Digest of everything that the scores of one fold depend on."""
        return digest([dict(self.context), fold, canonical_json(dict(params))])

    def defaults(self) -> Params:
        """Return nothing: a function does not tell its own values."""
        return {}

    def groups(self, candidates: Sequence[Params]) -> list[tuple[int, ...]]:
        """Group the indices of candidates: each is evaluated by itself."""
        return [(index,) for index in range(len(candidates))]

    def submodel_candidates(self, params: Params, space: SearchSpace) -> list[Params]:  # noqa: ARG002
        """List the candidates that one evaluation scores: the given one."""
        return [params]

    def evaluate(self, fit: Fit) -> list[FoldResult]:
        """Call the function; what it raises becomes a failed result."""
        return [self._result(params, fit.fold) for params in fit.candidates]

    def _result(self, params: Params, fold: int) -> FoldResult:
        answer = self._answer(params, fold)
        scores: dict[str, float] = {}
        error = answer.error
        if error is None:
            try:
                scores = self._scores(answer.scores, 0 if self.takes_fold else fold)
            except BadScoreError as bad:
                error = bad
        return FoldResult(
            fold,
            scores,
            fit_time_s=answer.seconds / (1 if self.takes_fold else self.n_folds),
            failure=None if error is None else failure_of(error),
            warning=answer.warning,
        )

    def _answer(self, params: Params, fold: int) -> FunctionAnswer:
        if self.takes_fold:
            return self.call(params, fold)
        text = canonical_json(dict(params))
        if text not in self.answers:
            self.answers[text] = self.call(params)
        # After the last fold nobody asks again: a study may have very many trials.
        is_last = fold == self.n_folds - 1
        return self.answers.pop(text) if is_last else self.answers[text]

    def call(self, params: Params, *fold: int) -> FunctionAnswer:
        """Call the function.

        Args:
            params: to be scored.
            fold: its number, for a function that takes it.
        """
        began = time.perf_counter()
        returned: Any = None
        problem: BaseException | None = None
        with noting_warnings() as noted:
            try:
                # A copy, which the function may change.
                returned = self.function(self.objects.decoded(params), *fold)
            except BaseException as error:
                if is_ours(error):
                    raise
                problem = error
        seconds = time.perf_counter() - began
        scores = [returned] if not _is_listed(returned) else list(returned)
        return FunctionAnswer(scores, seconds, "".join(noted), problem)

    def _scores(self, scores: Sequence[Any], fold: int) -> dict[str, float]:
        wanted = 1 if self.takes_fold else self.n_folds
        if len(scores) != wanted:
            raise BadScoreError(
                "folds",
                f"the function gave {_counted(len(scores), 'score')} for"
                f" {_counted(wanted, 'fold')}",
            )
        score = scores[fold]
        if not isinstance(score, Mapping):
            if len(self.metrics) > 1:
                names = ", ".join(metric.name for metric in self.metrics)
                raise BadScoreError("type", f"the function gave {shown(score)} instead of {names}")
            return {self.metrics[0].name: real(self.metrics[0].name, score)}
        lacking = [metric.name for metric in self.metrics if metric.name not in score]
        if lacking:
            raise BadScoreError("type", f"the function gave no `{lacking[0]}`: {shown(score)}")
        return {metric.name: real(metric.name, score[metric.name]) for metric in self.metrics}


def _is_listed(returned: Any) -> bool:
    """Tell whether a function has returned the scores of several folds."""
    if isinstance(returned, str | bytes | Mapping | Real):
        return False
    return hasattr(returned, "__len__") and getattr(returned, "ndim", 1) == 1


def takes_fold(function: Callable[..., Any]) -> bool:
    """Tell whether a function takes the number of a fold beside the params.

    Raises:
        UsageError: it takes something else.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return False
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = [p.name for p in positional if p.default is p.empty]
    needed += [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    has_fold = len(positional) > 1 and positional[1].name == FOLD
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return False
    if not positional or len(needed) > 1 + has_fold:
        raise UsageError(
            f"a function to tune takes `params`, a dict of all parameters, and may take the number"
            f" of the fold as `{FOLD}`: `def objective(params)` or `def objective(params, {FOLD})`."
            f" This one takes ({', '.join(p.name for p in parameters)})."
        )
    return has_fold


def metrics_of(given: Any) -> tuple[Metric, ...]:
    """Read the metrics of a function: names, or dicts with ``name`` and ``direction``.

    >>> metrics_of({"name": "rmse", "direction": "minimize"})
    (Metric(name='rmse', direction='minimize'),)

    Raises:
        UsageError: something else is given.
    """
    listed = list(given) if isinstance(given, list | tuple) else [given]
    return tuple(_metric(item) for item in listed)


def _metric(item: Any) -> Metric:
    if isinstance(item, Metric):
        return item
    if isinstance(item, str):
        return Metric(item)
    if isinstance(item, Mapping) and isinstance(item.get("name"), str):
        direction = item.get("direction", "maximize")
        if set(item) <= {"name", "direction"} and direction in ("maximize", "minimize"):
            return Metric(item["name"], direction)
    raise UsageError(
        f"metric: {shown(item)} is no metric of a function. Write its name, or"
        " {'name': 'rmse', 'direction': 'minimize'}."
    )
