"""Abilities of the operating system; nothing else in the package asks for its name.

Everything here has a replacement that works on macOS and Windows. The environment variable
``TUNESMITH_PORTABLE=1`` chooses the replacements on Linux, too: so they are tested there.
"""

import os
import signal
import sys
from collections.abc import Iterator, Mapping

VARIABLE = "TUNESMITH_PORTABLE"
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
"""Signal that no program can refuse. Windows ends a process at once by any signal."""
INTERRUPTING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Signals by which people and systems end a command."""
CLOSE_ON_EXEC: int = getattr(os, "O_CLOEXEC", 0)
NO_LINKS: int = getattr(os, "O_NOFOLLOW", 0)
NO_WAITING: int = getattr(os, "O_NONBLOCK", 0)
"""Flags for ``os.open``; 0 where the system has none, as on Windows."""


def is_forced(environ: Mapping[str, str] | None = None) -> bool:
    """Tell whether the replacements are asked for on a system that has the abilities.

    >>> is_forced({"TUNESMITH_PORTABLE": "1"})
    True
    """
    return (os.environ if environ is None else environ).get(VARIABLE, "0") not in ("", "0")


def can_supervise() -> bool:
    """Tell whether processes can be forked, adopted, and watched to their end (Linux)."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open") and not is_forced()


def can_limit_memory() -> bool:
    """Tell whether the address space of another process can be limited (Linux)."""
    return sys.platform == "linux" and not is_forced()


def can_watch_files() -> bool:
    """Tell whether the system calls of programs can be watched (Linux)."""
    return sys.platform == "linux" and not is_forced()


def has_timers() -> bool:
    """Tell whether the system sends signals after a time (not Windows)."""
    return hasattr(signal, "setitimer") and not is_forced()


def has_flock() -> bool:
    """Tell whether files can be locked as a whole, shared or alone (not Windows)."""
    return sys.platform != "win32" and not is_forced()


def can_rename_open_files() -> bool:
    """Tell whether a file can be renamed while it is open (not Windows)."""
    return sys.platform != "win32" and not is_forced()


def n_usable_cores() -> int:
    """Count the cores that this process may use, as far as the system tells."""
    if hasattr(os, "sched_getaffinity") and not is_forced():
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def weaknesses() -> Iterator[str]:
    """Yield a sentence for everything that is weaker here than on Linux."""
    if can_supervise():
        return
    yield "workers start as programs of their own and import every library anew"
    yield "a process that left its parent before it was seen is not ended with its run"
    if not can_watch_files():
        yield "files that programs read are not watched, so their results depend on all files"
    if not can_limit_memory():
        yield "`execution.memory` cannot limit the memory of programs"
    if not has_timers():
        yield "`--time-budget` and slow patterns end at the next safe point, not at once"
    if not has_flock():
        yield "a look at a lock excludes others for a moment, so two looks at once may disagree"
