"""A pretended SLURM on this machine: arrays are submitted, limited, preempted, requeued, cancelled.

Its commands leave requests in a folder, and ``Cluster.step`` does what ``slurmctld`` would do. Time
passes when a test says so, so that no test waits for a limit. What is known of SLURM:
options after ``#SBATCH`` up to the first command, options of the command line before those; only
the batch shell gets ``--signal=B:…``; a job at its limit is begun again only if it is requeued.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.preloaded import programs

COMMANDS = ("sbatch", "squeue", "scancel", "scontrol")
KNOWN = {
    *("job-name", "array", "cpus-per-task", "mem", "time", "signal", "requeue", "open-mode"),
    *("output", "nodes", "ntasks", "partition", "account"),
}
PROGRAM = """#!{python} -SE
import json, os, sys, time
home, name = {home!r}, os.path.basename(sys.argv[0])
if name == "squeue":
    print(open(home + "/queue").read(), end="")
else:
    number = len(os.listdir(home + "/requests")) + 1
    request = dict(name=name, arguments=sys.argv[1:], folder=os.getcwd(), environ=dict(os.environ))
    draft = f"{{home}}/draft-{{os.getpid()}}"
    with open(draft, "w") as file:
        json.dump(request, file)
    while True:
        try:
            # As a link, since two commands may have counted to the same number.
            os.link(draft, f"{{home}}/requests/{{number:04}}")
            break
        except FileExistsError:
            number += 1
    if name == "sbatch":
        print("Submitted batch job", 1000 * number)
"""


@dataclass(eq=False)
class ArrayTask:
    """A task of an array."""

    job: int
    index: int
    script: Path
    options: dict[str, str]
    folder: Path
    environ: dict[str, str]
    state: str = "PENDING"
    n_restarts: int = 0
    codes: list[int] = field(default_factory=list)
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    is_warned: bool = False
    is_coming_back: bool = False

    @property
    def id(self) -> str:
        return str(self.job + self.index)

    @property
    def limit_s(self) -> float:
        parts = [int(part) for part in self.options["time"].split(":")]
        while len(parts) < 3:
            parts = [0, *parts]
        return parts[0] * 3600.0 + parts[1] * 60 + parts[2]

    def begin(self, now: float) -> None:
        values = {"%A": str(self.job), "%a": str(self.index), "%j": self.id}
        name = re.sub("%[Aaj]", lambda mark: values[mark[0]], self.options["output"])
        mode = "ab" if self.options.get("open-mode") == "append" else "wb"
        more = {
            "SLURM_JOB_ID": self.id,
            "SLURM_ARRAY_JOB_ID": str(self.job),
            "SLURM_ARRAY_TASK_ID": str(self.index),
            "SLURM_SUBMIT_DIR": str(self.folder),
            "SLURM_CPUS_PER_TASK": self.options["cpus-per-task"],
            "SLURM_RESTART_COUNT": str(self.n_restarts),
        }
        with (self.folder / name).open(mode) as log:
            self.process = subprocess.Popen(
                ["bash", str(self.script)],
                cwd=self.folder,
                env={**self.environ, **more},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.state, self.started, self.is_warned = "RUNNING", now, False

    def kill(self, kind: signal.Signals) -> None:
        """Signal all of its processes."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, kind)


