"""``tunesmith merge-history``: Git's merge driver for histories."""

import sys
from pathlib import Path

import click

from tunesmith.cli.common.streams import say
from tunesmith.errors import StorageError
from tunesmith.system.redact import printable


@click.command("merge-history")
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("ours", type=click.Path(path_type=Path))
@click.argument("theirs", type=click.Path(path_type=Path))
def command(base: Path, ours: Path, theirs: Path) -> None:  # noqa: ARG001 - Git gives it
    """Join the histories of two branches, as Git's merge driver: %O %A %B.

    The result is written to OURS. If a history holds a line that cannot be read, you get a conflict
    (exit code 1).
    """
    from tunesmith.ledger.histories.merging import merge
    from tunesmith.ledger.histories.portable import HistoryError
    from tunesmith.system.files import write_atomic

    try:
        text = merge(ours.read_text("utf-8-sig"), theirs.read_text("utf-8-sig"))
        # Git takes the result of a merge driver from the file of our side.
        write_atomic(ours, text)
    except (HistoryError, UnicodeDecodeError) as error:
        say(printable(f"the histories are not merged: {error}"))
        # Git reads 1 as a conflict; a code above 128 would end the whole merge as a crash.
        sys.exit(1)
    except OSError as error:
        raise StorageError(f"{error.filename}: {error.strerror}") from error
