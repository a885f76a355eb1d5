"""Connection of an executor to a Dask cluster: it carries calls, and tells of what happens there.

Everything that happens on Dask's own threads arrives in one queue, as an event. So the executor has
one thread, and decides alone which worker gets which call: Dask only transports.
"""

import asyncio
import time
import warnings
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeAlias

from tunesmith.execute.cluster import dask_calls
from tunesmith.execute.cluster.deploy import Deployment
from tunesmith.execute.cluster.host import Answer

CHUNK_BYTES = 1 << 24
N_ADMITTING = 4
MAX_ASKED = 5
"""Times that a worker is asked in if its answer does not arrive."""
AGAIN_S = 1.0
DISMISS_S = 5.0
TOPIC = "all"
"""Dask's name for the events of all workers."""


@dataclass(frozen=True)
class Admitted:
    """A worker has the function and may be used."""

    worker: str
    n_slots: int


@dataclass(frozen=True)
class WorkerRefused:
    """A worker differs from the run, or cannot be used."""

    worker: str
    reason: str


@dataclass(frozen=True)
class Left:
    """A worker is gone."""

    worker: str
    is_expected: bool


@dataclass(frozen=True)
class Answered:
    """A call has ended, or Dask has given it up (``answer`` is ``None``)."""

    key: str
    answer: Answer | None


Event: TypeAlias = Admitted | WorkerRefused | Left | Answered


