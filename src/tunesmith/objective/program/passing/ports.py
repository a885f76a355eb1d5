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
    predictions_file: str | None = None
    """File of the program's predictions, if they are collected."""

    @classmethod
    def of(cls, definition: Definition) -> "ProgramPorts":
        """Build the ports that a definition describes.

        Raises:
            UsageError: the command names something that does not exist, or the parameters file
                cannot hold the parameters.
        """
        section, root = definition.file.objective, definition.root.resolve()
        command = section.argv
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
            predictions_file=section.predictions,
        )
        if ports.params_file is not None:
            for params in samples(space, fixed):
                ports.params_file.filled(params)
        return ports

    @property
    def files(self) -> tuple[str, ...]:
        """Files that are written in the working folder."""
        named = (self._params_path, self._metrics_path, self.progress_file, self.predictions_file)
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
        points = [self.params_file.values(box.parameters) for box in space]
        return next((point for point in points if point in space), points[0])

    def digest(self, space: SearchSpace, names: Collection[str]) -> str:
        """Digest of everything that reaches the program besides parameters.

        Values that every trial replaces do not count, so that writing the winner into the file is
        no change.

        Args:
            space: of the study.
            names: of everything that the program is given, as ``Definition.parameter_names``.
        """
        template = self.params_file
        if template is None or template.is_made:
            return digest([""])
        # If a trial lacks a parameter, the program finds the file's own value, which then counts.
        varied = set.intersection(*(always_given(box) for box in space))
        replaced = varied | {*names} - {*space.names}
        return digest([template.filled(dict.fromkeys(replaced, 0))])

    # -- in ----------------------------------------------------------------------------------

    def put_in(self, params: Params, place: Path, run: Path, values: dict[str, str]) -> list[str]:
        """Write the parameters file; return the items of the command.

        Args:
            params: params of the trial, with the fixed ones.
            place: the working folder.
            run: the run's own folder, for files if the working folder is shared.
            values: texts for other words in braces; places of files are added.
        """
        values |= {name: str(path) for name, path in self._paths(place, run).items()}
        values.setdefault("params", str(run / ALL_PARAMS))
        arrival.mark(run / ALL_PARAMS)
        if self.params_file is not None:
            file = Path(values["params"])
            write_atomic(file, self.params_file.filled(params))
            arrival.mark(file)
        items = fill(self.command, values, params)
        return [*items, *hydra(params)] if self.overrides == "hydra" else items

    def _paths(self, place: Path, run: Path) -> dict[str, Path]:
        """Places of the files of a run."""
        named = {
            "params": self._params_path,
            "metrics": self._metrics_path,
            "progress": self.progress_file,
            "predictions": self.predictions_file,
        }
        if self.is_shared:
            # A folder each: files of different folders may have one name.
            return {name: run / name / Path(path).name for name, path in named.items() if path}
        return {name: place / path for name, path in named.items() if path}

    # -- out ---------------------------------------------------------------------------------

    def clear(self, place: Path, run: Path) -> None:
        """Remove results that existed before."""
        for name, path in self._paths(place, run).items():
            if name != "params":
                path.unlink(missing_ok=True)
                path.parent.mkdir(parents=True, exist_ok=True)

    def follow(self, place: Path, run: Path) -> ProgressFollower | None:
        """Follow the progress that is streamed; ``None`` if none is."""
        path = self._paths(place, run).get("progress")
        return None if path is None else ProgressFollower(path, self.keys)

    def listen(self) -> Printed | None:
        """Listen to the output of a run, if results are read from it."""
        return self.results.listen() if isinstance(self.results, PrintedResults) else None

    def take_out(self, place: Path, run: Path, printed: Printed | None) -> dict[str, float]:
        """Read the results; empty if they are streamed.

        Raises:
            MetricsError: there are no results, or they are not finite.
        """
        if isinstance(self.results, FileResults):
            return self.results.read(self._paths(place, run)["metrics"])
        if self.results is None or printed is None:
            return {}
        return self.results.read(printed)

    def predictions(self, place: Path, run: Path) -> Path | None:
        """Return the place of a run's predictions; ``None`` if none are collected."""
        return self._paths(place, run).get("predictions")

    def unread(self, params: Params, place: Path, run: Path) -> str:
        """Reason why the values of a run that ended well cannot have arrived; else empty.

        Args:
            params: params of the trial, with the fixed ones.
            place: the working folder.
            run: the run's own folder.
        """
        # Overrides pass all values in the command, so that no file has to be read.
        if self.overrides is not None:
            return ""
        given = {word for item in self.command for word in words_of(item)}
        template = self.params_file
        files: dict[str, tuple[Path, list[str]]] = {}
        for name in [name for name in params if name not in given]:
            if template is not None and (template.is_made or template.has(name)):
                file, called = self._paths(place, run)["params"], template.section.path
            else:
                file, called = run / ALL_PARAMS, "the file that TUNESMITH_PARAMS names"
            files.setdefault(called, (file, []))[1].append(name)
        for called, (file, names) in files.items():
            if arrival.is_unread(file):
                return (
                    f"the program has ended without reading {called}, so that the values of"
                    f" {', '.join(names)} never reached it."
                    " Does it read another file, or one by its whole path?"
                )
        return ""

    def warning(self, printed: Printed | None) -> str:
        """Warning about the place of the results; empty if there is none."""
        if isinstance(self.results, PrintedResults) and printed is not None:
            return self.results.warning(printed)
        return ""


def always_given(box: Box) -> set[str]:
    """Parameters of a box that every point of it has."""
    return {name for name in box.parameters if name not in box.conditions}


def _dashes(command: Sequence[str], space: SearchSpace, fixed: Params) -> list[str]:
    """List items that a value would turn into an option."""
    names = [name for name, value in fixed.items() if text_of(value).startswith("-")]
    boxes = [box.parameters for box in space]
    names += [name for box in boxes for name, kind in box.items() if _may_begin_with_dash(kind)]
    return [
        f"objective.command: `{item}` begins with a parameter: a value such as -1 would be taken"
        " for an option. Write it as `--name={name}`."
        for item in risky(command, names)
    ]


def _may_begin_with_dash(parameter: Parameter) -> bool:
    # Numbers grow with the unit interval: the lowest one decides.
    values = (
        parameter.choices if isinstance(parameter, Categorical) else (parameter.at(CORNERS[0]),)
    )
    return any(text_of(value).startswith("-") for value in values)


def samples(space: SearchSpace, fixed: Params) -> list[Params]:
    """Choose points of the space: values that the file cannot hold show before the first run.

    Args:
        space: of the study.
        fixed: parameters that every point gets, as ``File.fixed_params``.
    """
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
    form = file.format or file.path.rpartition(".")[2].replace("yml", "yaml")
    if form not in ("json", "yaml", "csv", "tsv", "jsonl"):
        raise UsageError(
            f"objective.metrics_file: the name of {file.path} tells no format."
            f"\n  Write `metrics_file: {{path: {file.path}, format: json}}`, or csv, tsv, …"
        )
    return form


def _best_by(section: Section, file: MetricsFileSection) -> Metric | None:
    if file.row == "last":
        return None
    first = section.metric[0]
    return Metric(first.name, first.direction or "maximize")
