"""Folder of a worker in its checkout, in which programs run; it goes when the worker ends.

Several workers may share a checkout, with each other and with the run, so each has a folder of its
own. That of a worker that was killed is removed by the next one on its machine, with the processes
of its programs, if any should be left.
"""

import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tunesmith.objective.program.build import mark
from tunesmith.objective.program.environment import MARK
from tunesmith.objective.program.objective import ProgramObjective
from tunesmith.system import child_processes
from tunesmith.system.files import STATE, make_private, make_state_folder
from tunesmith.system.portable.abilities import KILL
from tunesmith.system.portable.locks import lock_alone

FOLDER = "workers"
LOCK = "lock"

GIVEN = ("SLURM_JOB_GPUS", "SLURM_STEP_GPUS")
"""Variables in which SLURM names the GPUs that it has given to a job or a step."""


@dataclass(frozen=True)
class WorkerHome:
    """A worker's own folder.

    Args:
        root: the project folder, resolved.
        token: text that no other worker has.
        host: name of the machine, by which folders that belong to others are spared.
    """

    root: Path
    token: str
    host: str = socket.gethostname()

    @property
    def folder(self) -> Path:
        """The folder."""
        return self._all / f"{self.host}.{self.token}"

    @property
    def _all(self) -> Path:
        return self.root / STATE / FOLDER

    @contextmanager
    def open(self) -> Iterator[None]:
        """Make the folder, and remove it afterwards; before, remove those of dead workers."""
        make_state_folder(self.folder)
        with _locked(self.folder) as is_ours:
            assert is_ours  # noqa: S101 - nobody else has its name
            self._remove_dead()
            try:
                yield
            finally:
                shutil.rmtree(self.folder, ignore_errors=True)

    def _remove_dead(self) -> None:
        # Locks tell little about other machines: some file systems keep them to themselves.
        for folder in self._all.glob(f"{self.host}.*"):
            if folder == self.folder or not (folder / LOCK).exists():
                continue
            with _locked(folder) as is_dead:
                if is_dead:
                    child_processes.send(KILL, child_processes.marked(MARK, _mark(folder)))
                    shutil.rmtree(folder, ignore_errors=True)

    def moved(self, objective: ProgramObjective) -> ProgramObjective:
        """Return an objective whose programs leave everything in this folder."""
        runner = objective.runner
        checkpoints, gpus = runner.checkpoints, runner.gpus
        if checkpoints is not None:
            checkpoints = replace(checkpoints, folder=self.folder / "checkpoints")
        if gpus is not None:
            # Other machines that share the disk have GPUs of the same numbers, and so have other
            # jobs on this machine, if their queue gives each of them devices of its own.
            gpus = replace(gpus, folder=gpus.folder / f"{self.host}{_job(os.environ)}")
        moved = replace(
            runner,
            runs=self.folder / "runs",
            checkpoints=checkpoints,
            gpus=gpus,
            # A run of the study that begins must not take these programs for orphans.
            surroundings=replace(runner.surroundings, mark=_mark(self.folder)),
            watching=replace(runner.watching, own=(*runner.watching.own, self.folder)),
        )
        return replace(objective, runner=moved)


def _job(environ: Mapping[str, str]) -> str:
    """Return a text that only processes which may meet on one GPU share; empty for all of a host.

    A job of SLURM has GPUs of its own if SLURM says that it has given it some, and a task has if
    they were asked for by task. Otherwise tasks and jobs see the same ones.

    >>> slurm = {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_PROCID": "3"}
    >>> _job({}), _job(slurm), _job({**slurm, "SLURM_JOB_GPUS": "2"})
    ('', '', '-7-0')
    >>> _job({**slurm, "SLURM_STEP_GPUS": "2", "SLURM_GPUS_PER_TASK": "1"})
    '-7-0-3'
    """
    if not any(environ.get(name) for name in GIVEN):
        return ""
    names = ["SLURM_JOB_ID", "SLURM_STEP_ID"]
    names += ["SLURM_PROCID"] if environ.get("SLURM_GPUS_PER_TASK") else []
    parts = (environ.get(name, "") for name in names)
    return "".join(f"-{part}" for part in parts if part.isalnum())


def _mark(folder: Path) -> str:
    return mark(folder, FOLDER)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Lock a folder; give false if somebody has it, or if it has just gone."""
    try:
        make_private(folder / LOCK)
        handle = os.open(folder / LOCK, os.O_RDWR)
    except FileNotFoundError:
        yield False
        return
    try:
        yield lock_alone(handle)
    finally:
        os.close(handle)
