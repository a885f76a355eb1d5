"""Trees of processes, as psutil sees them on any system.

Systems other than Linux do not hand the orphans of a program to anybody. So the processes of a
running program are noted again and again, and those that were seen are ended with it.
"""

import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tunesmith.system.portable.abilities import KILL

WAIT_S = 4.0
N_SWEEPS = 5
"""Looks for processes that others start while they are ended."""


def _psutil() -> Any:
    try:
        import psutil
    except ImportError:
        return None
    return psutil


def descendants(ancestor: int, spared: Collection[int] = ()) -> list[int]:
    """Return the living descendants of a process, in no order; none without psutil.

    Args:
        ancestor: the process.
        spared: processes that are left out, with all that comes from them.
    """
    return [process.pid for process in _below(ancestor, frozenset(spared))]


def _below(ancestor: int, spared: Collection[int]) -> list[Any]:
    psutil = _psutil()
    if psutil is None:
        return []
    try:
        children = psutil.Process(ancestor).children()
    except psutil.Error:
        return []
    own = [child for child in children if child.pid not in spared]
    return [*own, *(process for child in own for process in _below(child.pid, spared))]


def marked(variable: str, value: str) -> list[int]:
    """Return the living processes, this one left out, that were started with this variable."""
    psutil = _psutil()
    processes = []
    for process in psutil.process_iter() if psutil else ():
        with suppress(psutil.Error, OSError):
            environ: Mapping[str, str] = process.environ()
            if environ.get(variable) == value and process.pid != os.getpid():
                processes.append(process.pid)
    return processes


def end_marked(variable: str, value: str) -> None:
    """End all processes that were started with a variable, and those that they start meanwhile.

    Args:
        variable: its name.
        value: of nobody else.
    """
    psutil = _psutil()
    for _ in range(N_SWEEPS):
        if not (found := marked(variable, value)):
            return
        ending = []
        for number in found:
            with suppress(psutil.Error):
                process = psutil.Process(number)
                process.kill()
                ending.append(process)
        psutil.wait_procs(ending, timeout=WAIT_S)


@dataclass
class Tree:
    """The processes that a program starts.

    Args:
        root: process id of the program, the first of a session or group of its own.
    """

    root: int
    _seen: dict[int, Any] = field(default_factory=dict)

    def look(self) -> None:
        """Note the processes that there are now."""
        for process in _below(self.root, ()):
            self._seen.setdefault(process.pid, process)

    def end(self) -> None:
        """End the program with its group and all processes that were seen, and wait for them."""
        self.look()
        end_group(self.root)
        self.end_seen()

    def end_seen(self) -> None:
        """End the processes that were seen below the first, and wait for them."""
        psutil = _psutil()
        if psutil is None:
            return
        # psutil knows a process by its number and its start, so it never ends another one.
        for process in self._alive():
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(list(self._alive()), timeout=WAIT_S)

    def _alive(self) -> Iterator[Any]:
        psutil = _psutil()
        for process in self._seen.values():
            with suppress(psutil.Error):
                if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                    yield process


def own_group() -> dict[str, Any]:
    """Arguments for ``subprocess.Popen`` that give a program a group of its own.

    One signal then reaches the whole group, and Ctrl-C in a terminal does not.
    """
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def ask_group(group: int) -> None:
    """Ask the processes of a group to end."""
    import signal

    with suppress(ProcessLookupError, PermissionError, OSError):
        if sys.platform == "win32":
            os.kill(group, signal.CTRL_BREAK_EVENT)
        else:
            os.killpg(group, signal.SIGTERM)


def end_group(group: int) -> None:
    """End the processes of a group at once."""
    with suppress(ProcessLookupError, PermissionError, OSError):
        if sys.platform == "win32":
            tool = ["taskkill", "/F", "/T", "/PID", str(group)]
            subprocess.run(tool, capture_output=True, check=False)  # noqa: S603 - part of Windows
        else:
            os.killpg(group, KILL)
