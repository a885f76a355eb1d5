"""Search for pipelines: every ``dvc.yaml`` of a repository may run a study, from any folder."""

import os
import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith.config.model import OutputsSection
from tunesmith.errors import UsageError
from tunesmith.pipeline.dvc.document import FILE
from tunesmith.pipeline.dvc.sites import Site
from tunesmith.pipeline.dvc.stages import Stage, read_stages, stage_writing, tuning_stage
from tunesmith.pipeline.dvc.templates import Read
from tunesmith.system import git

LEFT_OUT = {"node_modules", "__pycache__", "site-packages"}


@dataclass(frozen=True)
class StageOfStudy:
    """The stage that runs a study."""

    file: str
    """Its ``dvc.yaml``, relative to the top folder."""
    stage: Stage
    stages: Mapping[str, Stage]
    """All of that file."""

    @property
    def folder(self) -> str:
        """Folder of the file; empty for the top."""
        return posixpath.dirname(self.file)


@dataclass(frozen=True)
class Wanted:
    """A study to be found."""

    folder: str
    """The project folder, relative to the top folder. The other fields, and the paths of stages
    that are found, are relative to the project folder."""
    config: str
    results: Collection[str] = ()
    """Files that only the study writes."""


def above(folder: str) -> list[str]:
    """List the paths of ``dvc.yaml`` in a folder and in those above it, the nearest first.

    >>> above("models/churn"), above("")
    (['models/churn/dvc.yaml', 'models/dvc.yaml', 'dvc.yaml'], ['dvc.yaml'])
    """
    paths = [posixpath.join(folder, FILE)]
    while folder:
        folder = posixpath.dirname(folder)
        paths.append(posixpath.join(folder, FILE))
    return paths


def find(files: Iterable[str], wanted: Wanted, read: Read) -> StageOfStudy | None:
    """Find the stage that runs a study: by its command in any file, or else by its outs.

    Args:
        files: paths of ``dvc.yaml``, relative to the top folder, in order; some may be missing.
        wanted: the study.
        read: reads a file by its path from the top folder.

    Raises:
        UsageError: a file cannot be read, and none of the others runs the study.
    """
    seen: dict[str, dict[str, Stage]] = {}
    problems: list[UsageError] = []
    for file in files:
        if file in seen or (text := read(file)) is None:
            continue
        folder = posixpath.dirname(file)
        try:
            site = Site(folder, wanted.folder)
            stages = read_stages(text, file, below(read, folder), site)
        except UsageError as error:
            problems.append(error)
            continue
        seen[file] = stages
        stage = tuning_stage(stages, wanted.config, below(read, wanted.folder))
        if stage is not None:
            return StageOfStudy(file, stage, stages)
    return _by_results(seen, wanted, problems)


def _by_results(
    seen: Mapping[str, dict[str, Stage]], wanted: Wanted, problems: Sequence[UsageError]
) -> StageOfStudy | None:
    for file, stages in seen.items():
        if (stage := stage_writing(stages, wanted.results)) is not None:
            return StageOfStudy(file, stage, stages)
    if problems:
        raise problems[0]
    return None


def below(read: Read, folder: str) -> Read:
    """Return a reader of files by paths relative to another folder; none lie above the top."""

    def find_text(name: str) -> str | None:
        path = posixpath.normpath(posixpath.join(folder, name))
        return None if path.startswith(("../", "/")) else read(path)

    return find_text


def only_of(outputs: OutputsSection) -> list[str]:
    """Files that a study alone writes, relative to its project folder."""
    names = (outputs.report, outputs.tuned, outputs.history, outputs.trials, outputs.metrics)
    predictions = None if outputs.predictions is None else outputs.predictions.path
    return [name for name in (*names, predictions) if name is not None]


def everywhere(top: Path) -> Iterator[str]:
    """Every ``dvc.yaml`` of a working tree, sorted; ignored folders are left out."""
    options = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = git.paths(top, *options, "--", FILE, f"*/{FILE}")
    yield from sorted(_walked(top) if listed is None else set(listed))


def _walked(top: Path) -> Iterator[str]:
    for place, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name[0] != "." and name not in LEFT_OUT]
        if FILE in names:
            yield Path(place, FILE).relative_to(top).as_posix()


def top_of(folder: Path) -> Path:
    """The folder of the repository, of Git's or of DVC's, that a project folder belongs to."""
    # DVC works without Git, too (`dvc init --no-scm`).
    for mark in (".git", ".dvc"):
        top = next((p for p in (folder, *folder.parents) if (p / mark).exists()), None)
        if top is not None:
            return top
    return next((place for place in (folder, *folder.parents) if (place / FILE).is_file()), folder)
