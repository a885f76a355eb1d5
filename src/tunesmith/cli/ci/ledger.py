"""``tunesmith ci ledger``."""

from pathlib import Path

import click

from tunesmith.cli.ci.warning import warn
from tunesmith.cli.options import config_option, find_config
from tunesmith.cli.streams import show


@click.command("ledger")
@config_option
def command(config: Path | None) -> None:
    """Make a ledger usable that came from a cache, so that no cache can stop every later run.

    A damaged one is repaired; what a newer version or another program has written is put out of the
    way. The run that follows takes the committed history.
    """
    from tunesmith.config.load import load_definition
    from tunesmith.pipeline.ci.restored import make_usable
    from tunesmith.pipeline.forge.forge import forge_here

    said = make_usable(load_definition(find_config(config)))
    if said is None:
        show("The ledger can be used.")
        return
    warn(forge_here(), said)
