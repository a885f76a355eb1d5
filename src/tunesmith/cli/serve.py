"""``tunesmith serve``."""

from pathlib import Path
from signal import SIGINT

import click

from tunesmith.cli.common.options import config_option, json_option, print_json
from tunesmith.cli.common.reading import open_record
from tunesmith.cli.common.streams import say, show
from tunesmith.errors import UsageError
from tunesmith.system.interruptions import Interrupted


@click.command("serve")
@config_option
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0: any free one.")
@json_option
def command(config: Path | None, port: int, *, as_json: bool) -> None:
    """Show the HTML report in a browser, live while a run is on; Ctrl-C ends it.

    Prints the page's address, which holds a random token. Only this machine can reach it.
    """
    from tunesmith.reporting.page.serve import LivePage, PageServer, version_of

    definition, _ = open_record(config)
    path, ledger = definition.source, definition.ledger
    # Read anew each time: a run may begin another series of trials meanwhile.
    source = LivePage(lambda: open_record(path)[1], lambda: version_of(ledger))
    try:
        server = PageServer(source, port)
    except OSError as error:
        raise UsageError(f"--port {port}: {error.strerror}. Use another one, or 0.") from None
    with server:
        if as_json:
            print_json("serve", {"study": definition.file.study, "url": server.url})
        else:
            show(server.url)
        say("Live while the study runs; only this machine can see it. Ctrl-C ends it.")
        try:
            server.serve_forever()
        except (KeyboardInterrupt, Interrupted) as stop:
            # Ctrl-C is the way to end it, so no failure.
            if isinstance(stop, Interrupted) and stop.signum != SIGINT:
                raise
            say("")
