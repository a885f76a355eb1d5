"""Shared data: a function with its arrays, written once and mapped by all workers.

The function is pickled by value if it must be (``__main__``, notebooks), and its large arrays leave
the pickle as out-of-band buffers (PEP 574) that follow it in one file. Every worker maps that file,
so all of them share one copy of the data in memory. The file lives in a private folder and is never
older than the executor that wrote it.
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

from tunesmith.errors import StorageError, UsageError
from tunesmith.system import redact, shadows

# Bytes of a cache line: enough for every type of number and for vector instructions.
ALIGNMENT = 64
HEADER = struct.Struct("<QQ")
"""Size of the pickle in bytes and number of buffers; one size per buffer follows."""


MAX_STEPS = 20_000
"""Number of pickle operations that are searched for names of modules."""


def dump(function: Any, path: Path) -> list[str]:
    """Write a function for other processes.

    Returns:
        The modules that reading it imports, as far as the pickle shows them.

    Raises:
        UsageError: the function holds something that cannot be sent to another process.
        StorageError: no space.
    """
    buffers: list[pickle.PickleBuffer] = []
    try:
        content = cloudpickle.dumps(function, protocol=5, buffer_callback=buffers.append)
    except Exception as error:
        raise UsageError(
            f"the estimator or scorer cannot be sent to worker processes: {error}.\n"
            "  Define it in a module, or let fits run in this process, one after the other:"
            " `execution: {executor: serial}`, or in Python `workers=1`."
        ) from error
    # Arrays that are not contiguous never come here: pickle copies them into its own stream.
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
    """Describe this process's module search path, folder and environment, as JSON.

    A fork server may be older than a change to them, so every worker gets the present ones.

    It holds the environment, and so may hold secrets: it is sent, never written.

    Args:
        environ: the environment of the other processes.
    """
    return encoded(surroundings_of(environ))


def surroundings_of(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what ``surroundings`` describes, by name."""
    cwd = None
    with suppress(OSError):  # the working folder may be gone
        cwd = os.getcwd()  # noqa: PTH109 - as it is, not resolved
    # Relative entries depend on the working folder, which a worker does not share yet.
    places = [str(Path(entry).absolute()) for entry in sys.path]
    out = shadows.FINDER.folders
    return {
        "places": places,
        "kept_out": out,
        "spared": redact.spared(),
        "cwd": cwd,
        "environ": dict(environ),
    }


def encoded(content: Mapping[str, Any]) -> bytes:
    """Write surroundings as ``settle_in`` reads them."""
    return json.dumps(content).encode()


def settle_in(content: bytes) -> None:
    """Adopt the search path, folder and environment of another process."""
    surroundings = json.loads(content)
    # Files of the project that hide other modules are kept out before any place of the project is
    # on the path; afterwards an import could already pick one up.
    shadows.keep_out(surroundings["kept_out"])
    redact.spare(surroundings["spared"])
    sys.path[:] = surroundings["places"]
    os.environ.clear()
    os.environ.update(surroundings["environ"])
    if surroundings["cwd"] is not None:
        os.chdir(surroundings["cwd"])


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
