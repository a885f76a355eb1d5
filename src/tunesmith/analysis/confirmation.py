"""Confirmation: the winner and the current parameters on further splits of the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, nan

import numpy as np

from tunesmith.analysis.ranking import MOST
from tunesmith.analysis.statistics.order import order_matters
from tunesmith.analysis.statistics.row_parts import in_means
from tunesmith.analysis.statistics.sequential import Look, Verdict, look
from tunesmith.history import FoldResult, History, Metric
from tunesmith.ledger.recorded_study import (
    RecordedConfirm,
    RecordedFolds,
    RecordedObjective,
    RecordedStudy,
)
from tunesmith.types import MOST_REPEATS, allowed_fits

FIXED = {
    "time_series": "a time series cannot be split anew",
    "leave_one_group_out": "leaving out each group can be done in one way only",
    "predefined": "a column of the data fixes the folds",
    "memory": "its folds in memory cannot be made anew",
    "function": "a function in memory makes its own folds",
    "splitter": "code of the project makes the folds",
    "program": "the program has no table with one seed a fold, which could be split anew",
}
"""Reasons for which there are no further splits, by the way in which the folds are made."""
WAYS = {
    "memory": "give `cv` a number of folds or a splitter with a `random_state`, or let the folds of"
    ' the search decide (`confirm="off"`)',
    "function": 'let the folds of the search decide (`confirm="off"`)',
}
"""Ways out, by the reasons of studies in memory. There is nobody who sees a file change and could
put it back, so that nothing is adopted without further splits."""
REASONS: Mapping[Verdict, str] = {
    "adopt": "on further splits the gain over the current parameters is more than chance",
    "keep": "on further splits the gain over the current parameters is smaller than asked for",
    "equal": "on further splits it is practically equal to the current parameters",
    "indistinguishable": "this data cannot decide: on further splits the gain over the current"
    " parameters could be luck of these rows",
}
ORDER = (
    "the current parameters score better on shuffled rows than on the consecutive rows of the"
    " search's folds, so that the order of the rows matters and further splits tell nothing (name"
    " `groups` or `method: time_series`, or set `confirm: off`)"
)
MOST_WITH_PARTS = 5000
"""Trials of a study whose parts of rows are looked at."""
UNFINISHED = "the further splits are not finished; `tunesmith run` goes on with them"
FAILED = "a fit on the further splits failed"


@dataclass(frozen=True)
class Repeats:
    """Results of two trials on the same further splits.

    Args:
        chosen: results of the chosen trial, in the order of the splits.
        reference: results of the current parameters, likewise.
    """

    chosen: Sequence[FoldResult]
    reference: Sequence[FoldResult]

    def whole(self, n_folds: int) -> "Repeats":
        """Return the repeats that both have in full."""
        n = min(len(self.chosen), len(self.reference)) // n_folds * n_folds
        return Repeats(self.chosen[:n], self.reference[:n])

    @property
    def has_failed(self) -> bool:
        """True if a fold has no score."""
        return any(result.failure is not None for result in (*self.chosen, *self.reference))

    def gains(self, metric: Metric, n_folds: int) -> np.ndarray:
        """``(2, n_repeats, n_folds)`` scores of both, turned so that larger is better."""
        scores = [
            [result.scores[metric.name] for result in results]
            for results in (self.chosen, self.reference)
        ]
        gains: np.ndarray = metric.sign * np.clip(np.array(scores, dtype=float), -MOST, MOST)
        return gains.reshape(2, -1, n_folds)

    def parts(self, metric: Metric, n_folds: int) -> np.ndarray | None:
        """``(n_repeats, n_blocks)`` parts of the rows in the gains of the repeats.

        Returns:
            ``None`` if those of a fold are not known.
        """
        sides = [
            in_means(
                [
                    [result.parts for result in results[first : first + n_folds]]
                    for first in range(0, len(results), n_folds)
                ]
            )
            for results in (self.chosen, self.reference)
        ]
        if not sides[0].size or sides[0].shape != sides[1].shape:
            return None
        parts: np.ndarray = metric.sign * (sides[0] - sides[1])
        # An evaluation by an earlier version may have no parts; then no repeat counts by them.
        return None if np.isnan(parts).any() else parts


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """Outcome of the further evaluations."""

    verdict: Verdict
    reason: str
    """A clause for the report."""
    gain: float
    """Mean over all further folds of chosen minus current, positive if the chosen one is better."""
    error: float
    """Its standard error; that of the rows, which further splits do not lessen, is part of it."""
    low: float
    high: float
    """Limits of the gain, each missed with a probability of about 2 %."""
    n_repeats: int
    n_most: int
    """Repeats that the limit of fits allows."""
    n_scores: int
    """Further evaluations."""


@dataclass(frozen=True, kw_only=True)
class FurtherLimits:
    """FurtherLimits of the further evaluations of a study, and those that were made.

    Args:
        n_most: repeats at most.
        n_folds: folds of a repeat.
        within: differences that are practically nothing; ``None`` for the gain that is asked for.
        blocker: reason why there are none; empty if there may be some.
        in_order: true if the folds of the search hold consecutive rows.
        further: results on further splits by trial number.
        refusal: reason for which nothing is adopted without further splits; empty if the folds of
            the search may decide instead.
        has_parts: true if the parts of the rows are looked at.
    """

    n_most: int
    n_folds: int
    within: float | None = None
    blocker: str = ""
    in_order: bool = False
    further: Mapping[int, Sequence[FoldResult]] = field(default_factory=dict)
    refusal: str = ""
    has_parts: bool = True

    @classmethod
    def of(
        cls,
        confirm: RecordedConfirm | None,
        recorded: RecordedStudy,
        history: History,
        further: Mapping[int, Sequence[FoldResult]],
    ) -> "FurtherLimits | None":
        """Read the limits; ``None`` if no further evaluations were asked for."""
        if confirm is None:
            return None
        n_folds = folds_of_a_repeat(recorded.folds, history.whole_folds)
        n_fits = allowed_fits(confirm.fits, history.n_evaluations, n_folds)
        cannot = no_further(recorded)
        return cls(
            n_most=min(most_repeats(n_fits, n_folds), recorded.n_further),
            n_folds=n_folds,
            within=confirm.within,
            blocker=cannot or too_few(n_fits, n_folds),
            refusal=_in_memory(cannot) if cannot else refusal(n_fits, n_folds),
            in_order=_is_in_order(recorded),
            # An earlier version took the folds of the search for further ones.
            further={} if cannot else further,
            # Of many more, reports read columns of scores alone, and so would decide otherwise.
            has_parts=history.n_completed <= MOST_WITH_PARTS,
        )


def _in_memory(cannot: str) -> str:
    """Return the reason for which a study in memory adopts nothing; empty for any other study.

    >>> _in_memory(FIXED["function"]).partition(";")[0] == FIXED["function"]
    True
    """
    ways = {FIXED[kind]: way for kind, way in WAYS.items()}
    return f"{cannot}; {ways[cannot]}" if cannot in ways else ""


def _is_in_order(recorded: RecordedStudy) -> bool:
    """Tell whether the folds of a study hold rows in the order of the file."""
    cv = {} if recorded.objective is None else recorded.objective.content.get("cv")
    made = cv if isinstance(cv, Mapping) else {}
    is_split = recorded.folds.method in ("auto", "kfold", "stratified")
    return is_split and recorded.folds.repeats == 1 and made.get("shuffle") is not True


def most_repeats(n_fits: int, n_folds: int) -> int:
    """Return the number of repeats of two trials that a number of fits allows.

    >>> most_repeats(45, 5), most_repeats(9, 5)
    (4, 0)
    """
    return min(n_fits // (2 * n_folds), MOST_REPEATS) if n_folds > 1 else 0


def too_few(n_fits: int, n_folds: int) -> str:
    """Return the reason why not one repeat can be made; empty if one can."""
    if n_folds < 2:
        return "a single fold has no spread"
    if most_repeats(n_fits, n_folds):
        return ""
    return f"one repeat takes {2 * n_folds} fits, and `confirm` allows {n_fits}"


def refusal(n_fits: int, n_folds: int) -> str:
    """Return the reason for which a gate adopts nothing, since its limit allows no repeat.

    Only a limit that somebody chose is that low: a wish that cannot be met.

    Args:
        n_fits: further fits that are allowed.
        n_folds: folds of a repeat.
    """
    few = too_few(n_fits, n_folds) if n_folds > 1 else ""
    return few and f"{few}: allow more, or let the folds of the search decide (`confirm: off`)"


def folds_of_a_repeat(split: RecordedFolds, n_folds: int) -> int:
    """Return the number of folds of a single split of all rows.

    >>> folds_of_a_repeat(RecordedFolds("kfold", repeats=2), 10)
    5
    """
    return n_folds // max(split.repeats, 1)


def no_further(recorded: RecordedStudy) -> str:
    """Return the reason why a study cannot be decided on further splits; empty if it can."""
    if recorded.preference.rule != "lexicographic" or recorded.preference.weights:
        return "they compare the first metric, and a trade-off decides here"
    content = {} if recorded.objective is None else recorded.objective.content
    cv = content.get("cv")
    made = cv if isinstance(cv, Mapping) else {}
    method = recorded.folds.method
    if recorded.is_program and (content.get("data") is None or (content.get("seeds") or 1) != 1):
        return FIXED["program"]
    if made.get("splitter"):
        return FIXED["splitter"]
    if recorded.is_in_memory and method == "predefined":
        # Of folds that can be made anew, the ledger has the method.
        return FIXED["memory"]
    if recorded.is_in_memory and _is_function(recorded.objective):
        return FIXED["function"]
    is_fixed = method == "auto" and made.get("column")
    # The configuration alone does not tell how many groups there are.
    return FIXED.get("predefined" if is_fixed else method, "") or recorded.no_further


def _is_function(objective: RecordedObjective | None) -> bool:
    return objective is not None and not (objective.estimator or objective.may_be_pipeline)


@dataclass(frozen=True, kw_only=True)
class Contest:
    """The chosen trial against the current parameters.

    Args:
        chosen: number of the trial.
        reference: number of the trial with the current parameters.
        gains: ``(2, n_folds)`` of the two in the search, larger is better.
        metric: the first objective.
        ratio: test rows per training row of a fold.
        limits: of the further evaluations.
        least: gains below that are not worth a change.
        reliable: share of the differences between all trials that is not noise; ``None`` if too few
            trials tell it.
        by_rows: the same by the parts of the rows.
        tells_by_rows: true if the parts of the rows in the search tell enough; then those of
            further repeats are used, if these have any.
    """

    chosen: int
    reference: int
    gains: np.ndarray
    metric: Metric
    ratio: float
    limits: FurtherLimits
    least: float
    reliable: float | None = None
    by_rows: float | None = None
    tells_by_rows: bool = False

    def is_decided(self, chosen: Sequence[FoldResult], reference: Sequence[FoldResult]) -> bool:
        """Tell from the results of both so far whether no further repeat is needed."""
        found = self._decisive(Repeats(chosen, reference))
        return found is not None and found.is_over

    def confirmed(self) -> Confirmed | None:
        """Return the outcome; ``None`` if not one repeat was made."""
        further = self.limits.further
        sides = [further.get(number, ()) for number in (self.chosen, self.reference)]
        found = self._decisive(Repeats(*sides).whole(self.limits.n_folds))
        return None if found is None else self._outcome(found)

    def _outcome(self, found: "Decisive") -> Confirmed:
        seen = found.look or Look(None, nan, nan, -inf, inf)
        return Confirmed(
            verdict=found.verdict,
            reason=found.reason,
            gain=seen.gain,
            error=seen.error,
            low=seen.low,
            high=seen.high,
            n_repeats=found.n_repeats,
            n_most=self.limits.n_most,
            n_scores=2 * found.n_repeats * self.limits.n_folds,
        )

    def _decisive(self, repeats: Repeats) -> "Decisive | None":
        """State after the repeat that decides, or else after the last one; ``None`` without any."""
        n_all = len(repeats.chosen) // self.limits.n_folds
        if repeats.has_failed:
            return Decisive(n_all, None, FAILED)
        # Later repeats may be known from a run that was allowed more of them; what counts is what
        # a run would have done that makes them one by one.
        gains = repeats.gains(self.metric, self.limits.n_folds)
        parts = None
        if self.tells_by_rows:
            parts = repeats.parts(self.metric, self.limits.n_folds)
        found = None
        for n in range(1, n_all + 1):
            found = self._after(gains[:, :n], None if parts is None else parts[:n])
            if found.is_over:
                break
        return found

    def _after(self, gains: np.ndarray, parts: np.ndarray | None) -> "Decisive":
        n = gains.shape[1]
        if self.limits.in_order and order_matters(self.gains[1], gains[1]):
            return Decisive(n, None, ORDER)
        return Decisive(n, self._look(gains[0] - gains[1], parts))

    def _look(self, fresh: np.ndarray, parts: np.ndarray | None) -> Look:
        return look(
            (self.gains[0] - self.gains[1]).reshape(-1, self.limits.n_folds),
            fresh,
            n_most=self.limits.n_most,
            ratio=self.ratio,
            least=self.least,
            within=self.least if self.limits.within is None else self.limits.within,
            reliable=self.reliable if parts is None else self.by_rows,
            parts=parts,
        )


@dataclass(frozen=True)
class Decisive:
    """State of a contest after some repeats."""

    n_repeats: int
    look: Look | None
    obstacle: str = ""
    """Reason for which the repeats tell nothing; empty if there is a look."""

    @property
    def is_over(self) -> bool:
        """True if no further repeat is needed."""
        return self.look is None or self.look.verdict is not None

    @property
    def verdict(self) -> Verdict:
        """The verdict; *indistinguishable* unless the repeats say more."""
        return (self.look and self.look.verdict) or "indistinguishable"

    @property
    def reason(self) -> str:
        """A clause for the report."""
        if self.look is None or self.look.verdict is None:
            return self.obstacle or UNFINISHED
        return REASONS[self.look.verdict]
