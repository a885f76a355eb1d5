"""YAML that YAML 1.1 readers (PyYAML) and YAML 1.2 readers read in the same way."""

import json
import math
import re
from typing import Any

from tunesmith.errors import UsageError

PLAIN_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*\Z")
PLAIN_WORDS = re.compile(r"[A-Za-z][\w./-]*( [\w./-]+)+\Z", re.ASCII)
"""Texts of several words, such as a command, which are never anything but text."""
MAX_PLAIN_KEY = 1000
NOT_TEXT = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"}
"""Words that some YAML reader takes for something else than text."""


def yaml_text(content: dict[str, Any], indent: int = 0) -> str:
    """Block mappings of scalars; lists and nested values in JSON's flow style.

    >>> print(yaml_text({"lr": 1e-05, "mode": "no", "layers": [64, 32]}), end="")
    lr: 1.0e-05
    mode: "no"
    layers: [64, 32]
    """
    lines = []
    for key, value in content.items():
        name = key_text(key, f"\n{' ' * indent}")
        if isinstance(value, dict) and value:
            lines.append(f"{' ' * indent}{name}:\n{yaml_text(value, indent + 2)}")
        else:
            lines.append(f"{' ' * indent}{name}: {flow(value)}\n")
    return "".join(lines)


def key_text(text: str, before_colon: str = " ") -> str:
    """Return a key, without its colon."""
    # Readers look at most 1024 characters ahead for a colon; a longer key needs a question mark.
    written = scalar(text)
    return written if len(written) < MAX_PLAIN_KEY else f"? {written}{before_colon}"


def flow(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key_text(k)}: {flow(v)}' for k, v in value.items())}}}"
    return scalar(value)


def scalar(value: Any) -> str:
    """Return a scalar that YAML 1.1 and 1.2 read in the same way.

    >>> [scalar(v) for v in (None, True, 3, 1e22, "rbf", "1e-3", "12:30", "a: b")]
    ['null', 'true', '3', '1.0e+22', 'rbf', '"1e-3"', '"12:30"', '"a: b"']
    >>> scalar("tunesmith run -c config/tuning.json")
    'tunesmith run -c config/tuning.json'
    """
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, float):
        return _float(value)
    is_word = PLAIN_WORD.match(value) and value.lower() not in NOT_TEXT
    return value if is_word or PLAIN_WORDS.match(value) else _quoted(value)


def _float(value: float) -> str:
    if not math.isfinite(value):
        raise UsageError(f"{value} cannot be written to a parameters file")
    # YAML 1.1 wants a point in the mantissa and a sign in the exponent.
    mantissa, e, exponent = repr(value).partition("e")
    if not e:
        return mantissa
    point = mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{point}e{exponent if exponent[0] in '+-' else f'+{exponent}'}"


def _quoted(text: str) -> str:
    # JSON's escapes are YAML's, but for characters beyond the basic plane.
    return "".join(_escaped(character) for character in json.dumps(text, ensure_ascii=False))


def _escaped(character: str) -> str:
    code = ord(character)
    if 0x20 <= code < 0x7F:
        return character
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\u{code:04x}"
