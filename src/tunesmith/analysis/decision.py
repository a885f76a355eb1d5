"""Choice of the trial to write, and the gate: should it replace the current parameters?"""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Literal

import numpy as np

from tunesmith.analysis.choice.policy import Policy
from tunesmith.analysis.confirmation import Confirmed, Contest, FurtherLimits
from tunesmith.analysis.ranking import Ranked, first_from, gains_of, ranked
from tunesmith.analysis.score_table import (
    Optimism,
    ReferenceComparison,
    ScoreTable,
    Ties,
    key_of,
)
from tunesmith.analysis.statistics.reliability import (
    reliability,
    reliability_by_rows,
    tells_by_rows,
)
from tunesmith.analysis.statistics.row_parts import in_means
from tunesmith.history import History, Metric, Trial, mean_of
from tunesmith.ledger.recorded_study import RecordedFolds, RecordedStudy
from tunesmith.types import Params

DEFAULT_TEST_SHARE = {"shuffle_split": 0.1, "stratified_shuffle_split": 0.1}
"""Scikit-learn's default, used if ``test_fraction`` is not given."""


@dataclass(frozen=True)
class GateVerdict:
    """Verdict: should the chosen trial replace the current parameters?"""

    verdict: Literal["adopt", "keep", "equal", "indistinguishable", "unknown"]
    reason: str
    """A sentence."""
    min_improvement: float
    keeps: bool
    """True if the file keeps the current parameters unless the verdict is to adopt."""
    reference: int | None = None
    """Number of the trial that has the current parameters."""
    _: KW_ONLY
    confirmed: Confirmed | None = None
    """Outcome on further splits, which decides; ``None`` if none were used."""

    @property
    def is_open(self) -> bool:
        """True if the proposal passes."""
        return self.verdict == "adopt"

    @property
    def holds_back(self) -> bool:
        """True if the proposal is not written."""
        return self.keeps and not self.is_open


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The choice of a trial, with all evidence from the fold scores."""

    choices: Mapping[str, int]
    """Trial numbers by ``selection``."""
    chosen: Ranked
    margin: float
    """Largest loss that `simplest` and `fastest` accept, in the metric's own unit."""
    ties: Ties
    optimism: Optimism | None
    comparisons: tuple[ReferenceComparison, ...]
    gate: GateVerdict


def decide(
    ranking: Sequence[Ranked],
    metrics: Sequence[Metric],
    policy: Policy,
    *,
    ratio: float,
    times: Mapping[int, float],
    current: Params | None = None,
    violating: Sequence[Ranked] = (),
    limits: FurtherLimits | None = None,
) -> Decision:
    """Choose a trial and weigh it.

    Args:
        ranking: complete trials, best first; at least one.
        metrics: that decide, the most important one first.
        policy: of the configuration.
        ratio: test rows per training row of a fold.
        times: mean fit time by trial number.
        current: the current parameters when the study began, if there were any.
        violating: complete trials that cannot win, because they violate a constraint on outcomes.
        limits: of evaluations on further splits, and those that were made.
    """
    table = ScoreTable(ranking, metrics, ratio, policy.preference)
    references = _references(table, ranking, current)
    margin = table.margin(policy.within, references)
    choices = table.choices(times, margin)
    choice = choices[policy.selection]
    compared = {
        # The chosen trial is weighed, not the best one: it is the one that will be written.
        name: table.compared(name, choice.row, reference, policy.min_improvement)
        for name, reference in references.items()
    }
    verdict = _gate(compared.get("current"), current, policy, violating)
    against = contest(table, choice.row, references.get("current"), policy, limits)
    return Decision(
        choices={name: table.trials[made.row].number for name, made in choices.items()},
        chosen=table.trials[choice.row],
        margin=margin,
        ties=table.ties(),
        optimism=table.optimism(choice),
        comparisons=tuple(compared.values()),
        gate=_on_further_splits(verdict, against, policy, limits),
    )


