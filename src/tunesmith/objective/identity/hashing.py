"""joblib's hash of a value, without its three gaps.

joblib sorts the entries of each dict, takes an error within a dict for keys that cannot be sorted
and tries again with half of the value left out, and reads of a subclass of NumPy's array nothing
but the numbers.
"""

from datetime import datetime, time
from pickle import _Pickler
from typing import Any

import numpy as np
from joblib.hashing import NumpyHasher


class OrderedHasher(NumpyHasher):  # type: ignore[misc]
    """Hash of a value in which the order of a dict counts.

    Values whose dicts are sorted have the digest that joblib gives them.
    """

    def __init__(self) -> None:
        super().__init__(hash_name="md5")

    def save(self, obj: Any) -> None:
        """Save a part of the value.

        Raises:
            Exception: whatever pickling raises for a part that has no content.
        """
        if isinstance(obj, np.ndarray) and not isinstance(obj, np.memmap):
            held = vars(obj) if hasattr(obj, "__dict__") else {}
            if held:
                super().save(["array", type(obj), _sorted(held)])
                obj = obj.view(np.ndarray)
        # Protocol 3 of pickle, which joblib uses, leaves it out.
        if isinstance(obj, datetime | time) and obj.fold:
            super().save("fold")
        super().save(obj)

    def save_reduce(self, *parts: Any, **named: Any) -> None:
        """Save an object by its parts; the order in which attributes were set plays no part.

        Args:
            parts: what ``__reduce_ex__`` returns: function, arguments, state, items.
            named: the object.
        """
        func, args, *more = parts
        state: Any = more[0] if more else None
        # A class with slots has two.
        if isinstance(state, tuple):
            state = tuple(_sorted(part) for part in state)
        super().save_reduce(func, args, _sorted(state), *more[1:], **named)

    def _batch_setitems(self, items: Any, *more: Any) -> None:
        _Pickler._batch_setitems(self, iter(items), *more)  # type: ignore[attr-defined]


def hash_of(value: Any) -> str:
    """Digest of a value that holds no loaded code.

    >>> hash_of({"a": 1, "b": 2}) == hash_of({"b": 2, "a": 1})
    False

    Raises:
        Exception: whatever pickling raises for a part that has no content.
    """
    return str(OrderedHasher().hash(value))


def _sorted(state: Any) -> Any:
    if type(state) is dict and all(isinstance(key, str) for key in state):
        return {key: state[key] for key in sorted(state)}
    return state
