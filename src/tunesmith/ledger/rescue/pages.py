"""Reader of SQLite's pages as bytes: every record of every table that is still whole.

The format is described at https://www.sqlite.org/fileformat2.html. Only leaf pages of tables and
the overflow pages of long records are read.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import TypeAlias

LEAF = 0x0D
HEAD, LOG_HEAD, FRAME_HEAD = 100, 32, 24
SIZES, USUAL = (512, 1024, 2048, 4096, 8192, 16384, 32768), 4096
MAX_COLUMNS = 100
WIDTHS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Serial type of a whole number -> number of its bytes."""
Value: TypeAlias = int | float | str | None
Record: TypeAlias = tuple[int, list[Value]]
"""Row id and values."""


def records(file: bytes, log: bytes = b"") -> Iterator[Record]:
    """Yield the records of a file and its log, older copies first.

    Args:
        file: content of a database, damaged or not.
        log: content of its ``-wal``, if it has one.
    """
    size = _page_size(file)
    pages = {n + 1: file[n * size : (n + 1) * size] for n in range(-(-len(file) // size))}
    for number in list(pages):
        yield from _of_page(number, pages, size)
    # Frames in order: later ones replace pages of the file.
    for start in range(LOG_HEAD, len(log) - FRAME_HEAD - size + 1, FRAME_HEAD + size):
        number = int.from_bytes(log[start : start + 4], "big")
        pages[number] = log[start + FRAME_HEAD : start + FRAME_HEAD + size]
        yield from _of_page(number, pages, size)


def _page_size(file: bytes) -> int:
    said = int.from_bytes(file[16:18], "big")
    return said if said in SIZES else USUAL


def _of_page(number: int, pages: Mapping[int, bytes], size: int) -> Iterator[Record]:
    page = pages[number]
    # The header of the file comes first on its first page.
    start = HEAD if number == 1 else 0
    if len(page) < start + 8 or page[start] != LEAF:
        return
    n_cells = int.from_bytes(page[start + 3 : start + 5], "big")
    for place in range(start + 8, min(start + 8 + 2 * n_cells, len(page) - 1), 2):
        cell = int.from_bytes(page[place : place + 2], "big")
        record = _record(page, cell, pages, size) if start < cell < len(page) else None
        if record is not None:
            yield record


def _record(page: bytes, cell: int, pages: Mapping[int, bytes], size: int) -> Record | None:
    try:
        n_bytes, at = _varint(page, cell)
        rowid, at = _varint(page, at)
        payload = _payload(page, at, n_bytes, pages, size)
        # Two's complement: runs from other ledgers have negative numbers.
        return (rowid ^ (1 << 63)) - (1 << 63), _values(payload)
    except (IndexError, ValueError, struct.error):
        return None


def _payload(page: bytes, at: int, n_bytes: int, pages: Mapping[int, bytes], size: int) -> bytes:
    """Return the record's bytes, including those on other pages."""
    # These limits are SQLite's, for the part of a record that stays on its page.
    most = size - 35
    if n_bytes <= most:
        return page[at : at + n_bytes]
    least = (size - 12) * 32 // 255 - 23
    n_here = least + (n_bytes - least) % (size - 4)
    n_here = n_here if n_here <= most else least
    parts, n_left = [page[at : at + n_here]], n_bytes - n_here
    following = int.from_bytes(page[at + n_here : at + n_here + 4], "big")
    while n_left > 0:
        other = pages.get(following)
        if not other:
            raise ValueError("a part of the record is lost")
        parts.append(other[4 : 4 + n_left])
        n_left -= size - 4
        following = int.from_bytes(other[:4], "big")
    return b"".join(parts)


def _values(payload: bytes) -> list[Value]:
    n_head, at = _varint(payload, 0)
    kinds = []
    while at < n_head:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    if len(kinds) > MAX_COLUMNS or at != n_head:
        raise ValueError("no record")
    values: list[Value] = []
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    return values


def _value(data: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind in (0, 8, 9):
        return {0: None, 8: 0, 9: 1}[kind], at
    if kind in WIDTHS:
        end = at + WIDTHS[kind]
        return int.from_bytes(data[at:end], "big", signed=True), end
    if kind == 7:
        return struct.unpack(">d", data[at : at + 8])[0], at + 8
    # Even types are blobs, of which the ledger has none; 10 and 11 are reserved by SQLite.
    if kind < 13 or kind % 2 == 0:
        raise ValueError("no value of ours")
    end = at + (kind - 13) // 2
    if end > len(data):
        raise ValueError("cut off")
    return data[at:end].decode(), end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Read a number of one to nine bytes; return it and its end."""
    value = 0
    for place in range(8):
        byte = data[at + place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + place + 1
    # The ninth byte has no flag: all of its 8 bits count.
    return value << 8 | data[at + 8], at + 9
