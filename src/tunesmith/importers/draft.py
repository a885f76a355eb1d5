"""A configuration that is being drafted, with a note on every line that needed judgement."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from unicodedata import normalize

from tunesmith.errors import Path, Violation
from tunesmith.importers.refusal import Place, Refused
from tunesmith.space.parse import parse_space

ORDER = ("study", "objective", "space", "search", "stop", "budget", "outputs", "execution")


@dataclass
class Draft:
    """Sections of a configuration as plain data, and notes by path.

    >>> draft = Draft("optuna", "train.py:3")
    >>> draft.put(("search", "method"), "random", "as the script says")
    >>> draft.finished(), draft.notes
    ({'search': {'method': 'random'}}, {('search', 'method'): ['as the script says']})
    """

    tool: str
    origin: str
    content: dict[str, Any] = field(default_factory=lambda: {"objective": {}, "space": {}})
    notes: dict[Path, list[str]] = field(default_factory=dict)
    places: dict[Path, Place] = field(default_factory=dict)
    """Places of parameters in the file that they come from."""
    files: dict[str, str] = field(default_factory=dict, kw_only=True)
    """Further files of the project that the configuration names: path -> text."""

    def put(self, path: Path, value: Any, *notes: str) -> None:
        """Set a value; sections on the way are made."""
        section: Any = self.content
        for step in path[:-1]:
            section = section[step] if isinstance(step, int) else section.setdefault(step, {})
        section[path[-1]] = value
        self.note(path, *notes)

    def note(self, path: Path, *notes: str) -> None:
        """Add notes to a line; repeated ones count once."""
        for note in filter(None, notes):
            listed = self.notes.setdefault(path, [])
            if note not in listed:
                listed.append(note)

    def parameter(self, name: str, definition: Any, place: Place, *notes: str) -> None:
        """Add a parameter of the space.

        Raises:
            Refused: its name is taken, or its definition is not valid.
        """
        space = self.content.setdefault("space", {})
        if name in space:
            raise Refused(f"the parameter `{name}` is there twice.", place, "Rename one of them.")
        self.put(("space", name), definition, *notes)
        self.places[("space", name)] = place

    def fixed(self, name: str, value: Any, *notes: str) -> None:
        """Add a parameter that is the same in every trial."""
        self.put(("objective", "params", name), value, *notes)

    @property
    def names(self) -> list[str]:
        """Names of all parameters: the fixed ones, then the others."""
        space = self.content["space"]
        varied = [name for box in space for name in box] if isinstance(space, list) else space
        return list(dict.fromkeys([*self.content["objective"].get("params", {}), *varied]))

    def metric(self, name: str, direction: str, *notes: str) -> None:
        """Add a metric that decides; a second one makes the study multi-objective."""
        listed = self.content.setdefault("objective", {}).setdefault("metric", [])
        listed.append({"name": name, "direction": direction})
        self.note(("objective", "metric"), *notes)

    def finished(self) -> dict[str, Any]:
        """Return the sections in the order of a configuration file."""
        objective = self.content.get("objective", {})
        metric = objective.get("metric")
        if isinstance(metric, list) and len(metric) == 1:
            objective["metric"] = metric[0]
        return {key: self.content[key] for key in ORDER if self.content.get(key) not in ({}, None)}

    def check_space(self) -> None:
        """Check the space, now that all of it is known.

        Raises:
            Refused: it is empty, or a part of it is not valid.
        """
        if not self.content.get("space"):
            raise Refused("there is nothing to search: every parameter is fixed.")
        for violation in parse_space(self.content["space"])[1]:
            raise Refused(_text(violation), self.place(("space", *violation.path)))

    def place(self, path: Path) -> Place:
        """Return the place of a path, or of its nearest ancestor."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return 0, 0


def _text(violation: Violation) -> str:
    name = ".".join(str(step) for step in violation.path[:1])
    return f"`{name}`: {violation.message}" if name else violation.message


@dataclass(frozen=True)
class Candidate:
    """A setup that a file holds."""

    tool: str
    name: str
    """Name by which it is chosen."""
    place: Place
    draft: Callable[[], Draft]
    """Conversion, which may raise ``Refused``."""


def study_name(text: str) -> str:
    """Make a study's name of any text.

    >>> study_name("My Sweep (v2)")
    'My-Sweep-v2'
    """
    plain = normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip(".-_")[:80] or "study"


def dotted(nested: Mapping[str, Any], is_leaf: Callable[[Any], bool]) -> dict[str, Any]:
    """Flatten nested mappings; names are joined by dots.

    >>> dotted({"a": {"b": 1}, "c": 2}, lambda value: not isinstance(value, dict))
    {'a.b': 1, 'c': 2}
    """
    flat: dict[str, Any] = {}
    for name, value in nested.items():
        if is_leaf(value):
            flat[str(name)] = value
        else:
            flat |= {f"{name}.{inner}": item for inner, item in dotted(value, is_leaf).items()}
    return flat
