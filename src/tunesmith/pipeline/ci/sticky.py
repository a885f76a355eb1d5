"""One comment of a study on a pull request, found again by a hidden tag in its first line."""

import re
import time
from collections.abc import Callable
from contextlib import suppress

from tunesmith.errors import UsageError
from tunesmith.pipeline.git_host.api import GitHostError
from tunesmith.pipeline.git_host.host import Comment, GitHost

TRIES = 4
PAUSE_S = 3.0
ID = re.compile(r"[\w.,][\w., -]{0,79}\Z", re.ASCII)


def mark(study: str, name: str | None = None) -> str:
    """Return the first line of a study's comment, which no reader sees.

    >>> mark("churn"), mark("churn", "python-3.13")
    ('<!-- tunesmith:churn -->', '<!-- tunesmith:churn:python-3.13 -->')
    """
    return f"<!-- tunesmith:{study}{f':{name}' if name else ''} -->"


def check_id(name: str) -> None:
    """Refuse names that cannot stand in the hidden tag of a comment.

    Raises:
        UsageError: with the rule.
    """
    if not ID.match(name):
        raise UsageError(
            f"--id: {name!a} is none: letters, digits, dots, dashes, underscores, commas and"
            " spaces, at most 80."
        )


def put_comment(
    git_host: GitHost,
    number: int,
    study: str,
    text: str,
    sleep: Callable[[float], None] = time.sleep,
    *,
    name: str | None = None,
) -> tuple[Comment, str]:
    """Write the study's comment, or rewrite it; if two jobs write at once, one comment stays.

    Args:
        git_host: to ask.
        number: of the pull request.
        study: its name.
        text: without the hidden tag.
        sleep: waits before the Git host is asked again whether a comment was added.
        name: tells several comments of one study apart.

    Returns:
        The comment, and what was done: ``created``, ``updated`` or ``unchanged``.

    Raises:
        GitHostError: the Git host refuses, or cannot be reached.
    """
    first, author = mark(study, name), git_host.author()
    body = f"{first}\n{text}"
    for left in reversed(range(TRIES)):
        own = _own(git_host, number, first, author)
        try:
            done = _put(git_host, number, own[-1] if own else None, body)
        except GitHostError as error:
            # It may be there all the same: look again, so that no second one is added.
            if not (error.is_unclear and left):
                raise
            sleep(PAUSE_S)
            continue
        # Another job may have added one since: the job that looks last sees both.
        _remove_older(git_host, number, first, done[0])
        return done
    raise AssertionError


def _own(git_host: GitHost, number: int, first: str, author: str | None) -> list[Comment]:
    """Return our comments with the tag, or any program's if our author is unknown; by age."""
    # Only in the first line: a reply may quote the tag further down.
    marked = [c for c in git_host.comments(number) if c.body.split("\n")[0].strip() == first]
    own = [c for c in marked if (c.is_bot if author is None else c.author == author)]
    # On both Git hosts a later comment has a larger number.
    return sorted(own, key=lambda c: c.id)


def _remove_older(git_host: GitHost, number: int, first: str, ours: Comment) -> None:
    """Remove all but the newest: an older one would show outdated results."""
    # The answer tells who we are; another program's comment is never removed.
    for comment in _own(git_host, number, first, ours.author)[:-1]:
        try:
            git_host.delete_comment(number, comment.id)
        except GitHostError:
            # Removed by the other job, or not to be removed: then it tells the same, at least.
            with suppress(GitHostError):
                git_host.change_comment(number, comment.id, ours.body)


def _put(git_host: GitHost, number: int, present: Comment | None, body: str) -> tuple[Comment, str]:
    # Git hosts store other line ends, and may cut blanks at the ends.
    if present is not None and present.body.replace("\r\n", "\n").strip() == body.strip():
        return present, "unchanged"
    if present is not None:
        try:
            return git_host.change_comment(number, present.id, body), "updated"
        except GitHostError as error:
            # Deleted meanwhile, or another program's.
            if error.status not in (403, 404):
                raise
    return git_host.comment(number, body), "created"
