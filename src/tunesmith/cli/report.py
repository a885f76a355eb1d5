"""``tunesmith report``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.common.gate import OPTION, gate_code, gate_content
from tunesmith.cli.common.kept import say_kept
from tunesmith.cli.common.options import (
    config_option,
    find_config,
    force_option,
    json_option,
    pointing_into,
    print_json,
    shown,
)
from tunesmith.cli.common.reading import open_records
from tunesmith.cli.common.streams import show
from tunesmith.system.quick_imports import importing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tunesmith.analysis.summary import Summary
    from tunesmith.ledger.records import StudyRecord
    from tunesmith.runs.outputs import Written


def _form(name: str) -> "Callable[[Summary], str]":
    """Return what draws a summary in the form with this name.

    Raises:
        UsageError: nobody registered the name.
    """
    from tunesmith import registry

    drawn: Callable[[Summary], str] = registry.load("reports", name)
    return drawn


def _forms(
    others: tuple[tuple[str, str], ...], comment: Path | None
) -> "list[tuple[Callable[[Summary], str], Path]]":
    """Return what draws each of the other forms, and its file."""
    forms = [(_form(name), Path(file)) for name, file in others]
    return forms if comment is None else [(_form("comment"), comment), *forms]


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
@click.option(
    "--as",
    "others",
    nargs=2,
    multiple=True,
    metavar="FORM FILE",
    help="Also write the report in another form: markdown, comment, json, or one that a package"
    " that you have installed adds.",
)
@force_option
@json_option
# It imports libraries, and makes objects that stay until its end.
@importing()
def command(
    config: Path | None,
    comment: Path | None,
    html: Path | None,
    others: tuple[tuple[str, str], ...],
    force: tuple[str, ...],
    *,
    gate: bool,
    as_json: bool,
) -> None:
    """Rebuild the best parameters, the report and the trials file from the ledger alone.

    Evaluates nothing and imports no project code; works after a crash and while a run is on.
    """
    from tunesmith.analysis.choice.policy import Policy
    from tunesmith.parameters.best_file import BestFile
    from tunesmith.reporting.terminal import gate_text
    from tunesmith.runs.models.reading import summary_of
    from tunesmith.runs.outputs import write_outputs

    # Before the record is read: an unknown form is told at once.
    forms = _forms(others, comment)
    definition, record, nested = open_records(config)
    # As for a run, the option implies the section: what the gate refuses is not written.
    policy = Policy.of((definition.with_gate() if gate else definition).file)
    summary = summary_of(definition, record, policy, nested)
    with pointing_into(find_config(config)):
        written = write_outputs(
            record,
            definition.root,
            definition.file.outputs,
            summary=summary,
            nested=nested,
            forced=force,
        )
    written += _beside(record, summary, forms, html)
    if as_json:
        print_json("report", _content(summary, written))
    else:
        _show(written)
        if gate:
            show(gate_text(summary))
    say_kept(BestFile.of(definition), record, summary)
    if gate:
        sys.exit(int(gate_code(summary)))


def _content(summary: "Summary", written: "list[Written]") -> dict[str, Any]:
    files = [{"path": str(item.path), "changed": item.changed} for item in written]
    return {"study": summary.study, "gate": gate_content(summary), "files": files}


def _beside(
    record: "StudyRecord",
    summary: "Summary",
    forms: "list[tuple[Callable[[Summary], str], Path]]",
    html: Path | None,
) -> "Iterator[Written]":
    """Write files that the configuration does not name."""
    from tunesmith.reporting.page.render import render
    from tunesmith.runs.outputs import Written
    from tunesmith.system.files import write_atomic

    # All are drawn before the first is written, so that one that fails leaves no half of them.
    texts = {file: render_form(summary) for render_form, file in forms}
    if html is not None:
        texts[html] = render(record, summary)
    for path, text in texts.items():
        yield Written(path.absolute(), write_atomic(path.absolute(), text))


def _show(written: "Iterable[Written]") -> None:
    for item in written:
        show(f"  {'written' if item.changed else 'unchanged':10} {shown(item.path)}")
