"""The loop of a study: ask -> plan -> run -> record -> tell. No text, no drawing, no SQL.

Trial k is proposed when exactly the trials up to k - ``window``, the look-ahead, are completed, and
trials are completed in number order. So the trials of a study depend only on its definition and
seed: not on the number of workers, the order in which fits end, or interruptions. A criterion that
is met after trial m ends the study *at* m: pending trials are dropped (their folds stay in the
ledger).
"""

import time
from collections.abc import Callable, Container, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tunesmith.errors import LostError
from tunesmith.execute.executor import CallTimeoutError, Executor, WorkerDiedError
from tunesmith.history import Failure, FoldResult, History, Trial, TrialLog
from tunesmith.objective.objective import Objective, SizedObjective, same_models_of
from tunesmith.objective.plan import PlannedFit, largest_last_ones_first, plan
from tunesmith.search.budget import KEPT_SHARE
from tunesmith.search.stopping import Criterion, only_counts, time_limit_s, trial_limit
from tunesmith.space import SearchSpace
from tunesmith.study.pace import Pace
from tunesmith.study.pending_trial import PendingTrial
from tunesmith.study.progress import Observer, Progress, silent
from tunesmith.study.recorder import Recorder
from tunesmith.study.signals import SignalGate
from tunesmith.study.strategy import LATER, FinishingStrategy, Later, Strategy
from tunesmith.types import ALL_TRIED, EXHAUSTED, Fit, Params, StopReason

if TYPE_CHECKING:  # studies of programs start without the libraries of estimators
    from tunesmith.sharing.same_models import Alike

