"""Functions that a Dask worker runs for ``DaskExecutor``; they need nothing of the project.

A worker keeps one ``Host`` for each executor that uses it. Hosts end with their executor, with
their worker, and if nobody has used them for ``IDLE_S``: an executor whose run was killed cannot
dismiss them.
"""

import logging
import os
import time
from collections.abc import Mapping
from typing import Any

from distributed import Worker, get_worker
from distributed.diagnostics.plugin import WorkerPlugin
from tornado.ioloop import PeriodicCallback

from tunesmith.execute.cluster.devices import visible
from tunesmith.execute.cluster.host import MISSING, Answer, Host
from tunesmith.execute.cluster.sent import differences

NAME = "tunesmith"
GPU = "GPU"
"""Name of the Dask resource that counts the GPUs of a worker."""
IDLE_S = 300.0
TICK_MS = 5000
RELEASED = frozenset(("cancelled", "released", "forgotten"))

_hosts: dict[tuple[str, str], Host] = {}
"""Hosts by the addresses of their workers, several of which may live in one process, and by the
executors' names."""


class Stopper(WorkerPlugin):  # type: ignore[misc] # Dask is untyped
    """Ends calls that the scheduler no longer wants: cancelled ones, and those of a dead run."""

    idempotent = True

    def setup(self, worker: Worker) -> None:
        """Begin to look for hosts that nobody uses."""
        self._worker = worker
        self._ticker = PeriodicCallback(self._end_idle, TICK_MS)
        self._ticker.start()

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        """End a running call that is released."""
        if finish in RELEASED and start in ("executing", "long-running"):
            for host in self._own().values():
                host.stop(str(key))

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - Dask's signature
        """End all hosts of the worker."""
        self._ticker.stop()
        for name in self._own():
            _hosts.pop(name).close()

    def _own(self) -> dict[tuple[str, str], Host]:
        return {name: host for name, host in _hosts.items() if name[0] == self._worker.address}

    def _end_idle(self) -> None:
        for name, host in self._own().items():
            since = host.idle_since()
            if since is not None and time.monotonic() - since > IDLE_S:
                _hosts.pop(name).close()


async def admit(
    name: str,
    sent: Mapping[str, Any],
    *,
    n_threads: int,
    uses_gpus: bool,
    dask_worker: Worker | None = None,
) -> dict[str, Any]:
    """Compare this worker with the run, and make a host for its calls.

    Args:
        name: of the executor.
        sent: description of the function.
        n_threads: BLAS and OpenMP threads of a call.
        uses_gpus: give each call a GPU, of those that the worker offers as a resource.
        dask_worker: filled in by Dask.

    Returns:
        ``differences``; ``n_slots``, the number of calls at a time; ``needs``, true if the function
        has to be sent.
    """
    assert dask_worker is not None  # noqa: S101 - Dask fills the argument
    apart = differences(sent)
    n_gpus = int(dask_worker.state.total_resources.get(GPU, 0)) if uses_gpus else 0
    n_slots = min(dask_worker.state.nthreads, n_gpus) if uses_gpus else dask_worker.state.nthreads
    if uses_gpus and not n_gpus:
        apart.append(f"the worker offers no GPU: start it with `--resources {GPU}=1`")
    if apart:
        return {"differences": apart, "n_slots": 0, "needs": False}
    if NAME not in dask_worker.plugins:
        await dask_worker.plugin_add(Stopper(), name=NAME)
    place = dask_worker.address, name
    if place not in _hosts:
        _hosts[place] = Host(sent, n_threads=n_threads, devices=visible(n_gpus, os.environ))
    return {"differences": [], "n_slots": n_slots, "needs": not _hosts[place].is_whole}


def receive(name: str, offset: int, chunk: bytes, dask_worker: Worker | None = None) -> None:
    """Take a part of the function's file."""
    assert dask_worker is not None  # noqa: S101 - Dask fills the argument
    _hosts[dask_worker.address, name].receive(offset, chunk)


def dismiss(name: str, dask_worker: Worker | None = None) -> None:
    """End an executor's host."""
    assert dask_worker is not None  # noqa: S101 - Dask fills the argument
    if host := _hosts.pop((dask_worker.address, name), None):
        host.close()


def run_call(name: str, call: str, content: bytes, timeout_s: float | None, alone: bool) -> Answer:
    """Make one call; the body of a Dask task, in a thread of the worker."""
    host = _hosts.get((get_worker().address, name))
    if host is None or not host.is_whole:
        return MISSING, "", 0.0
    return host.run(call, content, timeout_s=timeout_s, alone=alone)


def be_quiet() -> None:
    """Drop Dask's own log lines in this process: what matters is told by the executor."""
    for name in (
        "distributed",
        "distributed.client",
        "distributed.scheduler",
        "distributed.worker",
    ):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
