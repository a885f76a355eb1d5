"""The best-parameters file of a study: found, read and written in the shape that it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.analysis.ranking import Ranked
from tunesmith.config.model import Definition, File, OutputsSection
from tunesmith.errors import UsageError
from tunesmith.ledger.records import StudyRecord
from tunesmith.parameters.shape import Shape, WriteBlocker, names_of
from tunesmith.parameters.texts import meta_of, read_parameters
from tunesmith.space import SearchSpace
from tunesmith.system.files import inside
from tunesmith.system.fingerprint import digest
from tunesmith.types import Params

if TYPE_CHECKING:  # statistics take longer to import than a command that reads may take
    from tunesmith.analysis.summary import Summary


@dataclass(frozen=True)
class BestFile:
    """One study's best-parameters file.

    Args:
        root: the project folder.
        outputs: of the configuration.
        names: every parameter that the study may write; ``None`` if that is not known.
    """

    root: Path
    outputs: OutputsSection
    names: frozenset[str] | None = None

    @classmethod
    def of(cls, definition: Definition) -> "BestFile":
        """Return the file that a configuration names."""
        names = shape_of(definition.file, definition.space).names
        return cls(definition.root, definition.file.outputs, names)

    @classmethod
    def of_record(cls, root: Path, outputs: OutputsSection, record: StudyRecord) -> "BestFile":
        """Return the file of a study in the ledger."""
        known = record.head.recorded.names
        return cls(root, outputs, None if known is None else known | record.history.tried_names)

    @cached_property
    def path(self) -> Path:
        """Its absolute path.

        Raises:
            UsageError: it leads out of the project.
        """
        return inside(self.root, self.outputs.best.path)

    @property
    def shape(self) -> Shape:
        """The place of the parameters in the file."""
        return Shape(self.outputs.best, self.names)

    def read(self) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Read the parameters that it holds, and its ``meta`` if it has one.

        Raises:
            UsageError: it cannot be read, or does not hold parameters.
        """
        return read_parameters(self.path, self.shape)

    def text(
        self,
        summary: "Summary",
        trial: Ranked | None = None,
        *,
        is_adopted: bool = False,
        is_forced: bool = False,
    ) -> str:
        """Return the new content of the file with a trial's parameters; its shape stays.

        Args:
            summary: with a complete trial.
            trial: whose parameters; by default the winner's.
            is_adopted: note that a person has chosen another trial than the winner.
            is_forced: write a new file in any case.

        Raises:
            UsageError: something else is in the file, or its format cannot hold the parameters.
        """
        best = trial or summary.chosen
        if best is None:
            raise UsageError(f"study `{summary.study}` has no complete trial")
        return self.text_of(
            best.params, meta_of(summary, best, is_adopted=is_adopted), is_forced=is_forced
        )

    def text_of(self, params: Params, meta: Mapping[str, Any], *, is_forced: bool = False) -> str:
        """Return the same for parameters and their origin.

        Raises:
            UsageError: something else is in the file, or its format cannot hold the parameters.
        """
        before = None if is_forced else self.content
        return self.shape.write(before, self.path, params, meta)

    @property
    def content(self) -> str | None:
        """Return its text; ``None`` if there is no file.

        Raises:
            UsageError: it is not text.
        """
        if not self.path.is_file():
            return None
        try:
            # Text mode would replace the file's line ends, and an edit would change every line.
            return self.path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(f"{self.path}: not UTF-8 text (byte {error.start})") from None

    @property
    def blocker(self) -> WriteBlocker | None:
        """Reason for which a run must not write into the present file; ``None`` if it may."""
        text = self.content
        return None if text is None else self.shape.blocker(text, self.path)

    @property
    def tuned_params(self) -> dict[str, Any] | None:
        """Return the parameters in ``outputs: {tuned: …}``, if that file is unedited."""
        name = self.outputs.tuned
        path = None if name is None else inside(self.root, name)
        if path is None or not path.is_file():
            return None
        try:
            params, meta = read_parameters(path)
        except UsageError:
            return None
        return params if meta is not None and meta.get("digest") == digest(params) else None


def shape_of(file: File, space: SearchSpace) -> Shape:
    """Return the shape of the best-parameters file in a configuration."""
    budget = file.budget
    names = names_of(space.to_json(), budget.parameter if budget else None)
    return Shape(file.outputs.best, names)
