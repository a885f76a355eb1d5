"""``tunesmith ledger pull``."""

from pathlib import Path

import click

from tunesmith.cli.common.moving import ledger_here, move, remote_argument
from tunesmith.cli.common.options import config_option, json_option


@click.command("pull")
@remote_argument
@config_option
@json_option
def command(remote: str, config: Path | None, *, as_json: bool) -> None:
    """Take the evaluations of REMOTE that this project's ledger lacks.

    The next run finds them and makes none of them again. They stay those of the runs that made
    them. REMOTE, or TUNESMITH_REMOTE, is as in `tunesmith ledger push`; you trust its scores.
    """
    move([remote], ledger_here(config, exists=False), "pull", as_json=as_json)
