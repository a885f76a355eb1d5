"""Numbers of threads of numeric libraries, and imports of them that start no thread.

A process with threads may not fork and continue.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)
# One of Arrow's allocators starts a thread when it is imported.
NO_THREADS = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
OWN_VARIABLES = (*THREAD_VARIABLES, *NO_THREADS)
"""Environment variables that worker processes have values of their own for."""


def with_threads(environ: Mapping[str, str], n: int) -> dict[str, str]:
    """Copy an environment with one thread count for all libraries."""
    # The user's own setting for Arrow wins; thread counts never do, since bits depend on them.
    return {**NO_THREADS, **environ, **dict.fromkeys(THREAD_VARIABLES, str(n))}


def n_threads() -> int:
    """Number of threads of this process."""
    return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - only their number


@contextmanager
def one_thread() -> Iterator[None]:
    """Have libraries that are imported now use one thread: some start others at their import."""
    before = {name: os.environ.get(name) for name in OWN_VARIABLES}
    os.environ.update(with_threads(os.environ, 1))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def small_matrices() -> Iterator[None]:
    """Have libraries that are loaded already compute with one thread.

    For small matrices more threads are slower, and their number would show in the last bits.
    """
    with _controller().limit(limits=1):
        yield


@cache
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    # Finding the libraries reads the process's memory map; once is enough.
    return ThreadpoolController()
