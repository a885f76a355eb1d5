"""Choice of the executor and the number of workers if the configuration leaves them open."""

import os

AUTO, SERIAL, PROCESSES = "auto", "serial", "processes"


def choose(name: str, n_workers: int | None, timeout_s: float | None) -> tuple[str, int]:
    """Return the executor's name and its number of workers.

    One worker runs in this process, unless a time limit needs a process that can be killed.

    >>> choose("auto", 1, None)
    ('serial', 1)
    >>> choose("auto", 1, 60.0)
    ('processes', 1)
    """
    n = n_workers or n_cores()
    if name != AUTO:
        return name, n
    return (SERIAL if n == 1 and timeout_s is None else PROCESSES), n


def n_cores() -> int:
    """Count the cores that this process may use: affinity and container limits count."""
    n = len(os.sched_getaffinity(0))
    quota = _cgroup_quota()
    return max(1, n if quota is None else min(n, round(quota)))


def _cgroup_quota() -> float | None:
    # A container's limit does not show in the affinity: 64 cores may be visible and two allowed.
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:  # noqa: PTH123 - a kernel file
            quota, period = file.read().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else int(quota) / int(period)
