"""Cleaning of text from outside before it is stored or shown: no secrets, no control characters.

A secret is recognised in two ways: by its *form*, which needs no knowledge of this machine
(tokens of well-known services, private keys, logins in URLs), and by its *value*, which an
environment variable holds whose name says so (``secret_names``), however it is written.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from tunesmith.system.secret_forms import MARK, without_known_forms
from tunesmith.system.secret_names import says_secret
from tunesmith.system.secret_spellings import spellings

__all__ = ["MARK", "clean", "is_secret", "printable", "redact", "spare", "spared"]

MIN_LENGTH = 8
"""Shorter values would blank out ordinary words."""
NUMBER = re.compile(r"[+-]?[\d.,_]+(?:[eE][+-]?\d+)?")
PLACE = re.compile(r"~?(?:\.{0,2}/[\w.@ -]+)+/?|[A-Za-z]:\\.*")
FIELD = re.compile(
    r"(?:password|pwd|secret|accountkey|sharedaccesskey|sharedaccesssignature)=([^;&\"']+)",
    re.IGNORECASE,
)
ANSI = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # window titles and links
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # colours and cursor
    r"|\x1b[@-Z\\-_]"
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

_spared: set[str] = set()


def spare(words: Iterable[str]) -> None:
    """Exempt words: from now on, no variable's value that is one of them counts as a secret.

    Parameter values, names of metrics and the like stand in every report, whatever a variable of
    the same value is called.
    """
    _spared.update(words)


def texts(content: object) -> Iterator[str]:
    """Yield every text in a JSON-like value, names included."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        yield from (text for item in content.items() for text in texts(item))
    elif isinstance(content, list | tuple):
        yield from (text for item in content for text in texts(item))


def spared() -> list[str]:
    """Return the exempted words, for processes of our own."""
    return sorted(_spared)


def redact(text: str, environ: Mapping[str, str] | None = None) -> str:
    """Hide what looks like a secret: known forms, logins in URLs, values of secret variables.

    Args:
        text: as it is; terminal escapes within a secret keep it from being found (``clean``).
        environ: variables that may hold secrets; by default those of this process.

    >>> redact("postgresql://ann:hunter2@db/x?password=p")
    'postgresql://[redacted]@db/x?password=[redacted]'
    """
    secrets = _secret_values(os.environ if environ is None else environ)
    if secrets and (spelled := _pattern(secrets)).pattern:
        text = spelled.sub(MARK, text)
    return without_known_forms(text)


def clean(text: str, environ: Mapping[str, str] | None = None) -> str:
    r"""Return printable text without secrets, also if colour codes are inside of them.

    >>> clean("\x1b[1mghp_\x1b[0m" + "a1" * 15)
    '[redacted]'
    """
    return redact(printable(text), environ)


def is_secret(name: str, value: str) -> bool:
    """Tell whether a variable's value has to be hidden in all texts.

    >>> is_secret("DB_PASS", "correct horse"), is_secret("DB_PASS_FILE", "/run/secrets/db")
    (True, False)
    """
    if len(value) < MIN_LENGTH or value in _spared or not says_secret(name):
        return False
    return not NUMBER.fullmatch(value) and not _is_path(value)


def _is_path(value: str) -> bool:
    if "\n" in value or len(value) > 1024:
        return False
    if PLACE.fullmatch(value):
        return True
    try:
        return os.path.exists(value)  # noqa: PTH110 - a Path would refuse more
    except (OSError, ValueError):
        return False


def _secret_values(environ: Mapping[str, str]) -> tuple[str, ...]:
    variables = dict(environ)  # that of the process is decoded at every look
    secrets = {value for name, value in variables.items() if is_secret(name, value)}
    secrets |= {value for value in variables.values() if _has_login(value)}
    # A program may print a part of such a value alone, such as the password of an address.
    parts = {part for value in variables.values() for part in _parts(value)}
    kept = {part for part in parts if not NUMBER.fullmatch(part) and part not in _spared}
    return tuple(sorted(secrets | kept))


def _has_login(value: str) -> bool:
    return "://" in value and "@" in value and bool(_parts(value))


@lru_cache(maxsize=256)
def _parts(value: str) -> frozenset[str]:
    """Passwords within an address, a connection string or a JSON object."""
    # To the next semicolon, or as libpq reads it to the next space.
    texts = {text for field in FIELD.findall(value) for text in (field.strip(), field.split()[0])}
    if "://" in value and "@" in value:
        with suppress(ValueError):
            texts.add(unquote(urlsplit(value).password or ""))
    if value.lstrip().startswith("{"):
        with suppress(ValueError, RecursionError):
            texts |= set(_leaves(json.loads(value)))
    return frozenset(part for part in texts if len(part) >= MIN_LENGTH)


def _leaves(content: object, name: str = "") -> Iterator[str]:
    if isinstance(content, dict):
        for key, item in content.items():
            yield from _leaves(item, str(key))
    elif isinstance(content, str) and says_secret(name):
        yield content


@lru_cache(maxsize=8)
def _pattern(values: tuple[str, ...]) -> re.Pattern[str]:
    """Every spelling of the values; the longest first, so that none leaves a rest."""
    # Of an address only the login is hidden, by its form.
    plain = {value for value in values if "://" in value}
    texts = {text for value in values for text in spellings(value)} - plain - _spared
    return re.compile("|".join(map(re.escape, sorted(texts, key=lambda text: (-len(text), text)))))


def printable(text: str) -> str:
    r"""Drop terminal escapes and control characters; newlines and tabs stay.

    >>> printable("\x1b[31mred\x1b[0m\x00")
    'red'
    """
    return CONTROL.sub("", ANSI.sub("", text))
