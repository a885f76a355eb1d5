"""Translation between the results of scikit-learn's ``_fit_and_score`` and those of a study."""

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import KW_ONLY, dataclass, field
from math import inf, isfinite, isinf, nan
from typing import Any

from tunesmith.history import Failure, FoldResult, Metric
from tunesmith.types import Facts

Output = dict[str, Any]
"""``test_scores``, ``train_scores``, ``fit_time``, ``score_time``, ``fit_error``."""
TRAIN = "train_"
"""Prefix of the names of scores on the training rows."""
Warned = tuple[tuple[type[Warning], str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveResult(FoldResult):
    """A fold's result with everything that ``cv_results_`` is made of."""

    output: Output = field(default_factory=dict)
    said: str = ""
    """Output of the fit in another process."""
    warned: Warned = ()
    """Warnings of the fit in another process."""
    unchecked: frozenset[str] = frozenset()
    """Digests of the kinds of sharing that must pass a check elsewhere before this counts."""
    trusted: frozenset[str] = frozenset()
    """Digests of the kinds that have passed a check on the way, also one that is not recorded."""


@dataclass(frozen=True)
class FoldOutputs:
    """Names scores, and translates both ways."""

    names: tuple[str, ...]
    """Names of the scorers; a single one may have any name."""
    is_several: bool
    """True if scikit-learn gets the scores by name."""
    deciding: str
    """The metric that decides a search."""
    has_train: bool
    error_score: float | str
    _: KW_ONLY
    n_deciding: int = 1
    """Number of metrics that decide, the first ones; several make a multi-objective study."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All metrics that are recorded; scikit-learn's scorers are always maximized."""
        names = dict.fromkeys((self.deciding, *self.names))
        train = [f"{TRAIN}{name}" for name in self.names if self.has_train]
        return tuple(Metric(name) for name in (*names, *train))

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """Metrics that decide."""
        return self.metrics[: self.n_deciding]

    def result(
        self,
        fold: int,
        output: Output,
        n_sharing: int = 1,
        ways: tuple[str, ...] = (),
        *,
        facts: Facts | None = None,
    ) -> LiveResult:
        """Build the study's result: finite scores; a fold without the deciding one has failed."""
        scores = self._named(output.get("test_scores"))
        train = self._named(output.get("train_scores"))
        every = scores | {f"{TRAIN}{name}": score for name, score in train.items()}
        return LiveResult(
            fold,
            {name: float(score) for name, score in every.items() if is_finite(score)},
            fit_time_s=output["fit_time"],
            score_time_s=output["score_time"],
            failure=self._failure(output, scores),
            n_sharing=n_sharing,
            ways=ways,
            facts=facts,
            output=output,
        )

    def _named(self, scores: Any) -> dict[str, Any]:
        if isinstance(scores, dict):
            # A scorer of one's own may name its metrics as it likes; the first one leads then.
            return {self.deciding: next(iter(scores.values()), None), **scores}
        return {} if scores is None else dict.fromkeys(self.names, scores)

    def _failure(self, output: Output, scores: Mapping[str, Any]) -> Failure | None:
        if output["fit_error"] is not None:
            text = str(output["fit_error"])
            # The last line of a traceback is the kind of error and its message.
            last = text.strip().rpartition("\n")[2]
            return Failure(last.partition(":")[0], last, text)
        for metric in self.objectives:
            score = scores.get(metric.name)
            if not is_finite(score):
                if text := str(output.get("score_error") or "").strip():
                    last = text.rpartition("\n")[2]
                    return Failure(last.partition(":")[0], f"the scorer raised {last}", text)
                kind = "inf" if is_infinite(score) else "nan"
                return Failure(kind, f"{metric.name} is {score}")
        return None

    def of(self, result: FoldResult) -> Output:
        """The output behind a result; made anew if the result came from a ledger or a limit."""
        if isinstance(result, LiveResult):
            return result.output
        failure = result.failure
        has_failed = failure is not None and failure.kind not in ("nan", "inf")
        error = failure and (failure.traceback or f"{failure.kind}: {failure.message}")
        missing = self.error_score if has_failed else nan
        if failure is not None and failure.kind == "inf":
            missing = inf
        kinds = {"test_scores": ""} | ({"train_scores": TRAIN} if self.has_train else {})
        return {
            "fit_error": error if has_failed else None,
            "fit_time": result.fit_time_s,
            "score_time": result.score_time_s,
            **{kind: self._scores(result.scores, name, missing) for kind, name in kinds.items()},
        }

    def left_out(self, known: Sequence[Output]) -> Output:
        """Build the output of a fold that a race left out: no scores, and the mean of the times.

        Args:
            known: outputs of the candidate's other folds, at least one.
        """
        kinds = {"test_scores": ""} | ({"train_scores": TRAIN} if self.has_train else {})
        names = ("fit_time", "score_time")
        times = {name: sum(one[name] for one in known) / len(known) for name in names}
        scores = {kind: self._scores({}, name, nan) for kind, name in kinds.items()}
        return {"fit_error": None, **times, **scores}

    def _scores(self, scores: Mapping[str, float], prefix: str, missing: Any) -> Any:
        by_name = {name: scores.get(prefix + name, missing) for name in self.names}
        return by_name if self.is_several else by_name[self.names[0]]


def is_finite(score: Any) -> bool:
    """True if a score can be compared."""
    try:
        return isfinite(score)
    except (TypeError, OverflowError):
        return False


def is_infinite(score: Any) -> bool:
    """True if a score is a number beyond all others, so that it could lead a ranking."""
    try:
        return isinf(score)
    except OverflowError:  # a whole number too large for a float
        return True
    except (TypeError, ValueError):
        return False


def without_infinite(outputs: Sequence[Output], error_score: Any) -> list[str]:
    """Replace infinite test scores by ``error_score``: such a fold has failed.

    Args:
        outputs: of all fits; changed in place. NaN stays, which scikit-learn ranks last.
        error_score: a number, or ``"raise"``.

    Returns:
        Descriptions of the infinite scores, each once.

    Raises:
        ValueError: there is an infinite score, and ``error_score`` is ``"raise"``.
    """
    problems: dict[str, None] = {}
    for output in outputs:
        scores = output.get("test_scores")
        named = scores if isinstance(scores, dict) else {"": scores}
        infinite = {name: score for name, score in named.items() if is_infinite(score)}
        for name, score in infinite.items():
            problems[f"the scorer{name and f' {name!r}'} gave {score}"] = None
        if infinite:
            mended = {**named, **dict.fromkeys(infinite, error_score)}
            output["test_scores"] = mended if isinstance(scores, dict) else mended[""]
    if problems and error_score == "raise":
        raise ValueError(f"Scoring failed: {', '.join(problems)}, which is no finite number.")
    return list(problems)


@contextmanager
def heard() -> Iterator[tuple[io.StringIO, dict[tuple[type[Warning], str], None]]]:
    """Collect the output and the warnings of a fit, each warning once."""
    said, warned = io.StringIO(), dict[tuple[type[Warning], str], None]()

    def note(message: Warning | str, category: type[Warning], *_place: Any) -> None:
        warned.setdefault((category, str(message)))

    with warnings.catch_warnings(), redirect_stdout(said):
        warnings.showwarning = note  # type: ignore[assignment]
        yield said, warned
