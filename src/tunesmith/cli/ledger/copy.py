"""``tunesmith ledger copy``."""

from pathlib import Path

import click

from tunesmith.cli.common.options import config_option, find_config
from tunesmith.cli.common.streams import show
from tunesmith.errors import UsageError


@click.command("copy")
@config_option
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
def command(config: Path | None, target: Path) -> None:
    """Write a complete copy of the ledger to TARGET, also while a run is on."""
    from tunesmith.config.load import load_definition
    from tunesmith.ledger import integrity
    from tunesmith.ledger.dialect import address, file_of
    from tunesmith.ledger.messages import named

    file = file_of(address(load_definition(find_config(config)).ledger))
    if file is None:
        raise UsageError("the ledger is on a server: copy it with the server's own means.")
    if not file.exists():
        raise UsageError(f"{file}: there is no ledger. Begin with `tunesmith run`.")
    # Copying the bytes would miss what lies in the log beside the file while a run is on.
    with named(str(file)):
        is_written = integrity.copy(file, target)
    if not is_written:
        raise UsageError(f"{target} exists; name another file.")
    show(f"{target} is a whole copy of {file}.")