class Cluster:
    """The controller and the commands.

    Args:
        home: an empty folder.
    """

    def __init__(self, home: Path) -> None:
        self.home, self.now = home, 0.0
        self.tasks: list[ArrayTask] = []
        self._n_read = 0
        (home / "requests").mkdir(parents=True)
        (home / "bin").mkdir()
        for name in COMMANDS:
            command = home / "bin" / name
            command.write_text(PROGRAM.format(python=sys.executable, home=str(home)))
            command.chmod(0o755)
        self._show()

    @property
    def path(self) -> str:
        """A ``PATH`` with its commands."""
        return f"{self.home / 'bin'}{os.pathsep}{programs.path()}"

    def step(self) -> None:
        """Do what has been asked for, and look who has ended."""
        requests = sorted((self.home / "requests").iterdir())
        for request in requests[self._n_read :]:
            content = json.loads(request.read_text())
            getattr(self, f"_{content['name']}")(int(request.name), content)
        self._n_read = len(requests)
        for task in self.tasks:
            if task.state == "RUNNING" and task.process is not None:
                self._look(task, task.process)
        for task in self.tasks:
            if task.state == "PENDING":
                task.begin(self.now)
        self._show()

    def advance(self, seconds: float) -> None:
        """Let time pass; those that are at their limit are warned, or killed."""
        self.now += seconds
        for task in self.tasks:
            if task.state != "RUNNING" or task.process is None:
                continue
            left_s = task.started + task.limit_s - self.now
            kind, _, before = task.options.get("signal", "").removeprefix("B:").partition("@")
            if kind and left_s <= int(before) and not task.is_warned:
                task.is_warned = True
                task.process.send_signal(getattr(signal, f"SIG{kind}"))
            if left_s <= 0:
                task.kill(signal.SIGKILL)
                task.state = "TIMEOUT"
        self.step()

    def preempt(self, task: ArrayTask) -> None:
        """Take its node away at once; it is queued again if it has said ``--requeue``."""
        task.is_coming_back = "requeue" in task.options
        task.kill(signal.SIGKILL)
        self.step()

    def close(self) -> None:
        for task in self.tasks:
            task.kill(signal.SIGKILL)
            if task.process is not None:
                task.process.wait()

    def _look(self, task: ArrayTask, process: "subprocess.Popen[bytes]") -> None:
        if process.poll() is None:
            return
        # What the shell has left behind ends with the job.
        left = task.is_coming_back
        task.codes.append(process.returncode)
        task.state = "PENDING" if left else "COMPLETED" if process.returncode == 0 else "FAILED"
        task.n_restarts += left
        task.is_coming_back = False

    def _show(self) -> None:
        lines = [
            f"{task.job}_{task.index} {task.state}"
            for task in self.tasks
            if task.state in ("PENDING", "RUNNING")
        ]
        (self.home / "queue").write_text("".join(f"{line}\n" for line in ["JOBID STATE", *lines]))

    # -- commands ----------------------------------------------------------------------------

    def _sbatch(self, number: int, content: dict[str, object]) -> None:
        arguments, folder = content["arguments"], Path(str(content["folder"]))
        assert isinstance(arguments, list)
        script = folder / arguments[-1]
        options = {**_directives(script.read_text()), **_options(arguments[:-1])}
        job = 1000 * number
        # SLURM keeps a copy: later edits are for later jobs.
        copy = self.home / f"{job}.sh"
        shutil.copy(script, copy)
        first, _, last = options.get("array", "0").partition("-")
        environ = content["environ"]
        assert isinstance(environ, dict)
        for index in range(int(first), int(last or first) + 1):
            self.tasks.append(ArrayTask(job, index, copy, options, folder, environ))

    def _scancel(self, _number: int, content: dict[str, object]) -> None:
        for task in self._named(content["arguments"]):
            # To all processes of the job, as without `--batch`; killed half a minute later.
            task.kill(signal.SIGTERM)

    def _scontrol(self, _number: int, content: dict[str, object]) -> None:
        arguments = content["arguments"]
        assert isinstance(arguments, list)
        assert arguments[0] == "requeue"
        for task in self._named(arguments[1:]):
            task.is_coming_back = True

    def _named(self, names: object) -> list[ArrayTask]:
        assert isinstance(names, list)
        chosen = [t for t in self.tasks if {t.id, str(t.job), f"{t.job}_{t.index}"} & set(names)]
        assert chosen, names
        return chosen


def _directives(text: str) -> dict[str, str]:
    arguments = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            break
        if line.startswith("#SBATCH "):
            arguments.append(line.removeprefix("#SBATCH ").strip())
    return _options(arguments)


def _options(arguments: list[str]) -> dict[str, str]:
    pairs = dict(argument.removeprefix("--").partition("=")[::2] for argument in arguments)
    assert set(pairs) <= KNOWN, set(pairs) - KNOWN
    return pairs


def wait_for(cluster: Cluster, condition: object, limit_s: float = 240.0) -> None:
    """Let the cluster work until something is true."""
    assert callable(condition)
    end = time.monotonic() + limit_s
    while not condition():
        logs = [p.read_text() for t in cluster.tasks for p in t.folder.glob(f"*-{t.job}_*.log")]
        assert time.monotonic() < end, "\n".join(logs)
        time.sleep(0.05)
        cluster.step()
