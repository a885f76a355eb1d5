"""A web server for the HTML report while the study runs, for this machine alone.

The server listens on the loopback address only and answers only to a random token in the URL. What
changes something (a note, the end of a run) has to come from the page itself, which the browser
tells by the header ``Origin``.
"""

import json
import re
import secrets
import sys
from collections.abc import Callable, Sequence
from hmac import compare_digest
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tunesmith.errors import TunesmithError, UsageError
from tunesmith.reporting.page.details import as_json
from tunesmith.reporting.page.render import document, page_assets, policy
from tunesmith.reporting.page.study import LivePage

HOST = "127.0.0.1"
TIMEOUT_S = 30.0
MAX_BODY = 20_000
"""Bytes of a request: a note."""
HTML, JSON = "text/html; charset=utf-8", "application/json"
OF_STUDY = re.compile(r"/(\d{1,4})/(data|trial/(\d{1,9}))\.json")
CHANGES = re.compile(r"/(\d{1,4})/(stop|trial/(\d{1,9})/note)")


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
    """Serves one or several studies on the loopback address.

    Args:
        source: the study or the studies, the first one shown at first.
        port: 0 for any free one.
    """

    # A browser that keeps its connection open must not keep the command from ending.
    daemon_threads = True

    def __init__(self, source: LivePage | Sequence[LivePage], port: int = 0) -> None:
        self.studies = [source] if isinstance(source, LivePage) else list(source)
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

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins of the page itself, as browsers send them."""
        return tuple(f"http://{host}" for host in self.hosts)

    def overview(self) -> dict[str, Any]:
        """All studies with their states; one that cannot be read at the moment says so."""
        return {"studies": [_overview(study) for study in self.studies]}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore browsers that close the connection before they have their answer."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def _overview(study: LivePage) -> dict[str, Any]:
    try:
        return study.overview()
    except TunesmithError as error:
        return {"study": study.name, "name": study.name, "best": "", "words": str(error)}


class PageHandler(BaseHTTPRequestHandler):
    """Answers ``/<token>/``, ``studies.json``, and ``<study>/data.json`` and the like below it."""

    server: PageServer
    # One connection for all requests of a page that polls.
    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT_S

    def do_GET(self) -> None:
        """Answer with the page or its data."""
        place = self._place()
        if place is not None:
            self._answered(self._reader(place))

    def do_POST(self) -> None:
        """Change something, if the page itself asks for it."""
        # A body that nobody reads would stand before the next request of the connection.
        body = self._body()
        place = self._place()
        if place is None:
            return
        # The token is secret; should it leak, pages of other sites still cannot use it.
        is_own = self.headers.get("Origin") in self.server.origins
        is_plain = self.headers.get("Content-Type", "").partition(";")[0].strip() != JSON
        if not is_own or is_plain:
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        self._answered(self._changer(place, body))

    def _body(self) -> bytes | None:
        """Read the body of the request; ``None`` if it is too long, which ends the connection."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True
            return None
        return self.rfile.read(int(length))

    def _place(self) -> str | None:
        """Return the path below the token; ``None`` if the request was refused."""
        # By DNS rebinding, a page of another site reaches the loopback address under its own name.
        if self.headers.get("Host") not in self.server.hosts:
            self._refuse(HTTPStatus.FORBIDDEN)
            return None
        token, slash, name = self.path.removeprefix("/").partition("/")
        # In constant time, so that response times give no character of the token away.
        if not compare_digest(token.encode(), self.server.token.encode()):
            self._refuse(HTTPStatus.NOT_FOUND)
            return None
        return slash + name

    def _answered(self, answer: Callable[[], None] | None) -> None:
        if answer is None:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        try:
            answer()
        except UsageError as error:
            self._json({"problem": str(error)}, HTTPStatus.CONFLICT)
        except TunesmithError:
            # The ledger is busy or gone; the page says so and asks again.
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def _reader(self, place: str) -> Callable[[], None] | None:
        if place in ("/", "/data.json", "/studies.json"):
            first = {"/": self._page, "/studies.json": self._overview}
            return first.get(place, lambda: self._data(self.server.studies[0]))
        asked = OF_STUDY.fullmatch(place)
        study = None if asked is None else self._study(asked[1])
        if asked is None or study is None:
            return None
        if asked[2] == "data":
            return lambda: self._data(study)
        return lambda: self._trial(study, int(asked[3]))

    def _changer(self, place: str, body: bytes | None) -> Callable[[], None] | None:
        asked = CHANGES.fullmatch(place)
        study = None if asked is None else self._study(asked[1])
        if asked is None or study is None:
            return None
        if asked[2] == "stop":
            return None if study.actions.stop is None else lambda: self._stop(study)
        return (
            None if study.actions.note is None else lambda: self._note(study, int(asked[3]), body)
        )

    def _study(self, number: str) -> LivePage | None:
        return dict(enumerate(self.server.studies)).get(int(number))

    # -- answers -----------------------------------------------------------------------------

    def _page(self) -> None:
        studies = self.server.overview()["studies"]
        content = {**self.server.studies[0].content(), "studies": studies}
        headers = {"Content-Security-Policy": policy(page_assets(), is_live=True)}
        self._send(HTTPStatus.OK, document(content, is_live=True).encode(), HTML, headers)

    def _overview(self) -> None:
        self._json(self.server.overview())

    def _data(self, study: LivePage) -> None:
        data, tag = study.data()
        is_known = self.headers.get("If-None-Match") == tag
        status = HTTPStatus.NOT_MODIFIED if is_known else HTTPStatus.OK
        self._send(status, b"" if is_known else data, JSON, {"ETag": tag})

    def _trial(self, study: LivePage, number: int) -> None:
        details = study.trial(number)
        if details is None:
            self._refuse(HTTPStatus.NOT_FOUND)
        else:
            self._json(details)

    def _stop(self, study: LivePage) -> None:
        if study.actions.stop is not None:
            self._json({"said": study.actions.stop()})

    def _note(self, study: LivePage, number: int, body: bytes | None) -> None:
        text = _text(body)
        if study.actions.note is not None:
            study.actions.note(number, text)
        self._trial(study, number)

    def _json(self, content: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(status, as_json(content), JSON, {})

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


def _text(body: bytes | None) -> str:
    """Return the text of a note in a request.

    Raises:
        UsageError: it has none, or one that is too long.
    """
    if body is None:
        raise UsageError("the note is too long.")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("text"), str):
        raise UsageError("a note needs a text.")
    text: str = content["text"]
    return text
