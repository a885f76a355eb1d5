"""Causes of a new series of trials, in words."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from tunesmith.config.model import Definition, File
from tunesmith.errors import TunesmithError
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.records import StudyHead
from tunesmith.ledger.rows import as_recorded
from tunesmith.objective.objective import changed_files
from tunesmith.reporting.reading import named
from tunesmith.runs.factory import Described, identity
from tunesmith.runs.proposing import is_former_default
from tunesmith.runs.starting_points import StartingPoints

RENEWED = "this version of Tunesmith proposes other trials than the one that began the study"
BLAME = {
    "data": "the data changed",
    "code": "the project's code changed",
    "versions": "library versions changed",
    "objective": "the objective changed",
}
KNOWN_COUNT = ", known evaluations are reused"
Place = tuple[str, ...]
"""A key of the configuration, behind that of its section if it is in one."""


def blamed(before: StudyHead, objective: Described) -> list[str]:
    """Name the dependencies of the scores that have changed."""
    context = objective.context
    parts = [text for part, text in BLAME.items() if before.context.get(part) != context.get(part)]
    return [*parts, *read_files_changed(before, objective)]


def read_files_changed(before: StudyHead, objective: object) -> list[str]:
    """Report the files of a series' programs that have changed since they were read."""
    names = changed_files(objective, before.reading)
    if not names:
        return []
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return [f"{named(names[0], before.reading.get(names[0], ''))}{more} changed"]


@dataclass(frozen=True)
class Causes:
    """Finds out why a study is another one than an earlier series of its name.

    Args:
        definition: of the study as it is now.
        objective: built from it, or its outline.
    """

    definition: Definition
    objective: Described

    def told(self, before: StudyHead) -> str:
        """Tell why a new series of trials begins, and what becomes of earlier results."""
        is_other = blamed(before, self.objective)
        end = "; earlier results are kept, but not mixed in" if is_other else KNOWN_COUNT
        return f"{', '.join(self.reasons(before))}: a new series of trials begins{end}"

    def reasons(self, before: StudyHead) -> list[str]:
        """Name everything that has changed since a series began; at least one reason."""
        reasons, keys = blamed(before, self.objective), self.keys(before.recorded)
        if BLAME["objective"] in reasons:
            own = [key for key in keys if key.startswith("objective.")]
            keys = [key for key in keys if key not in own]
            place = reasons.index(BLAME["objective"])
            reasons[place] += f" ({_listed(own)})" if own else ""
        reasons += [f"{_listed(keys)} changed"] if keys else []
        return reasons + self._base_changed(before.recorded) or [RENEWED]

    def keys(self, before: RecordedStudy) -> list[str]:
        """Name the keys of the configuration whose change made the study another one.

        Nothing lists these keys: each one that differs is put back to its recorded value, and it is
        a cause if this gives another identity.
        """
        now = as_recorded(self.definition.as_json())
        content = self.definition.file.model_dump(mode="json")
        last: str | None = identity(self.definition, self.objective)
        causes: list[str] = []
        waiting: list[str] = []
        for place in _differing(before.sections, now.sections):
            _put_back(content, before.sections, place)
            waiting.append(".".join(place))
            put_back = self._identity(content)
            # Keys that fit together only, such as a method and its options, are put back together.
            if put_back is None:
                continue
            causes += waiting if put_back != last else []
            last, waiting = put_back, []
        causes += waiting
        if before.space.content != now.space.content:
            causes.append("space")
        if _n_outer(before) != _n_outer(now):
            causes.append("outer_folds")
        return causes

    def _identity(self, content: Mapping[str, Any]) -> str | None:
        """Identity of the study with another configuration; ``None`` if there is no such study."""
        try:
            file = File.model_validate(content)
            return identity(replace(self.definition, file=file), self.objective)
        except (ValidationError, TunesmithError, TypeError):
            return None

    def _base_changed(self, before: RecordedStudy) -> list[str]:
        """Blame the parameters of the base revision, which belong to a study with such a gate."""
        gate = self.definition.file.gate
        if gate is None or gate.base is None or before.gate is None or not before.has_current:
            return []
        is_other = before.gate.base == gate.base and (
            before.current != StartingPoints(self.definition).current_parameters
        )
        return [f"the parameters of `{gate.base}` changed"] if is_other else []


def _listed(keys: list[str]) -> str:
    """List keys as in a sentence.

    >>> _listed(["search.seed", "space", "gate"])
    '`search.seed`, `space` and `gate`'
    """
    quoted = [f"`{key}`" for key in keys]
    return " and ".join([*([", ".join(quoted[:-1])] if quoted[1:] else []), *quoted[-1:]])


def _differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Place]:
    """Yield the keys that differ; sections that only one of both has, as a whole."""
    for name in sorted(before.keys() | now.keys()):
        one, other = before.get(name), now.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            keys = sorted(
                key for key in one.keys() | other.keys() if one.get(key) != other.get(key)
            )
            yield from ((name, key) for key in keys if not is_former_default(name, key, one, other))
        elif one != other:
            yield (name,)


def _put_back(content: dict[str, Any], before: Mapping[str, Any], place: Place) -> None:
    """Give a key its former value; none, as its default, if it is of a later version."""
    *outer, key = place
    for name in outer:
        content, before = content[name], before[name]
    if key in before:
        content[key] = deepcopy(before[key])
    else:
        content.pop(key, None)


def _n_outer(study: RecordedStudy) -> Any:
    return None if study.outer is None else study.outer.get("n_folds")
