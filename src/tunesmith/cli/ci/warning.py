"""Warnings that the Git host shows with the job, beside its log."""

from typing import TYPE_CHECKING

from tunesmith.cli.common.streams import command_ci, say
from tunesmith.system.redact import clean

if TYPE_CHECKING:
    from tunesmith.pipeline.git_host.host import Forge


def warn(forge: "Forge | None", text: str) -> None:
    """Print a warning as the Git host's own warning; outside of CI, as it is."""
    if forge is None:
        say(clean(text))
    else:
        command_ci(forge.warning(clean(text)))
