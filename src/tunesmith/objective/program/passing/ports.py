"""The interface between a study and a program: parameters go in, results come out."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tunesmith.config.model import Definition
from tunesmith.config.objective import ObjectiveSection as Section
from tunesmith.config.program import MetricsFileSection
from tunesmith.errors import UsageError
from tunesmith.history import Metric
from tunesmith.objective.program.passing import arrival
from tunesmith.objective.program.passing.argv import (
    PLACES,
    ambiguous,
    blockers,
    fill,
    risky,
    text_of,
    words_of,
)
from tunesmith.objective.program.passing.hydra import blockers as not_overrides
from tunesmith.objective.program.passing.hydra import hydra
from tunesmith.objective.program.passing.params_file import Template
from tunesmith.objective.program.results.metrics import FileResults
from tunesmith.objective.program.results.printed import Printed, PrintedResults
from tunesmith.objective.program.results.stream import ProgressFollower
from tunesmith.space import Box, Categorical, Parameter, SearchSpace
from tunesmith.system.files import write_atomic
from tunesmith.system.fingerprint import digest
from tunesmith.types import Params

ALL_PARAMS = "params.json"
"""Name of the file with all parameters of a run, in the run's own folder."""
CORNERS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, kw_only=True)
class ProgramPorts:
    """Passes parameters to one program and takes its results."""

    command: tuple[str, ...]
    overrides: str | None
    params_file: Template | None
    results: FileResults | PrintedResults | None
    progress_file: str | None
    keys: Mapping[str, str]
    is_shared: bool
    """True if all runs work in one folder, so that files must lie elsewhere."""

    @classmethod
    def of(cls, definition: Definition) -> "ProgramPorts":
        """Build the ports that a definition describes.

        Raises:
            UsageError: the command names something that does not exist, or the parameters file
                cannot hold the parameters.
        """
        section, root = definition.file.objective, definition.root.resolve()
        command = section.command or ()
        names, space = definition.parameter_names, definition.space
        problems = [
            *blockers(command, [*names, *PLACES]),
            *ambiguous(command, names),
            *_dashes(command, space, section.params),
        ]
        fixed = definition.file.fixed_params
        if section.overrides == "hydra":
            problems += [text for params in samples(space, fixed) for text in not_overrides(params)]
        if problems:
            raise UsageError("\n".join(dict.fromkeys(problems)))
        keys = {m.name: m.key or m.name for m in (*section.metric, *section.also)}
        ports = cls(
            command=command,
            overrides=section.overrides,
            params_file=None
            if section.params_file is None
            else Template.of(section.params_file, root),
            results=_results(section, keys),
            progress_file=section.progress_file,
            keys=keys,
            is_shared=section.workspace.mode == "shared",
        )
        if ports.params_file is not None:
            for params in samples(space, fixed):
                ports.params_file.filled(params)
        return ports

    @property
    def files(self) -> tuple[str, ...]:
        """Files that are written in the working folder."""
        named = (self._params_path, self._metrics_path, self.progress_file)
        return tuple(name for name in named if name)

    @property
    def _params_path(self) -> str | None:
        return self.params_file.section.path if self.params_file else None

    @property
    def _metrics_path(self) -> str | None:
        return self.results.path if isinstance(self.results, FileResults) else None

    def defaults(self, space: SearchSpace) -> Params:
        """Values in the parameters file, for the first box that they fit."""
        if self.params_file is None:
            return {}
        corners = (box.point(dict.fromkeys(box.order, at)) for box in space for at in CORNERS)

    choices = (point for box in space for point in _all_choices(box))
    return [{**fixed, **point} for point in chain(corners, choices)]


def _all_choices(box: Box) -> Iterator[Params]:
    """Yield points on which every choice that is no number comes up, whatever its conditions."""
    listed = {
        name: [choice for choice in kind.choices if not isinstance(choice, int | float)]
        for name, kind in box.parameters.items()
        if isinstance(kind, Categorical)
    }
    listed = {name: choices for name, choices in listed.items() if choices}
    base = box.point(dict.fromkeys(box.order, CORNERS[0]))
    for number in range(max(map(len, listed.values()), default=0)):
        chosen = {name: choices[number % len(choices)] for name, choices in listed.items()}
        yield {**base, **chosen}


def _results(section: Section, keys: Mapping[str, str]) -> FileResults | PrintedResults | None:
    file = section.metrics_file
    if file is not None:
        return FileResults(file.path, _form(file), keys, _best_by(section, file))
    if section.metrics_pattern is not None:
        return PrintedResults(section.metrics_pattern, tuple(keys))
    return None


def _form(file: MetricsFileSection) -> str:
    found = file.format or file.path.rpartition(".")[2].replace("yml", "yaml")
    if found not in ("json", "yaml", "csv", "tsv", "jsonl"):
        raise UsageError(
            f"objective.metrics_file: the name of {file.path} tells no format."
            f"\n  Write `metrics_file: {{path: {file.path}, format: json}}`, or csv, tsv, …"
        )
    return found


def _best_by(section: Section, file: MetricsFileSection) -> Metric | None:
    if file.row == "last":
        return None
    first = section.metric[0]
    return Metric(first.name, first.direction or "maximize")
