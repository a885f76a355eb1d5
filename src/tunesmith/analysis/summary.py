"""Summary of a study as plain data: renderers draw it and compute nothing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tunesmith.analysis.choice.policy import Policy
from tunesmith.analysis.choice.preference import Preference
from tunesmith.analysis.confirmation import UNFINISHED, Confirmed, FurtherLimits
from tunesmith.analysis.current.not_compared import NotCompared, not_compared
from tunesmith.analysis.decision import Decision, GateVerdict, current_of, decide, ratio_of
from tunesmith.analysis.effects import Marginal, marginals
from tunesmith.analysis.failure_groups import FailureGroup, Said, failures, grouped, said, warnings
from tunesmith.analysis.importance import Importance, importance
from tunesmith.analysis.importance.declared import declared_space
from tunesmith.analysis.large.material import TrialData, material_of
from tunesmith.analysis.large.sample import N_SAMPLE, Sample
from tunesmith.analysis.near_equal import near_equal
from tunesmith.analysis.nested import Nested
from tunesmith.analysis.nested import nested as estimate
from tunesmith.analysis.outcomes import Outcomes, outcomes
from tunesmith.analysis.races import RaceResult
from tunesmith.analysis.ranking import Ranked, find_ranked, gains_of, running_best
from tunesmith.analysis.score_table import Optimism, ReferenceComparison, Ties
from tunesmith.analysis.statistics.noise import Noise, decompose
from tunesmith.analysis.statistics.predicted import Predicted
from tunesmith.analysis.trends import Edge, Level, edges, trends
from tunesmith.analysis.unchanged import Unchanged
from tunesmith.analysis.warnings import ScoreWarnings, score_warnings
from tunesmith.history import Metric
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.records import StudyRecord
from tunesmith.study.race import with_estimates
from tunesmith.types import Params, StopKind

if TYPE_CHECKING:
    from tunesmith.search.further_gain import Outlook

NOT_ASKED = "not asked for"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Everything that a report says."""

    study: str
    definition: Mapping[str, Any]
    """Of the last run, as it is stored; ``recorded`` reads it."""
    metrics: tuple[Metric, ...]
    objectives: tuple[Metric, ...]
    ranking: Sequence[Ranked]
    """Complete trials that can win, best first; equals in trial order."""
    n_pending: int
    """Trials under way; 0 if the search has ended."""
    failures: tuple[FailureGroup, ...]
    said: tuple[Said, ...]
    """The last output of failed runs, or the traceback of failed fits."""
    warnings: tuple[FailureGroup, ...]
    """Warnings of the code of fits."""
    front: tuple[Ranked, ...]
    """The Pareto front if there are several objectives, else empty."""
    selection: str
    """Rule that picks the trial to write: ``best``, ``one_se``, ``simplest`` or ``fastest``."""
    preference: Preference
    """Trade-off between several metrics."""
    choices: Mapping[str, int]
    """The trial's number for each of these."""
    margin: float
    """Largest loss that `simplest` and `fastest` accept, in the metric's own unit."""
    ties: Ties
    optimism: Optimism | None
    comparisons: tuple[ReferenceComparison, ...]
    gate: GateVerdict | None
    """Verdict on the chosen trial; ``None`` if there is none."""
    current_parameters: Params | None
    """The current parameters when the study began."""
    not_compared: NotCompared | None
    """Reason for which these have no score; ``None`` if they have one, or if there were none."""
    is_kept: bool
    """True if these had been edited by hand, so that runs leave them unchanged; as it was when the
    search began, since a report is a function of the ledger."""
    noise: Noise | None
    doubts: ScoreWarnings
    unchanged: Unchanged
    """Parameters that changed no score."""
    outcomes: Outcomes
    """Constraints on outcomes, and the complete trials that violate one: these are not ranked."""
    best_so_far: tuple[float, ...]
    """Best score so far by trial; NaN before the first complete one."""
    scores: tuple[float, ...]
    """Mean of the first objective by trial; NaN if it failed."""
    outlook: "Outlook | None"
    """Forecast for further trials; ``None`` with few trials, or if effects are not asked for."""
    importance: Importance
    trends: Mapping[str, tuple[Level, ...]]
    marginals: Mapping[str, Marginal]
    edges: tuple[Edge, ...]
    holdout: Mapping[str, float] | None
    """The winner's scores on rows that the search never saw, if such rows were held out."""
    nested: Nested | None
    """Result of nested cross-validation, if ``outer_folds`` asked for it and all folds are done."""
    race: RaceResult | None
    """Result of the race over the folds, if it stopped a trial."""
    n_trials: int
    n_folds: int
    n_points: int
    """Candidates scored for the trials; more than trials if fits score extra candidates."""
    n_spared: int
    """Fits that sharing saved: scores of the trials that needed none of their own."""
    stopped_by: str
    provenance: Mapping[str, Any]
    """Provenance of the last run that evaluated something."""
    notes: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Notes on trials, by trial number."""
    predicted: Predicted | None = None
    """The winner's predictions row by row, if the run has written them."""
    sample: Sample | None = None
    """Trials of a large history that models and pictures are made from; all if it is ``None``."""

    @cached_property
    def recorded(self) -> RecordedStudy:
        """The definition, read."""
        return RecordedStudy.of(self.definition)

    @cached_property
    def near_equal(self) -> Mapping[int, tuple[int, ...]]:
        """Groups of trials that are nearly the same point: the best's number -> the others'.

        Of a large history, among the best trials.
        """
        best = self.ranking if self.sample is None else self.ranking[:N_SAMPLE]
        return near_equal(best, self.recorded.space)

    @property
    def confirmed(self) -> Confirmed | None:
        """Outcome of the chosen trial on further splits, if these decide."""
        return None if self.gate is None else self.gate.confirmed

    @property
    def best(self) -> Ranked | None:
        """The first of the ranking."""
        return self.ranking[0] if self.ranking else None

    @property
    def chosen(self) -> Ranked | None:
        """The trial that ``selection`` picks: the winner."""
        return find_ranked(self.ranking, self.choices.get(self.selection))

    @property
    def is_refused(self) -> bool:
        """True if there are current parameters, and the gate keeps them."""
        has_current = self.current_parameters is not None
        return has_current and self.gate is not None and self.gate.holds_back

    @property
    def is_current(self) -> bool:
        """True if the chosen trial has the current parameters."""
        return any(
            one.name == "current" and one.reference == self.chosen for one in self.comparisons
        )

    @property
    def is_program(self) -> bool:
        """True if a program is scored."""
        return self.recorded.is_program

    @property
    def metric(self) -> Metric:
        """The first objective, which ranks."""
        return self.objectives[0]


