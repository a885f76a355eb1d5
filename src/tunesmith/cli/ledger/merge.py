"""``tunesmith ledger merge``."""

from collections.abc import Sequence
from pathlib import Path

import click

from tunesmith.cli.common.moving import ledger_here, move
from tunesmith.cli.common.options import config_option, json_option


@click.command("merge")
@click.argument("sources", nargs=-1, required=True)
@click.option("--into", help="Where all of it goes.  [default: this project's ledger]")
@config_option
@json_option
def command(
    sources: Sequence[str], into: str | None, config: Path | None, *, as_json: bool
) -> None:
    """Add the evaluations of SOURCES, ledgers or folders, to one ledger or folder.

    Trials are not carried: the next run of a study lists them anew from its evaluations, without
    making any.
    """
    target = ledger_here(config, exists=False) if into is None else into
    move(sources, target, "merge", as_json=as_json)
