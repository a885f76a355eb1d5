"""``tunesmith adopt``."""

from pathlib import Path

import click

from tunesmith.cli.common.options import config_option, json_option, print_json, shown
from tunesmith.cli.common.reading import open_record
from tunesmith.cli.common.streams import say, show

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
        content = {"path": str(done.path), "trial": done.trial, "changes": list(done.changes)}
        own = None
        if done.program_file is not None:
            own = {"path": str(done.program_file), "changes": list(done.program_changes)}
        print_json("adopted", {**content, "is_written": done.is_written, "params_file": own})
        return
    what = "would have" if dry_run else "has"
    head = f"{shown(done.path)} {what} the parameters of trial {done.trial}"
    show("\n".join([head, *(f"  {change}" for change in done.changes or ("no change",))]))
    if done.program_file is not None:
        line = f"{shown(done.program_file)}, which the program reads, {what} them, too"
        show("\n".join([line, *(f"  {c}" for c in done.program_changes or ("no change",))]))
    # A run leaves an edit alone only if the file is user-owned.
    if not done.is_winner and definition.file.outputs.tuned is None:
        say(
            "The next run puts the winner back. To keep this one, name `outputs: {tuned: …}`,"
            " which makes the file yours."
        )
