"""Identity of large files, so that their content is looked at once and not in every command.

A file counts as unchanged if its place, size and both of its times are: the time of the last change
of a file cannot be set back by the tools that set its date. As in Git, nothing is remembered of a
file that has changed in the last seconds, which could change again within one tick of the clock.
"""

import hashlib
import json
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from tunesmith.errors import DataError
from tunesmith.system.files import STATE, make_state_folder, write_atomic

Identity: TypeAlias = list[int]
LEAST_BYTES = 50 * 10**6
"""Size from which on a file is worth it; smaller ones are read in an instant."""
LEAST_PACKED = LEAST_BYTES // 5
"""The same for a file that holds several times its size."""
PACKED = frozenset(
    (".parquet", ".pq", ".feather", ".arrow", ".gz", ".bz2", ".xz", ".zst", ".zip", ".tar")
)
SETTLED_S = 3.0
"""Age from which on a change is not followed by another within one tick of the clock."""
DIGEST_BYTES = 16


def identity_of(path: Path) -> Identity | None:
    """Return the identity of a large file that has settled; ``None`` for any other."""
    try:
        status = path.stat()
    except OSError:
        return None
    age_s = time.time() - max(status.st_mtime, status.st_ctime)
    least = LEAST_PACKED if path.suffix.lower() in PACKED else LEAST_BYTES
    if status.st_size < least or age_s < SETTLED_S:
        return None
    times = [status.st_mtime_ns, status.st_ctime_ns]
    return [status.st_dev, status.st_ino, status.st_size, *times]


def state_folder(root: Path) -> Path:
    """Make the private folder of a project, which Git ignores, and return it.

    Raises:
        OSError: it cannot be made.
    """
    folder = root / STATE
    make_state_folder(folder)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    return folder


def data_digest(root: Path, names: Iterable[str]) -> str:
    """Digest of the content of files, in order; that of a large one is remembered.

    Args:
        root: the project folder.
        names: of files, relative to it.

    Raises:
        DataError: one of them is no regular file.
        OSError: one cannot be read.
    """
    memory = root / STATE / "digests.json"
    known = _known(memory)
    hasher, news = hashlib.blake2b(digest_size=DIGEST_BYTES), {}
    for name in names:
        path = root / name
        identity, before = identity_of(path), known.get(str(path.absolute()), {})
        if identity is not None and before.get("identity") == identity:
            hasher.update(bytes.fromhex(before["digest"]))
            continue
        digest = _digest_of(path)
        hasher.update(digest)
        # The same before and after: it was not written to while it was read.
        if identity is not None and identity_of(path) == identity:
            news[str(path.absolute())] = {"identity": identity, "digest": digest.hex()}
    if news:
        # Nothing depends on it: a project that cannot be written to is read each time.
        with suppress(OSError, DataError):
            write_atomic(state_folder(root) / "digests.json", json.dumps({**known, **news}))
    return hasher.hexdigest()


def _digest_of(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise DataError(f"data.path: {path} is a device, a pipe or a folder; name a file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").digest()


def _known(memory: Path) -> dict[str, dict[str, Any]]:
    try:
        content = json.loads(memory.read_bytes())
        return {
            str(path): one
            for path, one in content.items()
            if isinstance(one, dict) and len(bytes.fromhex(one["digest"])) == 64
        }
    except (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return {}
