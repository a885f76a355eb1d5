"""Summary of a study as plain data: renderers draw it and compute nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
from tunesmith.analysis.effects import NONE, Interaction, Marginal, influence
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
from tunesmith.ledger.records import StudyRecord
from tunesmith.types import Params

NOT_ASKED = "not asked for"


@dataclass(frozen=True)
class Summary:
    """Everything that a report says."""

    study: str
    definition: Mapping[str, Any]
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
        file = self.definition.get("file", {})
        return bool(file.get("objective", {}).get("command"))

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
    history, metric, definition = record.history, record.objectives[0], record.definition
    file, space = definition.get("file", {}), definition.get("space", {})
    policy = policy or Policy.of(file)
    ranking = ranked(history, record.metrics)
    told = list(history.told)
    scores = [trial.mean(metric.name) for trial in told]
    decision = _decision(record, ranking, policy)
    gains = gains_of(ranking, metric)
    shares = importance(history, space, metric) if with_effects else Importance(reason=NOT_ASKED)
    effects = influence(ranking, space, metric, shares) if with_effects else NONE
    chosen = decision.chosen if decision else None
    return Summary(
        study=record.head.name,
        definition=definition,
        metrics=record.metrics,
        objectives=record.objectives,
        ranking=ranking,
        failures=grouped(failures(told)),
        said=said(told),
        warnings=grouped(warnings(told)),
        front=_front(history, ranking),
        selection=policy.selection,
        choices=decision.choices if decision else {},
        ties=decision.ties if decision else Ties(reason="there is no complete trial"),
        optimism=decision.optimism if decision else None,
        comparisons=decision.comparisons if decision else (),
        gate=decision.gate if decision else None,
        incumbent=incumbent(record),
        # As it was when the search began: a report is a function of the ledger.
        is_kept=bool(record.head.definition.get("is_edited")),
        noise=decompose(gains),
        doubts=score_warnings(ranking, gains, metric),
        unchanged=unchanged(ranking, record.metrics),
        best_so_far=tuple(running_best(scores, metric)),
        scores=tuple(scores),
        importance=shares,
        trends=trends(ranking, metric),
        marginals=effects.marginals,
        interactions=effects.interactions,
        edges=edges(chosen, space),
        holdout=_holdout(record, chosen),
        nested=estimate(nested, file.get("outer_folds"), record.metrics),
        n_trials=len(told),
        n_folds=max((len(trial.folds) for trial in told), default=0),
        n_points=sum(trial.n_points for trial in told),
        n_spared=round(sum(map(spared, told))),
        stopped_by=record.stopped_by or "",
        # Not of the last run: one that evaluates nothing must not change a byte of the report.
        provenance=record.origin.provenance if record.origin else {},
    )


def _decision(record: StudyRecord, ranking: Sequence[Ranked], policy: Policy) -> Decision | None:
    if not ranking:
        return None
    return decide(
        ranking,
        record.objectives[0],
        policy,
        ratio=ratio_of(record.definition, ranking),
        times=fit_times(record.history),
        incumbent=incumbent(record),
    )


def incumbent(record: StudyRecord) -> Params | None:
    """Return the current parameters when the study began, if there were any."""
    if "incumbent" in record.head.definition:
        found: Params | None = record.head.definition["incumbent"]
        return found
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
