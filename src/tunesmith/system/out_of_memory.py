"""Counters of the kernel's out-of-memory killer, which leaves no other trace.

A process that it has killed looks like any other that was ended by SIGKILL. But the kernel counts:
for every control group the processes of it that were killed, and all of the machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CGROUPS, OWN_CGROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
MACHINE = Path("/proc/vmstat")
KEY = "oom_kill"


@dataclass(frozen=True)
class Kills:
    """Numbers of processes killed for want of memory until now; ``None`` if unknown."""

    in_group: int | None
    """Number in this process's control group."""
    on_machine: int | None


def kills() -> Kills:
    """Read the kernel's counters."""
    counts = (_counted(file) for file in _group_files())
    return Kills(next((n for n in counts if n is not None), None), _counted(MACHINE))


def killed_words(before: Kills, after: Kills) -> str:
    """Words for the end of a process of this group by SIGKILL: the killer, if it is known.

    Args:
        before: the counters at some time while it lived.
        after: the counters after its end.

    >>> killed_words(Kills(0, 3), Kills(1, 4))
    "killed by SIGKILL; the kernel's out-of-memory killer acted in this control group"
    >>> killed_words(Kills(0, 3), Kills(0, 3))
    "killed by SIGKILL; nothing here says by whom (it was not the kernel's out-of-memory killer)"
    """
    if _moved(before.in_group, after.in_group):
        who = "the kernel's out-of-memory killer acted in this control group"
    elif _moved(before.on_machine, after.on_machine):
        who = "the machine's out-of-memory killer acted meanwhile"
    elif after.on_machine is None:
        who = "nothing here says by whom (the counters of out-of-memory kills cannot be read)"
    else:
        who = "nothing here says by whom (it was not the kernel's out-of-memory killer)"
    return f"killed by SIGKILL; {who}"


def _moved(before: int | None, after: int | None) -> bool:
    return before is not None and after is not None and after > before


def _group_files() -> Iterator[Path]:
    """Yield the possible files of this group's counter: version 2, then version 1."""
    try:
        lines = OWN_CGROUPS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        # In a container the path may be that outside, and the group's folder the first one.
        for inner in (path.lstrip("/"), ""):
            if not controllers:
                yield CGROUPS / inner / "memory.events"
            elif "memory" in controllers.split(","):
                yield CGROUPS / "memory" / inner / "memory.oom_control"


def _counted(file: Path) -> int | None:
    try:
        fields = (line.split() for line in file.read_text().splitlines())
        return next((int(field[1]) for field in fields if field[0] == KEY), None)
    except (OSError, ValueError, IndexError):
        return None
