"""Folders of files that travel between a run and its workers, as JSON.

They come from a database that others can write into, so nothing outside of the folder is written,
and no link leads out of it.
"""

import base64
import os
import stat
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from tunesmith.errors import TunesmithError, UsageError

MOST_BYTES = 64 << 20
"""Size of the files of one folder that may travel."""
FILE, FOLDER, LINK = "file", "folder", "link"
Entries = Sequence[Mapping[str, Any]]


class CarriedFileError(TunesmithError):
    """A file that arrived has no place in its folder."""


def pack(folder: Path, what: str) -> list[dict[str, Any]]:
    """Read a folder. The same files give the same entries.

    Args:
        folder: with files, folders and links; other kinds are left out.
        what: words for it, for the message.

    Raises:
        UsageError: it is too large, or a link leads out of it.
    """
    entries, left = [], MOST_BYTES
    for path in _inside(folder):
        status, name = path.lstat(), path.relative_to(folder).as_posix()
        left -= status.st_size if stat.S_ISREG(status.st_mode) else 0
        if left < 0:
            raise UsageError(
                f"{what} are more than {MOST_BYTES >> 20} MB, which is more than pull workers"
                " return.\n  Let the program keep less, or use `--executor dask` with a disk that"
                " all machines share."
            )
        if entry := _entry(path, name, status):
            if entry["kind"] == LINK and not _stays(name, entry["to"]):
                raise UsageError(f"{what}: the link {name} leads elsewhere, and cannot travel.")
            entries.append(entry)
    return entries


def unpack(entries: Entries, folder: Path) -> None:
    """Fill a new folder.

    Args:
        entries: from ``pack``.
        folder: empty, or not there yet.

    Raises:
        CarriedFileError: an entry would be written outside of it, or they are too many bytes.
        OSError: the file system refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _fill(folder, entries)
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise CarriedFileError(
            f"a worker has answered with files of another form: {error}"
        ) from None


def _fill(folder: Path, entries: Entries) -> None:
    links = {entry["name"] for entry in entries if entry["kind"] == LINK}
    left = MOST_BYTES
    for entry in sorted(entries, key=lambda entry: str(entry["name"])):
        name = str(entry["name"])
        if not _is_plain(name) or any(str(p) in links for p in PurePosixPath(name).parents):
            raise CarriedFileError(f"a worker has answered with a file that is called {name!r}")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        match entry["kind"]:
            case "folder":
                path.mkdir(exist_ok=True)
            case "link" if _stays(name, str(entry["to"])):
                path.symlink_to(str(entry["to"]))
            case "file":
                left -= _write(path, entry, left)
            case kind:
                raise CarriedFileError(f"a worker has answered with the {kind} {name!r}")


def _inside(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders.sort()
        # Links to folders are among the folders.
        yield from (Path(place) / name for name in sorted([*folders, *files]))


def _entry(path: Path, name: str, status: os.stat_result) -> dict[str, Any] | None:
    if stat.S_ISLNK(status.st_mode):
        return {"name": name, "kind": LINK, "to": os.readlink(path)}  # noqa: PTH115 - a text
    if stat.S_ISDIR(status.st_mode):
        return {"name": name, "kind": FOLDER}
    if not stat.S_ISREG(status.st_mode):
        return None
    # The time, too: programs look for their newest checkpoint.
    return {
        "name": name,
        "kind": FILE,
        "mode": stat.S_IMODE(status.st_mode) & 0o777,
        "time_ns": status.st_mtime_ns,
        "data": base64.b85encode(zlib.compress(path.read_bytes(), 1)).decode(),
    }


def _write(path: Path, entry: Mapping[str, Any], most: int) -> int:
    unzipped = zlib.decompressobj()
    content = unzipped.decompress(base64.b85decode(entry["data"]), most + 1)
    if len(content) > most or not unzipped.eof:
        raise CarriedFileError(f"a worker has answered with more than {MOST_BYTES >> 20} MB")
    path.write_bytes(content)
    path.chmod(int(entry["mode"]) & 0o777 | stat.S_IRUSR | stat.S_IWUSR)
    os.utime(path, ns=(int(entry["time_ns"]),) * 2)
    return len(content)


def _is_plain(name: str) -> bool:
    parts = PurePosixPath(name).parts
    is_odd = "\0" in name or "\\" in name or name.startswith("/")
    return bool(parts) and ".." not in parts and not is_odd


def _stays(name: str, to: str) -> bool:
    """True if a link leads to a place in the folder, through no other climb than its first steps.

    A step up behind a link would lead away from the folder that the link leads to.
    """
    parts = PurePosixPath(to).parts
    up = next((n for n, part in enumerate(parts) if part != ".."), len(parts))
    is_within = up < len(PurePosixPath(name).parts)
    return is_within and ".." not in parts[up:] and not to.startswith("/") and "\0" not in to
