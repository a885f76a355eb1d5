"""One comment of a study on a pull request, found again by a hidden mark in its first line."""

import time
from collections.abc import Callable

from tunesmith.pipeline.forge.api import ForgeError
from tunesmith.pipeline.forge.forge import Comment, Forge

TRIES = 4
PAUSE_S = 3.0


def mark(study: str) -> str:
    """The first line of a study's comment; no reader sees it.

    >>> mark("churn")
    '<!-- tunesmith:churn -->'
    """
    return f"<!-- tunesmith:{study} -->"


def put_comment(
    forge: Forge, number: int, study: str, text: str, sleep: Callable[[float], None] = time.sleep
) -> tuple[Comment, str]:
    """Write the study's comment, or rewrite it.

    Args:
        forge: where.
        number: of the pull request.
        study: its name.
        text: without the mark.
        sleep: waits before the forge is asked again whether a comment was added.

    Returns:
        The comment, and what was done: ``created``, ``updated`` or ``unchanged``.

    Raises:
        ForgeError: the forge refuses, or cannot be reached.
    """
    body, author = f"{mark(study)}\n{text}", forge.author()
    for left in reversed(range(TRIES)):
        found = _newest(forge, number, study, author)
        try:
            return _put(forge, number, found, body)
        except ForgeError as error:
            # It may be there all the same: look again, so that no second one is added.
            if not (error.is_unclear and left):
                raise
            sleep(PAUSE_S)
    raise AssertionError


def _newest(forge: Forge, number: int, study: str, author: str | None) -> Comment | None:
    """The last comment with the mark that is our own, or a program's where we do not know us."""
    marked = [c for c in forge.comments(number) if c.body.split("\n")[0].strip() == mark(study)]
    own = [c for c in marked if (c.is_bot if author is None else c.author == author)]
    return own[-1] if own else None


def _put(forge: Forge, number: int, found: Comment | None, body: str) -> tuple[Comment, str]:
    if found is not None and found.body.replace("\r\n", "\n").strip() == body.strip():
        return found, "unchanged"
    if found is not None:
        try:
            return forge.change_comment(number, found.id, body), "updated"
        except ForgeError as error:
            # Deleted meanwhile, or another program's.
            if error.status not in (403, 404):
                raise
    return forge.comment(number, body), "created"
