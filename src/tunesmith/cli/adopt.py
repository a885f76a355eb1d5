"""``tunesmith adopt``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.common.options import config_option, json_option, print_json, shown
from tunesmith.cli.common.reading import open_record
from tunesmith.cli.common.streams import say, show

if TYPE_CHECKING:
    from tunesmith.parameters.adopt import Adopted

SELECTIONS = ("best", "one_se", "simplest", "fastest")


@click.command("adopt")
@config_option
@click.option("--trial", type=click.IntRange(min=0), help="Of this trial, not of the winner.")
@click.option("--selection", type=click.Choice(SELECTIONS), help="Of the trial so chosen.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--force", is_flag=True, help="Replace the file even if it holds other things.")
@json_option
def command(
    config: Path | None,
    trial: int | None,
    selection: str | None,
    *,
    dry_run: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Write a trial's parameters into the best-parameters file, over whatever stands there.

    Values that stand in the program's own file (`params_file`) are set there, too.

    A run does so by itself while nobody has edited the file. Reads the ledger; evaluates nothing.
    """
    from tunesmith.parameters.adopt import adopt

    definition, record = open_record(config)
    done = adopt(
        record,
        definition.root,
        definition.file.outputs,
        trial=trial,
        selection=selection,
        dry_run=dry_run,
        is_forced=force,
        params_file=definition.file.objective.params_file,
    )
    if as_json:
        print_json("adopted", _content(done))
        return
    _show(done, "would have" if dry_run else "has")
    # A run leaves an edit alone only if the file is user-owned.
    if not done.is_winner and definition.file.outputs.tuned is None:
        say(
            "The next run puts the winner back. To keep this one, name `outputs: {tuned: …}`,"
            " which makes the file yours."
        )


def _content(done: "Adopted") -> dict[str, Any]:
    own = None
    if done.program_file is not None:
        own = {"path": str(done.program_file), "changes": list(done.program_changes)}
    return {
        "path": str(done.path),
        "trial": done.trial,
        "changes": list(done.changes),
        "is_written": done.is_written,
        "params_file": own,
    }


def _show(done: "Adopted", verb: str) -> None:
    head = f"{shown(done.path)} {verb} the parameters of trial {done.trial}"
    show("\n".join([head, *(f"  {change}" for change in done.changes or ("no change",))]))
    if done.program_file is not None:
        line = f"{shown(done.program_file)}, which the program reads, {verb} them, too"
        show("\n".join([line, *(f"  {c}" for c in done.program_changes or ("no change",))]))
