"""Host of calls on a machine of a cluster: runs each in a supervised process of its own.

A worker of an engine such as Dask runs threads, which cannot be stopped, and a call that kills its
process takes all others along. So the engine's worker only holds this host: calls run in worker
processes as local ones do, with time limits, supervisors and mapped data.
"""

import hashlib
import pickle
import selectors
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunesmith.errors import TunesmithError
from tunesmith.execute.cluster import sent as sending
from tunesmith.execute.cluster.devices import ASSIGNED, VARIABLE
from tunesmith.execute.processes import cause_of_death
from tunesmith.execute.starter import WorkerProcess, kept, starter
from tunesmith.execute.worker import DURATION, READY
from tunesmith.system.out_of_memory import killed_words, kills

ANSWER, TIMEOUT, DIED, STOPPED, UNSTARTED, MISSING = (
    "answer",
    "timeout",
    "died",
    "stopped",
    "unstarted",
    "missing",
)
Answer = tuple[str, Any, float]
"""A kind, its content (an answer's bytes, or a text), and the seconds that the call took."""
LOG_BYTES = 2000


class _Seat:
    """One worker process, which runs one call at a time and is replaced after its death.

    Args:
        host: of the process.
        device: GPU that all its calls get, if devices are shared out.
    """

    def __init__(self, host: "Host", device: str | None) -> None:
        self._host, self.device = host, device
        self._process: WorkerProcess | None = None
        self._log = host.folder / f"worker-{time.monotonic_ns()}-{id(self)}.log"
        self.is_stopped = False

    def stop(self) -> None:
        """End the running call together with its process; called from another thread."""
        self.is_stopped = True
        if process := self._process:
            process.dismiss()

    def end(self) -> int:
        """End the process; return its status."""
        process, self._process = self._process, None
        return process.kill() if process else 0

    def run(self, content: bytes, timeout_s: float | None) -> Answer:
        """Make one call."""
        try:
            process = self._process or self._start()
        except TunesmithError as error:
            return UNSTARTED, str(error), 0.0
        if self.is_stopped or process is None:
            said = self._log.read_text(errors="replace").strip()[-LOG_BYTES:]
            cause = cause_of_death(self.end())
            return (STOPPED, "", 0.0) if self.is_stopped else (UNSTARTED, said or cause, 0.0)
        before, began = kills(), time.monotonic()
        try:
            process.connection.send_bytes(content)
            message = self._message(process, timeout_s)
        except OSError:
            message = None
        seconds = time.monotonic() - began
        if message is not None:
            (seconds,) = DURATION.unpack_from(message)
            return ANSWER, message[DURATION.size :], seconds
        return self._ended(before, timeout_s, seconds)

    def _ended(self, before: Any, timeout_s: float | None, seconds: float) -> Answer:
        """Tell why a call has not answered."""
        is_late = timeout_s is not None and seconds >= timeout_s and not self.is_stopped
        status = self.end()
        if self.is_stopped:
            return STOPPED, "", seconds
        if is_late:
            return TIMEOUT, f"stopped after {timeout_s:g} seconds", seconds
        return DIED, cause_of_death(status, killed_words(before, kills())), seconds

    def _start(self) -> WorkerProcess | None:
        """Start the process and wait until it is ready; ``None`` if it ends before."""
        process = self._process = self._host.start(self._log)
        try:
            process.connection.send_bytes(self._host.surroundings(self.device))
            message = self._message(process, None)
        except OSError:
            return None
        if message is None:
            return None
        kind, _ = pickle.loads(message[DURATION.size :])  # noqa: S301 - our own process
        return process if kind == READY else None

    def _message(self, process: WorkerProcess, timeout_s: float | None) -> bytes | None:
        """Wait for a message; ``None`` at the end of the time or of the process."""
        with self._host.selector() as selector:
            for source in (process.connection, process.lifeline):
                selector.register(source, selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in selector.select(timeout_s)}
        # A result that was sent before the worker died counts, so the connection is read first.
        if ready and (process.connection in ready or process.connection.poll()):
            try:
                return process.connection.recv_bytes()
            except (EOFError, OSError):
                return None
        return None


