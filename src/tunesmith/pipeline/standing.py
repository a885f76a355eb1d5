"""Where a study stands against the project as it is now, in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from tunesmith.config.model import Definition
from tunesmith.errors import TunesmithError
from tunesmith.ledger.records import StudyRecord
from tunesmith.objective.outline import outline
from tunesmith.parts import Described, identity
from tunesmith.reporting.best_file import Best
from tunesmith.reporting.compare import changes
from tunesmith.reporting.edits import Edit, edit_of
from tunesmith.search.stopping import build as build_criterion
from tunesmith.stamp import stamped
from tunesmith.study.loop import ALL_TRIED, EXHAUSTED
from tunesmith.tuning import BLAME, INTERRUPTED, read_files_changed

SECTIONS = ("search", "budget")
"""Of the configuration, which fix the trials beside what scores depend on."""


@dataclass(frozen=True)
class Standing:
    """What a study's results are worth for the project as it is now."""

    is_current: bool | None
    """Whether they were found with the present data, code, versions and configuration; ``None``
    where that is not known."""
    reasons: tuple[str, ...]
    """What has changed since, or why that is not known."""
    left: str | None
    """Why a run would go on, where the study is current and not at its end."""
    edit: Edit | None
    """What somebody has edited in the best-parameters file."""

    @property
    def words(self) -> str:
        """In a line.

        >>> Standing(False, ("the data changed",), None, None).words
        'stale: the data changed'
        """
        if self.is_current is None:
            return f"not known: {', '.join(self.reasons)}"
        if not self.is_current:
            return f"stale: {', '.join(self.reasons)}"
        return f"unfinished: {self.left}" if self.left else "up to date"


def standing(definition: Definition, record: StudyRecord) -> Standing:
    """Compare what a study was run with and what there is now; evaluates nothing.

    Args:
        definition: as it is now.
        record: of the study's last series.
    """
    edit = edit_of(Best.of(definition), record)
    if stamped(definition) is not None:
        return Standing(True, (), None, edit)
    try:
        objective = outline(definition)
    except TunesmithError as error:
        first = str(error).splitlines()[0]
        return Standing(None, (first,), None, edit)
    reasons = tuple(stale_reasons(definition, record, objective))
    return Standing(not reasons, reasons, None if reasons else left_to_do(definition, record), edit)


def stale_reasons(
    definition: Definition, record: StudyRecord, objective: Described
) -> Iterator[str]:
    """What has changed since the series began; nothing where it is the present one.

    Args:
        definition: as it is now.
        record: of the series.
        objective: built from the definition, or its outline.
    """
    if record.head.identity == identity(definition, objective):
        yield from read_files_changed(record.head, objective)
        return
    then, now = record.head.definition, definition.as_json()
    context = record.head.context
    found = [text for k, text in BLAME.items() if context.get(k) != objective.context.get(k)]
    found += [
        f"`{section}` of the configuration changed"
        for section in SECTIONS
        if then.get("file", {}).get(section) != now["file"].get(section)
    ]
    if changes(then.get("space", {}), now["space"]):
        found.append("the space changed")
    yield from found or ["the configuration changed"]


def left_to_do(definition: Definition, record: StudyRecord) -> str | None:
    """Why a run would go on; a time limit that was met is an end."""
    if record.outdated:
        return record.outdated
    last = record.runs[-1] if record.runs else None
    if last is None or last.stopped_by is None:
        return "the last run was killed; `tunesmith run` continues it"
    if last.stopped_by.startswith(INTERRUPTED):
        return f"{last.stopped_by}; `tunesmith run` continues it"
    was, stop = last.provenance["definition"]["file"].get("stop"), definition.file.stop
    if last.stopped_by in (ALL_TRIED, EXHAUSTED) or was == stop.model_dump(mode="json"):
        return None
    is_spent = build_criterion(stop).is_spent(record.history, 0.0)
    return None if is_spent else "`stop` has changed; `tunesmith run` goes on"
