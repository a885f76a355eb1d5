"""Trials as a summary reads them: as objects, or as columns if there are very many."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from tunesmith.analysis.decision import fit_times
from tunesmith.analysis.large.sample import N_SAMPLE, Sample
from tunesmith.analysis.outcomes import winning
from tunesmith.analysis.races import RaceResult, race_from, race_result
from tunesmith.analysis.ranking import Ranked, RankedColumns, ranked
from tunesmith.analysis.unchanged import MEASURED, N_FIRST, Unchanged, unchanged, unchanged_in
from tunesmith.history import History, Trial, non_dominated
from tunesmith.ledger.columns import TrialColumns, columns_of
from tunesmith.ledger.records import StudyRecord
from tunesmith.ledger.stored_history import StoredHistory
from tunesmith.study.race import N_NEAR

LARGE = 10_000
"""More completed trials are read as columns."""


class TrialData:
    """All trials of an ordinary history.

    Args:
        record: of the study.
    """

    sample: Sample | None = None
    """Trials of a large history that models and pictures are made from."""

    def __init__(self, record: StudyRecord) -> None:
        self.record = record

    @cached_property
    def ranking(self) -> Sequence[Ranked]:
        """Complete trials that can win, best first."""
        return ranked(self.record.history, self.record.metrics)

    @cached_property
    def _completed(self) -> list[Trial]:
        return list(self.record.history.completed)

    @property
    def told(self) -> Iterable[Trial]:
        """Completed trials, among them all that failed or warned."""
        return self._completed

    @property
    def n_trials(self) -> int:
        """Number of completed trials."""
        return len(self._completed)

    @property
    def effects(self) -> History:
        """Trials that models of the whole space learn from."""
        return self.record.history

    @property
    def ranked_effects(self) -> Sequence[Ranked]:
        """Ranked trials that trends are computed from."""
        return self.ranking

    @property
    def times(self) -> Mapping[int, float]:
        """Mean fit time by number of the complete trial."""
        return fit_times(self.record.history)

    @property
    def scores(self) -> list[float]:
        """Mean of the first objective by trial; NaN without one."""
        name = self.record.objectives[0].name
        return [trial.mean(name) for trial in self._completed]

    @property
    def winning(self) -> list[float]:
        """The same; NaN also for trials that cannot win."""
        return winning(self.record.history, self.record.objectives[0])

    @property
    def front(self) -> Sequence[Ranked]:
        """Ranked trials of the Pareto front, if there are several objectives."""
        if len(self.record.objectives) < 2:
            return ()
        numbers = {trial.number for trial in self.record.history.front()}
        return tuple(trial for trial in self.ranking if trial.number in numbers)

    @property
    def n_folds(self) -> int:
        """Most folds of a trial."""
        return max((len(trial.folds) for trial in self._completed), default=0)

    @property
    def n_points(self) -> int:
        """Points that were scored for the trials."""
        return sum(trial.n_points for trial in self._completed)

    @property
    def n_spared(self) -> int:
        """Fits that sharing saved."""
        return round(sum(map(spared, self._completed)))

    @property
    def unchanged(self) -> Unchanged:
        """Parameters that changed no score."""
        return unchanged_in(self.record.history, self.record.metrics)

    @property
    def race(self) -> RaceResult | None:
        """Result of the race over the folds."""
        return race_result(self.record.history)


def spared(trial: Trial) -> float:
    """Return the number of fits that sharing saved for a trial: its part of the shared ones.

    It depends on the results alone, not on interruptions, so that reports repeat.
    """
    if trial.n_points > 1:
        return len(trial.folds) * (trial.n_points - 1)
    return sum(1 - 1 / fold.n_sharing for fold in trial.folds)


class _Passing:
    """Trials that are read each time that they are looked at."""

    def __init__(self, sample: Sample, numbers: Sequence[int]) -> None:
        self.sample, self.numbers = sample, numbers

    def __iter__(self) -> Iterator[Trial]:
        return self.sample.trials(self.numbers)


class LargeTrials(TrialData):
    """Columns of a large history, and a sample of its trials.

    Args:
        record: of the study.
        columns: its completed trials.
    """

    def __init__(self, record: StudyRecord, columns: TrialColumns) -> None:
        super().__init__(record)
        self.columns = columns
        self._ranked = RankedColumns.of(columns, record.objectives, record.metrics)
        self._sample = self.sample = Sample(record, columns, self._ranked)

    @property
    def ranking(self) -> RankedColumns:
        """Complete trials, best first."""
        return self._ranked

    @cached_property
    def told(self) -> Iterable[Trial]:
        """Trials that failed or warned."""
        every = _Passing(self._sample, self.columns.told.tolist())
        # If they are many, each look at them reads them anew.
        return every if len(self.columns.told) > N_SAMPLE else list(every)

    @property
    def n_trials(self) -> int:
        """Number of completed trials."""
        return len(self.columns)

    @property
    def effects(self) -> History:
        """The sample."""
        return self._sample.history

    @cached_property
    def ranked_effects(self) -> Sequence[Ranked]:
        """The complete trials of the sample."""
        return self._sample.ranked[:]

    @property
    def times(self) -> Mapping[int, float]:
        """Mean fit time by number of the complete trial."""
        complete, means = self.columns.complete, self.columns.fit_means()
        return dict(zip(complete.tolist(), means[complete].tolist(), strict=True))

    @property
    def scores(self) -> list[float]:
        """Mean of the first objective by trial; NaN without one."""
        scores: list[float] = self.columns.means(self.record.objectives[0].name).tolist()
        return scores

    @property
    def winning(self) -> list[float]:
        """The same: there is no constraint on outcomes."""
        return self.scores

    @property
    def front(self) -> Sequence[Ranked]:
        """Ranked trials of the Pareto front, if there are several objectives."""
        objectives, numbers = self.record.objectives, self.ranking.numbers
        if len(objectives) < 2:
            return ()
        means = [m.sign * self.columns.means(m.name)[numbers] for m in objectives]
        return tuple(self.ranking.take(np.flatnonzero(non_dominated(np.column_stack(means)))))

    @property
    def n_folds(self) -> int:
        """Most folds of a trial."""
        return int(self.columns.n_folds.max(initial=0))

    @property
    def n_points(self) -> int:
        """Points that were scored for the trials."""
        return int(self.columns.n_points.sum())

    @property
    def n_spared(self) -> int:
        """Fits that sharing saved, as ``spared`` counts them."""
        columns = self.columns
        shares = np.where(columns.n_sharing > 0, 1 - 1 / np.maximum(columns.n_sharing, 1), 0.0)
        further = columns.n_folds * (columns.n_points - 1)
        return round(float(np.where(columns.n_points > 1, further, shares.sum(axis=1)).sum()))

    @property
    def unchanged(self) -> Unchanged:
        """Parameters that changed no score, in the first trials and in the sample."""
        metrics = self.record.metrics
        if not unchanged(ranked(self.record.history.up_to(N_FIRST), metrics), metrics):
            return Unchanged()
        # That all scored the same is said of all of them only, and with their number.
        if self._is_same:
            n_points = len({self.columns.params[number] for number in self.ranking.numbers})
            return Unchanged(n_same=n_points if n_points > 1 else 0)
        found = unchanged(self.ranked_effects, metrics)
        return Unchanged() if found.n_same else found

    @property
    def _is_same(self) -> bool:
        return all(
            _are_same_rows(self.ranking.table(metric.name))
            for metric in self.record.metrics
            if metric.name not in MEASURED
        )

    @property
    def race(self) -> RaceResult | None:
        """Result of the race over the folds."""
        columns, metric = self.columns, self.record.objectives[0]
        left_out = columns.n_left_out
        # By this metric alone, as `race_result` orders them.
        best = RankedColumns.of(columns, [metric], [metric])
        stopped = np.flatnonzero(left_out)
        table = metric.sign * columns.scores[metric.name]
        return race_from(
            n_left_out=left_out[stopped].tolist(),
            stopped=[table[i, : columns.n_folds[i]].tolist() for i in stopped],
            leaders=[*metric.sign * best.take(range(min(N_NEAR, len(best)))).table(metric.name)],
            n_evaluations=int(columns.n_folds.sum()),
        )


def _are_same_rows(table: np.ndarray) -> bool:
    """True if all rows have the same bits; a missing score is like another missing one."""
    bits = np.where(np.isnan(table), np.nan, table).view(np.int64)
    return bool((bits == bits[:1]).all())


def material_of(record: StudyRecord) -> TrialData:
    """Choose the form in which the trials are read; the number of trials alone decides.

    Args:
        record: of the study.
    """
    history = record.history
    # Constraints on outcomes look at all results of every trial.
    if history.n_completed <= LARGE or history.subject_to:
        return TrialData(record)
    if isinstance(history, StoredHistory):
        columns = history.columns
    else:
        columns = columns_of(history.completed, [metric.name for metric in record.metrics])
    # One table of scores needs as many folds of every trial.
    return LargeTrials(record, columns) if columns.is_even else TrialData(record)
