"""Warnings that the Git host shows with the job, beside its log."""

from typing import TYPE_CHECKING

from tunesmith.cli.common.streams import command_ci, say
from tunesmith.system.redact import clean

if TYPE_CHECKING:
    from tunesmith.pipeline.git_host.host import GitHost


def warn(git_host: "GitHost | None", text: str) -> None:
    """Print a warning as the Git host's own warning; outside of CI, as it is."""
    if git_host is None:
        say(clean(text))
    else:
        # The text may be anybody's, and a command must not be made inert afterwards.
        command_ci(git_host.warning(clean(text)))
