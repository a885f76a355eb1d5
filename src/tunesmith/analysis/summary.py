"""Summary of a study as plain data: renderers draw it and compute nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tunesmith.analysis.decision import (
    Decision,
    GateVerdict,
    Optimism,
    Policy,
    ReferenceComparison,
    Ties,
    decide,
    fit_times,
    ratio_of,
)
from tunesmith.analysis.effects import NONE, Influence, Interaction, Marginal, influence
from tunesmith.analysis.failure_groups import FailureGroup, Said, failures, grouped, said, warnings
from tunesmith.analysis.importance import Importance, importance
from tunesmith.analysis.nested import Nested
from tunesmith.analysis.nested import nested as estimate
from tunesmith.analysis.ranking import Ranked, gains_of, ranked, running_best
from tunesmith.analysis.statistics.noise import Noise, decompose
from tunesmith.analysis.trends import Edge, Level, edges, trends
from tunesmith.analysis.unchanged import Unchanged, unchanged
from tunesmith.analysis.warnings import ScoreWarnings, score_warnings
from tunesmith.history import History, Metric, Trial
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.records import StudyRecord
from tunesmith.types import Params

NOT_ASKED = "not asked for"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Everything that a report says."""

    study: str
    definition: Mapping[str, Any]
    """Of the last run, as it is stored; ``recorded`` reads it."""
    metrics: tuple[Metric, ...]
    objectives: tuple[Metric, ...]
    ranking: tuple[Ranked, ...]
    """Complete trials, best first; equals in trial order."""
    failures: tuple[FailureGroup, ...]
    said: tuple[Said, ...]
    """The last output of failed runs, or the traceback of failed fits."""
    warnings: tuple[FailureGroup, ...]
    """Warnings of the code of fits."""
    front: tuple[Ranked, ...]
    """The Pareto front if there are several objectives, else empty."""
    selection: str
    """Rule that picks the trial to write: ``best``, ``one_se``, ``simplest`` or ``fastest``."""
    choices: Mapping[str, int]
    """The trial's number for each of these."""
    ties: Ties
    optimism: Optimism | None
    comparisons: tuple[ReferenceComparison, ...]
    gate: GateVerdict | None
    """Verdict on the chosen trial; ``None`` if there is none."""
    incumbent: Params | None
    """The current parameters when the study began."""
    is_kept: bool
    """True if these had been edited by hand, so that runs leave them unchanged."""
    noise: Noise | None
    doubts: ScoreWarnings
    unchanged: Unchanged
    """Parameters that changed no score."""
    best_so_far: tuple[float, ...]
    """Best score so far by trial; NaN before the first complete one."""
    scores: tuple[float, ...]
    """Mean of the first objective by trial; NaN if it failed."""
    importance: Importance
    trends: Mapping[str, tuple[Level, ...]]
    marginals: Mapping[str, Marginal]
    interactions: tuple[Interaction, ...]
    edges: tuple[Edge, ...]
    holdout: Mapping[str, float] | None
    """The winner's scores on rows that the search never saw, if such rows were held out."""
    nested: Nested | None
    """Result of nested cross-validation, if ``outer_folds`` asked for it and all folds are done."""
    n_trials: int
    n_folds: int
    n_points: int
    """Candidates scored for the trials; more than trials if fits score extra candidates."""
    n_spared: int
    """Fits that sharing saved: scores of the trials that needed none of their own."""
    stopped_by: str
    provenance: Mapping[str, Any]
    """Provenance of the last run that evaluated something."""

    @cached_property
    def recorded(self) -> RecordedStudy:
        """The definition, read."""
        return RecordedStudy.of(self.definition)

    @property
    def best(self) -> Ranked | None:
        """The first of the ranking."""
        return self.ranking[0] if self.ranking else None

    @property
    def chosen(self) -> Ranked | None:
        """The trial that ``selection`` picks: the winner."""
        number = self.choices.get(self.selection)
        return next((trial for trial in self.ranking if trial.number == number), None)

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
        with_effects: also compute importance, marginals and interactions, which take a second.
    """
    recorded = record.recorded
    policy = policy or Policy.of(recorded.selection, recorded.gate)
    return _Computation(record, policy, with_effects).summary(nested)


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
    def told(self) -> list[Trial]:
        """Trials with results."""
        return list(self.record.history.told)

    @cached_property
    def ranking(self) -> tuple[Ranked, ...]:
        """Complete trials, best first."""
        return ranked(self.record.history, self.record.metrics)

    @cached_property
    def gains(self) -> np.ndarray:
        """Fold scores of the ranking, larger is better."""
        return gains_of(self.ranking, self.metric)

    @cached_property
    def scores(self) -> list[float]:
        """Mean of the first objective by trial."""
        return [trial.mean(self.metric.name) for trial in self.told]

    @cached_property
    def decision(self) -> Decision | None:
        """Choice of a trial; ``None`` if none is complete."""
        if not self.ranking:
            return None
        return decide(
            self.ranking,
            self.metric,
            self.policy,
            ratio=ratio_of(self.record.recorded.folds, self.ranking),
            times=fit_times(self.record.history),
            incumbent=incumbent(self.record),
        )

    @cached_property
    def chosen(self) -> Ranked | None:
        """The trial to write."""
        return None if self.decision is None else self.decision.chosen

    @cached_property
    def importance(self) -> Importance:
        """Shares of the parameters, if effects are asked for."""
        if not self.with_effects:
            return Importance(reason=NOT_ASKED)
        return importance(self.record.history, self.record.recorded.space, self.metric)

    @cached_property
    def effects(self) -> Influence:
        """Effects of the parameters, if they are asked for."""
        if not self.with_effects:
            return NONE
        return influence(self.ranking, self.record.recorded.space, self.metric, self.importance)

    def summary(self, nested: Sequence[StudyRecord]) -> Summary:
        """Put the steps together."""
        record, decision, told = self.record, self.decision, self.told
        return Summary(
            study=record.head.name,
            definition=record.definition,
            metrics=record.metrics,
            objectives=record.objectives,
            ranking=self.ranking,
            failures=grouped(failures(told)),
            said=said(told),
            warnings=grouped(warnings(told)),
            front=_front(record.history, self.ranking),
            selection=self.policy.selection,
            choices=decision.choices if decision else {},
            ties=decision.ties if decision else Ties(reason="there is no complete trial"),
            optimism=decision.optimism if decision else None,
            comparisons=decision.comparisons if decision else (),
            gate=decision.gate if decision else None,
            incumbent=incumbent(record),
            # As it was when the search began: a report is a function of the ledger.
            is_kept=record.head.recorded.is_edited,
            noise=decompose(self.gains),
            doubts=score_warnings(self.ranking, self.gains, self.metric),
            unchanged=unchanged(self.ranking, record.metrics),
            best_so_far=tuple(running_best(self.scores, self.metric)),
            scores=tuple(self.scores),
            importance=self.importance,
            trends=trends(self.ranking, self.metric),
            marginals=self.effects.marginals,
            interactions=self.effects.interactions,
            edges=edges(self.chosen, record.recorded.space),
            holdout=_holdout(record, self.chosen),
            nested=estimate(nested, record.recorded.outer_folds, record.metrics),
            n_trials=len(told),
            n_folds=max((len(trial.folds) for trial in told), default=0),
            n_points=sum(trial.n_points for trial in told),
            n_spared=round(sum(map(spared, told))),
            stopped_by=record.stopped_by.text if record.stopped_by else "",
            # Not of the last run: one that evaluates nothing must not change a byte of the report.
            provenance=record.origin.provenance if record.origin else {},
        )


def incumbent(record: StudyRecord) -> Params | None:
    """Return the current parameters when the study began, if there were any."""
    if record.head.recorded.has_current:
        return record.head.recorded.current
    # A ledger of an earlier version has them among the starting points alone.
    starts = (trial.params for trial in record.history.told if trial.origin == "current")
    return next(starts, None)


def spared(trial: Trial) -> float:
    """Return the number of fits that sharing saved for a trial: its part of the shared ones.

    It depends on the results alone, not on interruptions, so that reports repeat.
    """
    if trial.n_points > 1:
        return len(trial.folds) * (trial.n_points - 1)
    return sum(1 - 1 / fold.n_sharing for fold in trial.folds)


def _front(history: History, ranking: Sequence[Ranked]) -> tuple[Ranked, ...]:
    if len(history.objectives) < 2:
        return ()
    numbers = {trial.number for trial in history.front()}
    return tuple(trial for trial in ranking if trial.number in numbers)


def _holdout(record: StudyRecord, chosen: Ranked | None) -> Mapping[str, float] | None:
    result = None if chosen is None else record.holdout.get(chosen.number)
    return None if result is None else result.scores
