"""``tunesmith init``."""

from pathlib import Path

import click

from tunesmith.cli.options import say
from tunesmith.errors import UsageError

TEMPLATES = ("basic", "demo")


@click.command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--template", type=click.Choice(TEMPLATES), default="basic", show_default=True)
@click.option("--data", metavar="FILE", help="Your table, relative to the folder.")
@click.option("--target", metavar="COLUMN", help="The column to predict.  [default: the last]")
@click.option("--dry-run", is_flag=True, help="Only show what would be written.")
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
def command(
    folder: Path,
    template: str,
    data: str | None,
    target: str | None,
    *,
    dry_run: bool,
    force: bool,
) -> None:
    """Write a tuning.yaml, its JSON Schema and (demo) a whole small project into FOLDER.

    Looks at your table to propose an estimator and a metric. Never overwrites unless forced.
    """
    from tunesmith.scaffold import Guess, guess_from, plan_files, write_files

    guess = guess_from(folder, data, target) if template == "basic" else Guess()
    planned = plan_files(folder, template, guess)
    taken = [file for file in planned if file.exists and not file.is_same]
    for file in planned:
        word = "same" if file.is_same else "overwrite" if file.exists else "create"
        click.echo(f"  {word:9} {file.path}")
    if dry_run:
        say("nothing was written (--dry-run)")
        return
    if taken and not force:
        names = ", ".join(str(file.path) for file in taken)
        raise UsageError(f"{names}: already there. Nothing was written; --force overwrites.")
    write_files(planned)
    say(f"Next: {'' if str(folder) == '.' else f'cd {folder} && '}tunesmith check")
