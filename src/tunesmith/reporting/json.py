"""The summary as JSON."""

import json
import math
from dataclasses import asdict, replace
from typing import Any

from tunesmith.analysis.summary import Summary

SCHEMA_VERSION = 1


def render(summary: Summary) -> str:
    """A JSON document with a schema version; numbers that do not exist are null."""
    # The ranking of a large history makes its trials when they are asked for.
    plain = replace(summary, ranking=tuple(summary.ranking), sample=None)
    n_sample = None if summary.sample is None else len(summary.sample)
    content = {"kind": "summary", "schema_version": SCHEMA_VERSION, **finite(asdict(plain))}
    content["sample"] = n_sample
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
