"""Parameter values that JSON cannot hold: estimators, functions, tuples, arrays.

They are passed as tokens, so that everything that compares, sorts and stores params needs plain
JSON only.
"""

import re
from typing import Any

import numpy as np

from tunesmith.objective.identity.content import Contents
from tunesmith.objective.identity.hashing import hash_of
from tunesmith.space.parameter import canonical_json
from tunesmith.system.fingerprint import digest
from tunesmith.types import Params, Value

MAX_TEXT = 80
# Of the usual representation, and of one that shows `hex(id(self))`.
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+|(?<![0-9a-zA-Z])0x[0-9a-fA-F]{8,}")
TAG = "object"


class Objects:
    """Values by their tokens; equal content has equal tokens in every process."""

    def __init__(self) -> None:
        self.by_token: dict[str, Any] = {}
        """Values by the JSON text of their tokens."""
        self.contents = Contents()
        """Identity of the code in them, and the values that nobody can recognise."""

    def encode(self, value: Any) -> Value:
        """Encode a value as JSON; NumPy's numbers become the plain ones that they equal."""
        if isinstance(value, np.bool_ | np.integer | np.float64 | np.str_):
            value = value.item()
        # Exact types: a member of an enumeration would come back as a plain value.
        if value is None or type(value) in (bool, int, str):
            return value  # type: ignore[no-any-return]
        # JSON has neither NaN nor infinity.
        if type(value) is float and np.isfinite(value):
            return value
        token = self._token(value)
        self.by_token.setdefault(canonical_json(token), value)
        return token

    def _token(self, value: Any) -> dict[str, Value]:
        try:
            # An address is another one in each process, and tells nothing.
            text = ADDRESS.sub("", " ".join(repr(value).split()))[:MAX_TEXT]
        except Exception:  # noqa: BLE001 - some objects cannot be printed
            text = type(value).__name__
        return {TAG: text, "digest": self._digest(text, value)}

    def _digest(self, text: str, value: Any) -> str:
        met = Contents()
        token = met.of(f"the value {text}", value)
        self.contents.doubts |= met.doubts
        self.contents.paths |= met.paths
        if met.doubts:
            return f"{id(value)}"
        # Without code of a notebook or the project, as in ledgers from before.
        if met.has_loaded_code or met.paths:
            return digest([token, *labels]) if (labels := met.labels()) else token
        return hash_of(value)

    def decode(self, value: Value) -> Any:
        """Return the value that ``encode`` was given."""
        return self.by_token[canonical_json(value)] if isinstance(value, dict) else value

    def decoded(self, params: Params) -> dict[str, Any]:
        """Replace tokens in params by their objects."""
        return {name: self.decode(value) for name, value in params.items()}
