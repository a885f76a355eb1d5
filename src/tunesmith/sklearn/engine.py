"""Tunesmith's loop around an objective in memory: workers, limits, progress, interruption."""

import signal
import sys
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike
from typing import Any

from joblib import cpu_count
from pydantic import ValidationError

from tunesmith import registry
from tunesmith.config.messages import violations_of
from tunesmith.config.model import StopSection
from tunesmith.execute.choose import PROCESSES, SERIAL, choose
from tunesmith.execute.executor import Call, Executor
from tunesmith.execute.fork_server import kept
from tunesmith.execute.libraries import libraries
from tunesmith.objective.live import LiveObjective
from tunesmith.objective.outputs import LiveResult, Output
from tunesmith.runs.progress import is_interactive, watching
from tunesmith.search.stopping import AnyOf, Criterion, FirstFailures, MaxTrials, criteria
from tunesmith.sklearn.plan import SearchPlan
from tunesmith.sklearn.session import Session, session
from tunesmith.sklearn.sharing import SharingPlan
from tunesmith.study.loop import Outcome, Study
from tunesmith.study.progress import Observer, Progress
from tunesmith.study.signals import SignalGate, StopRequested
from tunesmith.types import StopKind, StopReason


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

    def run(self, plan: SearchPlan, sharing: SharingPlan) -> SearchOutcome:
        """Evaluate candidates until there are no more, or a criterion ends the search.

        Args:
            plan: what is tried.
            sharing: what is foreseen of it, which is printed where ``verbose`` asks for words.

        Raises:
            ValueError: ``stop`` cannot be understood.
        """
        criterion = self._criterion(plan.n_most)
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
        trials = list(outcome.history.told)
        return SearchOutcome(
            [plan.candidate(trial.number, trial.params) for trial in trials],
            [self.objective.outputs.of(fold) for trial in trials for fold in trial.folds],
            outcome.n_fits,
            outcome.n_reused,
            outcome.stopped_by,
        )

    def _criterion(self, n_most: int) -> Criterion:
        given = dict(self.stop or {})
        try:
            stop = StopSection.model_validate(given)
        except ValidationError as error:
            violations = violations_of(error.errors(), StopSection)
            raise ValueError("\n".join(f"stop.{violation}" for violation in violations)) from None
        # Invalid combinations are common in grids, and scikit-learn continues after them.
        first = [FirstFailures(stop.first_failures)] if "first_failures" in given else []
        return AnyOf((MaxTrials(max(n_most, 1)), *criteria(stop), *first))

    def _run(self, plan: SearchPlan, criterion: Criterion, place: Session) -> Outcome:
        with (
            # Ctrl-C alone: all other signals are the business of the program that searches.
            SignalGate((signal.SIGINT,)) as gate,
            self._executor(place.call or self.objective.evaluate) as executor,
            watching(live=is_interactive(), quiet=self.verbose < 1) as observer,
        ):
            study = Study(
                strategy=plan.strategy,
                objective=self.objective,
                criterion=criterion,
                log=place.log,
                recorder=place.recorder,
                executor=executor,
                gate=gate,
                observer=Echo(observer),
            )
            try:
                return study.run()
            except StopRequested as stop:
                return study.outcome(StopReason.of_signal(stop.signum))

    def _executor(self, call: Call) -> Executor:
        name, n_workers = choose(self.executor, self.n_jobs, self.fit_timeout_s)
        # As in joblib: a fit in this process has its threads, one of several a share of the cores.
        n_threads = None if name == SERIAL else max(cpu_count() // n_workers, 1)
        options: dict[str, Any] = {}
        if name == PROCESSES and n_threads == 1:
            # The fork server that stays: later searches in a notebook start their workers faster.
            options["fork_server"] = kept(libraries(self.objective.modules))
        made: Executor = registry.load("executors", name)(
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
