"""A history that stays in the database: it reads the trials that are asked for, and all at need."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row

from tunesmith.errors import StorageError
from tunesmith.history import History, Metric, Trial, TrialLog, non_dominated
from tunesmith.ledger import standing
from tunesmith.ledger.queries import completed_log, completed_trials
from tunesmith.ledger.rows import metrics_of
from tunesmith.ledger.standing import Counts
from tunesmith.types import OutcomeConstraint, Params

if TYPE_CHECKING:
    import numpy as np

    from tunesmith.ledger.columns import TrialColumns


PASSING = 5_000
"""Trials that are held at a time if all are looked at once."""


@dataclass(frozen=True)
class StoredTrials:
    """Access to the completed trials of a series in a ledger."""

    read: Callable[[Callable[[Connection], Any]], Any]
    """Calls a function with a connection that only reads."""
    study: Row[Any]
    """Row of the series."""
    read_all: Callable[[Callable[[Connection], Any]], Any]
    """As ``read``, for a function that reads most of the ledger."""

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """Metrics that decide."""
        return metrics_of(self.study)[: self.study.n_objectives]

    def log(self) -> TrialLog:
        """All completed trials."""
        log: TrialLog = self.read_all(lambda c: completed_log(c, self.study.id))
        return log

    def some(self, numbers: Sequence[int]) -> dict[int, Trial]:
        """Completed trials by number."""
        trials: dict[int, Trial] = self.read(
            lambda connection: completed_trials(connection, self.study.id, numbers)
        )
        return trials

    def columns(self, n_completed: int) -> "TrialColumns":
        """The first completed trials as columns."""
        # Late, because of NumPy, which commands that show a few trials do not need.
        from tunesmith.ledger.columns import read_columns

        columns: TrialColumns = self.read_all(lambda c: read_columns(c, self.study, n_completed))
        return columns

    def whole_folds(self) -> int:
        """Folds of the first complete trial."""
        n: int = self.read(lambda c: standing.whole_folds(c, self.study.id))
        return n

    def best_number(self) -> int | None:
        """Number of the best trial."""
        n = self.study.n_objectives
        number: int | None = self.read(lambda c: standing.best_number(c, self.study.id, n))
        return number

    def gains(self) -> tuple["np.ndarray", "np.ndarray"]:
        """Numbers and gains of the complete trials, as ``standing.gains``."""
        n = self.study.n_objectives
        gains: tuple[np.ndarray, np.ndarray] = self.read(
            lambda c: standing.gains(c, self.study.id, n)
        )
        return gains

    def leading_numbers(self, n: int, skip: int) -> list[int]:
        """Numbers of the leading trials, as ``standing.leading_numbers``."""
        numbers: list[int] = self.read(
            lambda c: standing.leading_numbers(c, self.study.id, n, skip)
        )
        return numbers

    def ranks(self, metric: int, numbers: Sequence[int]) -> Mapping[int, int]:
        """Ranks by a metric, as ``standing.ranks``."""
        ranks: Mapping[int, int] = self.read(
            lambda c: standing.ranks(c, self.study.id, metric, numbers)
        )
        return ranks


class StoredHistory(History):
    """A history of a ledger whose numbers and leading trials the database tells.

    Everything else reads the whole history once, so that all answers are those of a ``History``.

    Args:
        trials: access to the ledger.
        counts: of the completed trials, when the view was made.
        pending: trials without results, in number order.
    """

    __slots__ = ("_best", "_columns", "_counts", "_known", "_pending", "_trials")

    def __init__(self, trials: StoredTrials, counts: Counts, pending: Sequence[Trial]) -> None:
        super().__init__(None, counts.n_completed + len(pending), counts.n_completed)
        self._trials, self._counts, self._pending = trials, counts, list(pending)
        self._known: dict[int, Trial] = {}
        self._best: int | None = -1
        self._columns: TrialColumns | None = None

    @property
    def _log(self) -> TrialLog:
        if self._held is None:
            log = self._trials.log()
            if len(log.completed) < self.n_completed:
                raise StorageError("trials were dropped while they were read.\n  Try again.")
            # A run may have completed pending trials since; this view does not change.
            del log.completed[self.n_completed :], log.trials[self.n_completed :]
            for name in ("fronts", "best_number", "n_failed", "n_pruned", "n_conclusive"):
                del getattr(log, name)[self.n_completed + 1 :]
            del log.n_evaluations[self.n_completed + 1 :]
            for trial in self._pending:
                log.ask(trial.params, trial.key, trial.origin)
            self._held = log
        return self._held

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """Metrics that decide, the most important one first."""
        return self._trials.objectives

    @property
    def subject_to(self) -> tuple[OutcomeConstraint, ...]:
        """None: a history with constraints on outcomes is read whole."""
        return ()

    def violated(self, trial: Trial) -> tuple[OutcomeConstraint, ...]:  # noqa: ARG002
        """None, too."""
        return ()

    def _at(self, number: int) -> Trial:
        return self.at([number])[0]

    def at(self, numbers: Sequence[int]) -> list[Trial]:
        """Trials by number, in the order of the numbers, read at once."""
        if self._held is not None:
            return [super(StoredHistory, self)._at(number) for number in numbers]
        # Kept, because several parts of a command ask for the same leading trials.
        wanted = [n for n in numbers if n < self.n_completed and n not in self._known]
        self._known |= self._trials.some(wanted) if wanted else {}
        pending = {trial.number: trial for trial in self._pending}
        try:
            return [self._known[n] if n < self.n_completed else pending[n] for n in numbers]
        except KeyError as error:
            raise StorageError(f"trial {error} is gone.\n  Try again.") from None

    @property
    def columns(self) -> "TrialColumns":
        """The completed trials as columns, read once."""
        if self._columns is None:
            self._columns = self._trials.columns(self.n_completed)
        return self._columns

    def passing(self, numbers: Sequence[int]) -> Iterator[Trial]:
        """Yield completed trials by number, of which only some thousands are held at a time."""
        for first in range(0, len(numbers), PASSING):
            some = numbers[first : first + PASSING]
            found = self._trials.some(some)
            yield from (found[number] for number in some)

    def tried(self, params: Params, origin: str) -> Trial | None:
        """First completed trial with these params, or else the first one of an origin."""
        if self._columns is None:
            return super().tried(params, origin)
        every = enumerate(self._columns.some_params(range(self.n_completed)))
        same = (number for number, own in every if own == dict(params))
        begun = (n for n, own in enumerate(self._columns.origins) if own == origin)
        number = next(same, next(begun, None))
        return None if number is None else self._at(number)

    @property
    def tried_names(self) -> frozenset[str]:
        """Names of all parameters that a completed trial has."""
        return super().tried_names if self._columns is None else self._columns.names

    @property
    def whole_folds(self) -> int:
        """Folds of the first complete trial; 0 without one."""
        return self._trials.whole_folds()

    @property
    def n_evaluations(self) -> int:
        """Number of evaluations (trial times fold) of the completed trials."""
        return self._counts.n_evaluations

    def up_to(self, n_completed: int) -> History:
        """The first trials alone, all of them completed."""
        if self._held is not None:
            return super().up_to(n_completed)
        log = TrialLog(self.objectives)
        for trial in self.at(range(min(n_completed, self.n_completed))):
            log.ask(trial.params, trial.key, trial.origin)
            log.tell(trial)
        return log.view()

    @property
    def pending(self) -> list[Trial]:
        """Pending trials, in number order."""
        return list(self._pending)

    @property
    def n_failed(self) -> int:
        """Number of completed trials that failed."""
        return self._counts.n_failed

    @property
    def n_pruned(self) -> int:
        """Number of trials that ended before the full budget."""
        return self._counts.n_pruned

    @property
    def most_folds(self) -> int:
        """Most folds of a completed trial."""
        return self._counts.n_folds

    @property
    def all_count(self) -> bool:
        """True if every result can be relied on."""
        return self._counts.all_count or super().all_count

    def best(self) -> Trial | None:
        """Best admissible trial by the first metric; of equals by further metrics, then number."""
        if self._best == -1:
            self._best = self._trials.best_number()
        return None if self._best is None else self._at(self._best)

    def front(self) -> list[Trial]:
        """Trials that no other dominates (the Pareto front), in number order."""
        numbers, gains = self._trials.gains()
        return self.at(numbers[non_dominated(gains)].tolist()) if len(numbers) else []

    def leading(self, n: int, skip: int = 0) -> list[Trial]:
        """Trials from the best by the first metric on, then those without a mean score.

        Args:
            n: most trials to return.
            skip: trials to leave out before.
        """
        return self.at(self._trials.leading_numbers(n, skip))

    def ranks(self, metric: int, numbers: Sequence[int]) -> Mapping[int, int]:
        """Rank of trials by a metric: equals share the better one, those without a mean the last.

        Args:
            metric: its place among the recorded ones.
            numbers: of completed trials.
        """
        return self._trials.ranks(metric, numbers)


def stored_history(
    trials: StoredTrials, connection: Connection, pending: Callable[[int], Sequence[Trial]]
) -> History | None:
    """Return the history without its trials; ``None`` if it has to be read whole.

    Args:
        trials: access to the ledger, for later.
        connection: to read from now.
        pending: number of completed trials -> trials without results after them.
    """
    counts = standing.counts(connection, trials.study)
    if counts is None:
        return None
    return StoredHistory(trials, counts, pending(counts.n_completed))
