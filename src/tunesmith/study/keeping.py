"""A recorder that drops the artifacts of all but the best trials."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field

from tunesmith.history import FoldResult, Metric, Trial, shortfall
from tunesmith.study.recorder import Recorder
from tunesmith.types import OutcomeConstraint, State


@dataclass
class KeepingBest:
    """Passes everything on, and reports the trials that leave the best.

    Args:
        recorder: gets everything.
        metric: ranks the trials.
        n_best: number of trials that keep their artifacts; the earlier one among equals.
        drop: called with the evaluation keys of a trial that keeps nothing.
    """

    recorder: Recorder
    metric: Metric
    n_best: int
    drop: Callable[[Sequence[str]], None]
    _: KW_ONLY
    subject_to: tuple[OutcomeConstraint, ...] = ()
    """Constraints on outcomes."""
    take: Callable[[FoldResult], None] = lambda _result: None
    """Gets each result, with what its fit has left to this process."""
    _best: list[tuple[float, int, Sequence[str]]] = field(default_factory=list)

    def known(self, keys: Iterable[str]) -> dict[str, FoldResult]:
        """Known results under these keys."""
        return self.recorder.known(keys)

    def pending(self, trial: Trial) -> None:
        """Record a proposed trial."""
        self.recorder.pending(trial)

    def result(self, key: str, result: FoldResult) -> None:
        """Record a finished evaluation."""
        self.take(result)
        self.recorder.result(key, result)

    def completed(self, trial: Trial, keys: Sequence[str]) -> None:
        """Record a completed trial; trials that leave the best drop their artifacts."""
        self.recorder.completed(trial, keys)
        self.begin(trial, keys)

    def begin(self, trial: Trial, keys: Sequence[str]) -> None:
        """Take in a trial that was completed before."""
        # A failed or pruned trial, and one that violates a constraint, can never be among the best.
        if trial.state is not State.COMPLETE or shortfall(trial, self.subject_to):
            self.drop(keys)
            return
        loss = -self.metric.sign * trial.mean(self.metric.name)
        self._best = sorted([*self._best, (loss, trial.number, keys)], key=lambda item: item[:2])
        for _, _, others in self._best[self.n_best :]:
            self.drop(others)
        del self._best[self.n_best :]

    def commit_when_due(self) -> None:
        """Commit new results, unless that was done a moment ago."""
        self.recorder.commit_when_due()

    def commit(self) -> None:
        """Commit all results so far."""
        self.recorder.commit()


@dataclass
class KeepingWithin(KeepingBest):
    """Keeps the best trials only as long as they do not take too much room."""

    is_full: Callable[[], bool] = field(default=lambda: False, kw_only=True)
    """Tells if some of what is kept has to go, so that better trials find room."""

    def begin(self, trial: Trial, keys: Sequence[str]) -> None:
        """Take in a trial that was completed before, and drop the worst ones if need be."""
        super().begin(trial, keys)
        while len(self._best) > 1 and self.is_full():
            _, _, worst = self._best.pop()
            self.drop(worst)
