"""A REST API of a Git host: time limits, retries, pages. The token is sent nowhere else."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import (
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
    getproxies,
)

from tunesmith.errors import UsageError
from tunesmith.system.redact import MARK, clean, redact
from tunesmith.version import VERSION

TIMEOUT_S = 20
PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""Seconds before the second try, the third, and so on."""
MAX_PAUSE_S = 60.0
"""Seconds; a longer pause than that is not waited for."""
MAX_BYTES = 32 << 20
MAX_PAGES = 100
MAX_REDIRECTS = 3
BUSY = (429, 500, 502, 503, 504)
LIMITED = re.compile(
    r"rate[ _-]?limit|\babuse|submitted too quickly|too many (?:requests|times)"
    r"|temporarily blocked|retry (?:your request again )?later",
    re.IGNORECASE,
)
"""Wordings of a limit of requests: in the message, or in the page it points to."""
SPAMMED = re.compile(
    r"submitted too quickly|temporarily blocked from content creation|secondary rate limit"
    r"|abuse detection mechanism",
    re.IGNORECASE,
)
"""The same in whole phrases, for answers that may quote names: a branch may be called `abuse`."""
MAX_SAID = 4096
"""Bytes of an answer in which that is looked for."""
SAFE = ("GET", "PUT", "PATCH", "DELETE")
"""Methods that may be sent twice: the second one changes nothing."""
HINTS = {
    401: "The token is not valid here.",
    403: "The token may not do this; those of pull requests from forks may only read.",
    404: "It is not there, or the token may not see it.",
}


class GitHostError(UsageError):
    """A Git host refused, or could not be reached.

    Args:
        message: what happened.
        status: of the answer; ``None`` if there was none.
        is_unclear: true if the request may have been carried out all the same.
    """

    def __init__(
        self, message: str, status: int | None = None, *, is_unclear: bool = False
    ) -> None:
        super().__init__(message)
        self.status, self.is_unclear = status, is_unclear


@dataclass(frozen=True)
class Answer:
    """An answer of the server."""

    status: int
    headers: Message
    body: bytes

    @property
    def content(self) -> Any:
        """The JSON of the body; ``None`` if it holds none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def reason(self) -> str:
        """The Git host's message, in a line."""
        content = self.content if isinstance(self.content, dict) else {}
        said = [content.get("message") or content.get("error") or ""]
        errors = content.get("errors")
        said += errors if isinstance(errors, list) else []
        texts = [e.get("message", "") if isinstance(e, dict) else e for e in said]
        return " ".join(" ".join(str(text) for text in texts if text).split())[:300]