class Host:
    """Runs the calls of one function on this machine, for threads of an engine's worker.

    Args:
        sent: description of the function, from ``sent.describe``.
        n_threads: BLAS and OpenMP threads of a call.
        devices: GPUs of which every call gets one; without any, none is assigned.
    """

    def __init__(
        self, sent: Mapping[str, Any], *, n_threads: int = 1, devices: Sequence[str] = ()
    ) -> None:
        self._sent = sent
        # One server for all hosts of a process: importing libraries takes longer than most fits.
        self._is_kept = n_threads == 1
        modules = sent["modules"]
        self._starter = kept(modules) if self._is_kept else starter(n_threads)
        self.folder = Path(tempfile.mkdtemp(dir=self._starter.folder))
        self._function = self.folder / "function"
        self._lock = threading.Condition()
        self._idle: list[_Seat] = []
        self._running: dict[str, _Seat | None] = {}
        self._devices = list(devices)
        self._n_inside, self._is_taken, self._is_closed = 0, False, False
        self.used_at = time.monotonic()

    # -- the function ------------------------------------------------------------------------

    @property
    def is_whole(self) -> bool:
        """True if the function and its data have arrived unchanged."""
        return self._function.exists()

    def receive(self, offset: int, chunk: bytes) -> None:
        """Write a part of the function's file; the last part makes it whole.

        Raises:
            TunesmithError: the bytes are not those that were described.
        """
        part = self._function.with_suffix(".part")
        self.used_at = time.monotonic()
        with part.open("r+b" if part.exists() else "w+b") as file:
            file.seek(offset)
            file.write(chunk)
            if file.tell() < self._sent["size"]:
                return
            file.seek(0)
            digest = hashlib.file_digest(file, "blake2b").hexdigest()
        if digest != self._sent["digest"]:
            part.unlink()
            raise TunesmithError(
                "function and data arrived with another digest than they were sent"
            )
        part.replace(self._function)

    # -- calls -------------------------------------------------------------------------------

    def run(
        self, call: str, content: bytes, *, timeout_s: float | None = None, alone: bool = False
    ) -> Answer:
        """Make one call and wait for its end.

        Args:
            call: its name, for ``stop``.
            content: the item, pickled.
            timeout_s: seconds from its start to its end.
            alone: run it while nothing else runs here.
        """
        with self._lock:
            self._running[call] = None
        try:
            with self._room(alone=alone):
                seat = self._seat(call)
                if seat is None:
                    return STOPPED, "", 0.0
                answer = seat.run(content, timeout_s)
                self._give_back(call, seat, answer)
                return answer
        finally:
            self.used_at = time.monotonic()
            self._running.pop(call, None)

    def stop(self, call: str) -> None:
        """End a call together with its process; one that is not known here is ignored."""
        with self._lock:
            seat = self._running.pop(call, None)
            self._lock.notify_all()
        if seat is not None:
            seat.stop()

    def close(self) -> None:
        """End all calls and processes, and remove the function and its data."""
        with self._lock:
            self._is_closed = True
            for seat in self._running.values():
                if seat is not None:
                    seat.stop()
            self._running.clear()
            self._lock.notify_all()
        for seat in self._idle:
            seat.end()
        self._idle.clear()
        if not self._is_kept:
            # The server's supervisor ends last, after all workers.
            self._starter.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def idle_since(self) -> float | None:
        """Monotonic time of the last use; ``None`` while calls run."""
        return None if self._running else self.used_at

    # -- for the seats -----------------------------------------------------------------------

    def start(self, log: Path) -> WorkerProcess:
        """Start a worker process.

        Raises:
            TunesmithError: the system allows no more files or processes, or the host is closed.
        """
        with self._lock:
            if self._is_closed:
                raise TunesmithError("the executor was closed")
            return self._starter.start_worker(self._function, log)

    def selector(self) -> Any:
        """Make a selector for connections and lifelines."""
        return self._starter.selector()

    def surroundings(self, device: str | None) -> bytes:
        """Module path, folder and environment of a worker process."""
        environ = self._starter.environment()
        if device is not None:
            environ |= {VARIABLE: device, ASSIGNED: device}
        return sending.surroundings(self._sent, environ)

    @contextmanager
    def _room(self, *, alone: bool) -> Iterator[None]:
        """Hold a place here; a call that lost a worker is alone, so that no other is the cause."""
        with self._lock:
            self._lock.wait_for(lambda: not self._is_taken and not (alone and self._n_inside))
            self._n_inside, self._is_taken = self._n_inside + 1, alone
        try:
            yield
        finally:
            with self._lock:
                self._n_inside -= 1
                self._is_taken = self._is_taken and not alone
                self._lock.notify_all()

    def _seat(self, call: str) -> _Seat | None:
        with self._lock:
            # Stopped while it waited for its place.
            if call not in self._running or self._is_closed:
                return None
            if self._idle:
                seat = self._idle.pop()
            else:
                seat = _Seat(self, self._devices.pop() if self._devices else None)
            self._running[call] = seat
            return seat

    def _give_back(self, call: str, seat: _Seat, answer: Answer) -> None:
        with self._lock:
            if answer[0] == ANSWER and call in self._running and not self._is_closed:
                self._idle.append(seat)
                return
            if seat.device is not None:
                self._devices.append(seat.device)
        # It was stopped, or has died: a new process takes its place.
        seat.end()
