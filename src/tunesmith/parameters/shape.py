"""The shape of a best-parameters file: the place of the parameters in it.

Three shapes are known. *Wrapped*: the keys ``params`` and ``meta``, as Tunesmith writes a new file.
*Flat*: the parameters at the top level, as ``Model(**json.load(file))`` needs them. *Placed*: a
mapping at a place that the configuration names, in a file that holds other things too. A file that
exists keeps its shape. Only a wrapped file that Tunesmith wrote is ever replaced as a whole; any
other is edited in place, or refused.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.config.model import BestSection
from tunesmith.config.section import finite
from tunesmith.errors import UsageError
from tunesmith.formats import FormatError, dotted
from tunesmith.formats.edit import edit
from tunesmith.formats.new import new_text
from tunesmith.formats.tree import get_at
from tunesmith.parameters.content import content_of

Place = tuple[str, ...]
WRAPPED: Place = ("params",)
TOP = "."


@dataclass(frozen=True)
class WriteBlocker:
    """Reason for which a file must not be written; it follows the file's name in a sentence."""

    reason: str
    remedy: str = ""
    """A way that keeps the file, if there is one."""

    @property
    def words(self) -> str:
        """The reason and the remedy.

        >>> WriteBlocker("holds no keys and values.", "Name another file.").words
        'holds no keys and values. Name another file.'
        """
        return f"{self.reason} {self.remedy}".strip()


