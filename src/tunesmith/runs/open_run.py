"""A run that has begun: it evaluates the trials of one series, and ends with results."""

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.analysis.chosen import chosen_trial
from tunesmith.analysis.confirmation import Contest
from tunesmith.analysis.decision import open_contest
from tunesmith.errors import ExitCode
from tunesmith.execute.executor import Call, Executor, TalkingExecutor
from tunesmith.execute.starter import Starter
from tunesmith.history import TrialLog
from tunesmith.ledger import journal
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.provenance import collect
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.records import StudyHead, StudyRecord
from tunesmith.objective.objective import (
    Objective,
    holding,
    know_checks,
    limits_of_further,
    no_further,
)
from tunesmith.runs.cleanup import end_orphans, keeping, working_folders
from tunesmith.runs.factory import build_executor, build_strategy
from tunesmith.runs.models.keeping import keep_models, n_kept_answers
from tunesmith.runs.outputs import Written
from tunesmith.runs.pull.wants import Offering
from tunesmith.runs.result import Result
from tunesmith.runs.study_run import Run
from tunesmith.search.sampler import Sampler
from tunesmith.search.stopping import build as build_criterion
from tunesmith.study.confirm import Confirmation
from tunesmith.study.holdout import score_holdout
from tunesmith.study.journaled import Journaled
from tunesmith.study.loop import Outcome, Study
from tunesmith.study.recorder import LedgerRecorder, Recorder
from tunesmith.study.signals import SignalGate, StopRequested
from tunesmith.study.strategy import Strategy
from tunesmith.types import StopReason

if TYPE_CHECKING:
    from tunesmith.runs.models.out_of_fold import OutOfFold


