"""Supervisor of a worker process: ends it together with everything that it has started.

Killing a process group is not enough: ``setsid`` leaves the group, and the orphan of a killed
parent belongs to nobody. The supervisor adopts orphans (it is a sub-reaper), so all processes that
a worker has started stay among its descendants. It also notices the death of the run, whatever
ended the run.
"""

import os
import select
import signal
import struct
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from tunesmith.system.child_processes import adopt_orphans, end_with_parent, reap, sweep
from tunesmith.system.portable.abilities import INTERRUPTING

REAP_MS = 1000
ORDER = b"!"
"""Byte on the lifeline that orders the end of the worker; without it, the run is dead."""
LAST_WORD = struct.Struct("<i")
"""Message on the lifeline to the run: the return code of the worker that has ended."""


def supervise(lifeline: int, folder: Path, *, close: int) -> None:
    """Fork a worker under this process, which becomes its supervisor and never returns.

    Args:
        lifeline: descriptor whose other end is open in the run's process only.
        folder: the shared data of the workers; removed when the run is gone.
        close: the worker's connection, which the supervisor must not keep open.
    """
    # Before the fork: a child that the worker starts at once must already have a reaper.
    adopt_orphans()
    supervisor, worker = os.getpid(), os.fork()
    if worker == 0:
        # Only the supervisor holds the lifeline; a copy in the worker, or in a daemon that it
        # starts, would keep the run waiting for its end.
        os.close(lifeline)
        end_with_parent()
        # The supervisor may have died between the fork and the request for its death signal.
        if os.getppid() != supervisor:
            os._exit(1)
        return
    # These signals reach the whole terminal or job. The run decides what they mean.
    for number in INTERRUPTING:
        signal.signal(number, signal.SIG_IGN)
    # Otherwise the run would not see the end of the connection when the worker dies.
    os.close(close)
    _guard(worker, lifeline, folder)


def _guard(worker: int, lifeline: int, folder: Path) -> NoReturn:
    ended = _wait(worker, lifeline)
    ended |= sweep()
    # Also those that ended by themselves; `sweep` waits for the processes that it killed only.
    ended |= reap()
    is_run_alive = not select.select([lifeline], [], [], 0)[0] or os.read(lifeline, 1) == ORDER
    if not is_run_alive:
        # Imported late: only the supervisor of a dead run needs it, and it stays small without.
        import shutil

        shutil.rmtree(folder, ignore_errors=True)
    status = ended.get(worker, 0)
    # The run cannot wait for this process: its parent is the fork server. So it is told here.
    with suppress(OSError):
        os.write(lifeline, LAST_WORD.pack(os.waitstatus_to_exitcode(status)))
    _end_as(status)


def _wait(worker: int, lifeline: int) -> dict[int, int]:
    """Wait until the worker has ended or must end; return the status of ended processes by id."""
    poll = select.poll()
    for descriptor in (lifeline, os.pidfd_open(worker)):
        poll.register(descriptor, select.POLLIN)
    ended: dict[int, int] = {}
    # The time limit of the poll is for adopted orphans: they end without a descriptor that tells.
    while lifeline not in dict(poll.poll(REAP_MS)) and worker not in ended:
        ended |= reap()
    return ended


def _end_as(status: int) -> NoReturn:
    """End as the worker did, so that the parent sees the same status."""
    if os.WIFSIGNALED(status):
        import resource

        # The worker has left its core dump, if any; one of the supervisor would mislead.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