@dataclass(frozen=True)
class Shape:
    """The way in which one file holds best parameters.

    Args:
        spec: ``outputs: {best: …}`` of the configuration.
        names: every parameter that the study may write. In a flat or placed file other keys belong
            to somebody else. If ``None``, all keys count as parameters.
    """

    spec: BestSection = field(default_factory=BestSection)
    names: frozenset[str] | None = None

    def read(self, data: Any, where: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Return the parameters in a file's content, and its ``meta`` if it has one of Tunesmith's.

        Args:
            data: the parsed content.
            where: the file's name, for messages.

        Raises:
            UsageError: it does not hold parameters.
        """
        if not isinstance(data, dict):
            raise UsageError(f"{where}: expected parameters by name")
        place, meta = self.place_in(data), data.get("meta")
        params = _mapping_at(data, place)
        if params is None:
            raise UsageError(f"{where}: expected parameters by name at `{dotted(place)}`")
        is_own = isinstance(meta, dict) and (place == WRAPPED or is_origin(meta))
        own = meta if is_own else None
        # In a wrapped file every key is a parameter, also one that the space no longer has.
        if place != WRAPPED or self.spec.at is not None:
            if place == () and own is not None:
                params = {name: value for name, value in params.items() if name != "meta"}
            params = self._own(params)
        for name, value in params.items():
            try:
                finite(value)
            except ValueError as error:
                raise UsageError(f"{where}: `{name}`: {error}") from None
        return params, own

    def place_of(self, text: str | None, path: Path) -> Place:
        """Return the place of the parameters in a file, or in the new one that a run will write.

        Args:
            text: content of the file; ``None`` if there is none.
            path: of the file, for its format.

        Raises:
            UsageError: it cannot be read.
        """
        data = _parsed(text, path)
        if data:
            return self.place_in(data)
        at = self.spec.at or (TOP if self.spec.meta is False else "params")
        return () if at == TOP else tuple(at.split("."))

    def place_in(self, data: Mapping[str, Any]) -> Place:
        """The place of the parameters in a file's content."""
        if self.spec.at is not None:
            return () if self.spec.at == TOP else tuple(self.spec.at.split("."))
        # A file with a key `params` may be somebody else's: ours holds these two keys alone, or an
        # origin that Tunesmith wrote.
        is_wrapped = isinstance(data.get("params"), dict)
        if is_wrapped and (set(data) <= {"params", "meta"} or is_origin(data.get("meta"))):
            return WRAPPED
        return ()

    def _own(self, params: Mapping[str, Any]) -> dict[str, Any]:
        known = {k: v for k, v in params.items() if self.names is None or k in self.names}
        # A flat file without any parameter of this study belongs to another study.
        return known or dict(params)

    def blocker(self, text: str, path: Path) -> WriteBlocker | None:
        """Return the reason for which a file must not be written, or ``None`` if it may be.

        Args:
            text: the file's content.
            path: of the file, for the message.
        """
        # An editor may leave a byte order mark in a file that looks empty.
        if not text.strip("\ufeff \t\r\n"):
            return None
        try:
            data = content_of(text, Path(path.name))
        except UsageError as error:
            return WriteBlocker(f"cannot be read ({str(error).splitlines()[0]}).")
        if data is None or data == {}:
            # A new file would be written in its place.
            comments = WriteBlocker("holds comments, and nothing else.")
            return comments if _has_comments(text, path) else None
        if not isinstance(data, dict):
            return WriteBlocker("holds no keys and values.")
        place = self.place_in(data)
        if self.spec.at is None and place == () and not self._knows_a_key_of(data):
            held = f"holds other things ({_listed(data)}), and Tunesmith did not write it."
            return WriteBlocker(held, self._hint(data, path))
        if self.spec.at is not None and not _can_hold(data, place):
            taken = f"has no place for parameters at `{self.spec.at}`: there is something else."
            return WriteBlocker(taken)
        return None

    def _knows_a_key_of(self, data: Mapping[str, Any]) -> bool:
        return self.names is None or any(name in self.names for name in data)

    def _hint(self, data: Mapping[str, Any], path: Path) -> str:
        """The place that already holds a parameter of the study, if there is one."""
        place = next((p for p in _mappings(data) if self._knows_a_key_of(_at(data, p))), None)
        if place is None:
            place = ("model",)
        return f"Name the place for them: `best: {{path: {path.name}, at: {dotted(place)}}}`."

    def write(
        self, before: str | None, path: Path, params: Mapping[str, Any], meta: Mapping[str, Any]
    ) -> str:
        """Return the new content of the file.

        Args:
            before: the content that is there; ``None`` to begin anew.
            path: of the file, for its format.
            params: to hold.
            meta: their origin.

        Raises:
            UsageError: the file holds something else, or its format cannot hold the parameters.
        """
        data = _parsed(before, path)
        if data and self._is_wholly_own(data):
            data = {}
        if not data or before is None:
            return self._new(path, params, meta)
        if problem := self.blocker(before, path):
            raise UsageError(f"{path}: {problem.words}")
        return self._edited(before, data, path, params, meta)

    def is_whole(self, text: str, path: Path) -> bool:
        """Tell whether a file is wrapped and holds nothing else, so that a run may replace it."""
        if self.spec.at is not None or self.spec.meta is False:
            return False
        data = _parsed(text, path)
        return bool(data) and set(data) <= {"params", "meta"} and self.place_in(data) == WRAPPED

    def _is_wholly_own(self, data: Mapping[str, Any]) -> bool:
        """Tell whether nothing but Tunesmith's own wrapped content is there."""
        if set(data) == {"params", "meta"} and is_origin(data["meta"]):
            return self.spec.at in (None, "params")
        is_flat = self.spec.at is None and self.names is not None and set(data) <= self.names
        return is_flat and self.spec.meta is True

    def _new(self, path: Path, params: Mapping[str, Any], meta: Mapping[str, Any]) -> str:
        ordered = dict(sorted(params.items()))
        has_meta = self.spec.meta
        if self.spec.at is None:
            has_meta = has_meta is not False
        content: dict[str, Any] = ordered
        for key in reversed(self.place_of(None, path)):
            content = {key: content}
        if has_meta and is_origin(meta):
            content = {**content, "meta": dict(meta)}
        return new_text(content, path.suffix, header_of(meta) if is_origin(meta) else "")

    def _edited(
        self,
        before: str,
        data: Mapping[str, Any],
        path: Path,
        params: Mapping[str, Any],
        meta: Mapping[str, Any],
    ) -> str:
        place = self.place_in(data)
        present = _mapping_at(data, place) or {}
        is_wrapped = place == WRAPPED and self.spec.at is None
        # In a file that holds other things too, only names of this study may be removed.
        gone = [k for k in present if k not in params and (is_wrapped or self._is_own(k))]
        values: dict[Place, Any] = {(*place, key): value for key, value in params.items()}
        removed: list[Place] = [(*place, key) for key in gone]
        if self._has_meta(data) and is_origin(meta):
            values |= {("meta",): dict(meta)}
        elif self.spec.meta is False and is_origin(data.get("meta")):
            removed.append(("meta",))
        try:
            return edit(before, path.name, values, removed)
        except FormatError as error:
            raise UsageError(f"{path}: {error}") from None

    def _is_own(self, key: str) -> bool:
        return self.names is not None and key in self.names

    def _has_meta(self, data: Mapping[str, Any]) -> bool:
        if self.spec.meta is not None:
            return self.spec.meta
        return is_origin(data.get("meta"))


PLAIN = Shape()
"""Shape of a file that no configuration describes."""


def header_of(meta: Mapping[str, Any]) -> str:
    """The comment at the head of a new file of parameters."""
    return f"The best parameters of study {meta.get('study')}, written by Tunesmith."


def _has_comments(text: str, path: Path) -> bool:
    """Tell whether a file without content has comments that Tunesmith did not write."""
    lines = [line.strip("\ufeff \t\r") for line in text.split("\n")]
    return path.suffix != ".json" and any(line.startswith("#") for line in lines)


def is_origin(meta: Any) -> bool:
    """Tell whether a value is what Tunesmith writes under ``meta``."""
    return isinstance(meta, Mapping) and {"study", "digest"} <= meta.keys()


def names_of(space: Mapping[str, Any], budget: str | None = None) -> frozenset[str]:
    """Return the names of a space's parameters, in its JSON form, and the budget's.

    >>> sorted(names_of({"boxes": [{"C": [1, 2]}, {"gamma": [1]}]}, "epochs"))
    ['C', 'epochs', 'gamma']
    """
    names = {name for box in space["boxes"] for name in box}
    return frozenset(names | ({budget} if budget else set()))


def _parsed(text: str | None, path: Path) -> Any:
    if text is None or not text.strip("\ufeff \t\r\n"):
        return None
    data = content_of(text, path)
    # A list or a number counts as content under some key, so that `blocker` refuses it.
    return data if data is None or isinstance(data, dict) else {"": data}


def _at(data: Any, place: Place) -> Any:
    try:
        return get_at(data, place)
    except KeyError:
        return None


def _mapping_at(data: Any, place: Place) -> dict[str, Any] | None:
    value = _at(data, place)
    return value if isinstance(value, dict) else None


def _can_hold(data: Any, place: Place) -> bool:
    """Tell whether a mapping is at a place, or could be made there."""
    for depth in range(len(place) + 1):
        value = _at(data, place[:depth])
        if value is None:
            return True
        if not isinstance(value, dict):
            return False
    return True


def _mappings(data: Mapping[str, Any], above: Place = ()) -> list[Place]:
    """The places of all mappings below a mapping, the outer ones first."""
    own = [(*above, key) for key, value in data.items() if isinstance(value, dict)]
    return own + [place for key in own for place in _mappings(data[key[-1]], key)]


def _listed(keys: Collection[str]) -> str:
    shown = [f"`{key}`" for key in list(keys)[:4]]
    return ", ".join(shown) + (", …" if len(keys) > 4 else "")