@dataclass
class Api:
    """An API below one address, with the headers that let one in."""

    base: str
    headers: Mapping[str, str] = field(repr=False)
    sleep: Callable[[float], None] = time.sleep
    hint: str = ""
    """Message, in place of the usual one, if the token is refused."""

    def __post_init__(self) -> None:
        if urlsplit(self.base).scheme not in ("http", "https"):
            raise GitHostError(f"`{redact(self.base)}` is no address of an API: http(s)://… is.")
        for value in self.headers.values():
            # Checked here, because the library's own message would show the token.
            if not value.isascii() or not value.isprintable():
                raise GitHostError("the token holds characters that none has: was it copied whole?")
        self._opener = _opener(self.base)

    def get(self, path: str, **query: str) -> Any:
        """Get the content of a path.

        Raises:
            GitHostError: the Git host refused, or cannot be reached.
        """
        return self._exchange("GET", self._url(path, query)).content

    def send(self, method: str, path: str, content: Mapping[str, Any]) -> Any:
        """Create or change something.

        Args:
            method: ``POST``, ``PUT``, ``PATCH`` or ``DELETE``.
            path: below the address.
            content: becomes JSON.

        Returns:
            The content of the answer.

        Raises:
            GitHostError: as above. A ``POST`` is sent again only if it has surely done nothing.
        """
        return self._exchange(method, self._url(path, {}), json.dumps(content).encode()).content

    def pages(self, path: str, **query: str) -> Iterator[Any]:
        """The items of all pages of a list, in the Git host's order.

        Raises:
            GitHostError: as above; or what came is no list.
        """
        url: str | None = self._url(path, {**query, "per_page": "100"})
        for _ in range(MAX_PAGES):
            if url is None:
                return
            answer = self._exchange("GET", url)
            if not isinstance(answer.content, list):
                raise GitHostError(f"{_place(url)}: expected a list, and got none.")
            yield from answer.content
            url = self._next(url, answer.headers)

    def _next(self, url: str, headers: Message) -> str | None:
        link = next_page(headers.get("Link", ""))
        return None if link is None else self._same_place(url, link)

    def _url(self, path: str, query: Mapping[str, str]) -> str:
        url = f"{self.base.rstrip('/')}/{path.lstrip('/')}"
        return f"{url}?{urlencode(query)}" if query else url

    def _same_place(self, url: str, other: str) -> str:
        """Return an address that the Git host names, if it is the Git host's own."""
        address = urljoin(url, other)
        if urlsplit(address)[:2] != urlsplit(self.base)[:2]:
            raise GitHostError(
                f"{_place(url)} leads to {_place(address)}, and the token is for the first alone."
            )
        return address

    # -- one exchange, as often as it needs --------------------------------------------------

    def _exchange(self, method: str, url: str, data: bytes | None = None) -> Answer:
        for pause in (*PAUSES_S, None):
            try:
                answer = self._once(method, url, data)
            except (OSError, HTTPException) as error:
                # A POST without an answer may have been carried out: sent again, it would add a
                # second comment or pull request.
                if pause is None or not (method in SAFE or _never_sent(error)):
                    raise self._unreachable(url, error) from None
                self.sleep(pause)
                continue
            asked = pause_asked(answer)
            if answer.status < 300:
                return answer
            is_again = asked is not None or (answer.status in BUSY and method in SAFE)
            if pause is None or not is_again or (asked or 0) > MAX_PAUSE_S:
                raise self._refused(url, answer)
            self.sleep(pause if asked is None else max(asked, pause))
        raise AssertionError

    def _once(self, method: str, url: str, data: bytes | None) -> Answer:
        """One answer, which is no redirection."""
        for _ in range(MAX_REDIRECTS):
            answer = self._ask(method, url, data)
            is_moved = answer.status in (301, 302) and method == "GET"
            if not (is_moved or answer.status in (307, 308)) or "Location" not in answer.headers:
                return answer
            url = self._same_place(url, answer.headers["Location"])
        raise GitHostError(f"{_place(url)}: one redirection leads to the next.")

    def _ask(self, method: str, url: str, data: bytes | None) -> Answer:
        headers = {"Accept": "application/json", "User-Agent": f"tunesmith/{VERSION}"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        request = Request(url, data, {**headers, **self.headers}, method=method)  # noqa: S310
        with self._opener.open(request, timeout=TIMEOUT_S) as response:
            # Limited: no answer may fill the memory.
            return Answer(response.status, response.headers, response.read(MAX_BYTES))

    # -- what is said ------------------------------------------------------------------------

    def _unreachable(self, url: str, error: Exception) -> GitHostError:
        reason = getattr(error, "reason", None) or error
        text = f"{_place(url)} cannot be reached: {reason or type(error).__name__}"
        return GitHostError(self._clean(text), is_unclear=not _never_sent(error))

    def _refused(self, url: str, answer: Answer) -> GitHostError:
        text = f"{_place(url)}: {answer.status} {answer.reason}".rstrip()
        hint = HINTS.get(answer.status)
        hint = self.hint or hint if hint else None
        return GitHostError(
            self._clean(f"{text}\n  {hint}" if hint else text),
            answer.status,
            # A proxy may answer 5xx although the server behind it has done the work.
            is_unclear=answer.status in BUSY[1:],
        )

    def _clean(self, text: str) -> str:
        for value in self.headers.values():
            for word in value.split():
                # A server may repeat the token in its message.
                text = text.replace(word, MARK) if len(word) >= 8 else text
        return clean(text).strip()


def _opener(base: str) -> OpenerDirector:
    """Neither files nor redirections; a proxy only as a tunnel, so that it never sees the token."""
    # Over plain HTTP a proxy would read the headers, the token among them.
    kinds = {"https"} & {urlsplit(base).scheme}
    proxies = {kind: url for kind, url in getproxies().items() if kind in kinds}
    # Not `build_opener`: its handler of redirections sends the token along.
    opener = OpenerDirector()
    for handler in (ProxyHandler(proxies), HTTPHandler(), HTTPSHandler(), UnknownHandler()):
        opener.add_handler(handler)
    return opener


def _never_sent(error: Exception) -> bool:
    """Tell whether no connection came about, so that nothing can have been done."""
    return isinstance(error, URLError) and not isinstance(error.reason, TimeoutError)


def _place(url: str) -> str:
    """An address without its query, which may be long."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def next_page(link: str) -> str | None:
    """The address of the next page in a ``Link`` header (RFC 8288).

    >>> next_page('<https://a/x?page=1>; rel="prev", <https://a/x?page=3>; rel="next"')
    'https://a/x?page=3'
    """
    links = re.findall(r"<([^>]*)>([^<]*)", link)
    return next((address for address, rest in links if re.search(r'\brel="?next\b', rest)), None)


def pause_asked(answer: Answer) -> float | None:
    """Return the seconds that a Git host asks you to wait, if it does.

    That is ``Retry-After`` (RFC 9110), or the end of GitHub's limit of requests, or 60 seconds
    for its secondary limits, which it tells in words alone.
    """
    if answer.status not in (403, 422, *BUSY):
        return None
    after = _seconds(answer.headers.get("Retry-After", ""))
    if after is not None:
        return after
    # GitHub's limit by the hour comes without `Retry-After`.
    reset = answer.headers.get("X-RateLimit-Reset", "")
    if answer.headers.get("X-RateLimit-Remaining") == "0" and reset.isdigit():
        return max(0.0, int(reset) - time.time())
    # GitHub says the same of its secondary limits in many words, and with several statuses.
    # A 422 quotes what was sent, which may hold such words itself.
    words = SPAMMED if answer.status == 422 else LIMITED
    if words.search(answer.body[:MAX_SAID].decode(errors="replace")):
        return MAX_PAUSE_S
    return 0.0 if answer.status == 429 else None


def _seconds(after: str) -> float | None:
    """Seconds in ``Retry-After``; ``None`` if it holds nothing that can be read."""
    if re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", after):
        return max(0.0, float(after))
    try:
        return max(0.0, parsedate_to_datetime(after).timestamp() - time.time())
    except ValueError:
        return None
