"""``tunesmith ledger``."""

import click

from tunesmith.cli.common.lazy import LazyGroup

COMMANDS = {
    "copy": "Make a whole copy of the ledger, also while a run is on.",
    "push": "Give a shared ledger or folder the evaluations that it lacks.",
    "pull": "Take the evaluations that a shared ledger or folder has.",
    "merge": "Join ledgers and folders into one.",
    "stats": "Show what a ledger holds, and what it has saved.",
    "gc": "Remove what nobody needs, by study, age or use.",
}


@click.group("ledger", cls=LazyGroup, package="tunesmith.cli.ledger", lines=COMMANDS)
def command() -> None:
    """Copy and share the ledger, the database of everything evaluated.

    After a run has ended normally, a ledger's file alone is complete. While a run is on, or after
    one was killed, the newest results are in a second file beside it: copy it with
    `tunesmith ledger copy`.
    """
