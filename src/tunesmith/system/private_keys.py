"""Private keys in a text, whole or cut off, as they are or in the spelling of a URL."""

import re

SPACE = r"(?: |%20|\+)"
NAME = rf"{SPACE}(?:[A-Z0-9 +]|%20){{0,40}}PRIVATE{SPACE}KEY(?:{SPACE}BLOCK)?-----"
BEGINS = re.compile(f"-----BEGIN{NAME}")
ENDS = re.compile(f"-----END{NAME}")
BODY = re.compile(r"(?:[\sA-Za-z0-9+/=:,.-]|\\[nr]|%[0-9A-Fa-f]{2})*")
LINES = re.compile(r"(?:[^\n]{0,120}?[A-Za-z0-9+/=]{40}[^\n]{0,120}(?:\n|\Z))+")
"""Further lines of a key with something before each: a logger's time, a mail's sign."""
OF_PUTTY = re.compile(r"(Private-Lines: ?\d+\s+)(?:[A-Za-z0-9+/=]{8,}\s*)+")


def without_keys(text: str, mark: str) -> str:
    """Hide private keys; one that was cut off ends at the first line that no key has.

    Args:
        text: any.
        mark: text in place of each key.
    """
    if "PRIVATE" in text:
        text = _without_pem(text, mark)
    return OF_PUTTY.sub(rf"\1{mark}", text) if "Private-Lines" in text else text


def _without_pem(text: str, mark: str) -> str:
    # No end is searched behind the last one: many beginnings without an end would take
    # quadratic time.
    parts, place, last = [], 0, text.rfind("-----END")
    end, begin = ENDS.search(text), BEGINS.search(text)
    if end is not None and (begin is None or end.start() < begin.start()):
        # The beginning was cut off: everything before the end may belong to the key.
        parts, place = [mark], end.end()
    while begin := BEGINS.search(text, place):
        end = ENDS.search(text, begin.end()) if begin.end() <= last else None
        parts += [text[place : begin.start()], mark]
        place = _cut_end(text, begin.end()) if end is None else end.end()
    return "".join([*parts, text[place:]])


def _cut_end(text: str, place: int) -> int:
    """Return the end of a key that lacks its last line."""
    body = BODY.match(text, place)
    place = place if body is None else body.end()
    # `BODY` may have taken the beginning of a line that a logger marks.
    begin = text.rfind("\n", 0, place) + 1
    more = LINES.match(text, begin)
    return place if more is None else max(place, more.end())
