"""Merge of two versions of ``dvc.lock``: each stage is taken from the side that ran it."""

from collections.abc import Mapping

from tunesmith.errors import UsageError
from tunesmith.pipeline.dvc.document import LOCK, stages_in
from tunesmith.pipeline.dvc.lock import blocks_of, check_spliced, head_of, in_blocks


class LockConflictError(UsageError):
    """Both have run the same stage, each with another outcome."""


def merge_locks(base: str, ours: str, theirs: str) -> str:
    """Take every stage from the side that has changed it.

    Args:
        base: the text that both come from; may be empty.
        ours: of this side.
        theirs: of the other side.

    Returns:
        The text with the other side's order and line ends, followed by the stages that only this
        side has.

    Raises:
        LockConflictError: both have changed a stage.
        UsageError: one of them is not of DVC's shape.
    """
    ending = "\r\n" if "\r\n" in theirs else "\n"
    base, ours, theirs = (text.replace("\r\n", "\n") for text in (base, ours, theirs))
    sides = [stages_in(text, LOCK) for text in (base, ours, theirs)]
    ours, theirs = in_blocks(ours), in_blocks(theirs)
    texts = [blocks_of(text) for text in (ours, theirs)]
    names = dict.fromkeys([*sides[2], *sides[1], *sides[0]])
    taken = {name: _side(name, *sides) for name in names}
    blocks = {name: texts[side].get(name, "") for name, side in taken.items() if side is not None}
    merged = f"{head_of(theirs) or head_of(ours)}stages:\n{''.join(blocks.values())}"
    wanted = {n: (sides[1], sides[2])[s][n] for n, s in taken.items() if s is not None}
    check_spliced(merged, wanted)
    return merged.replace("\n", ending)


def _side(
    name: str, base: Mapping[str, object], ours: Mapping[str, object], theirs: Mapping[str, object]
) -> int | None:
    """Side that the block is taken from: 0 ours, 1 theirs; ``None`` if the stage is gone."""
    was, one, other = (side.get(name) for side in (base, ours, theirs))
    if one in (was, other):
        return None if other is None else 1
    if other == was:
        return None if one is None else 0
    raise LockConflictError(f"both sides have run the stage `{name}`")
