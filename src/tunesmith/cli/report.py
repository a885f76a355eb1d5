"""``tunesmith report``."""

from pathlib import Path

import click

from tunesmith.cli.options import config_option, json_option, print_json, shown
from tunesmith.cli.reading import open_record
from tunesmith.cli.streams import show


@click.command("report")
@config_option
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the HTML report there, too, with durations.",
)
@json_option
def command(config: Path | None, html: Path | None, *, as_json: bool) -> None:
    """Rebuild the best parameters, the report and the trials file from the ledger alone.

    Evaluates nothing and imports no project code; works after a crash and while a run is on.
    """
    from tunesmith.files import write_atomic
    from tunesmith.report.outputs import Written, write_outputs
    from tunesmith.report.page.render import render

    definition, record = open_record(config)
    written = write_outputs(record, definition.root, definition.file.outputs)
    if html is not None:
        place = html.absolute()
        written.append(Written(place, write_atomic(place, render(record))))
    if as_json:
        files = [{"path": str(item.path), "changed": item.changed} for item in written]
        print_json("report", {"study": record.head.name, "files": files})
        return
    for item in written:
        show(f"  {'written' if item.changed else 'unchanged':10} {shown(item.path)}")
