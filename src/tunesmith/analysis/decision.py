"""Choice of the trial to write, and the gate: should it replace the current parameters?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tunesmith.analysis.ranking import Ranked, gains_of, ranked
from tunesmith.analysis.simplicity import complexity
from tunesmith.analysis.statistics.gate import Verdict, weigh
from tunesmith.analysis.statistics.leakage import perfect_score
from tunesmith.analysis.statistics.optimism import corrected
from tunesmith.analysis.statistics.ties import ALPHA, pick, ties, within_one_se
from tunesmith.config.model import GateSection
from tunesmith.history import History, Metric, Trial
from tunesmith.ledger.recorded_study import (
    RecordedFolds,
    RecordedGate,
    RecordedStudy,
    Selection,
)
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params

DEFAULT_TEST_SHARE = {"shuffle_split": 0.1, "stratified_shuffle_split": 0.1}
"""Scikit-learn's default, used if ``test_fraction`` is not given."""


@dataclass(frozen=True)
class Policy:
    """Settings of the configuration that decide the choice."""

    selection: Selection = "best"
    has_gate: bool = False
    min_improvement: float = 0.0
    keeps: bool = False
    """True if the best-parameters file stays as it is unless the verdict is to adopt."""

    @classmethod
    def of(cls, selection: Selection, gate: GateSection | RecordedGate | None) -> "Policy":
        """Take the policy from two sections of a configuration, present or recorded."""
        if gate is None:
            return cls(selection)
        return cls(selection, True, gate.min_improvement, gate.keep)


@dataclass(frozen=True)
class Ties:
    """Trials that the folds do not distinguish from the best."""

    numbers: tuple[int, ...] = ()
    """Trial numbers in the order of their ranks; empty if nothing is known."""
    alpha: float = ALPHA
    """Probability that the truly best trial is not among them."""
    reason: str = ""
    """Reason for which nothing is known."""


@dataclass(frozen=True)
class Optimism:
    """Selection bias of the best score, which is the largest of many."""

    score: float
    """Corrected mean of the first objective."""
    bias: float
    """Uncorrected mean minus ``score``; positive."""
    low: float
    high: float
    """Ends of the 95 % interval."""


@dataclass(frozen=True, kw_only=True)
class ReferenceComparison:
    """The chosen trial against a reference on the same folds."""

    name: str
    """``current`` or ``defaults``."""
    reference: Ranked
    gain: float
    """Mean over folds of chosen minus reference, positive if the chosen one is better."""
    error: float
    """Its standard error, corrected for overlapping training sets; NaN with a single fold."""
    low: float
    high: float
    """Ends of the interval of the gain, each with probability 0.95, corrected for the choice
    among all trials."""
    verdict: Verdict

    @property
    def is_clear(self) -> bool:
        """True if the gain is more than chance and large enough."""
        return self.verdict == "adopt"


@dataclass(frozen=True)
class GateVerdict:
    """Verdict: should the chosen trial replace the current parameters?"""

    verdict: Literal["adopt", "keep", "indistinguishable", "unknown"]
    reason: str
    """A sentence."""
    min_improvement: float
    keeps: bool
    """True if the file keeps the current parameters unless the verdict is to adopt."""
    reference: int | None = None
    """Number of the trial that has the current parameters."""

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
    ties: Ties
    optimism: Optimism | None
    comparisons: tuple[ReferenceComparison, ...]
    gate: GateVerdict


class ScoreTable:
    """The ranking as an array of gains, each point once.

    Args:
        ranking: complete trials, best first; at least one.
        metric: the first objective.
        ratio: test rows per training row of a fold.
    """

    def __init__(self, ranking: Sequence[Ranked], metric: Metric, ratio: float) -> None:
        first: dict[str, Ranked] = {}
        for trial in ranking:
            # The same parameters twice would count as two comparisons, and tie with themselves.
            first.setdefault(_key(trial.params), trial)
        self.trials = list(first.values())
        self.rows = {key: row for row, key in enumerate(first)}
        self.gains = gains_of(self.trials, metric)
        self.metric, self.sign, self.ratio = metric, metric.sign, ratio
        self.tied = ties(self.gains, ratio)

    def ties(self) -> Ties:
        """Trials that the folds do not distinguish from the best."""
        if self.tied is None:
            return Ties(reason="of a single fold nothing is known")
        tied = zip(self.trials, self.tied, strict=True)
        return Ties(tuple(trial.number for trial, is_tied in tied if is_tied))

    def choices(self, times: Mapping[int, float]) -> dict[str, int]:
        """Rows by ``selection``.

        Args:
            times: mean fit time by trial number.
        """
        # Of a single fold nothing is known, so only the best is certain to be as good as the best.
        among = np.arange(len(self.trials)) == 0 if self.tied is None else self.tied
        cost = complexity([trial.params for trial in self.trials])
        ranks = np.array([trial.rank for trial in self.trials])
        clock = np.array([times.get(trial.number, np.inf) for trial in self.trials])
        return {
            "best": 0,
            "one_se": pick(within_one_se(self.gains), cost, ranks),
            "simplest": pick(among, cost, ranks),
            "fastest": pick(among, clock, ranks),
        }

    def optimism(self) -> Optimism | None:
        """Score corrected for selection bias, on the metric's own scale."""
        corrected_score = corrected(self.gains, self.ratio)
        if corrected_score is None:
            return None
        limit = perfect_score(self.metric.name)
        # No score exceeds the metric's own maximum.
        high = corrected_score.high if limit is None else min(corrected_score.high, limit)
        # The sign of a metric that is minimized turns the interval around.
        bounds = sorted((self.sign * corrected_score.low, self.sign * high))
        return Optimism(
            self.sign * corrected_score.score, corrected_score.bias, bounds[0], bounds[1]
        )

    def compared(self, name: str, chosen: int, reference: int, least: float) -> ReferenceComparison:
        """Compare one row with another."""
        # All trials are passed, not only these two: the test is corrected for the choice among
        # them.
        weighed = weigh(self.gains, chosen, reference, self.ratio, least)
        trial = self.trials[reference]
        return ReferenceComparison(
            name=name,
            reference=trial,
            gain=weighed.gain,
            error=weighed.error,
            low=weighed.low,
            high=weighed.high,
            verdict=weighed.verdict,
        )


