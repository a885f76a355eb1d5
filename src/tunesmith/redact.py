"""Text from outside, made fit to be kept: no secrets, no control characters."""

import os
import re
from collections.abc import Mapping

MARK = "[redacted]"
SECRET_NAME = re.compile(
    r"passwd|password|token|secret|api_?key|access_?key|private_?key|credential", re.IGNORECASE
)
TOKEN_SHAPES = re.compile(
    r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|AKIA[0-9A-Z]{16}"
    r"|xox[abprs]-[\w-]{10,}|hf_[A-Za-z0-9]{20,}|sk-[\w-]{20,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----"
)
ORPHANED_KEY = re.compile(r"\A[\s\S]*-----END [A-Z ]*PRIVATE KEY-----")
"""The end of a key whose beginning was cut off; all before it may belong to it."""
URL_USER = re.compile(
    r"(\b[a-z][a-z0-9+.-]*://)"
    r"(?:[^/\s?#]*@|[^/\s:@?#]*:(?!\d+[/?#])[^\s@]*@)",  # passwords may hold @, or else / ? #
    re.IGNORECASE,
)
QUERY_SECRET = re.compile(
    r"([?&;](?:[^=&\s]*(?:passw|token|secret|key|sig|credential)[^=&\s]*)=)[^&\s'\"]+",
    re.IGNORECASE,
)
ANSI = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # window titles and links
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # colours and cursor
    r"|\x1b[@-Z\\-_]"
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def redact(text: str, environ: Mapping[str, str] | None = None) -> str:
    """Hide what looks like a secret: token shapes, URL logins, values of secret variables.

    >>> redact("postgresql://ann:hunter2@db/x?password=p")
    'postgresql://[redacted]@db/x?password=[redacted]'
    """
    for value in _secret_values(os.environ if environ is None else environ):
        text = text.replace(value, MARK)
    text = TOKEN_SHAPES.sub(MARK, text)
    text = ORPHANED_KEY.sub(MARK, text)
    text = URL_USER.sub(rf"\1{MARK}@", text)
    return QUERY_SECRET.sub(rf"\1{MARK}", text)


def _secret_values(environ: Mapping[str, str]) -> list[str]:
    # Short values would blank out ordinary words.
    found = [v for name, v in environ.items() if SECRET_NAME.search(name) and len(v) >= 8]
    return sorted(found, key=len, reverse=True)


def printable(text: str) -> str:
    r"""Drop terminal escapes and control characters; newlines and tabs stay.

    >>> printable("\x1b[31mred\x1b[0m\x00")
    'red'
    """
    return CONTROL.sub("", ANSI.sub("", text))
