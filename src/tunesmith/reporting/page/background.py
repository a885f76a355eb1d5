"""The HTML report served from a program or a notebook, which goes on meanwhile."""

from dataclasses import dataclass
from threading import Thread

from tunesmith.analysis.summary import summarise
from tunesmith.errors import UsageError
from tunesmith.reporting.page.serve import PageServer
from tunesmith.reporting.page.study import LivePage, Load, Summarise


@dataclass(frozen=True)
class ServedPage:
    """A page that a thread of this process serves until ``close`` or the end of the process."""

    server: PageServer
    thread: Thread

    @property
    def url(self) -> str:
        """Address of the page, with its random token."""
        return self.server.url

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def __repr__(self) -> str:
        return f"<report at {self.url}; .close() ends it>"

    def _repr_html_(self) -> str:
        return f'Report: <a href="{self.url}" target="_blank" rel="noreferrer">{self.url}</a>'


def serve(load: Load, port: int = 0, *, summarise: Summarise = summarise) -> ServedPage:
    """Serve a study's page on the loopback address.

    Args:
        load: gives the record, each time that the page asks.
        port: 0 for any free one.
        summarise: computes what the page tells of a record.

    Raises:
        UsageError: the port cannot be used.
    """
    try:
        server = PageServer(LivePage(load, lambda: 1, summarise=summarise), port)
    except (OSError, OverflowError, TypeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"port {port}: {reason}. Use another one, or 0.") from None
    thread = Thread(target=server.serve_forever, name="tunesmith-serve", daemon=True)
    thread.start()
    return ServedPage(server, thread)
