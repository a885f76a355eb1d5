"""The loop of a study: ask -> plan -> run -> record -> tell. No text, no drawing, no SQL.

Trial k is asked when exactly the trials up to k - ``window``, the look-ahead, are completed, and
trials are completed in number order. So the trials of a study depend only on its definition and
seed: not on the number of workers, the order in which fits end, or interruptions. A criterion that
is met after trial m ends the study *at* m: trials asked ahead are dropped (their folds stay in the
ledger).
"""

import time
from collections.abc import Callable, Container, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field, replace

from tunesmith.errors import LostError
from tunesmith.execute.executor import CallTimeoutError, Executor, WorkerDiedError
from tunesmith.history import Failure, FoldResult, History, Trial, TrialLog
from tunesmith.objective.objective import Objective, SizedObjective
from tunesmith.objective.plan import PlannedFit, largest_last_ones_first, plan
from tunesmith.search.stopping import Criterion, only_counts, trial_limit
from tunesmith.space import SearchSpace
from tunesmith.study.pending_trial import PendingTrial
from tunesmith.study.progress import Observer, Progress, silent
from tunesmith.study.recorder import Recorder
from tunesmith.study.signals import SignalGate
from tunesmith.study.strategy import LATER, Strategy
from tunesmith.types import ALL_TRIED, EXHAUSTED, Fit, Params, StopReason

TICK_S = 0.5
LAST_FITS = 10
"""Number of last fits, per worker, that begin with the largest."""
FORESEEN = 4096
"""Number of trials, and of their points, that are asked for at a time if results change nothing."""
NAMES = {
    "defaults": "the estimator's defaults are",
    "current": "the current best parameters are",
    "start_with": "a point of `start_with` is",
}


@dataclass(frozen=True)
class Outcome:
    """The end of a run."""

    history: History
    stopped_by: StopReason
    n_evaluated: int
    n_reused: int
    n_fits: int


