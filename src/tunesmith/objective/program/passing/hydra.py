"""Parameters as overrides on Hydra's command line.

Its grammar quotes values but not keys, so a key that would need quotes cannot be passed.
"""

import json
import re
from collections.abc import Iterator, Mapping

from tunesmith.types import Params, Value

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.@/-]*\Z", re.ASCII)
WORDS = {"true", "false", "null", "nan", "inf", "none"}
PART = r"[A-Za-z_][A-Za-z0-9_-]*"
DOTTED = rf"{PART}(\.({PART}|\d+))*"
KEY = re.compile(rf"(\+\+?)?({DOTTED}|{PART}(/{PART})*(@{DOTTED})?)\Z", re.ASCII)
INNER_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*\Z", re.ASCII)


def blockers(params: Mapping[str, Value]) -> Iterator[str]:
    """List parameters that no override can carry, each with the rule.

    >>> list(blockers({"train.lr": 0.1, "learning rate": 0.1}))
    ["space.learning rate: Hydra's overrides cannot name `learning rate`: a key is made of ASCII letters, digits, `_` and `-`, its parts joined by dots."]
    """  # noqa: E501 - a message
    for name, value in params.items():
        bad = name if not KEY.match(name) else _bad_key(value)
        if bad is not None:
            yield (
                f"space.{name}: Hydra's overrides cannot name `{bad}`: a key is made of ASCII"
                " letters, digits, `_` and `-`, its parts joined by dots."
            )


def _bad_key(value: Value) -> str | None:
    """Find a key inside a value that the grammar cannot express."""
    if isinstance(value, dict):
        odd = (k for k in value if not INNER_KEY.match(k) or k.lower() in WORDS)
        return next(odd, None) or _first(map(_bad_key, value.values()))
    return _first(map(_bad_key, value)) if isinstance(value, list) else None


def _first(items: Iterator[str | None]) -> str | None:
    return next((item for item in items if item is not None), None)


def hydra(params: Params) -> list[str]:
    """Write overrides as Hydra's command line takes them.

    >>> hydra({"train.lr": 0.1, "mode": "a b", "layers": [64, 32]})
    ['layers=[64,32]', "mode='a b'", 'train.lr=0.1']
    """
    return [f"{name}={hydra_value(value)}" for name, value in sorted(params.items())]


def hydra_value(value: Value) -> str:
    """Write a value in the grammar of Hydra's overrides."""
    if isinstance(value, list):
        return f"[{','.join(map(hydra_value, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{key}:{hydra_value(v)}' for key, v in value.items())}}}"
    if not isinstance(value, str):
        return json.dumps(value, allow_nan=False)
    if PLAIN.match(value) and value.lower() not in WORDS:
        return value
    # Within quotes, backslashes count only before a quote, and at the end.
    quoted = re.sub(r"(\\*)'", lambda found: f"{found[1] * 2}\\'", value)
    quoted = re.sub(r"(\\+)\Z", lambda found: found[1] * 2, quoted)
    return f"'{quoted}'"
