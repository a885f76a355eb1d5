"""The summary as JSON."""

import json
import math
from dataclasses import asdict
from typing import Any

from tunesmith.analysis.summary import Summary

SCHEMA_VERSION = 1


def render(summary: Summary) -> str:
    """A JSON document with a schema version; numbers that do not exist are null."""
    content = {"kind": "summary", "schema_version": SCHEMA_VERSION, **finite(asdict(summary))}
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def finite(content: Any) -> Any:
    """The same content with null for NaN and infinity.

    >>> finite({"a": [1.0, math.nan]})
    {'a': [1.0, None]}
    """
    if isinstance(content, dict):
        return {key: finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