@dataclass(kw_only=True)
class Study:
    """One run of a study, from the first proposal to the reason to stop."""

    strategy: Strategy
    objective: Objective
    criterion: Criterion
    log: TrialLog
    recorder: Recorder
    executor: Executor
    gate: SignalGate = field(default_factory=SignalGate)
    observer: Observer = silent
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._began = self.clock()
        self._limit = trial_limit(self.criterion, self.objective.n_folds)
        self._is_foreseen = not self.strategy.looks_back and only_counts(self.criterion)
        self._ahead = self._look_ahead()
        known_ends = (self._limit, self.strategy.n_points)
        self._n_trials = min((n for n in known_ends if n is not None), default=None)
        self._open: dict[int, PendingTrial] = {}
        self._n_open_points = 0
        self._running: dict[Future[list[FoldResult]], PlannedFit] = {}
        self._is_exhausted = False
        self._n_evaluated = self._n_reused = self._n_along = 0
        self._n_fits = self._fit_s = 0.0
        self._seen_s = 0.0

    def run(self) -> Outcome:
        """Evaluate trials until a criterion is met.

        Raises:
            StopRequested: a signal came; finished evaluations are committed.
        """
        try:
            reason = self._stop_reason()
            while reason is None:
                self._ask_ahead()
                # Trials whose results the ledger knows are completed before a fit can be
                # interrupted.
                reason = self._tell_ready()
                if reason is None:
                    self._collect()
                    reason = self._tell_ready()
        finally:
            self.recorder.commit()
            for future in self._running:
                future.cancel()
        return self.outcome(reason)

    def outcome(self, stopped_by: StopReason) -> Outcome:
        """Outcome at this moment, with a reason to end."""
        counts = self._n_evaluated, self._n_reused, round(self._n_fits)
        return Outcome(self.log.finished(), stopped_by, *counts)

    # -- ask ---------------------------------------------------------------------------------

    def _ask_ahead(self) -> None:
        asked: list[PendingTrial] = []
        while self._may_ask() and (asked or self._is_time_to_ask()):
            proposal = self.strategy.propose(self.log)
            if proposal is None or proposal is LATER:
                self._is_exhausted = proposal is None
                # `LATER` is no end: further completed trials may bring new proposals.
                break
            asked.append(self._ask(*proposal))
        if asked:
            self._submit(asked)

    def _may_ask(self) -> bool:
        n_asked = len(self.log.asked)
        if self._is_exhausted or (self._limit is not None and n_asked >= self._limit):
            return False
        n_open = n_asked - len(self.log.told)
        if n_open < self.strategy.window:
            return True
        # Beyond the look-ahead only if results change nothing. The number of points limits the
        # memory.
        return n_open < self._ahead and self._n_open_points < FORESEEN

    def _look_ahead(self) -> int:
        """Number of pending trials: the look-ahead, or many if no result matters.

        The trials are the same either way. Those that are asked together can share their fits.
        """
        if self.strategy.looks_back:
            return self.strategy.window
        # Asked for by halves, so that one half keeps all workers busy. A splitter may give no
        # folds, which is told once there is nothing to evaluate.
        enough = 2 * -(-self.executor.n_workers // max(self.objective.n_folds, 1))
        return max(self.strategy.window, FORESEEN if self._is_foreseen else enough)

    def _is_time_to_ask(self) -> bool:
        # By halves: trials that trickle in one by one could share nothing.
        n_open = len(self.log.asked) - len(self.log.told)
        is_half = n_open <= self._ahead // 2 and self._n_open_points <= FORESEEN // 2
        return self._ahead == self.strategy.window or is_half

    def _ask(self, origin: str, params: Params) -> PendingTrial:
        trial = self.log.ask(params, self.strategy.key(params), origin)
        self.recorder.asked(trial)
        points = self.strategy.points(trial, self.objective)
        folds = range(self.objective.n_folds)
        thresholds = [self.strategy.thresholds(self.log, trial, fold) for fold in folds]
        opened = self._open[trial.number] = PendingTrial.of(
            trial, points, self.objective, thresholds
        )
        self._n_open_points += len(points)
        return opened

    def _submit(self, asked: Sequence[PendingTrial]) -> None:
        """Take known results from the ledger; submit the rest for evaluation."""
        # One query for all trials that were asked together.
        known = self.recorder.known(key for opened in asked for key in opened.all_keys)
        for opened in asked:
            opened.take(known)
        have = {item for opened in asked for item in opened.have}
        trials = [opened.asked for opened in asked]
        fits = plan(trials, self.objective.n_folds, have, self.objective.groups)
        for planned in self._in_order(fits):
            self._start(self._with_thresholds(planned))

    def _with_thresholds(self, planned: PlannedFit) -> PlannedFit:
        thresholds = self._open[planned.first].thresholds[planned.fit.fold]
        # A fit of several points has no single score that could be compared with thresholds.
        if not thresholds or len(planned.fit.all_candidates) > 1:
            return planned
        return replace(planned, fit=replace(planned.fit, thresholds=thresholds))

    def _in_order(self, planned: list[PlannedFit]) -> list[PlannedFit]:
        n_workers, objective = self.executor.n_workers, self.objective
        are_last = self._is_exhausted or len(self.log.asked) == self._n_trials
        # Only if all trials are asked together: no further proposal then waits for one of these
        # fits.
        if n_workers == 1 or not (self._is_foreseen and are_last):
            return planned
        if not isinstance(objective, SizedObjective):
            return planned
        return largest_last_ones_first(planned, LAST_FITS * n_workers, objective.size)

    def _start(self, planned: PlannedFit) -> None:
        self._running[self.executor.submit(planned.fit)] = planned

    # -- run and record ----------------------------------------------------------------------

    def _collect(self) -> None:
        if not self._running:
            return
        with self.gate.waiting():
            # Not until a fit ends: the clock may end the study, and observers want to see it pass.
            done = self.executor.completed(TICK_S)
        for future in done:
            self._take_in(self._running.pop(future), future)
        self.recorder.commit_when_due()

    def _take_in(self, planned: PlannedFit, future: Future[list[FoldResult]]) -> None:
        fit = planned.fit
        is_joint = len(fit.all_candidates) > 1 or bool(fit.extra_candidates)
        if is_joint and future.exception() is not None:
            # It is not known whose fault that was: each gets a fit and a time limit of its own.
            for alone in planned.alone():
                self._start(alone)
            self._give_up(planned, from_point=len(fit.candidates))
            return
        results = results_of(future, fit)
        for owners, result in zip(planned.owners, results, strict=False):
            self._receive(owners, result)
        self._n_along += max(len(results) - len(fit.candidates), 0)
        self._give_up(planned, from_point=len(results))

    def _receive(self, owners: Sequence[tuple[int, int]], result: FoldResult) -> None:
        for number, place in owners:
            self._open[number].receive(place, result)
        # Owners of one point share its key, so that one record serves them all.
        number, place = owners[0]
        self.recorder.result(self._open[number].keys[place][result.fold], result)
        self._n_evaluated += 1
        # A shared fit counts once: each of its candidates adds its part.
        self._n_fits += 1 / result.n_sharing
        self._fit_s += result.fit_time_s + result.score_time_s

    def _give_up(self, planned: PlannedFit, from_point: int) -> None:
        for owners in planned.owners[from_point:]:
            for number, place in owners:
                self._open[number].give_up(place, planned.fit.fold)

    # -- tell --------------------------------------------------------------------------------

    def _tell_ready(self) -> StopReason | None:
        # In number order only: a trial that is complete too early waits, so that strategies see the
        # same history for any number of workers.
        while (opened := self._open.get(len(self.log.told))) and opened.is_whole:
            del self._open[opened.trial.number]
            self._n_reused += opened.n_taken
            self._n_open_points -= len(opened.points)
            told, keys = opened.told(self.log.objectives[0], self.strategy.key)
            told = self.strategy.judged(told)
            self.log.tell(told)
            self.recorder.told(told, keys)
            self._show(told)
            if reason := self._stop_reason():
                return reason
        self._show(None)
        return self._stop_reason()

    def _stop_reason(self) -> StopReason | None:
        history = self.log.view()
        text = self.criterion.is_spent(history, self.clock() - self._began)
        if text is not None:
            return StopReason.of_criterion(text)
        if self._is_exhausted and not self._open:
            return ALL_TRIED if history.n_told == self.strategy.n_points else EXHAUSTED
        return None

    def _show(self, newest: Trial | None) -> None:
        elapsed_s = self.clock() - self._began
        if newest is None and elapsed_s - self._seen_s < TICK_S:
            return
        self._seen_s = elapsed_s
        self.observer(self._progress(newest, elapsed_s))

    def _progress(self, newest: Trial | None, elapsed_s: float) -> Progress:
        history = self.log.view()
        return Progress(
            objectives=history.objectives,
            n_told=history.n_told,
            n_trials=self._n_trials,
            n_folds=self.objective.n_folds,
            n_evaluated=self._n_evaluated,
            n_reused=self._n_reused,
            n_fits=round(self._n_fits),
            n_along=self._n_along,
            n_failed=history.n_failed,
            n_pruned=history.n_pruned,
            n_workers=self.executor.n_workers,
            elapsed_s=elapsed_s,
            fit_s=self._fit_s,
            newest=newest,
            best=history.best(),
        )


def results_of(future: Future[list[FoldResult]], fit: Fit) -> list[FoldResult]:
    """Results of a finished call; a dead worker or a time-out is a failed fold."""
    try:
        return [result.checked() for result in future.result()]
    except CallTimeoutError as error:
        failed = _failed(fit.fold, "timeout", error)
    except (WorkerDiedError, LostError) as error:
        failed = _failed(fit.fold, "worker-died", error)
    except CancelledError as error:
        failed = _failed(fit.fold, "interrupted", error)
    return [failed] * len(fit.all_candidates)


def _failed(fold: int, kind: str, error: BaseException) -> FoldResult:
    return FoldResult(fold, {}, failure=Failure(kind, str(error) or kind))


def unique_start(
    space: SearchSpace, wanted: Sequence[tuple[str, Params]], unsaid: Container[str] = ()
) -> tuple[tuple[tuple[str, Params], ...], list[str]]:
    """Starting points that lie in the space, canonical, without repeats.

    Args:
        space: of the study.
        wanted: (origin, params).
        unsaid: origins that the user did not name.

    Returns:
        The points with their origins, and one sentence for every other point that was left out.
    """
    points: dict[str, tuple[str, Params]] = {}
    notes = []
    for origin, params in wanted:
        try:
            canonical = space.canonical(params)
        except ValueError as error:
            if origin not in unsaid:
                notes.append(f"{NAMES.get(origin, origin)} not tried first: {error}")
            continue
        points.setdefault(space.key(canonical), (origin, canonical))
    return tuple(points.values()), notes
