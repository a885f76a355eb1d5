"""Calls on a Dask cluster under seeded faults: python -m tests.execute.cluster.adversary 20 [SEED].

Workers come, are killed, or hang for longer than the scheduler waits for them; the scheduler is
killed and restarted at its address; calls are cancelled. Every call ends once, with its own result.
"""

import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from tests.execute.cluster.conftest import Started, started

from tunesmith.execute.cluster.dask import MAX_LOSSES, DaskExecutor
from tunesmith.execute.executor import WorkerDiedError
from tunesmith.execute.processes import MAX_STRIKES

N_CALLS, LIMIT_S = 16, 240.0
TTL_S = 3
"""Seconds after which the scheduler gives up a worker that says nothing."""
KINDS = ("worker comes", "worker is killed", "worker hangs", "scheduler", "cancel")


def triple(item: int) -> int:
    time.sleep(0.1 + item % 5 / 10)
    return 3 * item


class Adversary:
    """One history.

    Args:
        seed: fixes the faults and about when they happen.
        folder: for logs.
    """

    def __init__(self, seed: int, folder: Path) -> None:
        self.rng, self.folder = Random(f"adversary {seed}"), folder
        self.faults: list[str] = []
        self.workers: list[Started] = []
        self.hanging: list[tuple[float, Started]] = []
        self.cancelled: set[int] = set()

    def run(self) -> list[str]:
        """Return what is wrong."""
        self.scheduler = self._schedule(0)
        self.address = self.scheduler.address
        try:
            self._come()
            with DaskExecutor(triple, scheduler=self.address) as executor:
                return self._judged(executor)
        finally:
            for one in (*self.workers, self.scheduler):
                one.kill()

    def _judged(self, executor: DaskExecutor) -> list[str]:
        futures = [executor.submit(n) for n in range(N_CALLS)]
        told: Counter[int] = Counter()
        due = sorted(self.rng.uniform(0, 8) for _ in range(self.rng.randint(2, 5)))
        self.begun = time.monotonic()
        while not all(future.done() for future in futures):
            told.update(map(id, executor.completed(0.2)))
            now = time.monotonic() - self.begun
            if now > LIMIT_S:
                return [f"hangs: {sum(not f.done() for f in futures)} calls do not end"]
            if due and now > due[0]:
                del due[0]
                self._fault(executor, futures)
            for until, worker in [one for one in self.hanging if one[0] < now]:
                self.hanging.remove((until, worker))
                worker.process.send_signal(signal.SIGCONT)
            if not any(w.process.poll() is None for w in self.workers):
                self._come()
        told.update(map(id, executor.completed(0)))
        wrongs = [f"told {n} times" for n in told.values() if n > 1]
        # An unlucky call may lose as many workers as one that breaks them.
        n_hits = sum(fault.startswith("worker") for fault in self.faults)
        may_fail = n_hits >= min(MAX_LOSSES, MAX_STRIKES)
        for item, future in enumerate(futures):
            error = None if future.cancelled() else future.exception()
            if item in self.cancelled or (may_fail and isinstance(error, WorkerDiedError)):
                continue
            if future.cancelled() or error is not None or future.result() != 3 * item:
                wrongs.append(f"call {item}: {error or 'another result'}")
        return wrongs

    def _schedule(self, port: int) -> Started:
        environ = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": f"{TTL_S}s"}
        return started(self.folder, "scheduler", port=port, environ=environ)

    def _come(self) -> None:
        threads = self.rng.randint(1, 2)
        self.workers.append(started(self.folder, "worker", self.address, threads=threads))

    def _fault(self, executor: DaskExecutor, futures: list) -> None:  # type: ignore[type-arg]
        kind = self.rng.choice(KINDS)
        self.faults.append(kind)
        alive = [w for w in self.workers if w.process.poll() is None]
        worker = self.rng.choice(alive or self.workers)
        match kind:
            case "worker comes":
                self._come()
            case "worker is killed":
                worker.kill()
            case "worker hangs":
                worker.process.send_signal(signal.SIGSTOP)
                until = self.rng.uniform(1, 8 * TTL_S)
                self.hanging.append((time.monotonic() - self.begun + until, worker))
            case "scheduler":
                self.scheduler.kill()
                port = int(self.address.rpartition(":")[2])
                self.scheduler = self._schedule(port)
            case "cancel":
                item = self.rng.randrange(N_CALLS)
                if not futures[item].done():
                    self.cancelled.add(item)
                    executor.cancel(futures[item])


def main(n: int, first: int) -> int:
    """Run histories one after the other; print those that went wrong."""
    n_wrong, faults = 0, Counter[str]()
    for seed in range(first, first + n):
        with tempfile.TemporaryDirectory() as name:
            made = Adversary(seed, Path(name))
            wrongs = made.run()
            faults.update(made.faults)
            n_wrong += bool(wrongs)
            print(f"seed {seed}: {wrongs or 'fine'}, {made.faults}", flush=True)
    print(f"{n} histories, {n_wrong} wrong; {dict(faults)}")
    return int(n_wrong > 0)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(given[0] if given else 20, given[1] if len(given) > 1 else 0))
