"""Tunesmith's loop around an objective in memory: workers, limits, progress, interruption."""

import signal
import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass
from os import PathLike
from typing import Any

from joblib import cpu_count
from pydantic import ValidationError

from tunesmith.config.messages import violations_of
from tunesmith.config.stop import StopSection
from tunesmith.execute.choose import PROCESSES, SERIAL, choose, executor_class
from tunesmith.execute.executor import Call, Executor
from tunesmith.execute.libraries import libraries
from tunesmith.execute.serial import ThreadLimit
from tunesmith.execute.starter import kept
from tunesmith.history import Trial
from tunesmith.models.build import N_CANDIDATES
from tunesmith.models.store import ModelStore
from tunesmith.objective.live import LiveObjective
from tunesmith.objective.outputs import LiveResult, Output
from tunesmith.runs.progress import is_interactive, watching
from tunesmith.search.stopping import AnyOf, Criterion, FirstFailures, MaxTrials, criteria
from tunesmith.sklearn.checked_once import CheckedOnce
from tunesmith.sklearn.plan import SearchPlan
from tunesmith.sklearn.session import Session, session
from tunesmith.sklearn.sharing import SharingPlan
from tunesmith.study.keeping import KeepingWithin
from tunesmith.study.loop import Outcome, Study
from tunesmith.study.progress import Observer, Progress
from tunesmith.study.recorder import Recorder
from tunesmith.study.signals import SignalGate, StopRequested
from tunesmith.types import Params, StopKind, StopReason


