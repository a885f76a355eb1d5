"""Processes that come from this one: orphans are adopted, all are found and ended."""

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SWEEP_S = 4.0
PAUSE_S = 0.002


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, ``setsid`` or not."""
    _control(PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent(number: int = signal.SIGKILL) -> None:
    """Get a signal when the parent ends (more exactly: the thread of it that forked)."""
    _control(PR_SET_PDEATHSIG, number)


def _control(option: int, value: int) -> None:
    # The kernel reads whole registers; where it refuses, killing the group has to do.
    arguments = [ctypes.c_ulong(number) for number in (value, 0, 0, 0)]
    ctypes.CDLL(None).prctl(option, *arguments)


def sweep() -> dict[int, int]:
    """Kill what has come from this process until nobody is left.

    Returns:
        The status, as of ``os.waitpid``, of what has ended, by process id.
    """
    ended, end = reap(), time.monotonic() + SWEEP_S
    while (living := descendants(os.getpid())) and time.monotonic() < end:
        send(signal.SIGKILL, living)
        time.sleep(PAUSE_S)
        ended |= reap()
    # The last ones may have died between the reaping and the looking.
    return ended | reap()


def reap() -> dict[int, int]:
    """The status of children that have ended, by process id."""
    found = {}
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            found[ended[0]] = ended[1]
    return found


def send(number: int, processes: list[int]) -> None:
    """Send a signal to processes, some of which may be gone."""
    for process in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)


def descendants(ancestor: int) -> list[int]:
    """The living processes that come from a process, in no order."""
    children: dict[int, list[int]] = {}
    for process, parent in _living():
        children.setdefault(parent, []).append(process)
    found, waiting = [], [ancestor]
    while waiting:
        own = children.get(waiting.pop(), [])
        found += own
        waiting += own
    return found


def marked(variable: str, value: str) -> list[int]:
    """The living processes, this one left out, that were started with this in the environment."""
    entry = f"{variable}={value}".encode()
    found = []
    for process, _ in _living():
        with suppress(OSError):
            content = Path(f"/proc/{process}/environ").read_bytes()
            if entry in content.split(b"\0") and process != os.getpid():
                found.append(process)
    return found


def _living() -> Iterator[tuple[int, int]]:
    """(process, its parent) of all that live."""
    for name in filter(str.isdecimal, os.listdir("/proc")):  # noqa: PTH208 - only the names
        try:
            text = Path(f"/proc/{name}/stat").read_text(errors="replace")
        except OSError:
            continue
        # The command's name stands in brackets and may hold any character.
        state, parent = text.rpartition(")")[2].split()[:2]
        if state not in "ZX":
            yield int(name), int(parent)
