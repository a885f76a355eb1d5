"""``tunesmith report``."""

import sys
from pathlib import Path

import click

from tunesmith.cli.gate import OPTION, gate_code, gate_content
from tunesmith.cli.kept import say_kept
from tunesmith.cli.options import (
    config_option,
    find_config,
    force_option,
    json_option,
    pointing_into,
    print_json,
    shown,
)
from tunesmith.cli.reading import open_records
from tunesmith.cli.streams import show


@click.command("report")
@config_option
@click.option("--gate", is_flag=True, help=OPTION)
@click.option(
    "--comment",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the report for a comment on a pull request: at most 60,000 characters.",
)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the HTML report there, too, with durations.",
)
@force_option
@json_option
def command(
    config: Path | None,
    comment: Path | None,
    html: Path | None,
    force: tuple[str, ...],
    *,
    gate: bool,
    as_json: bool,
) -> None:
    """Rebuild the best parameters, the report and the trials file from the ledger alone.

    Evaluates nothing and imports no project code; works after a crash and while a run is on.
    """
    from tunesmith import registry
    from tunesmith.files import write_atomic
    from tunesmith.reporting.decision import Policy
    from tunesmith.reporting.outputs import Written, write_outputs
    from tunesmith.reporting.page.render import render
    from tunesmith.reporting.summary import summarise
    from tunesmith.reporting.terminal import gate_text

    definition, record, nested = open_records(config)
    policy = Policy.of(definition.file.model_dump(mode="json", include={"selection", "gate"}))
    summary = summarise(record, policy, nested=nested)
    with pointing_into(find_config(config)):
        written = write_outputs(
            record, definition.root, definition.file.outputs, summary, nested, force
        )
    beside = {} if comment is None else {comment: registry.load("reports", "comment")(summary)}
    if html is not None:
        beside[html] = render(record, summary)
    for path, content in beside.items():
        written.append(Written(path.absolute(), write_atomic(path.absolute(), content)))
    if as_json:
        files = [{"path": str(item.path), "changed": item.changed} for item in written]
        content = {"study": record.head.name, "gate": gate_content(summary), "files": files}
        print_json("report", content)
    else:
        for item in written:
            show(f"  {'written' if item.changed else 'unchanged':10} {shown(item.path)}")
        if gate:
            show(gate_text(summary))
    say_kept(definition, record, summary)
    if gate:
        sys.exit(int(gate_code(summary)))
