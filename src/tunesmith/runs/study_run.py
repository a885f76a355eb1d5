"""A run of a study as its caller asked for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tunesmith.analysis.summary import Summary, summarise
from tunesmith.config.model import Definition
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyRecord
from tunesmith.runs.factory import outer_records
from tunesmith.runs.import_history import CommittedHistory
from tunesmith.runs.models.reading import summary_of
from tunesmith.runs.outputs import Written, write_outputs
from tunesmith.runs.starting_points import StartingPoints
from tunesmith.study.progress import Observer, silent

Say = Callable[[str], None]


def silence(_text: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A study that is to be run, and the wishes of the caller.

    A search of nested cross-validation is a run of its own.
    """

    definition: Definition
    observer: Observer = silent
    """It gets the progress."""
    say: Say = silence
    """It gets sentences that a user should read."""
    restart: bool = False
    """Earlier evaluations are not used."""
    committed: CommittedHistory | None = None
    """History of the project as the run found it; ``None`` if none is used."""

    objects: Mapping[str, Any] = field(default_factory=dict)
    """Values of parameters that JSON cannot hold, by the JSON text of their tokens."""

    @property
    def uses_shared_fits(self) -> bool:
        """True if scores from shared fits may be used."""
        return self.definition.file.execution.share != "off"

    @property
    def starting_points(self) -> StartingPoints:
        """The points that the study tries first."""
        return StartingPoints(self.definition)

    def outer_runs(self, data: str) -> "list[Run]":
        """Runs of the searches of nested cross-validation, one per outer fold.

        Args:
            data: digest of the study's rows.
        """
        return [
            replace(self, definition=outer, say=silence)
            for outer in self.definition.outer_searches(data)
        ]

    def write(self, ledger: Ledger, record: StudyRecord) -> tuple[Summary, tuple[Written, ...]]:
        """Write the outputs; a search of nested cross-validation has none.

        Args:
            ledger: may hold the searches of nested cross-validation.
            record: the study as it is in the ledger now.

        Returns:
            The content of the report, and the files.

        Raises:
            UsageError: a path leads out of the project, or TOML cannot hold the winner.
            StorageError: a file cannot be written.
        """
        definition = self.definition
        nested = outer_records(ledger, definition, record)
        if definition.outer is not None:
            return summarise(record, nested=nested), ()
        summary = summary_of(definition, record, nested=nested)
        written = write_outputs(
            record,
            definition.root,
            definition.file.outputs,
            summary=summary,
            nested=nested,
            forced=definition.forced,
        )
        return summary, tuple(written)
