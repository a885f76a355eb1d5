"""``tunesmith trials``."""

from pathlib import Path

import click

from tunesmith.cli.common.options import config_option, json_option, print_json
from tunesmith.cli.common.reading import open_record
from tunesmith.cli.common.streams import say, show
from tunesmith.errors import UsageError
from tunesmith.system.redact import printable


@click.command("trials")
@config_option
@click.option("--filter", "where", metavar="CONDITION", help="E.g. 'max_depth > 5'.")
@click.option("--sort", "by", metavar="COLUMN", help="Metric, param or column; -NAME reverses.")
@click.option("--top", "n", type=click.IntRange(min=1), help="Only the first ones.")
@click.option("--skip", type=click.IntRange(min=0), default=0, help="Leave these out before.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--md", "as_markdown", is_flag=True, help="Print a Markdown table.")
@json_option
def command(
    config: Path | None,
    where: str | None,
    by: str | None,
    n: int | None,
    *,
    skip: int,
    as_csv: bool,
    as_markdown: bool,
    as_json: bool,
) -> None:
    """List trials, best first, also while a run is on.

    CONDITION compares params, metrics and every other heading of the list, as in 'accuracy < 0.9'
    or 'rank <= 5': comparisons, arithmetic, and, or, not, in.
    """
    from tunesmith.reporting import table
    from tunesmith.reporting.choosing import chosen, page_of

    if as_csv + as_markdown + as_json > 1:
        raise UsageError("--csv, --md and --json: choose one of them.")
    _, record = open_record(config)
    if n is not None and where is None and by is None:
        rows = page_of(record, n, skip)
    else:
        last = None if n is None else skip + n
        rows = chosen(table.rows_of(record), record.metrics, where=where, by=by, n=last)[skip:]
    if as_json:
        shown = table.with_failures(record, rows)
        print_json("trials", {"study": record.head.name, "trials": shown})
    elif as_csv:
        show(table.to_csv(rows), nl=False)
    elif as_markdown:
        show(table.to_markdown(rows))
    else:
        show(table.to_text(rows, record.metrics, by))
        if source := record.recorded.taken_from:
            say(printable(f"These trials are not verified: they were taken from {source}."))