def decide(
    ranking: Sequence[Ranked],
    metric: Metric,
    policy: Policy,
    *,
    ratio: float,
    times: Mapping[int, float],
    incumbent: Params | None = None,
) -> Decision:
    """Choose a trial and weigh it.

    Args:
        ranking: complete trials, best first; at least one.
        metric: the first objective.
        policy: of the configuration.
        ratio: test rows per training row of a fold.
        times: mean fit time by trial number.
        current parameters: the current parameters when the study began.
    """
    table = ScoreTable(ranking, metric, ratio)
    choices = table.choices(times)
    row = choices[policy.selection]
    references = _references(table, ranking, incumbent)
    compared = {
        # The chosen trial is weighed, not the best one: it is the one that will be written.
        name: table.compared(name, row, reference, policy.min_improvement)
        for name, reference in references.items()
    }
    return Decision(
        choices={name: table.trials[place].number for name, place in choices.items()},
        chosen=table.trials[row],
        ties=table.ties(),
        optimism=table.optimism(),
        comparisons=tuple(compared.values()),
        gate=_gate(compared.get("current"), incumbent, policy),
    )


def _references(
    table: ScoreTable, ranking: Sequence[Ranked], incumbent: Params | None
) -> dict[str, int]:
    """Rows of the references that were tried, by name."""
    wanted = {"current": incumbent}
    wanted["defaults"] = next((t.params for t in ranking if t.origin == "defaults"), None)
    keys = {name: _key(params) for name, params in wanted.items() if params is not None}
    rows = {name: table.rows[key] for name, key in keys.items() if key in table.rows}
    if incumbent is not None and "current" not in rows:
        # With a budget, the trial has a parameter more than the file.
        tried = next((t.params for t in ranking if t.origin == "current"), None)
        rows |= {} if tried is None else {"current": table.rows[_key(tried)]}
    # `current` may have been added last, and reports list references in one order.
    return dict(sorted(rows.items()))


def _gate(
    comparison: ReferenceComparison | None, incumbent: Params | None, policy: Policy
) -> GateVerdict:
    least, keeps = policy.min_improvement, policy.keeps
    # There is nothing to protect yet: a first proposal always passes.
    if incumbent is None:
        return GateVerdict("adopt", "there were no current parameters", least, keeps)
    # This fails closed: with `keep`, a winner that was never compared is not written.
    if comparison is None:
        return GateVerdict("unknown", "the current parameters were not evaluated", least, keeps)
    reason = REASONS[comparison.verdict]
    # Equal on every fold, so that noise is no explanation.
    if comparison.gain == comparison.error == 0:
        reason = "it is no better than the current parameters"
    return GateVerdict(comparison.verdict, reason, least, keeps, comparison.reference.number)


REASONS = {
    "adopt": "the gain over the current parameters is more than chance",
    "keep": "the gain over the current parameters is smaller than asked for",
    "indistinguishable": "the gain over the current parameters is within the noise of the folds",
}


def chosen_trial(
    history: History, recorded: RecordedStudy, metrics: Sequence[Metric]
) -> Trial | None:
    """Return the complete trial that the configuration's ``selection`` picks.

    Args:
        history: of the study.
        recorded: definition of the study.
        metrics: what was recorded.
    """
    # The usual rule needs no statistics, which cost time in a large study.
    if recorded.selection == "best" or history.best() is None:
        return history.best()
    ranking = ranked(history, metrics)
    table = ScoreTable(ranking, history.objectives[0], ratio_of(recorded.folds, ranking))
    row = table.choices(fit_times(history))[recorded.selection]
    return history[table.trials[row].number]


def fit_times(history: History) -> dict[int, float]:
    """Mean fit time by trial number."""
    return {
        trial.number: float(np.mean([fold.fit_time_s for fold in trial.folds]))
        for trial in history.complete
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
    if split.method in DEFAULT_TEST_SHARE:
        share = split.test_fraction or DEFAULT_TEST_SHARE[split.method]
        return share / (1 - share)
    if split.method == "time_series" and not split.test_fraction:
        # Training sets of a time series grow: fold k tests one part and trains on k.
        return float(np.mean(1 / np.arange(1, n_folds + 1)))
    # Repeats give more scores, but each fold still tests one k-th of the rows.
    folds = n_folds / max(split.repeats, 1)
    return 1 / max(folds - 1, 1)


def _key(params: Params) -> str:
    return canonical_json(dict(params))
