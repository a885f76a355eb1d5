"""The guard of a worker process: ends it together with everything that it has started.

Killing a process group is not enough, since ``setsid`` leaves the group, and the orphan of a killed
parent belongs to nobody. The guard adopts orphans (it is a sub-reaper), so that whatever a worker
has started stays among its descendants, and it sees the death of the run whatever ended that.
"""

import os
import resource
import select
import signal
import struct
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from tunesmith.offspring import adopt_orphans, end_with_parent, reap, sweep

REAP_MS = 1000
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
    adopt_orphans()
    guard, worker = os.getpid(), os.fork()
    if worker == 0:
        os.close(lifeline)
        end_with_parent()
        if os.getppid() != guard:
            os._exit(1)
        return
    # What reaches the whole terminal or job is for the run to decide on.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.close(close)
    _guard(worker, lifeline, folder)


def _guard(worker: int, lifeline: int, folder: Path) -> NoReturn:
    ended = _wait(worker, lifeline)
    ended |= sweep()
    ended |= reap()
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
        ended |= reap()
    return ended


def _end_as(status: int) -> NoReturn:
    """End as the worker did, so that the run learns what ended it."""
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