@dataclass(frozen=True)
class SearchOutcome:
    """The results of a search."""

    candidates: list[dict[str, Any]]
    """The finished ones, in order."""
    outputs: list[Output]
    """Results of every fit in scikit-learn's form: candidate by candidate, fold by fold."""
    n_fits: int
    n_reused: int
    reason: StopReason
    """Reason for which it ended."""

    _: KW_ONLY
    points: Sequence[Params] = ()
    """The params of the candidates, with tokens for objects."""
    n_raced: int = 0
    """Number of candidates that a race stopped before their last fold."""

    @property
    def is_interrupted(self) -> bool:
        """True if a signal has ended it."""
        return self.reason.kind is StopKind.INTERRUPTED


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Runs a search."""

    objective: LiveObjective
    n_jobs: int
    executor: str
    stop: Mapping[str, Any] | None
    fit_timeout_s: float | None
    ledger: str | PathLike[str] | None
    name: str
    verbose: int
    store: ModelStore | None = None
    """Keeps the fold models of the best candidates."""

    def run(self, plan: SearchPlan, sharing: SharingPlan) -> SearchOutcome:
        """Evaluate candidates until there are no more, or a criterion ends the search.

        Args:
            plan: what is tried.
            sharing: what is foreseen of it, which is printed where ``verbose`` asks for words.

        Raises:
            ValueError: ``stop`` cannot be understood.
        """
        criterion = self._criterion(plan)
        if self.verbose > 0:
            n, n_folds = plan.n_most, self.objective.n_folds
            print(
                # The words of scikit-learn's own searches, which people look for.
                f"Fitting {n_folds} folds for each of {n} candidates, totalling {n * n_folds} fits"
            )
            print(sharing)
        with session(self.ledger, self.name, self.objective, plan.definition) as place:
            outcome = self._run(plan, criterion, place)
            place.close(outcome)
        trials = list(outcome.history.completed)
        return SearchOutcome(
            [plan.candidate(trial.number, trial.params) for trial in trials],
            [output for trial in trials for output in self._outputs(trial)],
            outcome.n_fits,
            outcome.n_reused,
            outcome.stopped_by,
            points=[trial.params for trial in trials],
            n_raced=sum(trial.is_raced for trial in trials),
        )

    def _outputs(self, trial: Trial) -> list[Output]:
        """Outputs of all folds; those that a race left out have no scores."""
        outputs = self.objective.outputs
        known = [outputs.of(fold) for fold in trial.folds]
        return [*known, *(outputs.left_out(known) for _ in range(trial.n_left_out))]

    def _criterion(self, plan: SearchPlan) -> Criterion:
        given = dict(self.stop or {})
        try:
            stop = StopSection.model_validate(given)
        except ValidationError as error:
            violations = violations_of(error.errors(), StopSection, given)
            raise ValueError("\n".join(f"stop.{violation}" for violation in violations)) from None
        # Invalid combinations are common in grids, and scikit-learn continues after them.
        first = [FirstFailures(stop.first_failures)] if "first_failures" in given else []
        return AnyOf((MaxTrials(max(plan.n_most, 1)), *criteria(stop, plan.space), *first))

    def _run(self, plan: SearchPlan, criterion: Criterion, place: Session) -> Outcome:
        with (
            # Ctrl-C alone: all other signals are the business of the program that searches.
            SignalGate((signal.SIGINT,)) as gate,
            self._checked_executor(place.call or self.objective.evaluate, plan) as executor,
            watching(live=is_interactive(), quiet=self.verbose < 1) as observer,
        ):
            study = Study(
                strategy=plan.strategy,
                objective=self.objective,
                criterion=criterion,
                log=place.log,
                recorder=self._keeping(place.recorder),
                executor=executor,
                gate=gate,
                observer=Echo(observer),
            )
            try:
                return study.run()
            except StopRequested as stop:
                return study.outcome(StopReason.of_signal(stop.signum))

    def _keeping(self, recorder: Recorder) -> Recorder:
        if self.store is None:
            return recorder
        metric, store = self.objective.objectives[0], self.store
        return KeepingWithin(
            recorder, metric, N_CANDIDATES, store.drop, is_full=lambda: store.is_crowded
        )

    def import_ahead(self) -> None:
        """Have the process that workers come from import what fits need.

        It takes a second, in which this process can make its plan and open a ledger.
        """
        if self._stays(*self._workers()[::2]):
            kept(libraries(self.objective.modules))

    def _workers(self) -> tuple[str, int, int | None]:
        """Name of the executor, number of workers, and number of threads of each."""
        name, n_workers = choose(self.executor, self.n_jobs, self.fit_timeout_s)
        # As in joblib: a fit in this process has its threads, one of several a share of the cores.
        return name, n_workers, None if name == SERIAL else max(cpu_count() // n_workers, 1)

    def _stays(self, name: str, n_threads: int | None) -> bool:
        """True if workers come from the fork server that stays for the next search."""
        return name == PROCESSES and n_threads == 1

    def _checked_executor(self, call: Call, plan: SearchPlan) -> Executor:
        """Make the executor; before that, check what one check can spare all workers."""
        name, _, n_threads = self._workers()
        # Candidates that results decide about cannot be grouped yet.
        if name == PROCESSES and n_threads and plan.originals:
            # Threads as in the workers, since the last bits may depend on their number.
            with ThreadLimit(n_threads):
                self.objective.check_ahead(list(plan.points))
        executor = self._executor(call)
        is_alone = name == SERIAL or executor.n_workers == 1
        once = self.is_checked_once and not is_alone
        return CheckedOnce(executor, self.objective.likeness) if once else executor

    @property
    def is_checked_once(self) -> bool:
        """True if one process makes the checks of shared fits for all others."""
        name, n_workers, _ = self._workers()
        # A ledger's journal keeps results at once, and a store models: neither gives them back.
        may_wait = self.ledger is None and self.store is None
        return name == SERIAL or n_workers == 1 or (name == PROCESSES and may_wait)

    def _executor(self, call: Call) -> Executor:
        name, n_workers, n_threads = self._workers()
        options: dict[str, Any] = {}
        if self._stays(name, n_threads):
            options["fork_server"] = kept(libraries(self.objective.modules))
        made: Executor = executor_class(name)(
            call,
            n_workers=n_workers,
            timeout_s=self.fit_timeout_s,
            n_threads=n_threads,
            **options,
        )
        return made


class Echo:
    """Passes on what fits in other processes print and warn of, each warning once."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._seen: set[tuple[type[Warning], str]] = set()

    def __call__(self, progress: Progress) -> None:
        """Print the output and the warnings of one moment of the search."""
        self._observer(progress)
        for fold in progress.newest.folds if progress.newest else ():
            if isinstance(fold, LiveResult):
                sys.stdout.write(fold.said)
                self._warn(fold)

    def _warn(self, fold: LiveResult) -> None:
        for category, message in fold.warned:
            if (category, message) not in self._seen:
                self._seen.add((category, message))
                # If warnings are errors, they were errors in the fit already.
                # Raised here, it would end a search whose fits have succeeded.
                with suppress(Warning):
                    warnings.warn(message, category, stacklevel=2)