class DaskLink:
    """A client of the cluster, replaced by another one if its scheduler was restarted.

    Args:
        deployment: the cluster, started.
        name: of the executor.
        sent: description of the function.
        path: file of the function.
        options: ``n_threads`` and ``uses_gpus`` of the workers' hosts.
    """

    def __init__(
        self,
        deployment: Deployment,
        name: str,
        sent: Mapping[str, Any],
        path: Path,
        **options: Any,
    ) -> None:
        self._deployment, self._name = deployment, name
        self._sent, self._path, self._options = sent, path, options
        self.events: SimpleQueue[Event] = SimpleQueue()
        self._pool = ThreadPoolExecutor(N_ADMITTING, thread_name_prefix="tunesmith-admit")
        self._waiting: set[str] = set()
        """Keys of calls whose end is to be told."""
        self._futures: dict[str, Any] = {}
        self._seen: set[str] = set()
        self._client: Any = None
        self._comm: Any = None
        """The client's connection, which is another one if the client has connected anew."""

    def connect(self) -> None:
        """Connect to the scheduler, and ask its workers in.

        Raises:
            StorageError: nobody answers.
        """
        self.disconnect()
        self._client = client = self._deployment.connect()
        self._comm = client.scheduler_comm
        # Before the list is read: a worker that joins in between is told of.
        client.subscribe_topic(TOPIC, self._hear)
        for worker in client.nthreads():
            self.admit(worker)

    @property
    def is_up(self) -> bool:
        """True as long as the scheduler has not been lost."""
        # A client that has connected anew by itself hears of no worker, and has lost its calls.
        client = self._client
        return (
            client is not None
            and client.status == "running"
            and client.scheduler_comm is self._comm
        )

    @property
    def address(self) -> str:
        """Address of the scheduler."""
        return "" if self._client is None else str(self._client.scheduler.address)

    def admit(self, worker: str) -> None:
        """Compare a worker with the run and send it the function; the answer is an event."""
        if worker not in self._seen:
            self._seen.add(worker)
            self._pool.submit(self._admit, self._client, worker, 1)

    def forget(self, worker: str) -> None:
        """Let a worker be admitted again, such as one that has lost its host."""
        self._seen.discard(worker)

    def submit(
        self, key: str, worker: str, content: bytes, *, timeout_s: float | None, alone: bool
    ) -> None:
        """Send a call to a worker; its end is an event."""
        arguments = self._name, key, content, timeout_s, alone
        self._waiting.add(key)
        self._start(self._carry(self._client, key, worker, arguments))

    def drop(self, key: str) -> None:
        """Give up a call; if it runs, its worker stops it."""
        if key in self._waiting:
            self._waiting.discard(key)
            self._start(self._cancel(self._client, key))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._client.loop.asyncio_loop)

    def disconnect(self) -> None:
        """Give up the present client and all that it has carried."""
        for key in list(self._waiting):
            self.drop(key)
        self._seen.clear()
        client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):
                client.unsubscribe_topic(TOPIC)
                client.close(timeout=1)

    def close(self) -> None:
        """End the hosts of the workers and the connection."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for key in list(self._waiting):
            self.drop(key)
        if self.is_up and self._seen:
            with suppress(Exception):
                self._client.sync(self._dismiss, callback_timeout=DISMISS_S)
        self.disconnect()

    # -- on Dask's threads -------------------------------------------------------------------

    async def _dismiss(self) -> None:
        run = self._client.run(dask_calls.dismiss, self._name, on_error="ignore", asynchronous=True)
        await run

    def _hear(self, event: Any) -> None:
        _, message = event
        worker = message.get("worker") if isinstance(message, Mapping) else None
        if worker is None:
            return
        if message.get("action") == "add-worker":
            # A worker that comes back under its address is another one.
            self._seen.discard(worker)
            self.admit(worker)
        elif message.get("action") == "remove-worker":
            self._seen.discard(worker)
            self.events.put(Left(worker, bool(message.get("expected"))))

    def _admit(self, client: Any, worker: str, n_asked: int) -> None:
        def ask(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
            return client.run(function, *arguments, workers=[worker], **named)[worker]

        try:
            verdict = ask(dask_calls.admit, self._name, self._sent, **self._options)
            if verdict["differences"]:
                from tunesmith.execute.cluster.sent import listed

                self.events.put(WorkerRefused(worker, listed(verdict["differences"])))
                return
            if verdict["needs"]:
                self._send(ask)
        except Exception as error:  # noqa: BLE001 - of the worker, of Dask, or of the connection
            if n_asked < MAX_ASKED and _is_lost(error):
                self._ask_again(client, worker, n_asked + 1)
            elif client is self._client and worker in self._seen:
                self.events.put(WorkerRefused(worker, f"{type(error).__name__}: {error}"))
            return
        self.events.put(Admitted(worker, verdict["n_slots"]))

    def _ask_again(self, client: Any, worker: str, n_asked: int) -> None:
        # Says nothing about the worker. If it has died, or the scheduler has, that is told soon,
        # and then nobody is asked again here: a new client asks all workers in.
        time.sleep(AGAIN_S)
        if client is self._client and client.status == "running" and worker in self._seen:
            with suppress(RuntimeError):  # the pool was closed meanwhile
                self._pool.submit(self._admit, client, worker, n_asked)

    def _send(self, ask: Callable[..., Any]) -> None:
        with self._path.open("rb") as file:
            while True:
                offset = file.tell()
                chunk = file.read(CHUNK_BYTES)
                if not chunk:
                    return
                ask(dask_calls.receive, self._name, offset, chunk)

    async def _carry(self, client: Any, key: str, worker: str, arguments: tuple[Any, ...]) -> None:
        answer = None
        try:
            with warnings.catch_warnings():
                # Items may be large; Dask proposes to scatter them, which its workers can lose.
                warnings.simplefilter("ignore")
                future = client.submit(
                    dask_calls.run_call,
                    *arguments,
                    key=key,
                    workers=[worker],
                    allow_other_workers=False,
                    pure=False,
                )
            self._futures[key] = future
            if key not in self._waiting:
                await client.cancel([future], asynchronous=True)
            # Fetched at once: a result that lies on a worker is lost with it.
            answer = await client.gather(future, asynchronous=True)
        except asyncio.CancelledError:
            # Cancelled by us, or given up by Dask with its scheduler.
            pass
        except Exception:  # noqa: BLE001, S110 - Dask has given the call up, for its own reasons
            pass
        self._futures.pop(key, None)
        if key in self._waiting:
            self._waiting.discard(key)
            self.events.put(Answered(key, answer))

    async def _cancel(self, client: Any, key: str) -> None:
        # The scheduler then releases the task, and the worker's `Stopper` ends its process.
        if (future := self._futures.get(key)) is not None and client.status == "running":
            await client.cancel([future], asynchronous=True)


def _is_lost(error: Exception) -> bool:
    """Tell whether a connection was lost: the one to the scheduler, or its own to a worker."""
    from distributed.comm import CommClosedError

    return isinstance(error, CommClosedError | ConnectionError | TimeoutError)
