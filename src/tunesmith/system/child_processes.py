"""Child processes: orphans are adopted, all descendants are found and ended."""

import ctypes
import os
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from tunesmith.system.portable import trees
from tunesmith.system.portable.abilities import KILL, can_supervise

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SWEEP_S = 4.0
PAUSE_S = 0.002


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, ``setsid`` or not."""
    _control(PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent(number: int = KILL) -> None:
    """Ask for a signal when the parent ends (more exactly: its thread that forked)."""
    _control(PR_SET_PDEATHSIG, number)


def _control(option: int, value: int) -> None:
    if not can_supervise():
        return
    # The kernel reads whole registers. If it refuses, the group is killed instead.
    arguments = [ctypes.c_ulong(number) for number in (value, 0, 0, 0)]
    ctypes.CDLL(None).prctl(option, *arguments)


def sweep(spared: Collection[int] = ()) -> dict[int, int]:
    """Kill all descendants of this process until none is left.

    Args:
        spared: processes that are left alone, with all that comes from them.

    Returns:
        The status, as of ``os.waitpid``, of the killed processes, by process id.
    """
    end, killed, ended = time.monotonic() + SWEEP_S, set[int](), dict[int, int]()
    while (living := descendants(os.getpid(), spared)) and time.monotonic() < end:
        # In a loop: a process may start another one between the look and the kill.
        send(KILL, living)
        killed.update(living)
        time.sleep(PAUSE_S)
        # One by one: waiting for any child would take the status of processes that others wait for.
        for process in killed - ended.keys():
            with suppress(ChildProcessError):
                if (waited := os.waitpid(process, os.WNOHANG))[0]:
                    ended[process] = waited[1]
    return ended


def reap() -> dict[int, int]:
    """Return the status of children that have ended, by process id."""
    statuses = {}
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            statuses[ended[0]] = ended[1]
    return statuses


def send(number: int, processes: list[int]) -> None:
    """Send a signal to processes, some of which may be gone."""
    for process in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)


def descendants(ancestor: int, spared: Collection[int] = ()) -> list[int]:
    """Return the living descendants of a process, in no order.

    Args:
        ancestor: the process.
        spared: processes that are left out, with all that comes from them.
    """
    if not can_supervise():
        return trees.descendants(ancestor, spared)
    children: dict[int, list[int]] = {}
    for process, parent in _living():
        children.setdefault(parent, []).append(process)
    processes, waiting = [], [ancestor]
    while waiting:
        own = [child for child in children.get(waiting.pop(), []) if child not in spared]
        processes += own
        waiting += own
    return processes


def marked(variable: str, value: str) -> list[int]:
    """The living processes, this one left out, that were started with this variable."""
    if not can_supervise():
        return trees.marked(variable, value)
    entry = f"{variable}={value}".encode()
    processes = []
    for process, _ in _living():
        with suppress(OSError):
            content = Path(f"/proc/{process}/environ").read_bytes()
            if entry in content.split(b"\0") and process != os.getpid():
                processes.append(process)
    return processes


def _living() -> Iterator[tuple[int, int]]:
    """Yield (process, its parent) of all living processes."""
    for name in filter(str.isdecimal, os.listdir("/proc")):  # noqa: PTH208 - only the names
        try:
            text = Path(f"/proc/{name}/stat").read_text(errors="replace")
        except OSError:
            continue
        # The command's name stands in brackets and may hold any character.
        state, parent = text.rpartition(")")[2].split()[:2]
        # Zombies have ended: they only wait for their parent to read the status.
        if state not in "ZX":
            yield int(name), int(parent)