def summarise(
    record: StudyRecord,
    policy: Policy | None = None,
    *,
    nested: Sequence[StudyRecord] = (),
    with_effects: bool = True,
) -> Summary:
    """Compute the summary, from the record alone.

    Args:
        record: of the study.
        policy: rules of the choice; by default those in the configuration of the last run.
        nested: the searches of its nested cross-validation.
        with_effects: also compute importance and marginals, which take a second.
    """
    recorded = record.recorded
    policy = policy or Policy.of(recorded)
    computed = _Computation(record, policy, with_effects).summary(nested)
    return replace(computed, notes=record.notes)


@dataclass(frozen=True)
class _Computation:
    """Steps of a summary, each computed once and used by several of its fields."""

    record: StudyRecord
    policy: Policy
    with_effects: bool

    @cached_property
    def metric(self) -> Metric:
        """The first objective."""
        return self.record.objectives[0]

    @cached_property
    def material(self) -> TrialData:
        """The trials."""
        return material_of(self.record)

    @property
    def ranking(self) -> Sequence[Ranked]:
        """Complete trials, best first."""
        return self.material.ranking

    @cached_property
    def gains(self) -> np.ndarray:
        """Fold scores of the ranking, larger is better."""
        return gains_of(self.ranking, self.metric)

    @cached_property
    def decision(self) -> Decision | None:
        """Choice of a trial; ``None`` if none is complete."""
        if not self.ranking:
            return None
        return decide(
            self.ranking,
            self.record.objectives,
            self.policy,
            ratio=ratio_of(self.record.recorded.folds, self.ranking),
            times=self.material.times,
            current=current_parameters(self.record),
            violating=outcomes(self.record.history, self.record.metrics, None).trials,
            limits=self._limits,
        )

    @property
    def _limits(self) -> FurtherLimits | None:
        """Limits of the further evaluations; an interrupted run adopts nothing before them."""
        record = self.record
        limits = FurtherLimits.of(
            self.policy.confirm, record.recorded, record.history, record.further
        )
        # `tunesmith run` goes on with the repeats, and decides then.
        stop = record.stopped_by
        if (
            limits is None
            or limits.blocker
            or stop is None
            or stop.kind is not StopKind.INTERRUPTED
        ):
            return limits
        return replace(limits, refusal=UNFINISHED)

    @property
    def _of_current(self) -> dict[str, Any]:
        """Fields on the current parameters, by name."""
        current, decision = current_parameters(self.record), self.decision
        why = None
        if current is not None and decision is not None:
            is_compared = any(one.name == "current" for one in decision.comparisons)
            why = None if is_compared else not_compared(self.record, current)
        return {
            "current_parameters": current,
            "not_compared": why,
            "is_kept": self.record.head.recorded.is_edited,
        }

    @cached_property
    def outcomes(self) -> Outcomes:
        """Result of the constraints on outcomes."""
        number = None if self.chosen is None else self.chosen.number
        return outcomes(self.record.history, self.record.metrics, number)

    @cached_property
    def chosen(self) -> Ranked | None:
        """The trial to write."""
        return None if self.decision is None else self.decision.chosen

    @cached_property
    def importance(self) -> Importance:
        """Shares of the parameters, if effects are asked for."""
        if not self.with_effects:
            return Importance(reason=NOT_ASKED)
        return importance(self.material.effects, self.record.recorded.space, self.metric)

    @cached_property
    def marginals(self) -> Mapping[str, Marginal]:
        """Expected scores by value of each parameter, if effects are asked for."""
        if not self.with_effects:
            return {}
        trials, space = self.material.ranked_effects, self.record.recorded.space
        return marginals(trials, space, self.metric, self.importance)

    @cached_property
    def outlook(self) -> "Outlook | None":
        """Forecast for further trials, if effects are asked for and the space is recorded."""
        # Late, because SciPy is behind it, which a run needs at its end only.
        from tunesmith.search.further_gain import outlook

        if not self.with_effects or not self.ranking:
            return None
        recorded, sample = self.record.recorded.space, self.material.sample
        history = self.record.history if sample is None else sample.latest
        space, is_declared = declared_space(recorded, history.completed)
        tried = None if sample is None else sample.n_tried
        found = outlook(space, with_estimates(history), tried=tried) if is_declared else None
        # As in the report's other comparisons: from complete trials, and for folds that share rows.
        return found and replace(found, noise=self._error_of_difference)

    @property
    def _error_of_difference(self) -> float | None:
        """Typical standard error of the difference of two trials; ``None`` with one fold."""
        if self.noise is None:
            return None
        ratio = ratio_of(self.record.recorded.folds, self.ranking)
        return self.noise.residual * math.sqrt(2 * (1 / self.gains.shape[1] + ratio))

    @property
    def doubts(self) -> ScoreWarnings:
        """Signs that the scores may mislead."""
        leaks = self.record.head.recorded.leaks
        return score_warnings(self.ranking, self.gains, self.metric, leaks)

    @cached_property
    def noise(self) -> Noise | None:
        """Sources of the spread of fold scores."""
        return decompose(self.gains)

    def summary(self, nested: Sequence[StudyRecord]) -> Summary:
        """Put the steps together."""
        record, decision, material = self.record, self.decision, self.material
        return Summary(
            study=record.head.name,
            definition=record.definition,
            metrics=record.metrics,
            objectives=record.objectives,
            ranking=self.ranking,
            n_pending=len(record.history.pending),
            failures=grouped(failures(material.told)),
            said=said(material.told),
            warnings=grouped(warnings(material.told)),
            front=tuple(material.front),
            selection=self.policy.selection,
            preference=self.policy.preference,
            choices=decision.choices if decision else {},
            margin=decision.margin if decision else 0.0,
            ties=decision.ties if decision else Ties(reason="there is no complete trial"),
            optimism=decision.optimism if decision else None,
            comparisons=decision.comparisons if decision else (),
            gate=decision.gate if decision else None,
            **self._of_current,
            noise=self.noise,
            doubts=self.doubts,
            unchanged=material.unchanged,
            outcomes=self.outcomes,
            best_so_far=tuple(running_best(material.winning, self.metric)),
            scores=tuple(material.scores),
            outlook=self.outlook,
            importance=self.importance,
            trends=trends(material.ranked_effects, self.metric),
            marginals=self.marginals,
            edges=edges(self.chosen, record.recorded.space),
            holdout=_holdout(record, self.chosen),
            nested=estimate(nested, record.recorded.outer_folds, record.metrics),
            race=material.race,
            n_trials=material.n_trials,
            n_folds=material.n_folds,
            n_points=material.n_points,
            n_spared=material.n_spared,
            stopped_by=record.stopped_by.text if record.stopped_by else "",
            provenance=record.origin.provenance if record.origin else {},
            sample=material.sample,
        )


def current_parameters(record: StudyRecord) -> Params | None:
    """Return the current parameters when the study began, if there were any."""
    return current_of(record.history, record.head.recorded)


def _holdout(record: StudyRecord, chosen: Ranked | None) -> Mapping[str, float] | None:
    result = None if chosen is None else record.holdout.get(chosen.number)
    return None if result is None else result.scores
