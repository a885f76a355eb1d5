"""A worker that pulls the fits of one study, from its own checkout of the project."""

import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tunesmith.config.model import Definition, ExecutionSection
from tunesmith.errors import StorageError
from tunesmith.execute.choose import PROCESSES, n_cores
from tunesmith.ledger.leases.postgresql import PostgresLeases
from tunesmith.ledger.leases.seam import PullSession
from tunesmith.objective.objective import Objective
from tunesmith.runs.factory import build_executor, build_objective
from tunesmith.runs.models.keeping import hand_over
from tunesmith.runs.project_code import project_on_path
from tunesmith.runs.pull.access import server_of
from tunesmith.runs.pull.local import LocalRunner
from tunesmith.runs.pull.puller import Leave, Puller
from tunesmith.runs.pull.searches import PullSearch, Searches, SearchRunner
from tunesmith.system.interruptions import Interrupted


@dataclass(frozen=True, kw_only=True)
class Served:
    """Work that a worker has done.

    Args:
        name: of the worker.
        n_fits: number of fits that ended here.
        reason: reason for its end.
    """

    name: str
    n_fits: int
    reason: Leave


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker of a study.

    Args:
        definition: of the study, as it is in this checkout.
        ledger: file or URL of the ledger.
        say: gets sentences that a user should read.
        n_slots: number of fits at a time; one per core by default.
        idle_s: seconds without a fit after which it ends.
        most_fits: number of fits after which it ends.
        insecure: accept a server elsewhere without TLS.
    """

    definition: Definition
    ledger: str | Path
    say: Callable[[str], None]
    n_slots: int | None = None
    idle_s: float | None = None
    most_fits: int | None = None
    insecure: bool = False

    def serve(self) -> Served:
        """Take fits until there is a reason to end.

        Raises:
            WorkerDiffersError: code, data or packages are not those of the run.
            StorageError: the database did not answer for too long.
            Interrupted: a signal came; the leases were given back.
        """
        url = server_of(self.ledger, insecure=self.insecure)
        token = f"{os.getpid()}.{secrets.token_hex(4)}"
        name = f"{socket.gethostname()}:{token.replace('.', ':')}"
        with project_on_path(self.definition.root), self._objective(token) as objective:
            store = PostgresLeases(url, f"tunesmith-worker {os.getpid()}")
            try:
                return self._served(store, objective, name)
            finally:
                store.close()

    @property
    def _n_slots(self) -> int:
        n_gpus = self.definition.file.execution.slots.gpu
        is_program = self.definition.file.objective.is_program
        return self.n_slots or (n_gpus if is_program and n_gpus else n_cores())

    @property
    def _here(self) -> ExecutionSection:
        """Execution of the fits that this worker takes: in its own processes."""
        given = {"executor": PROCESSES, "workers": self._n_slots, "options": {}}
        return self.definition.file.execution.model_copy(update=given)

    @contextmanager
    def _objective(self, token: str) -> Iterator[Objective]:
        """Build the objective; programs get a folder that goes when the block ends."""
        definition = self.definition
        if not definition.file.objective.is_program:
            objective = build_objective(definition)
            hand_over(definition, objective)
            yield objective
            return
        from tunesmith.objective.program.objective import ProgramObjective
        from tunesmith.runs.pull.home import WorkerHome

        file = definition.file.model_copy(update={"execution": self._here})
        program = build_objective(replace(definition, file=file))
        assert isinstance(program, ProgramObjective)  # noqa: S101 - it has a command
        home = WorkerHome(definition.root.resolve(), token)
        with home.open():
            moved = home.moved(program)
            moved.runner.take_snapshot()
            yield moved

    def _served(self, store: PostgresLeases, objective: Objective, name: str) -> Served:
        searches = Searches(PullSearch.of(self.definition, objective))
        runner = SearchRunner(lambda number: self._runner(searches[number]))
        puller = Puller(
            store,
            runner,
            self.definition.file.study,
            name,
            n_slots=self._n_slots,
            admit=_Admission(searches, self.say),
            most_fits=self.most_fits,
            idle_s=self.idle_s,
        )
        try:
            reason = puller.serve()
        except BaseException as error:
            # A database that is away lets the leases lapse; the reason to end is told all the same.
            with suppress(StorageError):
                puller.leave()
            if isinstance(error, Interrupted):
                self.say(f"{puller.n_ended} fits made; the others were given back")
            raise
        finally:
            runner.close()
        return Served(name=name, n_fits=puller.n_ended, reason=reason)

    def _runner(self, search: PullSearch) -> LocalRunner:
        section, call = self.definition.file.objective, search.objective.evaluate
        return LocalRunner(lambda: build_executor(call, section, self._here), search.wire)


@dataclass
class _Admission:
    """Compares this worker with a run, once for each run that wants something else."""

    searches: Searches
    say: Callable[[str], None]
    known: object = None

    def __call__(self, session: PullSession) -> None:
        if session.wanted == self.known:
            return
        search = self.searches.admit(session.wanted)
        self.known = session.wanted
        self.say(f"taking fits of `{search.definition.file.study}`")