TICK_S = 0.5
MOST_MISSED = 8
"""Queued fits that a fit did not answer, after which no further ones are looked at."""
LAST_FITS = 10
"""Number of last fits, per worker, that begin with the largest."""
FORESEEN = 4096
"""Number of trials, and of their points, that are proposed at a time if results change nothing."""
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
        # A trial that may stop early has one fold at least.
        least = 1 if self.strategy.races else self.objective.n_folds
        self._limit = trial_limit(self.criterion, least)
        self._is_foreseen = not self.strategy.looks_back and only_counts(self.criterion)
        self._ahead = self._look_ahead()
        known_ends = (self._limit, self.strategy.n_points)
        self._n_trials = min((n for n in known_ends if n is not None), default=None)
        self._open: dict[int, PendingTrial] = {}
        self._same_models = same_models_of(self.objective)
        # Submitted fits by what their models may have in common, so that few are looked at.
        self._alike: dict[Alike, list[Future[list[FoldResult]]]] = {}
        self._n_open_points = 0
        self._running: dict[Future[list[FoldResult]], PlannedFit] = {}
        self._is_exhausted = False
        self._last_from: int | None = None
        self._n_evaluated = self._n_reused = self._n_along = 0
        self._n_fits = self._seen_s = 0.0
        self._pace = Pace()
        self._n_before, self._n_folds_told = len(self.log.completed), 0

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
        pending: list[PendingTrial] = []
        while self._may_ask() and (pending or self._is_time_to_ask()):
            proposal = self._proposal()
            if proposal is None or proposal is LATER:
                self._is_exhausted = proposal is None
                # `LATER` is no end: further completed trials may bring new proposals.
                break
            pending.append(self._ask(*proposal))
        if pending:
            self._submit(pending)

    def _proposal(self) -> tuple[str, Params] | Later | None:
        strategy, number = self.strategy, len(self.log.trials)
        if not isinstance(strategy, FinishingStrategy):
            return strategy.propose(self.log)
        if self._last_from is None:
            self._last_from = self._first_of_the_last(strategy, number)
        if self._last_from is None or number < self._last_from:
            return strategy.propose(self.log)
        return strategy.finish(self.log, self._last_from)

    def _first_of_the_last(self, strategy: FinishingStrategy, number: int) -> int | None:
        """Number of the first trial that is kept to finish others; ``None`` if it is not known."""
        limit_s = time_limit_s(self.criterion)
        is_late = limit_s is not None and (self.clock() - self._began >= (1 - KEPT_SHARE) * limit_s)
        # The clock can only bring it forward: trials until then are the same as ever.
        if is_late:
            return number
        if self._limit is None:
            return None
        first = self._limit - strategy.n_kept(self._limit)
        return first if number >= first else None

    def _may_ask(self) -> bool:
        n_proposed = len(self.log.trials)
        if self._is_exhausted or (self._limit is not None and n_proposed >= self._limit):
            return False
        n_open = n_proposed - len(self.log.completed)
        if n_open < self.strategy.window:
            return True
        # Beyond the look-ahead only if results change nothing. The number of points limits the
        # memory.
        return n_open < self._ahead and self._n_open_points < FORESEEN

    def _look_ahead(self) -> int:
        """Number of pending trials: the look-ahead, or many if no result matters.

        The trials are the same either way. Those that are proposed together can share their fits.
        """
        if self.strategy.looks_back:
            return self.strategy.window
        # Proposed by halves, so that one half keeps all workers busy. A splitter may give no
        # folds, which is reported once there is nothing to evaluate.
        enough = 2 * -(-self.executor.n_workers // max(self.objective.n_folds, 1))
        return max(self.strategy.window, FORESEEN if self._is_foreseen else enough)

    def _is_time_to_ask(self) -> bool:
        # By halves: trials that trickle in one by one could share nothing.
        n_open = len(self.log.trials) - len(self.log.completed)
        is_half = n_open <= self._ahead // 2 and self._n_open_points <= FORESEEN // 2
        return self._ahead == self.strategy.window or is_half

    def _ask(self, origin: str, params: Params) -> PendingTrial:
        trial = self.log.ask(params, self.strategy.key(params), origin)
        self.recorder.pending(trial)
        points = self.strategy.points(trial, self.objective)
        folds = range(self.objective.n_folds)
        thresholds = [self.strategy.thresholds(self.log, trial, fold) for fold in folds]
        opened = self._open[trial.number] = PendingTrial.of(
            trial,
            points,
            self.objective,
            thresholds,
            stop_rule=self.strategy.stop_rule(self.log, trial),
            subject_to=self.log.subject_to,
        )
        self._n_open_points += len(points)
        return opened

    def _submit(self, pending: Sequence[PendingTrial]) -> None:
        """Take known results from the ledger; submit the rest for evaluation."""
        # One query for all trials that were proposed together.
        known = self.recorder.known(key for trial in pending for key in trial.all_keys)
        for trial in pending:
            trial.take(known)
            self._take_over(trial)
        have = {item for trial in pending for item in trial.have}
        trials = [trial.candidates for trial in pending if not trial.is_whole]
        fits = plan(trials, self.objective.n_folds, have, self.objective.groups)
        for planned in self._in_order(fits):
            self._start(self._with_thresholds(planned))

    def _take_over(self, trial: PendingTrial) -> None:
        """Give a trial the results of earlier fits that have shown to be its own."""
        if self._same_models is None:
            return
        for place, fold in trial.lacking:
            found = self._same_models.find(trial.points[place], fold)
            if found is not None:
                trial.reuse(place, found)
                self.recorder.result(trial.keys[place][fold], found)

    def _with_thresholds(self, planned: PlannedFit) -> PlannedFit:
        thresholds = self._open[planned.first].thresholds[planned.fit.fold]
        # A fit of several points has no single score that could be compared with thresholds.
        if not thresholds or len(planned.fit.all_candidates) > 1:
            return planned
        return replace(planned, fit=replace(planned.fit, thresholds=thresholds))

    def _in_order(self, planned: list[PlannedFit]) -> list[PlannedFit]:
        n_workers, objective = self.executor.n_workers, self.objective
        are_last = self._is_exhausted or len(self.log.trials) == self._n_trials
        # Only if all trials are proposed together: no further proposal then waits for one of these
        # fits.
        if n_workers == 1 or not (self._is_foreseen and are_last):
            return planned
        if not isinstance(objective, SizedObjective):
            return planned
        return largest_last_ones_first(planned, LAST_FITS * n_workers, objective.size)

    def _start(self, planned: PlannedFit) -> None:
        self._pace.begin(self.clock())
        future = self.executor.submit(planned.fit)
        self._running[future] = planned
        if self._same_models is not None:
            alike = self._same_models.alike_of(planned.fit)
            if alike is not None:
                self._alike.setdefault(alike, []).append(future)

    # -- run and record ----------------------------------------------------------------------

    def _collect(self) -> None:
        if not self._running:
            return
        with self.gate.waiting():
            # Not until a fit ends: the clock may end the study, and observers want to see it pass.
            done = self.executor.completed(TICK_S)
        for future in done:
            self._take_in(self._running.pop(future), future)
        if self.strategy.races:
            self._drop_needless()
        self.recorder.commit_when_due()

    def _drop_needless(self) -> None:
        """Drop queued fits that only stopped trials were waiting for.

        Running ones go on, since ending one would end its worker; their results are recorded.
        """
        for future, planned in list(self._running.items()):
            if not self._is_needed(planned) and future.cancel():
                del self._running[future]

    def _is_needed(self, planned: PlannedFit) -> bool:
        numbers = {number for owners in planned.owners for number, _ in owners}
        return any(n in self._open and not self._open[n].is_stopped for n in numbers)

    def _take_in(self, planned: PlannedFit, future: Future[list[FoldResult]]) -> None:
        fit = planned.fit
        is_joint = len(fit.all_candidates) > 1 or bool(fit.extra_candidates)
        if is_joint and future.exception() is not None:
            # It is not known whose fault that was: each gets a fit and a time limit of its own.
            for alone in planned.alone():
                if self._is_needed(alone):
                    self._start(alone)
            self._give_up(planned, from_point=len(fit.candidates))
            return
        results = results_of(future, fit)
        for owners, params, result in zip(
            planned.owners, fit.all_candidates, results, strict=False
        ):
            self._receive(owners, params, self._learnt(params, result))
        self._drop_answered(fit)
        self._n_along += max(len(results) - len(fit.candidates), 0)
        self._pace.count(min(len(results), len(fit.candidates)), self.clock())
        self._give_up(planned, from_point=len(results))

    def _learnt(self, params: Params, result: FoldResult) -> FoldResult:
        return result if self._same_models is None else self._same_models.learn(params, result)

    def _drop_answered(self, fit: Fit) -> None:
        """Drop queued fits whose models a fit has shown to be its own; take over their results."""
        if self._same_models is None:
            return
        alike = self._same_models.alike_of(fit)
        if alike is None:
            return
        futures = [one for one in self._alike.pop(alike, []) if one in self._running]
        n_missed = 0
        for future in futures:
            found = self._same_models.find_all(self._running[future].fit)
            # Running ones go on, since ending one would end its worker.
            if found is not None and future.cancel():
                self._reuse(self._running.pop(future), found)
            else:
                n_missed += 1
            # Later ones are looked at before their turn comes: all of them after every fit would
            # take longer than short fits do.
            if n_missed == MOST_MISSED:
                break
        self._alike[alike] = [one for one in futures if one in self._running]

    def _reuse(self, planned: PlannedFit, found: Sequence[FoldResult]) -> None:
        for owners, params, result in zip(
            planned.owners, planned.fit.all_candidates, found, strict=True
        ):
            for number, place in owners:
                if number in self._open:
                    self._open[number].reuse(place, result)
            self.recorder.result(self.objective.key(params, result.fold), result)

    def _receive(
        self, owners: Sequence[tuple[int, int]], params: Params, result: FoldResult
    ) -> None:
        # A trial that a race has stopped may be completed by now; the result is recorded all the
        # same, for later studies.
        waiting = [(self._open[number], place) for number, place in owners if number in self._open]
        for trial, place in waiting:
            trial.receive(place, result)
        # Owners of one point share its key, so that one record serves them all.
        keys = (trial.keys[place][result.fold] for trial, place in waiting)
        key = next(keys, None) or self.objective.key(params, result.fold)
        self.recorder.result(key, result)
        self._n_evaluated += 1
        # A shared fit counts once: each of its candidates adds its part.
        self._n_fits += 1 / result.n_sharing

    def _give_up(self, planned: PlannedFit, from_point: int) -> None:
        for owners in planned.owners[from_point:]:
            for number, place in owners:
                if number in self._open:
                    self._open[number].give_up(place, planned.fit.fold)

    # -- tell --------------------------------------------------------------------------------

    def _tell_ready(self) -> StopReason | None:
        # In number order only: a trial that is complete too early waits, so that strategies see the
        # same history for any number of workers.
        while (opened := self._open.get(len(self.log.completed))) and opened.is_whole:
            del self._open[opened.trial.number]
            self._n_reused += opened.n_taken
            self._n_open_points -= len(opened.points)
            completed, keys = opened.completed(self.log.objectives[0], self.strategy.key)
            completed = self.strategy.judged(completed)
            self.log.tell(completed)
            self._n_folds_told += len(completed.folds)
            self.recorder.completed(completed, keys)
            self._show(completed)
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
            return ALL_TRIED if history.n_completed == self.strategy.n_points else EXHAUSTED
        return None

    def _show(self, newest: Trial | None) -> None:
        elapsed_s = self.clock() - self._began
        if newest is None and elapsed_s - self._seen_s < TICK_S:
            return
        self._seen_s = elapsed_s
        self.observer(self._progress(newest, elapsed_s))

    def _folds_per_trial(self, n_told: int) -> float:
        """Mean number of evaluations behind a completed trial of this run, needless ones included.

        Workers may be at later folds of a trial when a race stops it: they took their time, too.
        """
        if not n_told or not self.strategy.races:
            return self._n_folds_told / n_told if n_told else self.objective.n_folds
        opened = self._open.values()
        n_open = sum(place == trial.proposed for trial in opened for place, _ in trial.results)
        n_made = self._n_evaluated - self._n_along + self._n_reused
        return max(n_made - n_open, self._n_folds_told) / n_told

    def _progress(self, newest: Trial | None, elapsed_s: float) -> Progress:
        history, n_folds = self.log.view(), self.objective.n_folds
        n_told = history.n_completed - self._n_before
        n_running = min(len(self._running), self.executor.n_workers)
        return Progress(
            objectives=history.objectives,
            n_completed=history.n_completed,
            n_before=self._n_before,
            n_trials=self._n_trials,
            n_folds=n_folds,
            n_evaluated=self._n_evaluated,
            n_reused=self._n_reused,
            n_running=n_running,
            n_fits=round(self._n_fits),
            n_along=self._n_along,
            n_failed=history.n_failed,
            n_pruned=history.n_pruned,
            n_workers=self.executor.n_workers,
            elapsed_s=elapsed_s,
            folds_per_trial=self._folds_per_trial(n_told),
            seconds_each=self._pace.seconds_each(self.clock(), n_running),
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
