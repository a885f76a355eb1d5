"""Places in nested mappings and lists."""

from collections.abc import MutableMapping, MutableSequence
from typing import Any

from tunesmith.formats import FormatError, dotted


def set_at(data: Any, place: tuple[str, ...], value: Any) -> None:
    """Set a value in place; missing mappings are made.

    Raises:
        FormatError: a value on the path has no keys, or no such index.
    """
    *parents, last = place
    holder = data
    for depth, key in enumerate(parents, start=1):
        if isinstance(holder, MutableMapping):
            if holder.get(key) is None:
                holder[key] = {}
            holder = holder[key]
        else:
            holder = holder[_index(holder, place[:depth])]
    if isinstance(holder, MutableMapping):
        holder[last] = value
    else:
        holder[_index(holder, place)] = value


def remove_at(data: Any, place: tuple[str, ...]) -> None:
    """Remove an entry of a mapping in place.

    Raises:
        FormatError: there is no such entry.
    """
    try:
        del get_at(data, place[:-1])[place[-1]]
    except (KeyError, TypeError):
        raise FormatError(f"`{dotted(place)}` is not there") from None


def _index(holder: Any, place: tuple[str, ...]) -> int:
    """Return the index that the last key of a place means in a list."""
    if not isinstance(holder, MutableSequence):
        raise FormatError(f"`{dotted(place[:-1])}` holds {holder!r}, not keys and values")
    index = int(place[-1]) if place[-1].isdecimal() else -1
    if not 0 <= index < len(holder):
        text = f"`{dotted(place[:-1])}` is a list of {len(holder)}; `{place[-1]}` is no index of it"
        raise FormatError(text)
    return index


def get_at(data: Any, place: tuple[str, ...]) -> Any:
    """Return the value at a place.

    Raises:
        KeyError: there is none.
    """
    for key in place:
        if isinstance(data, MutableMapping):
            data = data[key]
        elif isinstance(data, MutableSequence) and key.isdecimal() and int(key) < len(data):
            data = data[int(key)]
        else:
            raise KeyError(key)
    return data
