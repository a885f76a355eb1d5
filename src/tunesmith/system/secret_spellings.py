"""Spellings of a secret after common encoders: JSON, URLs, base64 and others."""

import base64
import html
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

MIN_LENGTH = 8


def spellings(value: str) -> set[str]:
    """Return a secret as it is and in each encoding; line by line, if it has several.

    >>> {"p%40ss+w%2Frd", "p%40ss%20w%2Frd"} <= spellings("p@ss w/rd")
    True
    """
    lines = [line for line in value.splitlines() if line.strip()]
    whole = [value, value.strip()]
    if len(lines) > 1:
        whole += [line.strip() for line in lines]
    written = {text for one in whole for text in _written(one)}
    return {text for text in written if len(text) >= MIN_LENGTH}


def _written(value: str) -> Iterator[str]:
    yield value
    escaped = json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]
    yield from escaped
    yield from (text.replace("/", r"\/") for text in escaped)
    yield from (repr(value)[1:-1], ascii(value)[1:-1], value.replace("\n", "\\n"))
    yield from (html.escape(value), html.escape(value, quote=False))
    for text in (quote(value), quote(value, safe=""), quote_plus(value)):
        yield from (text, text.replace("%", "%25"))
        yield _lower_escapes(text)
    data = value.encode("utf-8", "surrogateescape")
    yield from (data.hex(), data.hex().upper())
    yield from _in_base64(data)


def _lower_escapes(text: str) -> str:
    """Write ``%2f`` for ``%2F``, as some encoders do."""
    head, *rest = text.split("%")
    return "%".join([head, *(part[:2].lower() + part[2:] for part in rest)])


def _in_base64(data: bytes) -> Iterator[str]:
    """Yield a text in base64, also behind other text, as a password behind its user."""
    for n_before in range(3):
        encoded = base64.b64encode(b"\0" * n_before + data).decode()
        # The first characters hold bits of the text before, the last ones bits of the text after.
        first = (0, 2, 3)[n_before]
        n_bits = 8 * (n_before + len(data))
        core = encoded[first : n_bits // 6]
        yield from (core, core.replace("+", "-").replace("/", "_"))
    yield base64.b32encode(data).decode().rstrip("=")
