"""GPUs by name, as programs and libraries find them in their environment."""

from collections.abc import Mapping

VARIABLE = "CUDA_VISIBLE_DEVICES"
ASSIGNED = "TUNESMITH_ASSIGNED_GPU"
"""Variable of a worker process that names the GPU of all its calls, if a host has assigned one."""


def visible(n: int, environ: Mapping[str, str]) -> list[str]:
    """Name the first GPUs that an environment leaves visible.

    >>> visible(2, {"CUDA_VISIBLE_DEVICES": "4,5,6"})
    ['4', '5']
    >>> visible(2, {})
    ['0', '1']
    """
    names = [name.strip() for name in environ.get(VARIABLE, "").split(",") if name.strip()]
    return (names or [str(index) for index in range(n)])[:n]