def contest(
    table: ScoreTable, row: int, reference: int | None, policy: Policy, limits: FurtherLimits | None
) -> Contest | None:
    """Set the chosen trial against the current parameters.

    Returns:
        ``None`` if there is nothing to decide, or if it cannot be decided on further splits.
    """
    if limits is None or limits.blocker or reference is None or reference == row:
        return None
    gains = gains_of(table.trials, table.metric)
    reliable = reliability(gains, row, reference, ratio=table.ratio, n_folds=limits.n_folds)
    by_rows, tells = None, False
    if limits.has_parts:
        parts = table.metric.sign * in_means([trial.parts for trial in table.trials])
        by_rows = reliability_by_rows(gains.mean(axis=1), parts, row, reference)
        tells = tells_by_rows(parts, row, reference)
    return Contest(
        chosen=table.trials[row].number,
        reference=table.trials[reference].number,
        gains=gains[[row, reference]],
        metric=table.metric,
        ratio=table.ratio,
        limits=limits,
        least=policy.min_improvement,
        reliable=reliable,
        by_rows=by_rows,
        tells_by_rows=tells,
    )


def _references(
    table: ScoreTable, ranking: Sequence[Ranked], current: Params | None
) -> dict[str, int]:
    """Rows of the references that were tried, by name."""
    wanted = {"current": current}
    wanted["defaults"] = first_from(ranking, "defaults")
    keys = {name: key_of(params) for name, params in wanted.items() if params is not None}
    rows = {name: table.rows[key] for name, key in keys.items() if key in table.rows}
    if current is not None and "current" not in rows:
        # With a budget, the trial has a parameter more than the file.
        tried = first_from(ranking, "current")
        rows |= {} if tried is None else {"current": table.rows[key_of(tried)]}
    # `current` may have been added last, and reports list references in one order.
    return dict(sorted(rows.items()))


def _gate(
    comparison: ReferenceComparison | None,
    current: Params | None,
    policy: Policy,
    violating: Sequence[Ranked],
) -> GateVerdict:
    least, keeps = policy.min_improvement, policy.keeps
    # There is nothing to protect yet: a first proposal always passes.
    if current is None:
        return GateVerdict("adopt", "there were no current parameters", least, keeps)
    if comparison is None and (refused := _tried(current, violating)) is not None:
        reason = "the current parameters violate a constraint, and the proposal meets all of them"
        return GateVerdict("adopt", reason, least, keeps, refused.number)
    # This fails closed: with `keep`, a winner that was never compared is not written.
    if comparison is None:
        return GateVerdict("unknown", "the current parameters were not evaluated", least, keeps)
    reason = REASONS[comparison.verdict]
    # Equal on every fold, so that noise is no explanation.
    if comparison.gain == comparison.error == 0:
        reason = SAME
    return GateVerdict(comparison.verdict, reason, least, keeps, comparison.reference.number)


def _on_further_splits(
    verdict: GateVerdict,
    against: Contest | None,
    policy: Policy,
    limits: FurtherLimits | None,
) -> GateVerdict:
    """Replace the verdict of the search's folds, or say why there is no other one."""
    confirmed = None if against is None else against.confirmed()
    if confirmed is not None:
        return replace(
            verdict, verdict=confirmed.verdict, reason=confirmed.reason, confirmed=confirmed
        )
    if not policy.has_gate or limits is None or verdict.reason not in REASONS.values():
        return verdict
    if limits.refusal and verdict.is_open:
        # It fails closed: the gate was told to ask further splits, and cannot.
        reason = f"nothing is adopted without further splits: {limits.refusal}"
        return replace(verdict, verdict="indistinguishable", reason=reason)
    why = limits.blocker or "`tunesmith run` has not made them yet"
    reason = f"{verdict.reason} (of the search alone, without further splits: {why})"
    return replace(verdict, reason=reason)


def _tried(current: Params, trials: Sequence[Ranked]) -> Ranked | None:
    """Trial of the current parameters among some, be it with a budget that the file lacks."""
    by_params = (trial for trial in trials if key_of(trial.params) == key_of(current))
    return next(by_params, next((t for t in trials if t.origin == "current"), None))


