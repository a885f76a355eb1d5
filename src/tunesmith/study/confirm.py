"""Further evaluations of two trials on splits that the search has not used, repeat by repeat.

Both trials are scored on the same folds, those of one repeat at a time. A repeat ends when all its
results are there, whoever made them first, so that the decision after it depends on no worker and
no interruption: known results are not evaluated again.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import KW_ONLY, dataclass, field
from typing import TypeAlias

from tunesmith.execute.executor import Executor
from tunesmith.history import FoldResult, Trial, further_folds
from tunesmith.objective.objective import Objective, ResplittingObjective
from tunesmith.study.loop import results_of
from tunesmith.study.recorder import LedgerRecorder
from tunesmith.study.signals import SignalGate
from tunesmith.types import Fit

Place: TypeAlias = tuple[int, int]
"""0 for the first trial or 1 for the second one, and the number of a fold."""
Decides: TypeAlias = Callable[[Sequence[FoldResult], Sequence[FoldResult]], bool]
"""Tells from both trials' results so far, in the order of the splits, if no further repeat is
needed."""


@dataclass
class Confirmation:
    """Scores two trials on further splits.

    Args:
        objective: its rows can be split anew.
        executor: of the study.
        recorder: of the run.
        gate: raises a signal that came.
        trials: the chosen trial and the current parameters.
    """

    objective: Objective
    executor: Executor
    recorder: LedgerRecorder
    gate: SignalGate
    trials: tuple[Trial, Trial]
    _: KW_ONLY
    n_evaluated: int = 0
    n_fits: float = 0.0
    _running: dict[Future[list[FoldResult]], Fit] = field(default_factory=dict)

    def run(self, is_decided: Decides) -> None:
        """Evaluate repeats until the decision needs no more of them.

        Raises:
            StopRequested: a signal came; finished evaluations are recorded.
        """
        first: list[FoldResult] = []
        second: list[FoldResult] = []
        number = 0
        while not is_decided(first, second):
            further = self._repeat(number)
            first, second = first + further[0], second + further[1]
            number += 1

    def _repeat(self, number: int) -> tuple[list[FoldResult], list[FoldResult]]:
        objective = self.objective
        assert isinstance(objective, ResplittingObjective)  # noqa: S101 - the caller has asked
        folds = further_folds(number, objective.n_repeat)
        keys = {
            (place, fold): self.objective.key(trial.params, fold)
            for place, trial in enumerate(self.trials)
            for fold in folds
        }
        results = self.recorder.known(keys.values())
        results |= self._evaluate({at: key for at, key in keys.items() if key not in results})
        numbers = [trial.number for trial in self.trials]
        self.recorder.further([(numbers[place], fold, key) for (place, fold), key in keys.items()])
        first, second = ([results[keys[place, fold]] for fold in folds] for place in (0, 1))
        return first, second

    def _evaluate(self, missing: Mapping[Place, str]) -> dict[str, FoldResult]:
        self._running = {self.executor.submit(fit): fit for fit in self._fits(missing)}
        made: dict[str, FoldResult] = {}
        try:
            while self._running:
                with self.gate.waiting():
                    done = self.executor.completed(None)
                for future in done:
                    # Fits of trials that the end of the search dropped may end only now.
                    if future in self._running:
                        made |= self._take_in(future, self._running.pop(future))
                self.recorder.commit_when_due()
        finally:
            self.recorder.commit()
            for future in self._running:
                future.cancel()
        return made

    def _take_in(self, future: Future[list[FoldResult]], fit: Fit) -> dict[str, FoldResult]:
        if len(fit.candidates) > 1 and future.exception() is not None:
            # It is not known whose fault that was: each gets a fit and a time limit of its own.
            for params in fit.candidates:
                alone = Fit(fit.fold, (params,))
                self._running[self.executor.submit(alone)] = alone
            return {}
        results = results_of(future, fit)
        keys = [self.objective.key(params, fit.fold) for params in fit.candidates]
        made = dict(zip(keys, results, strict=True))
        for key, result in made.items():
            self.recorder.result(key, result)
        self.n_evaluated += len(results)
        self.n_fits += sum(1 / result.n_sharing for result in results)
        return made

    def _fits(self, missing: Collection[Place]) -> Iterator[Fit]:
        """Fits for what is not known, both trials in one if they can share it."""
        groups = self.objective.groups([trial.params for trial in self.trials])
        for fold in dict.fromkeys(fold for _, fold in missing):
            for group in groups:
                params = [self.trials[place].params for place in group if (place, fold) in missing]
                if params:
                    yield Fit(fold, tuple(params))
