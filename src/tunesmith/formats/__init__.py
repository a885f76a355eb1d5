"""Text files that hold parameters: values are set in them, everything else stays as it is.

Each format is a module with two functions:

- ``read(text) -> dict``: what the file holds, nested;
- ``update(text, values) -> str``: the text with values set at places. A place is a tuple of keys;
  a key that is a number may be an index into a list. Places that are not there are made.

Both raise ``FormatError``. A module may also be a ``PlacedFormat``.
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from tunesmith.errors import UsageError

SUFFIXES = {
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".toml": "toml",
    ".ini": "ini",
    ".cfg": "ini",
    ".conf": "ini",
    ".env": "env",
    ".py": "python",
}
MAX_BYTES = 1 << 20


@runtime_checkable
class PlacedFormat(Protocol):
    """A format that finds places in its own way, as if names are equal in upper and lower case."""

    def get(self, data: Mapping[str, Any], place: tuple[str, ...]) -> Any:
        """Return the value at a place in what ``read`` gave.

        Raises:
            KeyError: the place is not there.
        """


class FormatError(UsageError):
    """A file cannot be read, or cannot hold a value."""


class MissingPlaceError(FormatError):
    """A file has no such place, and its format makes none."""


def format_of(path: str) -> str | None:
    """Return the format of a file, by the ending of its name.

    >>> format_of("config/train.yml"), format_of(".env"), format_of("a.txt")
    ('yaml', 'env', None)
    """
    name = path.rpartition("/")[2]
    return next((form for suffix, form in SUFFIXES.items() if name.endswith(suffix)), None)


def dotted(place: tuple[str, ...]) -> str:
    """Return a place with dots between its keys."""
    return ".".join(place)
