"""The guard of a worker process: ends it together with everything that it has started.

Killing a process group is not enough, since ``setsid`` leaves the group, and the orphan of a killed
parent belongs to nobody. The guard adopts orphans (it is a sub-reaper), so that whatever a worker
has started stays among its descendants, and it sees the death of the run whatever ended that.
"""

import ctypes
import os
import resource
import select
import signal
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
REAP_MS = 1000
SWEEP_S = 4.0
PAUSE_S = 0.002
ORDER = b"!"
"""On the lifeline: end the worker. The lifeline's end without it is the death of the run."""
LAST_WORD = struct.Struct("<i")
"""On the lifeline, the other way: the return code of the worker that has ended."""


def stand_guard(lifeline: int, folder: Path, *, close: int) -> None:
    """Fork. The child returns and is the worker; this process becomes its guard and never returns.

    Args:
        lifeline: descriptor whose other end is open in the run's process alone.
        folder: what is handed over to the workers; removed when the run is gone.
        close: descriptor of the worker's that the guard must not keep open.
    """
    _control(PR_SET_CHILD_SUBREAPER, 1)
    guard, worker = os.getpid(), os.fork()
    if worker == 0:
        os.close(lifeline)
        _control(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:
            os._exit(1)
        return
    # What reaches the whole terminal or job is for the run to decide on.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.close(close)
    _guard(worker, lifeline, folder)


def _control(option: int, value: int) -> None:
    # The kernel reads whole registers; where it refuses, killing the group has to do.
    arguments = [ctypes.c_ulong(number) for number in (value, 0, 0, 0)]
    ctypes.CDLL(None).prctl(option, *arguments)


def _guard(worker: int, lifeline: int, folder: Path) -> NoReturn:
    ended = _wait(worker, lifeline)
    ended |= _sweep()
    is_run_alive = not select.select([lifeline], [], [], 0)[0] or os.read(lifeline, 1) == ORDER
    if not is_run_alive:
        import shutil

        shutil.rmtree(folder, ignore_errors=True)
    status = ended.get(worker, 0)
    # The run is not the parent of a guard that was forked for it, and cannot wait for it.
    with suppress(OSError):
        os.write(lifeline, LAST_WORD.pack(os.waitstatus_to_exitcode(status)))
    _end_as(status)


def _wait(worker: int, lifeline: int) -> dict[int, int]:
    """Until the worker has ended or has to: the status of what has ended, by process id."""
    poll = select.poll()
    for descriptor in (lifeline, os.pidfd_open(worker)):
        poll.register(descriptor, select.POLLIN)
    ended: dict[int, int] = {}
    while lifeline not in dict(poll.poll(REAP_MS)) and worker not in ended:
        ended |= _reap()
    return ended


def _reap() -> dict[int, int]:
    found = {}
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            found[ended[0]] = ended[1]
    return found


def _sweep() -> dict[int, int]:
    """Kill until nobody is left; returns as ``_wait``."""
    ended, end = _reap(), time.monotonic() + SWEEP_S
    while (living := descendants(os.getpid())) and time.monotonic() < end:
        for process in living:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        time.sleep(PAUSE_S)
        ended |= _reap()
    # The last ones may have died between the reaping and the looking.
    return ended | _reap()


def descendants(ancestor: int) -> list[int]:
    """The living processes that come from a process, in no order."""
    children: dict[int, list[int]] = {}
    for process, parent in _processes():
        children.setdefault(parent, []).append(process)
    found, waiting = [], [ancestor]
    while waiting:
        own = children.get(waiting.pop(), [])
        found += own
        waiting += own
    return found


def _processes() -> list[tuple[int, int]]:
    """(process, its parent) of all that live."""
    found = []
    for name in filter(str.isdecimal, os.listdir("/proc")):  # noqa: PTH208 - only the names
        try:
            text = Path(f"/proc/{name}/stat").read_text(errors="replace")
        except OSError:
            continue
        # The command's name stands in brackets and may hold any character.
        state, parent = text.rpartition(")")[2].split()[:2]
        if state not in "ZX":
            found.append((int(name), int(parent)))
    return found


def _end_as(status: int) -> NoReturn:
    """End as the worker did, so that the run learns what ended it."""
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
