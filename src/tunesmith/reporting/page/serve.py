"""A web server for the HTML report while the study runs, for this machine alone.

The server listens on the loopback address only and answers only to a random token in the URL. It
only reads; no request changes anything.
"""

import hashlib
import json
import secrets
import sys
from collections.abc import Callable
from hmac import compare_digest
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

from tunesmith.errors import TunesmithError
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.page.content import content_of
from tunesmith.reporting.page.render import document, page_assets, policy

HOST = "127.0.0.1"
TIMEOUT_S = 30.0
HTML, JSON = "text/html; charset=utf-8", "application/json"
Load = Callable[[], StudyRecord]
Version = Callable[[], object]


class LivePage:
    """The page's content, computed again only when the ledger has changed."""

    def __init__(self, load: Load, version: Version) -> None:
        self._load, self._version = load, version
        self._lock = Lock()
        self._seen: object = None
        self._content: dict[str, Any] = {}
        self._data = b""

    def page(self) -> bytes:
        """The HTML document."""
        with self._lock:
            self._refresh()
            return document(self._content, is_live=True).encode()

    def data(self) -> tuple[bytes, str]:
        """The content as JSON, and its tag."""
        with self._lock:
            self._refresh()
            return self._data, f'"{hashlib.sha256(self._data).hexdigest()[:32]}"'

    def _refresh(self) -> None:
        # Taken before the ledger is read: a change during the reading is then seen the next time.
        version = self._version()
        if self._data and version is not None and version == self._seen:
            return
        self._content = content_of(self._load())
        text = json.dumps(self._content, allow_nan=False, separators=(",", ":"))
        self._data, self._seen = text.encode(), version


def version_of(ledger: str | Path) -> object:
    """Return a value that changes whenever a ledger's file does; ``None`` for a server's ledger."""
    # A database server shows no such value, so the page is computed for each request.
    if isinstance(ledger, str):
        return None
    marks = []
    # SQLite writes to the file `-wal` first; the ledger's own file changes later.
    for path in (ledger, ledger.with_name(f"{ledger.name}-wal")):
        try:
            status = path.stat()
        except OSError:
            continue
        marks.append((status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(marks)


class PageServer(ThreadingHTTPServer):
    """Serves one page on the loopback address."""

    # A browser that keeps its connection open must not keep the command from ending.
    daemon_threads = True

    def __init__(self, source: LivePage, port: int = 0) -> None:
        self.source = source
        self.token = secrets.token_urlsafe(24)
        super().__init__((HOST, port), PageHandler)

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host names that a browser may use; any other is a sign of DNS rebinding."""
        return tuple(f"{name}:{self.server_port}" for name in (HOST, "localhost"))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore browsers that close the connection before they have their answer."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class PageHandler(BaseHTTPRequestHandler):
    """Answers ``GET /<token>/`` and ``GET /<token>/data.json``."""

    server: PageServer
    # One connection for all requests of a page that polls.
    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT_S

    def do_GET(self) -> None:
        """Answer with the page or its data."""
        # By DNS rebinding, a page of another site reaches the loopback address under its own name.
        if self.headers.get("Host") not in self.server.hosts:
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        token, slash, name = self.path.removeprefix("/").partition("/")
        # In constant time, so that response times give no character of the token away.
        is_known = compare_digest(token.encode(), self.server.token.encode())
        answer = {"/": self._page, "/data.json": self._data}.get(slash + name)
        if not is_known or answer is None:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        try:
            answer()
        except TunesmithError:
            # The ledger is busy or gone; the page says so and asks again.
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def _page(self) -> None:
        headers = {"Content-Security-Policy": policy(page_assets(), is_live=True)}
        self._send(HTTPStatus.OK, self.server.source.page(), HTML, headers)

    def _data(self) -> None:
        data, tag = self.server.source.data()
        is_known = self.headers.get("If-None-Match") == tag
        status = HTTPStatus.NOT_MODIFIED if is_known else HTTPStatus.OK
        self._send(status, b"" if is_known else data, JSON, {"ETag": tag})

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self._send(status, f"{status.phrase}\n".encode(), "text/plain", {"Connection": "close"})

    def _send(self, status: HTTPStatus, body: bytes, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        fixed = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            # The browser asks each time; with the tag, an answer without news is empty.
            "Cache-Control": "no-cache",
            # No page of another site may load it as a script or an image.
            "Cross-Origin-Resource-Policy": "same-origin",
            # The page's address holds the token, which links would pass on.
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }
        for name, value in {**fixed, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        """Return a name without versions."""
        return "tunesmith"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log no requests."""
