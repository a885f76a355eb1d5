"""A parameter as a call in a function proposes it."""

from dataclasses import dataclass, field, replace
from typing import Any

from tunesmith.importers.python.conditions import Route
from tunesmith.importers.refusal import Place


@dataclass(kw_only=True)
class Proposal:
    """A parameter as a call proposes it."""

    name: str
    definition: Any
    """As a configuration writes it, without conditions."""
    values: tuple[tuple[Any, Any], ...] | None = None
    """Each value as JSON has it, and as the script sees it, if there are few; else ``None``."""
    notes: tuple[str, ...] = ()
    place: Place = (0, 0)
    paths: list[Route] = field(default_factory=list)

    def fixed(self, value: Any) -> "Proposal":
        """Return the parameter with a single value."""
        return replace(self, definition=[value], notes=())
