"""A function with its data, handed to other processes once: arrays are mapped, not copied.

The function is pickled by value where it must be (``__main__``, notebooks), and its large arrays
leave the pickle as out-of-band buffers (PEP 574) that follow it in one file. Every worker maps
that file, so all of them share one copy of the data in memory. The file lives in a private folder
and is never older than the executor that wrote it.
"""

import json
import mmap
import os
import pickle
import pickletools
import struct
import sys
from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import cloudpickle

from tunesmith import redact, shadows
from tunesmith.errors import StorageError, UsageError

ALIGNMENT = 64
HEADER = struct.Struct("<QQ")
"""Size of the pickle, number of buffers; then one size per buffer."""


MAX_STEPS = 20_000
"""So much of a pickle is looked through for the names of modules."""


def dump(function: Any, path: Path) -> list[str]:
    """Write a function for other processes.

    Returns:
        The modules that reading it imports, as far as they can be told from outside.

    Raises:
        UsageError: it holds something that cannot be sent to another process.
        StorageError: no space.
    """
    buffers: list[pickle.PickleBuffer] = []
    try:
        content = cloudpickle.dumps(function, protocol=5, buffer_callback=buffers.append)
    except Exception as error:
        raise UsageError(
            f"the estimator or scorer cannot be sent to worker processes: {error}.\n"
            "  Define it in a module, or use `execution: {executor: serial}`."
        ) from error
    raw = [buffer.raw() for buffer in buffers]
    try:
        with path.open("wb") as file:
            file.write(HEADER.pack(len(content), len(raw)))
            file.write(struct.pack(f"<{len(raw)}Q", *(part.nbytes for part in raw)))
            file.write(content)
            for part in raw:
                file.write(b"\0" * (-file.tell() % ALIGNMENT))
                file.write(part)
    except OSError as error:
        raise StorageError(f"cannot write the data for the workers to {path}: {error}") from error
    return _modules_named(content)


def _modules_named(content: bytes) -> list[str]:
    # A class is named by two strings, the first of which is its module.
    steps = islice(pickletools.genops(content), MAX_STEPS)
    texts = {value for _, value, _ in steps if isinstance(value, str)}
    return sorted(texts & set(sys.modules))


def surroundings(environ: Mapping[str, str]) -> bytes:
    """Where this process looks for modules and files, for processes started from earlier ones.

    It holds the environment, and so may hold secrets: it is sent, never written.

    Args:
        environ: the other processes' environment.
    """
    cwd = None
    with suppress(OSError):  # the working folder may be gone
        cwd = os.getcwd()  # noqa: PTH109 - as it is, not resolved
    places = [str(Path(entry).absolute()) for entry in sys.path]
    out = shadows.FINDER.folders
    content = {
        "places": places,
        "kept_out": out,
        "spared": redact.spared(),
        "cwd": cwd,
        "environ": dict(environ),
    }
    return json.dumps(content).encode()


def settle_in(content: bytes) -> None:
    """Take over another process's surroundings."""
    found = json.loads(content)
    shadows.keep_out(found["kept_out"])
    redact.spare(found["spared"])
    sys.path[:] = found["places"]
    os.environ.clear()
    os.environ.update(found["environ"])
    if found["cwd"] is not None:
        os.chdir(found["cwd"])


def load(path: Path) -> Any:
    """Read the function; its large arrays are read-only views of the mapped file."""
    with path.open("rb") as file:
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    n_content, n_buffers = HEADER.unpack_from(view)
    sizes = struct.unpack_from(f"<{n_buffers}Q", view, HEADER.size)
    start = HEADER.size + 8 * n_buffers
    content, position = view[start : start + n_content], start + n_content
    buffers = []
    for size in sizes:
        position += -position % ALIGNMENT
        buffers.append(view[position : position + size])
        position += size
    return pickle.loads(content, buffers=buffers)  # noqa: S301 - written by our own parent just now
