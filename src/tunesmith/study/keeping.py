"""A recorder that lets go of what only the best trials need to keep."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tunesmith.history import FoldResult, Metric, Trial
from tunesmith.study.recorder import Recorder
from tunesmith.types import State


@dataclass
class KeepingBest:
    """Passes everything on, and tells who has left the best.

    Args:
        recorder: gets everything.
        metric: what ranks.
        n_best: so many trials keep what they have; of equals the earlier ones.
        drop: called with the evaluation keys of a trial that keeps nothing.
    """

    recorder: Recorder
    metric: Metric
    n_best: int
    drop: Callable[[Sequence[str]], None]
    _best: list[tuple[float, int, Sequence[str]]] = field(default_factory=list)

    def known(self, keys: Iterable[str]) -> dict[str, FoldResult]:
        """What is known under these keys."""
        return self.recorder.known(keys)

    def asked(self, trial: Trial) -> None:
        """Note a proposed trial."""
        self.recorder.asked(trial)

    def result(self, key: str, result: FoldResult) -> None:
        """Note a finished evaluation."""
        self.recorder.result(key, result)

    def told(self, trial: Trial, keys: Sequence[str]) -> None:
        """Note a finished trial; whoever leaves the best, lets go."""
        self.recorder.told(trial, keys)
        self.begin(trial, keys)

    def begin(self, trial: Trial, keys: Sequence[str]) -> None:
        """Take in a trial that was told before."""
        if trial.state is not State.COMPLETE:
            self.drop(keys)
            return
        loss = -self.metric.sign * trial.mean(self.metric.name)
        self._best = sorted([*self._best, (loss, trial.number, keys)], key=lambda item: item[:2])
        for _, _, others in self._best[self.n_best :]:
            self.drop(others)
        del self._best[self.n_best :]

    def commit_when_due(self) -> None:
        """Save what has arrived, unless that was done a moment ago."""
        self.recorder.commit_when_due()

    def commit(self) -> None:
        """Save everything noted so far."""
        self.recorder.commit()
