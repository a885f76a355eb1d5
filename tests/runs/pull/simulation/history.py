"""One simulated history of a study: real coordinators and workers, seeded faults, and a judge.

The judge sees everything: it knows which fit ran on which worker, and what hit that worker.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from types import SimpleNamespace
from typing import Any

import numpy as np
from tests.runs.pull.simulation.database import DONE, MemoryLeases, Task
from tests.runs.pull.simulation.line import Line
from tests.runs.pull.simulation.world import Process, World

from tunesmith.errors import TunesmithError
from tunesmith.execute.serial import SerialExecutor
from tunesmith.history import Failure, FoldResult, History, Trial, TrialLog
from tunesmith.ledger.leases.seam import AnswerKind, Lease
from tunesmith.ledger.queries import NOT_RESULTS
from tunesmith.ledger.rows import evaluation_row, fold_result_of
from tunesmith.runs.pull.coordinator import Coordinator, StudyPlace
from tunesmith.runs.pull.puller import Puller
from tunesmith.runs.pull.wire import FitWire
from tunesmith.search.sampler import Sampler
from tunesmith.search.stopping import MaxTrials
from tunesmith.space import Float, SearchSpace
from tunesmith.study.loop import Study
from tunesmith.study.recorder import NoRecorder
from tunesmith.study.strategy import SamplerStrategy
from tunesmith.testing.functions import FunctionObjective
from tunesmith.types import Params

STUDY = "study"
SPACE = SearchSpace.of({"x": Float(0, 1)})
N_FOLDS = 2
RATES = {"slow": 0.01, "answer lost": 0.02, "twice": 0.02}
LIMIT_S = 1500.0
LOST = "3 workers were lost with it"


class Terminated(BaseException):
    """SIGTERM."""


class Climber:
    """A sampler that looks at every result, so that a wrong one changes all further trials."""

    looks_back = True

    def blocker(self, _space: SearchSpace) -> str | None:
        return None

    def suggest(
        self, _space: SearchSpace, history: History, _n: int, rng: np.random.Generator
    ) -> list[Params]:
        told = [t for t in history if t.folds]
        of_past = sum(t.number * sum(f.scores.get("score", 0.5) for f in t.folds) for t in told)
        return [{"x": (of_past + float(rng.random())) % 1.0}]


def score(params: Params, fold: int) -> float:
    return float(params["x"]) * (fold + 1) / 3  # type: ignore[arg-type]


@dataclass(eq=False)
class Execution:
    """One execution of a fit by a worker."""

    address: str
    process: Process
    task: int
    is_running: bool = True
    is_excused: bool = False
    """True if something hit its worker, or the run was ended, while it ran."""


@dataclass
class Judge:
    """Facts of a history."""

    executions: list[Execution] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)
    withdrawn: set[int] = field(default_factory=set)
    """Tasks of a run that ended before they did."""
    given: set[str] = field(default_factory=set)
    """Keys of results with which workers have ended tasks."""

    def excuse(self, process: Process | None = None) -> None:
        for one in self.executions:
            if one.is_running and process in (None, one.process):
                one.is_excused = True

    def n_redone(self) -> int:
        return len(self.executions) - len({one.address for one in self.executions})

    def unexcused(self) -> list[str]:
        counted = Counter(
            one.address
            for one in self.executions
            if not one.is_excused and one.task not in self.withdrawn
        )
        return [address for address, n in counted.items() if n > 1]


class SimulatedLedger(MemoryLeases):
    """The database with the ledger's tables, which the judge looks at."""

    def __init__(self, world: World, judge: Judge, flaws: frozenset[str]) -> None:
        super().__init__(lambda: world.now, flaws)
        self.judge = judge
        self.trials: dict[int, tuple[Params, tuple[str, ...]]] = {}

    def dropping(self, task: Task) -> None:
        if task.kind is not AnswerKind.RESULT:
            return
        recorded = {key for key, _ in self.evaluations}
        for row in json.loads(task.answer)["rows"]:
            if row["key"] not in recorded:
                self.judge.wrongs.append("lost: an ended task was removed before it was recorded")

    def finish(self, worker: str, lease: Lease, kind: AnswerKind, content: str) -> None:
        task = self.tasks.get(lease.task)
        was_done = task is None or task.state == DONE
        super().finish(worker, lease, kind, content)
        # Until here it was in flight: a worker that is killed takes answers along.
        for one in self.judge.executions:
            if (one.task, one.process.name) == (lease.task, worker):
                one.is_running = False
        if task is not None and not was_done and task.state == DONE:
            self.judge.given |= {row["key"] for row in json.loads(content)["rows"]}

    def leave(self, study: str, epoch: int) -> None:
        there = set(self.tasks)
        super().leave(study, epoch)
        # Whoever ends a run withdraws its fits, also those that a worker is about to begin.
        self.judge.withdrawn |= there - set(self.tasks)

    def known(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        rows = {key: row for (key, _), row in self.evaluations.items()}
        return {
            key: rows[key]
            for key in keys
            if key in rows and rows[key]["failure_kind"] not in NOT_RESULTS
        }

    def commit(
        self, run_id: int, rows: Iterable[dict[str, Any]], trials: Iterable[tuple[Trial, Any]]
    ) -> None:
        for row in rows:
            self.evaluations.setdefault((row["key"], run_id), row)
        for trial, keys in trials:
            self.trials[trial.number] = trial.params, tuple(keys)


class SimulatedRecorder(NoRecorder):
    """Recorder of one coordinator, whose commits travel as messages."""

    def __init__(self, process: Process, ledger: SimulatedLedger, run_id: int) -> None:
        self.process, self.ledger, self.run_id = process, ledger, run_id
        self.results: list[dict[str, Any]] = []
        self.trials: list[tuple[Trial, Sequence[str]]] = []

    def known(self, keys: Iterable[str]) -> dict[str, FoldResult]:
        asked = list(keys)
        rows = self.process.world.message(self.process, lambda: self.ledger.known(asked))
        return {
            key: fold_result_of(SimpleNamespace(**row), row["fold"])  # type: ignore[arg-type]
            for key, row in rows.items()
        }

    def result(self, key: str, result: FoldResult) -> None:
        self.results.append(evaluation_row(key, result, self.run_id))

    def completed(self, trial: Trial, keys: Sequence[str]) -> None:
        self.trials.append((trial, keys))

    def commit_when_due(self) -> None:
        self.commit()

    def commit(self) -> None:
        if not self.results and not self.trials:
            return
        rows, trials = list(self.results), list(self.trials)
        act = lambda: self.ledger.commit(self.run_id, rows, trials)  # noqa: E731
        self.process.world.message(self.process, act)
        self.results.clear()
        self.trials.clear()


class SimulatedRunner:
    """Runs the fits of a worker, each for a while."""

    def __init__(self, process: Process, wire: FitWire, judge: Judge, poison: float) -> None:
        self.process, self.wire, self.judge, self.poison = process, wire, judge, poison
        self.due: dict[int, tuple[float, Execution, Lease]] = {}

    def start(self, lease: Lease) -> None:
        fit = self.wire.item(lease.content)
        world = self.process.world
        takes_s = world.rng.expovariate(1 / 8) if world.rng.random() < 0.9 else world.some(120.0)
        execution = Execution(lease.content, self.process, lease.task)
        # It was cut off between the database's answer and its arrival.
        execution.is_excused = world.now < self.process.cut_off_until
        self.judge.executions.append(execution)
        self.due[lease.task] = world.now + takes_s, execution, lease
        if fit.candidates[0]["x"] < self.poison:  # type: ignore[operator]
            process = self.process
            # Its machine goes down with it.
            world.at(takes_s / 2, lambda: self._poison(process, execution))

    def _poison(self, process: Process, execution: Execution) -> None:
        if execution.is_running:
            self.judge.excuse(process)
            process.kill()

    def stop(self, task: int) -> None:
        _, execution, _ = self.due.pop(task)
        execution.is_running = False

    def ended(self, timeout_s: float) -> list[tuple[int, AnswerKind, str]]:
        world = self.process.world
        first = min((due for due, *_ in self.due.values()), default=inf)
        self.process.sleep(min(timeout_s, max(0.0, first - world.now)))
        answers = []
        for task, (due, _, lease) in list(self.due.items()):
            if due <= world.now:
                del self.due[task]
                fit = self.wire.item(lease.content)
                text = self.wire.answer(fit, self.wire.objective.evaluate(fit))
                answers.append((task, AnswerKind.RESULT, text))
        return answers


@dataclass(frozen=True)
class Verdict:
    """Outcome of a history."""

    wrongs: tuple[str, ...]
    n_fits: int
    n_redone: int
    n_faults: int
    is_blamed: bool
    """True if an innocent fit lost three workers."""


class Simulation:
    """A study under faults.

    Args:
        seed: fixes the history.
        flaws: rules that are not kept.
    """

    def __init__(self, seed: int, flaws: frozenset[str] = frozenset()) -> None:
        self.world = World(f"history {seed}")
        # As in swarm testing: some histories have many faults of one kind, and some have none.
        for name, rate in RATES.items():
            self.world.rates[name] = rate * self.world.rng.choice((0, 1, 1, 8))
        self.flaws, self.judge = flaws, Judge()
        self.database = SimulatedLedger(self.world, self.judge, flaws)
        rng = self.world.rng
        self.poison = 0.08 if rng.random() < 0.2 else -1.0
        self.n_trials, self.seed = rng.randint(3, 7), seed
        self.objective = FunctionObjective(score, n_folds=N_FOLDS)
        self.wire = FitWire(self.objective)
        self.n_workers = rng.randint(1, 4)
        self.workers: list[Process] = []
        self.coordinators: list[Process] = []
        self.histories: list[list[Any]] = []
        self.n_runs = 0
        self.world.on_fault = self.judge.excuse

    def run(self) -> Verdict:
        for _ in range(self.n_workers):
            self._start_worker()
        self._start_coordinator()
        for _ in range(self.world.rng.randint(0, 6)):
            self.world.at(self.world.some(150.0), self._fault)
        self.world.at(300.0, self._calm_down)
        is_over = self.world.run(lambda: bool(self.histories or self.judge.wrongs), LIMIT_S)
        for process in (*self.workers, *self.coordinators):
            process.kill()
        if not is_over:
            self.judge.wrongs.append("hangs: the study does not end")
        return self._verdict()

    # -- processes ---------------------------------------------------------------------------

    def _start_coordinator(self) -> None:
        number = self.n_runs = self.n_runs + 1
        made = Process(self.world, f"run{number}", lambda p: self._coordinate(p, number))
        self.coordinators.append(made)

    def _coordinate(self, process: Process, run_id: int) -> None:
        try:
            history = self._study(process, run_id)
            self.histories.append(history)
        except TunesmithError:
            # It ends with an error, as on a database that is away; somebody starts it again.
            self.world.at(self.world.some(60.0), self._restart)
        finally:
            if not process.is_alive and not self.histories:
                self.world.at(self.world.some(60.0), self._restart)

    def _restart(self) -> None:
        if not self.histories and not any(p.is_alive for p in self.coordinators):
            self._start_coordinator()

    def _study(self, process: Process, run_id: int) -> list[Any]:
        place = StudyPlace(study=STUDY, run_id=run_id, wanted={}, name=process.name)
        line = Line(process, self.database)
        recorder = SimulatedRecorder(process, self.database, run_id)
        with coordinator_class(self.flaws)(
            line,
            self.wire,
            place,
            n_workers=4,
            say=lambda _: None,
            clock=process.clock,
            pause=process.sleep,
        ) as executor:
            return listed(self._made(executor, recorder, process).run().history)

    def _made(self, executor: Any, recorder: Any, process: Process | None) -> Study:
        sampler: Sampler = Climber()
        return Study(
            strategy=SamplerStrategy(SPACE, sampler, name="climb", seed=self.seed, window=2),
            objective=self.objective,
            criterion=MaxTrials(self.n_trials),
            log=TrialLog(self.objective.objectives),
            recorder=recorder,
            executor=executor,
            clock=(lambda: 0.0) if process is None else process.clock,
        )

    def _start_worker(self) -> None:
        name = f"worker{len(self.workers)}"
        self.workers.append(Process(self.world, name, self._work))

    def _work(self, process: Process) -> None:
        runner = SimulatedRunner(process, self.wire, self.judge, self.poison)
        puller = Puller(
            Line(process, self.database),
            runner,
            STUDY,
            process.name,
            n_slots=self.world.rng.randint(1, 2),
            admit=lambda _session: None,
            clock=process.clock,
            pause=process.sleep,
        )
        try:
            puller.serve()
        except Terminated:
            # A second signal, or a database that is away: the leases lapse.
            with suppress(TunesmithError, Terminated):
                puller.leave()
        except TunesmithError:
            pass
        finally:
            for one in self.judge.executions:
                if one.process is process:
                    one.is_running = False
            self.world.at(self.world.some(40.0), self._start_worker)

    # -- faults ------------------------------------------------------------------------------

    def _calm_down(self) -> None:
        self.world.is_calm = True
        for process in (*self.workers, *self.coordinators):
            process.stopped_until = process.cut_off_until = 0.0

    def _fault(self) -> None:
        rng = self.world.rng
        worker = rng.choice([p for p in self.workers if p.is_alive] or self.workers)
        run = rng.choice([p for p in self.coordinators if p.is_alive] or self.coordinators)
        kind = rng.choice(("kill", "term", "stop", "cut off", "clock", "second run", "away"))
        process = rng.choice((worker, run))
        if kind not in ("clock", "second run", "away") and process is worker:
            self.judge.excuse(worker)
        self.world.faults.append(f"{kind} {process.name}")
        self._happen(kind, process)

    def _happen(self, kind: str, process: Process) -> None:
        until = self.world.now + self.world.some(120.0)
        match kind:
            case "kill":
                process.kill()
            case "term" if process in self.workers:
                process.interrupt(Terminated())
            case "stop":
                process.stopped_until = until
            case "cut off":
                process.cut_off_until = until
            case "clock":
                process.clock_shift += self.world.rng.uniform(-500, 500)
            case "second run":
                self._start_coordinator()
            case "away":
                self._away(until)

    def _away(self, until: float) -> None:
        """Cut everybody off: the database is restarted, or fails over."""
        for process in (*self.workers, *self.coordinators):
            process.cut_off_until = max(process.cut_off_until, until)
        self.judge.excuse()

    # -- judgement ---------------------------------------------------------------------------

    def _verdict(self) -> Verdict:
        wrongs = self.judge.wrongs
        if again := self.judge.unexcused():
            wrongs.append(
                f"redone: {len(again)} fits ran again though nothing had hit their worker"
            )
        per_key = Counter(key for key, _ in self.results())
        if any(n > 1 for n in per_key.values()):
            wrongs.append("doubled: an evaluation is recorded twice")
        is_blamed = False
        for history in self.histories:
            is_blamed |= bool(blamed(history, self.poison))
            if not is_blamed and history != self._reference():
                wrongs.append("trials: they are not those of one worker")
        self._check_ends()
        return Verdict(
            tuple(dict.fromkeys(wrongs)),
            len(self.judge.executions),
            self.judge.n_redone(),
            len(self.world.faults),
            is_blamed,
        )

    def results(self) -> list[tuple[str, int]]:
        rows = self.database.evaluations.items()
        return [at for at, row in rows if row["failure_kind"] not in NOT_RESULTS]

    def _check_ends(self) -> None:
        """Check that every result is in the ledger, or still waits to be recorded."""
        there = {key for key, _ in self.results()}
        for number, (_, keys) in self.database.trials.items():
            if set(keys) - {key for key, _ in self.database.evaluations}:
                self.judge.wrongs.append(f"lost: trial {number} has no result")
        waiting = [task for task in self.database.tasks.values() if task.state == DONE]
        kept = {
            r["key"] for t in waiting if t.answer[:1] == "{" for r in json.loads(t.answer)["rows"]
        }
        if self.judge.given - there - kept:
            self.judge.wrongs.append("lost: a result that a worker had given is gone")

    def _reference(self) -> list[Any]:
        """The trials of one worker that nothing happens to."""

        def evaluate(fit: Any) -> list[FoldResult]:
            if fit.candidates[0]["x"] < self.poison:
                return [FoldResult(fit.fold, {}, failure=Failure("worker-died", LOST))]
            return self.objective.evaluate(fit)

        with SerialExecutor(evaluate) as executor:
            return listed(self._made(executor, NoRecorder(), None).run().history)


def listed(history: History) -> list[Any]:
    return [
        (t.number, dict(t.params), [(f.fold, dict(f.scores), f.failure) for f in t.folds])
        for t in history
    ]


def blamed(history: list[Any], poison: float) -> list[int]:
    """Trials with a fit that lost its workers, but for those that kill them."""
    return [
        number
        for number, params, folds in history
        if params["x"] >= poison and any(failure is not None for *_, failure in folds)
    ]


def coordinator_class(flaws: frozenset[str]) -> type[Coordinator]:
    """The coordinator, or one that breaks a rule."""
    if "removed before recorded" in flaws:
        return Hasty
    return Trusting if "no new epoch" in flaws else Coordinator


class Hasty(Coordinator):
    """Removes ended tasks, and records their results afterwards."""

    def _take_in(self, ends: Any) -> None:
        if ends:
            self._store.drop(self._place.study, self._epoch, [one.address for one in ends])
        super()._take_in(ends)


class Trusting(Coordinator):
    """Believes that what was not answered has not happened, and will not."""

    def _round(self) -> None:
        self._is_unsure = False
        super()._round()


def simulate(seed: int, flaws: frozenset[str] = frozenset()) -> Verdict:
    """Run one history."""
    return Simulation(seed, flaws).run()
