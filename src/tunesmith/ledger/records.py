"""Records that the ledger returns: plain data, free of SQL."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property
from typing import Any

from tunesmith.history import FoldResult, History, Metric
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.types import StopKind, StopReason


@dataclass(frozen=True, kw_only=True)
class StudyHead:
    """A study's name and the identity of its present series of trials."""

    id: int
    name: str
    generation: int
    """Number of the series of trials under this name, from 1."""
    identity: str
    """Digest of everything that fixes the sequence of trials."""
    context: Mapping[str, str]
    """Digests of everything that results depend on: data, code, versions…"""
    definition: Mapping[str, Any]
    """The configuration as it was when the series began, as it is stored; ``recorded`` reads it."""
    since_run: int | None = None
    """Evaluations by earlier runs do not count for this series: it was begun to replace them."""
    is_new: bool = False
    """True if this call made it."""
    reading: Mapping[str, str] = field(default_factory=dict)
    """All files that the programs of its trials have read, and their states."""

    @cached_property
    def recorded(self) -> RecordedStudy:
        """The configuration as it was when the series began."""
        return RecordedStudy.of(self.definition)


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One call of ``run``. Times are UTC, ISO 8601."""

    id: int
    started: str
    ended: str | None
    stopped_by: StopReason | None
    """``None`` if the run was killed, or has not ended yet."""
    n_evaluated: int
    n_reused: int
    n_fits: int
    """Number of fits; fewer than evaluations if one fit scored several candidates."""
    provenance: Mapping[str, Any]

    @cached_property
    def recorded(self) -> RecordedStudy:
        """The configuration of this run."""
        return RecordedStudy.of(self.provenance.get("definition"))


@dataclass(frozen=True)
class StudyRecord:
    """Everything about the present series of a study's trials."""

    head: StudyHead
    metrics: tuple[Metric, ...]
    """All metrics that were recorded, the deciding ones first."""
    history: History
    """Completed trials, then the pending ones."""
    runs: tuple[RunRecord, ...]
    """In order of their start."""
    holdout: Mapping[int, FoldResult] = field(default_factory=dict)
    """Scores of winners on the held-out rows, by trial number."""
    _: KW_ONLY
    further: Mapping[int, tuple[FoldResult, ...]] = field(default_factory=dict)
    """Results on further splits, in the order of the splits, by trial number."""
    notes: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Notes on trials in the order of writing, by trial number."""

    @property
    def definition(self) -> Mapping[str, Any]:
        """Configuration of the last run, or of the begin of the series, as it is stored."""
        return self.runs[-1].provenance["definition"] if self.runs else self.head.definition

    @property
    def recorded(self) -> RecordedStudy:
        """Configuration of the last run, or of the begin of the series if none ran yet."""
        return self.runs[-1].recorded if self.runs else self.head.recorded

    @property
    def origin(self) -> RunRecord | None:
        """Last run that evaluated something: a run that only reuses results changes nothing."""
        evaluated = [run for run in self.runs if run.n_evaluated] or list(self.runs)
        return evaluated[-1] if evaluated else None

    @property
    def all_results(self) -> list[FoldResult]:
        """Results of the completed trials, on held-out rows and on further splits."""
        folds = [fold for trial in self.history.completed for fold in trial.folds]
        further = [result for results in self.further.values() for result in results]
        return [*folds, *self.holdout.values(), *further]

    @property
    def outdated(self) -> str:
        """Results that no longer count, and the remedy, in words; empty if all count."""
        further = [result for results in self.further.values() for result in results]
        apart = [*self.holdout.values(), *further]
        if self.history.all_count and all(result.counts for result in apart):
            return ""
        folds = self.all_results
        n = sum(not fold.counts for fold in folds)
        n_all = len(folds)
        return (
            f"{n:,} of {n_all:,} evaluations come from shared fits of an earlier Tunesmith, which"
            " did not always give the scores of single fits, and no longer count; `tunesmith run`"
            " evaluates these anew and brings the outputs up to date"
        )

    @property
    def stopped_by(self) -> StopReason | None:
        """Reason for the end of the last run that recorded one."""
        reasons = (run.stopped_by for run in reversed(self.runs))
        return next((r for r in reasons if r and r.kind is not StopKind.UNKNOWN), None)

    def with_notes(self, notes: Mapping[int, tuple[str, ...]]) -> "StudyRecord":
        """Return the record with these notes, too, behind its own."""
        numbers = sorted({*self.notes, *notes})
        both = {n: (*self.notes.get(n, ()), *notes.get(n, ())) for n in numbers}
        return replace(self, notes={n: tuple(dict.fromkeys(both[n])) for n in numbers})

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """Metrics that decide."""
        return self.history.objectives
