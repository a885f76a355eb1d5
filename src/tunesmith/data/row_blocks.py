"""Numbers of rows as sums over blocks of neighbouring rows, and their form as a short text.

Blocks take few bytes, whatever the number of rows, and what neighbours have in common counts.
"""

import base64
import binascii
import struct
from typing import Any

import numpy as np

N_BLOCKS = 64
"""Blocks of all rows of a study: enough degrees of freedom, and 210 characters at most."""
MOST = 32767
"""Largest whole number in a text: what rounding adds to a variance is a billionth of it."""
HEAD = struct.Struct("<d")
N_BITS = N_BLOCKS // 8


def blocks_of(rows: Any, n_rows: int) -> np.ndarray:
    """Return the block of each row, by its number in the study.

    >>> blocks_of([0, 127, 255], 256).tolist()
    [0, 31, 63]
    """
    return np.asarray(rows, dtype=np.int64) * N_BLOCKS // max(n_rows, N_BLOCKS)


def in_text(values: np.ndarray, blocks: np.ndarray) -> str:
    """Return the sums over blocks as text, to five digits of the largest one.

    Args:
        values: ``(n,)`` of the rows.
        blocks: ``(n,)`` blocks of the rows.
    """
    sums = np.bincount(blocks, weights=values, minlength=N_BLOCKS)
    is_there = np.bincount(blocks, minlength=N_BLOCKS) > 0
    unit = float(np.abs(sums).max()) / MOST
    whole = np.rint(sums[is_there] / unit if unit else sums[is_there]).astype("<i2")
    content = HEAD.pack(unit) + np.packbits(is_there).tobytes() + whole.tobytes()
    return base64.b85encode(content).decode()


def from_text(text: str) -> np.ndarray | None:
    """``(N_BLOCKS,)`` sums, NaN for blocks without a row; ``None`` for a text of another kind.

    >>> sums = from_text(in_text(np.array([0.5, -1.0]), np.array([3, 7])))
    >>> [float(round(sums[block], 4)) for block in (3, 7)]
    [0.5, -1.0]
    """
    try:
        content = base64.b85decode(text)
        (unit,) = HEAD.unpack_from(content)
    except (ValueError, binascii.Error, struct.error):
        return None
    # Ledgers and histories come from elsewhere, too.
    is_there = np.unpackbits(np.frombuffer(content[HEAD.size : HEAD.size + N_BITS], np.uint8)) > 0
    whole = content[HEAD.size + N_BITS :]
    if len(is_there) != N_BLOCKS or len(whole) != 2 * is_there.sum() or not np.isfinite(unit):
        return None
    sums = np.full(N_BLOCKS, np.nan)
    sums[is_there] = unit * np.frombuffer(whole, "<i2")
    return sums
