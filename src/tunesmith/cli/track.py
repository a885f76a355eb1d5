"""``tunesmith track``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunesmith.cli.common.options import config_option, json_option, print_json
from tunesmith.cli.common.reading import open_record
from tunesmith.cli.common.streams import show
from tunesmith.errors import StorageError

if TYPE_CHECKING:
    from tunesmith.ledger.records import StudyRecord


@click.command("track")
@click.argument("tracker")
@config_option
@click.option("--to", "address", metavar="ADDRESS", help="[default: the tracker's own]")
@click.option("--follow", is_flag=True, help="Go on until the run that is on has ended.")
@json_option
def command(
    tracker: str, config: Path | None, address: str | None, *, follow: bool, as_json: bool
) -> None:
    """Send the trials that TRACKER lacks.

    TRACKER is `mlflow`, `wandb`, `tensorboard`, `dvclive`, or one that a package adds. This is a
    process of its own that reads the ledger. So a tracker that is slow or away never holds up a
    run, and what could not be sent is sent by the next call.
    """
    from tunesmith import registry
    from tunesmith.ledger.lock import holder
    from tunesmith.runs.tracking.send import follow as follow_run

    made = registry.load("trackers", tracker)(address)
    definition, record = open_record(config)

    def is_on() -> bool:
        return follow and holder(definition.ledger, record.head.name) is not None

    sent = follow_run(lambda: open_record(config)[1], is_on, made, _texts)
    if as_json:
        print_json("track", {"tracker": tracker, "study": record.head.name, **asdict(sent)})
    elif not sent.problem:
        show(_told(tracker, sent.n_sent, open_record(config)[1].history.n_completed))
    if sent.problem:
        raise StorageError(
            f"{tracker}: {sent.n_sent} trials were sent, and {sent.n_lacking} were not:"
            f" {sent.problem}\n  Send them with `tunesmith track {tracker}` later: none is lost."
        )


def _told(tracker: str, n_sent: int, n: int) -> str:
    from tunesmith.analysis.numbers import counted

    if n_sent:
        return f"{counted(n_sent, 'trial')} sent; {tracker} has all {counted(n, 'trial')} now."
    return f"Nothing new: {tracker} has all {counted(n, 'trial')}."


def _texts(record: "StudyRecord") -> dict[str, str]:
    """Return the report and the trials, as files for the tracker."""
    from tunesmith.analysis.summary import summarise
    from tunesmith.reporting import table
    from tunesmith.reporting.markdown import render

    return {
        "report.md": render(summarise(record)),
        "trials.csv": table.to_csv(table.rows_of(record)),
    }
