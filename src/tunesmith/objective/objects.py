"""Parameter values that JSON cannot hold: estimators, functions, tuples, arrays.

They are passed as tokens, so that everything that compares, sorts and stores params needs plain
JSON only.
"""

from typing import Any

import joblib
import numpy as np

from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params, Value

MAX_TEXT = 80
TAG = "object"


class Objects:
    """Values by their tokens; equal content has equal tokens in every process."""

    def __init__(self) -> None:
        self._by_token: dict[str, Any] = {}
        self.unnamed: list[str] = []
        """Values whose content has no digest; another process cannot recognise them."""

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
        self._by_token.setdefault(canonical_json(token), value)
        return token

    def _token(self, value: Any) -> dict[str, Value]:
        try:
            text = " ".join(repr(value).split())[:MAX_TEXT]
        except Exception:  # noqa: BLE001 - some objects cannot be printed
            text = type(value).__name__
        try:
            return {TAG: text, "digest": str(joblib.hash(value))}
        except Exception:  # noqa: BLE001 - whatever pickling an unknown object may raise
            self.unnamed.append(text)
            return {TAG: text, "digest": f"{id(value)}"}

    def decode(self, value: Value) -> Any:
        """Return the value that ``encode`` was given."""
        return self._by_token[canonical_json(value)] if isinstance(value, dict) else value

    def decoded(self, params: Params) -> dict[str, Any]:
        """Replace tokens in params by their objects."""
        return {name: self.decode(value) for name, value in params.items()}
