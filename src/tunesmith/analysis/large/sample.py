"""The trials of a large history from which models are fitted and pictures are drawn."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np

from tunesmith.analysis.ranking import RankedColumns
from tunesmith.history import History, Trial
from tunesmith.ledger.columns import FAILED, PRUNED, TrialColumns
from tunesmith.ledger.records import StudyRecord
from tunesmith.ledger.stored_history import StoredHistory
from tunesmith.space.parameter import canonical_json

N_SAMPLE = 5_000
N_BEST = 50
"""Best trials by each metric that pictures show besides the sample."""
N_FIRST = 20
"""First complete trials, by which estimates for trials that a race stopped begin."""
N_LESSONS = 250
"""Best and latest trials that a forecast for further ones learns from."""


class Sample:
    """Trials evenly over the ranks; of those without a rank, evenly over the numbers.

    Each kind (complete, stopped, failed) has its share. No chance is involved, so that the same
    history gives the same report.

    Args:
        record: of the study.
        columns: its completed trials.
        ranking: of the complete ones.
    """

    def __init__(self, record: StudyRecord, columns: TrialColumns, ranking: RankedColumns) -> None:
        self.record, self.columns, self.ranking = record, columns, ranking
        share = min(N_SAMPLE / max(len(columns), 1), 1.0)
        self.ranked = ranking.take(_evenly(len(ranking), share))
        """The complete ones among them, best first."""
        pruned = np.flatnonzero(columns.states == PRUNED)
        failed = np.flatnonzero(columns.states == FAILED)
        self._pruned = pruned[_evenly(len(pruned), share)]
        self._failed = failed[_evenly(len(failed), share)]

    def __len__(self) -> int:
        return len(self.ranked) + len(self._pruned) + len(self._failed)

    def trials(self, numbers: Iterable[int]) -> Iterator[Trial]:
        """Completed trials by number, rising, each once; few of them are held at a time."""
        history, wanted = self.record.history, np.unique(np.array([*numbers], dtype=int)).tolist()
        if isinstance(history, StoredHistory):
            # Not by `at`, which keeps what it has read.
            return history.passing(wanted)
        return (history[number] for number in wanted)

    @cached_property
    def _kept(self) -> dict[int, Trial]:
        """The sample: several parts of a report look at it."""
        numbers = [*self.ranked.numbers, *self._pruned, *self._failed]
        return {trial.number: trial for trial in self.trials(numbers)}

    def _with(self, others: Iterable[int]) -> list[Trial]:
        """The sample and some other trials, by number."""
        more = [number for number in map(int, others) if number not in self._kept]
        known = self._kept | {trial.number: trial for trial in self.trials(more)}
        return [known[number] for number in sorted(known)]

    @cached_property
    def history(self) -> History:
        """The sample as a history of its own, from which models of the whole space learn."""
        # The first complete ones, too: what a race has stopped is estimated by those before it.
        first = self.columns.complete[: N_FIRST if len(self._pruned) else 0]
        return self._renumbered(self._with(first))

    @cached_property
    def latest(self) -> History:
        """Best and latest trials as a history of their own, from which forecasts learn."""
        first = self.columns.complete[:N_FIRST]
        best = self.ranking.numbers[:N_LESSONS]
        # Those that a race has stopped count with estimates.
        able = np.flatnonzero(self.columns.states != FAILED)
        return self._renumbered(self.trials([*first, *best, *able[-N_LESSONS:]]))

    def _renumbered(self, trials: Iterable[Trial]) -> History:
        own = [replace(trial, number=number) for number, trial in enumerate(trials)]
        return History.of(self.record.objectives, own)

    def n_tried(self, names: frozenset[str]) -> int:
        """Count the different points among all trials.

        Args:
            names: of the parameters of the space.
        """
        if self.columns.names <= names:
            return len(set(self.columns.params))
        every = self.columns.some_params(range(len(self.columns)))
        return len({canonical_json({n: v for n, v in p.items() if n in names}) for p in every})

    def shown(self, others: Iterable[int] = ()) -> tuple[Trial, ...]:
        """Trials of pictures: the sample, the best by each metric, and some others, by number."""
        best = [
            RankedColumns.of(self.columns, [metric], self.record.metrics).numbers[:N_BEST]
            for metric in self.record.metrics
        ]
        return tuple(self._with([*np.concatenate(best), *others]))


def _evenly(n: int, share: float) -> np.ndarray:
    """Positions of a share of ``n``, the first one always among them."""
    m = int(np.ceil(n * share))
    places: np.ndarray = np.arange(m) * n // max(m, 1)
    return places