@dataclass(frozen=True)
class OpenRun:
    """A run that the ledger has recorded as begun; its study is locked.

    Args:
        run: as it was asked for.
        objective: of its study.
        ledger: open for writing.
        series: the trials that it continues.
        id: number of the run in the ledger.
    """

    run: Run
    objective: Objective
    ledger: Ledger
    series: StudyHead
    id: int

    @classmethod
    def begin(cls, run: Run, objective: Objective, ledger: Ledger, series: StudyHead) -> "OpenRun":
        """Record the beginning of a run and the environment that it has."""
        definition = run.definition
        content = definition.as_json()
        # Reports see the ledger alone, and the configuration does not tell it.
        if definition.file.confirms is not None:
            content |= limits_of_further(objective)
        seed = definition.file.search.seed
        provenance = collect(definition.root, content, objective.context, seed)
        return cls(run, objective, ledger, series, ledger.begin_run(series.id, provenance))

    def complete(self, sampler: Sampler, fork_server: Starter | None = None) -> Result:
        """Evaluate trials until a criterion is met, and write the outputs.

        Args:
            sampler: of the study.
            fork_server: fork server of the worker processes.
        """
        if self.run.uses_shared_fits:
            know_checks(self.objective, self.ledger.passed_checks())
        if self.run.definition.file.objective.is_program:
            # The lock is held, so that a process of this study that still runs is an orphan of a
            # dead run.
            end_orphans(self.run.definition.ledger, self.series.name)
        strategy, log = self._strategy(sampler), self._reliable_log()
        outcome, code = self._evaluate(strategy, log, fork_server)
        for kind in dict.fromkeys(self._recorder.refuted):
            self.run.say(_refuted(kind))
        # Results that workers had finished when a signal came, and the study had not yet received.
        journal.replay(self.ledger, self._journals if code else None)
        journal.remove(self._journals)
        return self._finish(outcome, code)

    def _evaluate(
        self, strategy: Strategy, log: TrialLog, fork_server: Starter | None
    ) -> tuple[Outcome, int]:
        """Evaluate trials until a criterion is met or a signal comes; return the exit code, too."""
        # Before the objective goes to workers: it may get a keeper of models.
        file, recorder = self.run.definition.file, self._keeping_recorder()
        call = self._call()
        with (
            working_folders(self.run.definition, self.objective),
            SignalGate() as gate,
            build_executor(
                call, file.objective, file.execution, fork_server, offering=self._offering
            ) as executor,
        ):
            if isinstance(executor, TalkingExecutor):
                executor.say = self.run.say
            study = Study(
                strategy=strategy,
                objective=self.objective,
                criterion=build_criterion(file.stop, self.run.definition.space),
                log=log,
                recorder=recorder,
                executor=executor,
                gate=gate,
                observer=self.run.observer,
            )
            try:
                outcome = study.run()
                limits = limits_of_further(self.objective)
                recorded = RecordedStudy.of({**self.run.definition.as_json(), **limits})
                winner = chosen_trial(outcome.history, recorded, self.objective.metrics)
                outcome = self._confirm(outcome, recorded, executor, gate)
                score_holdout(self.objective, executor, self._recorder, gate, winner)
                if self._out_of_fold is not None:
                    self._out_of_fold.repeat(self._record, executor, gate)
            except StopRequested as stop:
                # The convention of shells: 130 for SIGINT, 143 for SIGTERM.
                return study.outcome(StopReason.of_signal(stop.signum)), 128 + stop.signum
        return outcome, int(ExitCode.OK)

    def _confirm(
        self, outcome: Outcome, recorded: RecordedStudy, executor: Executor, gate: SignalGate
    ) -> Outcome:
        """Score the winner and the current parameters on further splits, if a gate asks for it."""
        history, metrics = outcome.history, self.objective.metrics
        contest = open_contest(history, recorded, metrics, self.series.recorded.current)
        if contest is None or no_further(self.objective):
            return outcome
        self.run.say(_confirming(contest))
        trials = history[contest.chosen], history[contest.reference]
        further = Confirmation(self.objective, executor, self._recorder, gate, trials)
        further.run(contest.is_decided)
        return replace(
            outcome,
            n_evaluated=outcome.n_evaluated + further.n_evaluated,
            n_fits=outcome.n_fits + round(further.n_fits),
        )

    def _finish(self, outcome: Outcome, code: int) -> Result:
        self.ledger.forget_pending(self.series.id, len(outcome.history))
        predictions, n_repeated = self._predictions(code)
        outcome = replace(outcome, n_fits=outcome.n_fits + n_repeated)
        counts = outcome.n_evaluated, outcome.n_reused, outcome.n_fits
        self.ledger.end_run(self.id, outcome.stopped_by, *counts)
        record = self._record
        summary, written = self.run.write(self.ledger, record)
        if code == ExitCode.OK and outcome.history.best() is None:
            code = ExitCode.NO_RESULT
        return Result(
            record=record,
            summary=summary,
            n_evaluated=outcome.n_evaluated,
            n_reused=outcome.n_reused,
            n_fits=outcome.n_fits,
            written=(*written, *predictions),
            exit_code=code,
            objective=self.objective,
            objects=self.run.objects,
            ledger=self.run.definition.ledger,
        )

    def _predictions(self, code: int) -> tuple[tuple[Written, ...], int]:
        """Write the out-of-fold predictions; return the file, and the fits repeated for it."""
        collected = self._out_of_fold
        # An interrupted search has no winner yet.
        if collected is None or code:
            return (), 0
        written = collected.write(self._record)
        return () if written is None else (written,), collected.n_fits

    # -- parts ---------------------------------------------------------------------------------

    @property
    def _record(self) -> StudyRecord:
        """The study as it is in the ledger now."""
        return self.ledger.load(self.series.name)

    @cached_property
    def _out_of_fold(self) -> "OutOfFold | None":
        definition = self.run.definition
        if definition.file.outputs.predictions is None:
            return None
        # Other studies, of programs above all, start without the libraries of estimators.
        from tunesmith.runs.models.out_of_fold import OutOfFold

        return OutOfFold.of(definition, self.objective, self.run.say)

    @cached_property
    def _recorder(self) -> LedgerRecorder:
        return LedgerRecorder(
            self.ledger,
            self.series.id,
            self.id,
            since_run=self.id if self.run.restart else None,
            only_alone=not self.run.uses_shared_fits,
            holds=holding(self.objective),
        )

    def _keeping_recorder(self) -> Recorder:
        definition = self.run.definition
        recorder = keeping(
            self._recorder,
            definition.file.objective,
            self.objective,
            self.ledger,
            self.series,
            n_predicted=n_kept_answers(definition),
        )
        return keep_models(
            recorder, definition, self.objective, self.ledger, self.series, say=self.run.say
        )

    @cached_property
    def _journals(self) -> Path | None:
        """Folder of the workers' journals; ``None`` if there can be none."""
        location, root = self.run.definition.ledger, self.run.definition.root
        return journal.prepare(journal.folder_of(location, self.series.name, root))

    def _call(self) -> Call:
        """Evaluation of a fit, as workers call it."""
        if self._journals is None:
            return self.objective.evaluate
        return Journaled.of(self.objective, self.ledger, self.id, self._journals)

    @property
    def _offering(self) -> Offering:
        """The run, for workers that pull its fits."""
        return Offering(
            definition=self.run.definition,
            objective=self.objective,
            study=self.series.name,
            run_id=self.id,
            say=self.run.say,
        )

    def _strategy(self, sampler: Sampler) -> Strategy:
        # The starting points were fixed when the study began: the best-parameters file has changed
        # since, because the study itself writes it.
        start = self.series.recorded.start or ()
        definition = self.run.definition
        return build_strategy(definition.file, self.objective, definition.space, sampler, start)

    def _reliable_log(self) -> TrialLog:
        """Trials to continue from; those that no longer count are reported, and asked for again."""
        log = self.ledger.log(self.series.id, only_alone=not self.run.uses_shared_fits)
        known = self.ledger.load(self.series.name, self.series.generation)
        if known.outdated:
            self.run.say(f"{known.outdated.partition(';')[0]}: they are evaluated anew")
        if len(log.completed) < known.history.n_completed:
            self.ledger.forget_from(self.series.id, len(log.completed))
        return log


def _confirming(contest: Contest) -> str:
    """Describe the further evaluations that follow."""
    n_fits = 2 * contest.limits.n_most * contest.limits.n_folds
    return (
        f"trial {contest.chosen} and the current parameters (trial {contest.reference}) are scored"
        f" on further splits, with at most {n_fits} fits"
    )


def _refuted(kind: str) -> str:
    """Describe shared fits that gave other answers than fresh ones."""
    content = json.loads(kind)
    return (
        f"sharing fits by {content['way']} gave other predictions than fits of single candidates,"
        " and was given up; all scores are those of single fits. Please report it, with"
        f" {', '.join(f'{name} {text}' for name, text in content['versions'].items())}"
    )
