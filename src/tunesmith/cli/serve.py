"""``tunesmith serve``."""

from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT
from typing import TYPE_CHECKING

import click

from tunesmith.cli.common.options import (
    config_option,
    find_config,
    first_config,
    json_option,
    print_json,
)
from tunesmith.cli.common.reading import open_record
from tunesmith.cli.common.streams import say, show
from tunesmith.errors import TunesmithError, UsageError
from tunesmith.system.interruptions import Interrupted

if TYPE_CHECKING:
    from tunesmith.analysis.summary import Summary
    from tunesmith.config.model import Definition
    from tunesmith.ledger.records import StudyRecord
    from tunesmith.reporting.page.details import LogText
    from tunesmith.reporting.page.study import LivePage


@click.command("serve")
@config_option
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0: any free one.")
@json_option
def command(config: Path | None, port: int, *, as_json: bool) -> None:
    """Show the HTML report in a browser, live while a run is on; Ctrl-C ends it.

    Without `-c`, the page has every study that is configured in this folder or below it, also
    before its first run. On the page you can stop a run, and write notes on trials.

    Prints the page's address, which holds a random token. Only this machine can reach it.
    """
    from tunesmith.reporting.page.serve import PageServer

    paths = [find_config(config)] if config is not None else _found()
    studies = [_Served(path).page() for path in paths]
    try:
        server = PageServer(studies, port)
    except OSError as error:
        raise UsageError(f"--port {port}: {error.strerror}. Use another one, or 0.") from None
    with server:
        if as_json:
            named = zip(paths, studies, strict=True)
            listed = [{"study": page.name, "config": str(path)} for path, page in named]
            print_json("serve", {"study": studies[0].name, "studies": listed, "url": server.url})
        else:
            show(server.url)
        n = f"{len(studies)} studies, live" if len(studies) > 1 else "Live"
        say(f"{n} while a study runs; only this machine can see it. Ctrl-C ends it.")
        try:
            server.serve_forever()
        except (KeyboardInterrupt, Interrupted) as stop:
            # Ctrl-C is the way to end it, so no failure.
            if isinstance(stop, Interrupted) and stop.signum != SIGINT:
                raise
            say("")


def _found() -> list[Path]:
    """Configurations here and below, the usual one first."""
    from tunesmith.cli.common.studies import configurations

    usual = first_config(Path())
    others = [path for path in configurations(Path()) if usual is None or path != usual]
    # None at all is told in the words of every other command.
    return [*([usual] if usual else []), *others] or [find_config(None)]


@dataclass(frozen=True)
class _Served:
    """A configuration whose study is shown; it is read anew each time, since people edit it."""

    path: Path

    def page(self) -> "LivePage":
        """The page of the study."""
        from tunesmith.reporting.page.study import LivePage, PageActions
        from tunesmith.runs.ongoing import OngoingRun

        try:
            name = self.define().file.study
        except TunesmithError:
            name = str(self.path)
        run = OngoingRun(self.define)
        actions = PageActions(state=run.state, logs=self.logs, stop=run.stop, note=self.note)
        return LivePage(
            lambda: open_record(self.path)[1],
            self.version,
            name,
            actions,
            summarise=self.summarise,
        )

    def define(self) -> "Definition":
        """Read the configuration, or the ledger that stands for one."""
        from tunesmith.cli.common.ledger_file import is_ledger, open_ledger
        from tunesmith.config.load import load_definition

        return open_ledger(self.path)[0] if is_ledger(self.path) else load_definition(self.path)

    def summarise(self, record: "StudyRecord") -> "Summary":
        """Compute what the page tells of a record, with the predictions of its winner."""
        from tunesmith.runs.models.reading import summary_of

        return summary_of(self.define(), record)

    def version(self) -> object:
        """Return a value that changes if configuration or ledger do; ``None`` if none tells."""
        from tunesmith.reporting.page.serve import version_of

        try:
            of_ledger = version_of(self.define().ledger)
        except TunesmithError:
            # A configuration that cannot be read; the page says what is wrong with it.
            return version_of(self.path)
        return None if of_ledger is None else (version_of(self.path), of_ledger)

    def logs(self, record: "StudyRecord", number: int) -> "list[LogText]":
        """Return the logs of a trial's program, if there is one and they are here."""
        from tunesmith.cli.logs import logs_of
        from tunesmith.reporting.page.details import LogText

        made = self.define()
        if not made.file.objective.is_program:
            return []
        texts = logs_of(made, record, record.history[number], None, only_errors=False)
        return [LogText(text.title, text.text) for text in texts or ()]

    def note(self, number: int, text: str) -> None:
        """Write a note on a trial."""
        from tunesmith.cli.note import write_note

        write_note(self.path, number, text)
