"""``tunesmith ci ledger``."""

from pathlib import Path

import click

from tunesmith.cli.ci.warning import warn
from tunesmith.cli.common.options import config_option, find_config
from tunesmith.cli.common.streams import show


@click.command("ledger")
@config_option
def command(config: Path | None) -> None:
    """Repair a ledger that came from a cache, so that no cache can stop every later run.

    A damaged ledger is repaired; a file that a newer version or another program has written is
    moved away. The next run then starts from the committed history.
    """
    from tunesmith.config.load import load_definition
    from tunesmith.pipeline.ci.restored import make_usable
    from tunesmith.pipeline.git_host.host import git_host_here

    said = make_usable(load_definition(find_config(config)).ledger)
    if said is None:
        show("The ledger can be used.")
        return
    # No error: the job goes on with what is there now.
    warn(git_host_here(), said)
