"""``tunesmith export``."""

from pathlib import Path

import click

from tunesmith.cli.common.options import config_option, shown
from tunesmith.cli.common.reading import open_record
from tunesmith.cli.common.streams import say
from tunesmith.errors import UsageError

FORMATS = ("csv", "json", "jsonl")


@click.command("export")
@config_option
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--format", "kind", type=click.Choice(FORMATS), help="[default: by the file's name]")
def command(config: Path | None, output: Path, kind: str | None) -> None:
    """Write the full history, every trial and fold, to a file."""
    from tunesmith.analysis.summary import summarise
    from tunesmith.runs.outputs import TRIALS
    from tunesmith.system.files import write_atomic

    suffix = f".{kind}" if kind else output.suffix
    if suffix not in TRIALS:
        raise UsageError(
            f"{output}: its name says no known format.\n"
            f"  End it in {', '.join(f'.{name}' for name in FORMATS)}, or add --format."
        )
    _, record = open_record(config)
    # Effects take a second, and no trial shows them.
    write_atomic(output, TRIALS[suffix](record, summarise(record, with_effects=False)))
    from tunesmith.runs.progress import counted

    say(f"{counted(record.history.n_told, 'trial')} written to {shown(output.absolute())}")
