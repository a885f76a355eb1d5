"""Real pull workers under seeded faults: python -m tests.runs.pull.torture 20 [SEED].

Each history is one study on a PostgreSQL server of its own, of an estimator if the seed is even,
and of a program with checkpoints if it is odd: workers and runs are killed, stopped for a while or
told to end, one worker's network is cut, and the server crashes. Afterwards its trials have to be
those of one process, each result recorded once, and no program may be left.
"""

import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from tests.forest import STUDY as FOREST
from tests.forest import make_forest
from tests.ledger.postgres import PostgresServer
from tests.runs.pull.conftest import (
    Program,
    configure,
    expected_trials,
    is_alive,
    trials_of,
)
from tests.runs.pull.partition import Partition, is_allowed
from tests.runs.pull.programs import STUDY as DESCENT
from tests.runs.pull.programs import configure_program, expected_of, make_program

KINDS = ("kill worker", "end worker", "stop worker", "kill run", "crash", "cut")
LIMIT_S = 900.0
LONGEST_S = 45.0
"""Of a stop, a cut and the absence of the server: leases lapse after 30 seconds."""
MORE_WORKERS = 3


class Torture:
    """One history.

    Args:
        seed: fixes the faults and about when they happen.
        folder: empty.
    """

    def __init__(self, seed: int, folder: Path) -> None:
        self.rng, self.faults, self.begun = Random(f"torture {seed}"), list[str](), 0.0
        self.is_program = seed % 2 == 1
        self.children = folder / "children"
        if self.is_program:
            self.project = make_program(folder / "project")
            self.expected = expected_of(self.project)
        else:
            self.project = make_forest(folder / "project")
            self.expected = expected_trials(self.project)
        self.home = Path(tempfile.mkdtemp(prefix="tunesmith-pg-"))
        self.server = PostgresServer(self.home)
        self.server.start()
        self.network = Partition(self.home) if is_allowed() else None
        self.workers: list[Program] = []
        self.run: Program
        self.later: list[tuple[float, Any]] = []
        """Ends of faults: time and what is done then."""

    def close(self) -> None:
        for program in (*self.workers, self.run):
            program.process.kill()
            program.process.wait()
        if self.network is not None:
            self.network.close()
        self.server.stop()
        shutil.rmtree(self.home)

    def judged(self) -> list[str]:
        """Let it happen; return what is wrong."""
        (configure_program if self.is_program else configure)(self.project, self.server.url)
        self.begun = time.monotonic()
        self._start_run()
        self._start_worker()
        due = sorted(self.rng.uniform(2, 40) for _ in range(self.rng.randint(2, 6)))
        while (code := self.run.process.poll()) != 0:
            now = time.monotonic() - self.begun
            if now > LIMIT_S:
                return ["hangs: the study does not end"]
            if code is not None:
                if code not in (74, 75, -signal.SIGKILL):
                    return [f"a run ends with code {code}: {self.run.said}"]
                self._start_run()
            if due and now > due[0]:
                del due[0]
                self._fault(now)
            for one in [one for one in self.later if one[0] < now]:
                self.later.remove(one)
                one[1]()
            if sum(w.process.poll() is None for w in self.workers) < 2:
                self._start_worker()
            time.sleep(0.1)
        for _, end in self.later:
            end()
        study = DESCENT if self.is_program else FOREST
        if trials_of(self.server.url, study) != self.expected:
            return ["other trials than those of one process"]
        return self._left()

    def _left(self) -> list[str]:
        """End all workers; return what is wrong with what they have left."""
        for worker in self.workers:
            worker.process.kill()
            worker.process.wait()
        end = time.monotonic() + 60
        pids = self.children.read_text().split() if self.children.exists() else []
        while alive := [pid for pid in pids if is_alive(int(pid))]:
            if time.monotonic() > end:
                return [f"{len(alive)} of {len(pids)} programs are left"]
            time.sleep(0.1)
        return []

    def _start_run(self) -> None:
        self.run = Program(self.project, "run", "-q")

    def _start_worker(self) -> None:
        command = ["worker", "--workers", "1", "--insecure"]
        environ = {"FITS_CHILDREN": str(self.children)} if self.is_program else {}
        if self.network is None or len(self.workers) % MORE_WORKERS:
            self.workers.append(Program(self.project, *command, **environ))
        else:
            url = self.network.url("postgres")
            prefix = self.network.prefix
            far = Program(self.project, *command, "--ledger", url, prefix=prefix, **environ)
            self.workers.append(far)

    def _fault(self, now: float) -> None:
        kind = self.rng.choice(KINDS)
        self.faults.append(kind)
        alive = [w for w in self.workers if w.process.poll() is None] or self.workers
        process = self.rng.choice(alive).process
        until = now + self.rng.uniform(1, LONGEST_S)
        match kind:
            case "kill worker":
                process.kill()
            case "end worker":
                process.terminate()
            case "stop worker":
                process.send_signal(signal.SIGSTOP)
                self.later.append((until, lambda: process.send_signal(signal.SIGCONT)))
            case "kill run":
                self.run.process.kill()
            case "crash" if not self.later:
                self.server.crash()
                self.later.append((until, self.server.start))
            case "cut" if self.network is not None:
                network = self.network
                network.tell("cut")
                self.later.append((until, lambda: network.tell("heal")))


def main(n: int, first: int) -> int:
    """Run histories one after the other; print those that went wrong."""
    n_wrong, faults = 0, Counter[str]()
    for seed in range(first, first + n):
        with tempfile.TemporaryDirectory() as name:
            made = Torture(seed, Path(name))
            try:
                wrongs = made.judged()
            finally:
                made.close()
        faults.update(made.faults)
        n_wrong += bool(wrongs)
        print(f"seed {seed}: {wrongs or 'fine'}, {made.faults}", flush=True)
    print(f"{n} histories, {n_wrong} wrong; {dict(faults)}")
    return int(n_wrong > 0)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(given[0] if given else 20, given[1] if len(given) > 1 else 0))