SAME = "it is no better than the current parameters"
REASONS = {
    "adopt": "the gain over the current parameters is more than chance",
    "keep": "the gain over the current parameters is smaller than asked for",
    "indistinguishable": "the gain over the current parameters is within the noise of the folds",
}


def open_contest(
    history: History, recorded: RecordedStudy, metrics: Sequence[Metric], current: Params | None
) -> Contest | None:
    """Set the trial that ``selection`` picks against the current parameters.

    Args:
        history: of the study.
        recorded: definition of the study.
        metrics: what was recorded.
        current: the current parameters when the study began, if there were any.

    Returns:
        ``None`` if the study has no gate, or if there is nothing to decide on further splits.
    """
    policy = Policy.of(recorded)
    if not policy.has_gate or current is None or history.best() is None:
        return None
    ranking = ranked(history, metrics)
    ratio = ratio_of(recorded.folds, ranking)
    table = ScoreTable(ranking, history.objectives, ratio, policy.preference)
    limits = FurtherLimits.of(policy.confirm, recorded, history, {})
    references = _references(table, ranking, current)
    choices = table.choices(fit_times(history), table.margin(policy.within, references))
    row = choices[policy.selection].row
    return contest(table, row, references.get("current"), policy, limits)


def best_by_statistics(
    history: History, recorded: RecordedStudy, metrics: Sequence[Metric]
) -> Trial | None:
    """Return the trial that a rule picks that is not the usual one; as ``chosen.chosen_trial``."""
    if history.best() is None:
        return None
    policy, ranking = Policy.of(recorded), ranked(history, metrics)
    ratio = ratio_of(recorded.folds, ranking)
    table = ScoreTable(ranking, history.objectives, ratio, policy.preference)
    references = _references(table, ranking, current_of(history, recorded))
    choices = table.choices(fit_times(history), table.margin(policy.within, references))
    return history[table.trials[choices[policy.selection].row].number]


def current_of(history: History, recorded: RecordedStudy) -> Params | None:
    """Return the current parameters when a study began, if there were any."""
    if recorded.has_current:
        return recorded.current
    # A ledger of an earlier version has them among the starting points alone.
    starts = (trial.params for trial in history.completed if trial.origin == "current")
    return next(starts, None)


def fit_times(history: History) -> dict[int, float]:
    """Mean fit time by trial number."""
    return {
        trial.number: mean_of([fold.fit_time_s for fold in trial.folds])
        for trial in history.successful
    }


def ratio_of(split: RecordedFolds, ranking: Sequence[Ranked]) -> float:
    """Test rows per training row of a study's folds.

    Args:
        split: of the study.
        ranking: at least one complete trial.
    """
    return fold_ratio(split, len(next(iter(ranking[0].scores.values()))))


def fold_ratio(split: RecordedFolds, n_folds: int) -> float:
    """Test rows per training row, as the split method makes them; k-fold if that is not known.

    >>> fold_ratio(RecordedFolds("kfold", repeats=2), 10)
    0.25
    >>> fold_ratio(RecordedFolds("shuffle_split", test_fraction=0.2), 10)
    0.25

    Args:
        split: of the rows into folds.
        n_folds: fold scores of a trial.
    """
    # Folds of a splitter in memory are recorded as predefined, with the share that they have.
    if split.method == "predefined" and split.test_fraction:
        return split.test_fraction / (1 - split.test_fraction)
    if split.method in DEFAULT_TEST_SHARE:
        share = split.test_fraction or DEFAULT_TEST_SHARE[split.method]
        return share / (1 - share)
    if split.method == "time_series" and not split.test_fraction:
        # Training sets of a time series grow: fold k tests one part and trains on k.
        return float(np.mean(1 / np.arange(1, n_folds + 1)))
    # Repeats give more scores, but each fold still tests one k-th of the rows.
    folds = n_folds / max(split.repeats, 1)
    return 1 / max(folds - 1, 1)
