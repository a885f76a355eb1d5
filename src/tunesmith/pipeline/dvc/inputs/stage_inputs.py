"""Inputs of the stage that tunes: files that it depends on, has to depend on, or has read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from tunesmith.config.model import Definition
from tunesmith.config.objective import ObjectiveSection
from tunesmith.pipeline.dvc.inputs.dependencies import dependencies, is_within
from tunesmith.pipeline.dvc.inputs.named_data import named_by
from tunesmith.pipeline.dvc.inputs.observed import observed, reading_of
from tunesmith.pipeline.dvc.inputs.training_data import depends_on, later_outs, shared_data
from tunesmith.pipeline.dvc.stages import Stage


@dataclass(frozen=True)
class StageInputs:
    """Inputs of a tuning stage, among the stages of its pipeline; paths from the project folder."""

    definition: Definition
    stages: Mapping[str, Stage]
    """Stages of a ``dvc.yaml``, with paths relative to the project folder."""
    tuning: str
    """Name of the stage that tunes, present or new."""

    @property
    def section(self) -> ObjectiveSection:
        """The objective of the study."""
        return self.definition.file.objective

    @cached_property
    def root(self) -> Path:
        """The project folder, absolute."""
        return self.definition.root.resolve()

    @cached_property
    def own(self) -> tuple[str, ...]:
        """Data, code and other files that the configuration names or that its code consists of.

        Raises:
            UsageError: ``depends_on`` names what is not there, or a path leads out of the project.
        """
        return self.around(())

    def around(self, outs: Iterable[str]) -> tuple[str, ...]:
        """Return the same, without folders that hold one of these outs of stages.

        Raises:
            UsageError: as ``own``.
        """
        return dependencies(self.section, self.root, self.definition.source, outs)

    @cached_property
    def later_outs(self) -> list[str]:
        """Outs of the tuning stage and of all stages after it."""
        outputs = self.definition.file.outputs.paths.values()
        return later_outs(outputs, self.stages, self.tuning)

    def shared(self, trainers: Iterable[str]) -> dict[str, str]:
        """Return the data that training stages depend on, and the stage that depends on each.

        Args:
            trainers: stages that train with the best parameters. An estimator has no data but its
                table, so that for one nothing is returned.
        """
        if not self.section.is_program:
            return {}
        return shared_data(self.root, self.stages, trainers, self.later_outs)

    @cached_property
    def named(self) -> dict[str, str]:
        """Data that the program names in quotes and that are there before tuning, by file.

        If ``objective.depends_on`` says what counts, it is believed, and nothing is looked for.
        """
        if not self.section.is_program or self.section.depends_on is not None:
            return {}
        others = (stage for name, stage in self.stages.items() if name != self.tuning)
        earlier = [out for stage in others for out in stage.outs]
        found = named_by(self.root, self.section.argv, earlier)
        return {path: source for path, source in found.items() if self._is_new(path)}

    def _is_new(self, path: str) -> bool:
        """True if no later stage makes a path, and the stage does not depend on it anyway."""
        is_made = any(is_within(path, out) or is_within(out, path) for out in self.later_outs)
        is_known = any(is_within(path, other) for other in self.own)
        source = (self.definition.source or Path()).resolve()
        return not is_made and not is_known and (self.root / path).resolve() != source

    def lacking(self, shared: Iterable[str], present: Iterable[str]) -> list[str]:
        """Return the shared data that the tuning stage does not depend on.

        Args:
            shared: from ``shared``.
            present: dependencies of the stage.
        """
        known = {*present, *self.own}
        return [path for path in shared if not any(is_within(path, other) for other in known)]

    def is_unseen(self, path: str) -> bool:
        """Tell whether a path is there and the study does not depend on it."""
        return path not in self.own and (self.root / path).exists()

    def observed(self, known: Iterable[str]) -> list[str]:
        """Return the files and folders that runs of the study have read, and that are there.

        Args:
            known: dependencies of the stage anyway.

        Returns:
            Paths, in order; none for an estimator, or if no run was watched yet.
        """
        if not self.section.is_program:
            return []
        reading = reading_of(self.definition.ledger, self.definition.file.study)
        own = self.section.params_file
        covered = [*known, *([own.path] if own else ())]
        return observed(reading, self.root, covered, self.later_outs)

    def completed(
        self, trainers: Iterable[str], present: Iterable[str], written: Iterable[str]
    ) -> "CompletedInputs":
        """Add data of training stages, data that the program names, and what runs have read.

        Args:
            trainers: stages that train with the best parameters.
            present: dependencies of the stage as it is.
            written: everything that a run writes.
        """
        present, read = tuple(present), self.named
        shared = self.shared(trainers)
        missing = [path for path in self.lacking(shared, ()) if path not in read]
        here = [path for path in missing if (self.root / path).exists()]
        absent = [path for path in missing if path not in here and path not in present]
        study = self._with_data(here) if here else self
        seen = study.observed((*present, *missing, *read, *study.around(study.later_outs)))
        new = [path for path in read if path not in present]
        told = missing if here or absent else []
        notes = [self._about_shared(path, shared[path], is_here=path in here) for path in told]
        if seen:
            notes.append(
                f"`{self.tuning}` depends on {', '.join(seen)}: runs of the study were seen to"
                " read them."
            )
        notes += [f"`{self.tuning}` depends on {path}, which {read[path]} names." for path in new]
        paths = (*study.around(written), *absent, *seen, *new)
        return CompletedInputs(paths, study.section.depends_on, tuple(notes))

    def _about_shared(self, path: str, trainer: str, *, is_here: bool) -> str:
        also = "; so does the study (`objective.depends_on`)." if is_here else "."
        return f"`{self.tuning}` depends on {path}, as `{trainer}` does{also}"

    def _with_data(self, data: Iterable[str]) -> "StageInputs":
        """Let the study itself depend on further data, so that it sees a change of them."""
        named = depends_on(self.section, self.root, data)
        section = self.section.model_copy(update={"depends_on": named})
        file = self.definition.file.model_copy(update={"objective": section})
        return replace(self, definition=replace(self.definition, file=file))


@dataclass(frozen=True)
class CompletedInputs:
    """Everything that a tuning stage is to depend on."""

    paths: tuple[str, ...]
    depends_on: tuple[str, ...] | None
    """New value of ``objective.depends_on``."""
    notes: tuple[str, ...]
    """Reasons for what was added, for the user."""
