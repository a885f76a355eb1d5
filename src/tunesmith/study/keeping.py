"""A recorder that drops the artifacts of all but the best trials."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tunesmith.history import FoldResult, Metric, Trial
from tunesmith.study.recorder import Recorder
from tunesmith.types import State


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
    _best: list[tuple[float, int, Sequence[str]]] = field(default_factory=list)

    def known(self, keys: Iterable[str]) -> dict[str, FoldResult]:
        """Known results under these keys."""
        return self.recorder.known(keys)

    def asked(self, trial: Trial) -> None:
        """Record a proposed trial."""
        self.recorder.asked(trial)

    def result(self, key: str, result: FoldResult) -> None:
        """Record a finished evaluation."""
        self.recorder.result(key, result)

    def told(self, trial: Trial, keys: Sequence[str]) -> None:
        """Record a completed trial; trials that leave the best drop their artifacts."""
        self.recorder.told(trial, keys)
        self.begin(trial, keys)

    def begin(self, trial: Trial, keys: Sequence[str]) -> None:
        """Take in a trial that was completed before."""
        # A failed or pruned trial can never be among the best.
        if trial.state is not State.COMPLETE:
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
