"""``tunesmith ledger push``."""

from pathlib import Path

import click

from tunesmith.cli.common.moving import ledger_here, move, remote_argument
from tunesmith.cli.common.options import config_option, json_option


@click.command("push")
@remote_argument
@config_option
@json_option
def command(remote: str, config: Path | None, *, as_json: bool) -> None:
    """Give REMOTE the evaluations of this project's ledger that it lacks.

    REMOTE is the file of a ledger, a `postgresql://` URL, or a folder, which a DVC remote or a CI
    cache can carry. If you leave it out, the variable TUNESMITH_REMOTE says it, so that no password
    stands on the command line.
    """
    move([ledger_here(config, exists=True)], remote, "push", as_json=as_json)
