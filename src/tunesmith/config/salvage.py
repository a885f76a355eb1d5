"""Recovery of the valid part of a configuration, so that rules can be checked on it, too.

Otherwise you would fix the keys first and see the broken rules only in a second round.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from tunesmith.config.messages import real_path
from tunesmith.config.model import File
from tunesmith.errors import Path

ROUNDS = 3
PLACEHOLDERS: dict[Path, Any] = {
    ("study",): "study",
    ("objective",): {"data": {"path": "data.csv", "target": "target"}, "metric": "accuracy"},
    ("objective", "data"): {"path": "data.csv", "target": "target"},
    ("objective", "data", "path"): "data.csv",
    ("objective", "data", "target"): "target",
    ("objective", "command"): ["program"],
    ("objective", "metric"): "accuracy",
}


def salvage(data: Mapping[str, Any], error: ValidationError) -> tuple[File | None, set[Path]]:
    """Return the file without invalid values, and the paths that were removed or filled in."""
    # Messages still show values of the data as it was written.
    kept = deepcopy(dict(data))
    touched: set[Path] = set()
    # A value that is filled in may bring out another mistake.
    for _ in range(ROUNDS):
        for detail in error.errors():
            path = real_path(detail["loc"], File, kept)
            touched.add(path)
            _mend(kept, path)
        try:
            return File.model_validate(kept), touched
        except ValidationError as again:
            error = again
    return None, touched


def is_touched(path: Path, touched: set[Path]) -> bool:
    """Tell whether a path is at, within or around something that was removed or filled in."""
    return any(path[: len(other)] == other or other[: len(path)] == path for other in touched)


def _mend(data: dict[str, Any], path: Path) -> None:
    *parents, last = path
    holder: Any = data
    for step in parents:
        holder = _step(holder, step)
    if isinstance(holder, dict):
        holder.pop(last, None)
        if path in PLACEHOLDERS:
            holder[last] = deepcopy(PLACEHOLDERS[path])
    elif isinstance(holder, list) and isinstance(last, int) and last < len(holder):
        # Taking it out would move the others away from their places.
        holder[last] = deepcopy(holder[0]) if last else {}


def _step(holder: Any, step: str | int) -> Any:
    if isinstance(holder, Mapping) and step == 0:
        # A single mapping stands for a list of one.
        return holder
    if isinstance(holder, Mapping):
        return holder.get(str(step))
    if isinstance(holder, Sequence) and isinstance(step, int) and step < len(holder):
        return holder[step]
    return None
