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
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--format", "kind", type=click.Choice(FORMATS), help="[default: by the file's name]")
@click.option(
    "--optuna", "storage", metavar="URL", help="Write a study of Optuna's: `sqlite:///study.db`."
)
@click.option("--as", "name", help="Name of that study.  [default: the study's own]")
def command(
    config: Path | None,
    output: Path | None,
    kind: str | None,
    storage: str | None,
    name: str | None,
) -> None:
    """Write the full history, every trial and fold, to a file or an Optuna storage.

    In Optuna, the value of a trial is the mean over its folds; the folds are attributes.
    """
    if (output is None) == (storage is None):
        raise UsageError("say where the trials go: -o FILE or --optuna URL.")
    if storage is not None:
        _to_optuna(config, storage, name)
    elif output is not None:
        _to_file(config, output, kind)


def _to_optuna(config: Path | None, url: str, name: str | None) -> None:
    from tunesmith.analysis.numbers import counted
    from tunesmith.runs.exchange.storage import named
    from tunesmith.runs.exchange.to_optuna import export_study

    _, record = open_record(config)
    n = export_study(record, url, name)
    say(f"{counted(n, 'trial')} written to study `{name or record.head.name}` in {named(url)}")


def _to_file(config: Path | None, output: Path, kind: str | None) -> None:
    from tunesmith.analysis.numbers import counted
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
    say(f"{counted(record.history.n_completed, 'trial')} written to {shown(output.absolute())}")
