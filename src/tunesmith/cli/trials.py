"""``tunesmith trials``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunesmith.cli.common.options import config_option, json_option, print_json
from tunesmith.cli.common.reading import open_record
from tunesmith.cli.common.streams import show
from tunesmith.errors import UsageError

if TYPE_CHECKING:
    from tunesmith.history import Metric


@click.command("trials")
@config_option
@click.option("--filter", "where", metavar="CONDITION", help="E.g. 'max_depth > 5'.")
@click.option("--sort", "by", metavar="COLUMN", help="Metric, param or column; -NAME reverses.")
@click.option("--top", "n", type=click.IntRange(min=1), help="Only the first ones.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--md", "as_markdown", is_flag=True, help="Print a Markdown table.")
@json_option
def command(
    config: Path | None,
    where: str | None,
    by: str | None,
    n: int | None,
    *,
    as_csv: bool,
    as_markdown: bool,
    as_json: bool,
) -> None:
    """List trials, best first, also while a run is on.

    CONDITION compares params and columns: comparisons, arithmetic, and, or, not, in.
    """
    from tunesmith.reporting import table

    if as_csv + as_markdown + as_json > 1:
        raise UsageError("--csv, --md and --json: choose one of them.")
    _, record = open_record(config)
    rows = table.chosen(table.rows_of(record), where=where, by=_column(by, record.metrics), n=n)
    if as_json:
        shown = table.with_failures(record, rows)
        print_json("trials", {"study": record.head.name, "trials": shown})
    elif as_csv:
        show(table.to_csv(rows), nl=False)
    elif as_markdown:
        show(table.to_markdown(rows))
    else:
        show(table.to_text(rows, record.metrics))


def _column(by: str | None, metrics: "Sequence[Metric]") -> str | None:
    """A single metric's column is not called after it."""
    name = metrics[0].name
    own = {name: "mean_test_score", f"-{name}": "-mean_test_score"} if len(metrics) == 1 else {}
    return own.get(by, by) if by else by
