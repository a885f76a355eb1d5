"""Access to the database of pull workers: which servers are trusted with code and data."""

import os
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.engine import URL

from tunesmith.errors import UsageError
from tunesmith.ledger.dialect import address, readable

ENCRYPTED = ("require", "verify-ca", "verify-full")
"""Values of libpq's ``sslmode`` with which nothing travels in plain text."""
LOCAL = ("localhost", "127.0.0.1", "::1")


def server_of(
    location: str | Path, *, insecure: bool, environ: Mapping[str, str] = os.environ
) -> URL:
    """Return the address of a ledger's server, if workers may be reached through it.

    Whoever can write into the database decides which fits workers make, so that the connection has
    to be encrypted unless it stays on this machine.

    Args:
        location: file or URL of the ledger.
        insecure: true if a connection in plain text is accepted.
        environ: environment of this process, in which libpq looks for ``PGSSLMODE``.

    Raises:
        UsageError: it is a file, or a server elsewhere without TLS.
    """
    url = address(location)
    if url.get_backend_name() != "postgresql":
        raise UsageError(
            "execution.executor: pull needs a ledger on a PostgreSQL server, and this one is"
            f" {readable(url)}.\n  Name one: `ledger: postgresql://…`."
        )
    mode = str(url.query.get("sslmode") or environ.get("PGSSLMODE", ""))
    if insecure or mode in ENCRYPTED or _is_local(url):
        return url
    raise UsageError(
        f"the connection to {readable(url)} may be without TLS, and whoever listens to it could"
        " tell workers what to do.\n  Add `?sslmode=verify-full` to the address (or `require`), or"
        " accept the risk: `execution: {options: {insecure: true}}`, and `--insecure` for workers."
    )


def _is_local(url: URL) -> bool:
    hosts = url.query.get("host") or url.host or ""
    names = [hosts] if isinstance(hosts, str) else list(hosts)
    # Without a host, or with a folder in its place, libpq uses a socket of this machine.
    each = [name for text in names for name in text.split(",")]
    return all(not name or name.startswith("/") or name in LOCAL for name in each)
