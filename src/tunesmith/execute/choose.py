"""Choice of the executor and the number of workers if the configuration leaves them open."""

from typing import Any

from tunesmith import registry
from tunesmith.errors import UsageError
from tunesmith.system.portable.abilities import n_usable_cores

AUTO, SERIAL, PROCESSES, DASK, PULL = "auto", "serial", "processes", "dask", "pull"


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


def executor_class(name: str) -> Any:
    """Import the executor with this name.

    Raises:
        UsageError: it is not registered, or a package that it needs is not installed.
    """
    try:
        return registry.load("executors", name)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"execution.executor: {name} needs the package {error.name}, which is not installed."
            f"\n  Install it: pip install 'tunesmith[{name}]'"
        ) from None


def n_cores() -> int:
    """Count the cores that this process may use: affinity and container limits count."""
    n = n_usable_cores()
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
