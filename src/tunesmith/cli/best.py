"""``tunesmith best``."""

from pathlib import Path

import click

from tunesmith.cli.common.content import best_content
from tunesmith.cli.common.options import config_option, json_option, print_json
from tunesmith.cli.common.reading import open_record
from tunesmith.cli.common.streams import show
from tunesmith.errors import NoResultError, UsageError


@click.command("best")
@config_option
@json_option
@click.option("--yaml", "as_yaml", is_flag=True, help="Print YAML, as in the parameters file.")
def command(config: Path | None, *, as_json: bool, as_yaml: bool) -> None:
    """Print the winner and its parameters: the best trial, or what `selection` asks for."""
    from tunesmith.analysis.winner import winner_of
    from tunesmith.parameters.texts import best_parameters
    from tunesmith.reporting.best_text import best_text

    if as_json and as_yaml:
        raise UsageError("--json and --yaml: choose one of them.")
    _, record = open_record(config)
    if record.history.best() is None:
        if any(record.history.successful):
            unmet = best_text(winner_of(record))
            raise NoResultError(f"study `{record.head.name}`: {unmet}")
        raise NoResultError(
            f"study `{record.head.name}` has no complete trial yet.\n"
            "  `tunesmith status` says how it stands."
        )
    if as_json:
        print_json("best", {"study": record.head.name, **(best_content(record) or {})})
    elif as_yaml:
        show(best_parameters(winner_of(record), ".yaml"), nl=False)
    else:
        show(best_text(winner_of(record)))
