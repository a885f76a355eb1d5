"""A project at a commit: its configuration, outputs and pipeline, without the working tree."""

import posixpath
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from tunesmith.config.load import load_definition, project_root
from tunesmith.config.model import Definition, OutputsSection
from tunesmith.config.source import parse_document
from tunesmith.errors import UsageError
from tunesmith.parameters.best_file import shape_of
from tunesmith.parameters.shape import PLAIN, Shape
from tunesmith.pipeline.dvc.document import FILE, LOCK
from tunesmith.pipeline.dvc.lock import LockedStage, read_lock
from tunesmith.pipeline.dvc.places import Wanted, above, find, only_of
from tunesmith.pipeline.dvc.stages import Stage
from tunesmith.pipeline.parameters import Parameters, parse
from tunesmith.pipeline.repository import Repository

if TYPE_CHECKING:
    from tunesmith.ledger.records import StudyRecord


@dataclass(frozen=True)
class CommittedStage:
    """The DVC stage that tunes, and what DVC knows of its last run.

    All paths are as the repository names them.
    """

    file: str
    """``dvc.yaml``."""
    stage: Stage
    stages: Mapping[str, Stage]
    """All of that file."""
    locked: LockedStage | None

    @property
    def lock(self) -> str:
        """``dvc.lock``."""
        return posixpath.join(posixpath.dirname(self.file), LOCK)

    @property
    def outs(self) -> list[str]:
        """Paths that the stage writes into the repository."""
        return [path for path in self.stage.outs if joined("", path) and "://" not in path]


@dataclass(frozen=True)
class CommittedStudy:
    """A study as a commit has it."""

    repository: Repository
    commit: str
    branch: str
    """The branch of the commit, for messages."""
    config: str
    """The configuration, as the repository names it."""

    @property
    def folder(self) -> str:
        """The project folder within the repository; empty for its top."""
        return posixpath.dirname(self.config) if self._is_beside else self._above

    @property
    def _is_beside(self) -> bool:
        return project_root(Path("/", self.config)) == Path("/", self.config).parent

    @property
    def _above(self) -> str:
        return posixpath.dirname(posixpath.dirname(self.config))

    def path(self, name: str) -> str:
        """A path of the configuration, as the repository names it.

        Raises:
            UsageError: it leads out of the repository.
        """
        path = joined(self.folder, name)
        if path is None:
            raise UsageError(f"{self.config} on `{self.branch}`: {name} leads out of the project.")
        return path

    @cached_property
    def definition(self) -> Definition:
        """The configuration; its root is the project folder of the working tree.

        Raises:
            UsageError: it is not valid, or not there.
        """
        text = self._text(self.config)
        if text is None:
            raise UsageError(f"there is no {self.config} on `{self.branch}`.")
        with tempfile.TemporaryDirectory(prefix="tunesmith-") as folder:
            place = Path(folder, self.config)
            _put(place, text)
            for name in space_files(text, self.config):
                path = joined(self.folder, name)
                content = None if path is None else self._text(path)
                if path is not None and content is not None:
                    _put(Path(folder, path), content)
            try:
                made = load_definition(place)
            except UsageError as error:
                # The temporary folder is gone when the message is read.
                told = str(error).replace(f"{folder}/", f"{self.branch}:")
                raise UsageError(told) from None
        return replace(
            made,
            root=self.repository.root / self.folder,
            source=self.repository.root / self.config,
        )

    @property
    def outputs(self) -> OutputsSection:
        """Outputs of the study, as the configuration names them."""
        return self.definition.file.outputs

    @property
    def found(self) -> str:
        """The file of what the study has found, as the repository names it."""
        return self.path(self.outputs.tuned or self.outputs.best.path)

    @property
    def best(self) -> str:
        """The file that training reads, as the repository names it."""
        return self.path(self.outputs.best.path)

    @property
    def results(self) -> list[str]:
        """Every output, as the repository names it."""
        return [self.path(name) for name in self.outputs.paths.values()]

    def parameters(self, path: str) -> Parameters | None:
        """Return the parameters in a best-parameters file; ``None`` if it is missing.

        Raises:
            UsageError: it holds no parameters.
        """
        text = self._text(path)
        shape = self.shape if path == self.best else PLAIN
        return None if text is None else parse(text, f"{self.branch}:{path}", shape)

    @property
    def shape(self) -> Shape:
        """The place of the parameters in the file that training reads."""
        return shape_of(self.definition.file, self.definition.space)

    @cached_property
    def pipeline(self) -> CommittedStage | None:
        """The stage that tunes, if DVC runs the study.

        Raises:
            UsageError: a file of DVC's cannot be read.
        """
        wanted = Wanted("", self.config, [self.path(name) for name in only_of(self.outputs)])
        try:
            stage = find(chain(above(self.folder), self._elsewhere()), wanted, self._text)
        except UsageError as error:
            raise UsageError(f"{self.branch}:{error}") from None
        if stage is None:
            return None
        lock = self._text(posixpath.join(stage.folder, LOCK)) or ""
        locked = read_lock(lock, f"{self.branch}:{LOCK}").get(stage.stage.name)
        placed = None if locked is None else locked.placed(stage.stage.site)
        return CommittedStage(stage.file, stage.stage, stage.stages, placed)

    def _elsewhere(self) -> Iterator[str]:
        yield from pipelines_at(self.repository, self.commit)

    @property
    def is_tight(self) -> bool:
        """True if the best parameters are an out of the tuning stage."""
        pipeline = self.pipeline
        return pipeline is not None and self.best in pipeline.stage.outs

    def _text(self, path: str) -> str | None:
        text = self.repository.read(self.commit, path)
        return None if text is None else text.removeprefix("\ufeff")


def pipelines_at(repository: Repository, commit: str) -> list[str]:
    """Every ``dvc.yaml`` of a commit."""
    return [path for path in repository.files(commit) if posixpath.basename(path) == FILE]


def study_at(
    repository: Repository, commit: str, branch: str, names: Sequence[str]
) -> CommittedStudy | None:
    """Return the study of a commit; ``None`` if it has no configuration.

    Args:
        repository: to work in.
        commit: to look at.
        branch: for messages.
        names: possible names of its configuration, as the repository names it; the first counts.
    """
    entries = repository.entries(commit, names)
    config = next((name for name in names if name in entries), None)
    return None if config is None else CommittedStudy(repository, commit, branch, config)


def trials_at(there: CommittedStudy) -> "tuple[StudyRecord, str]":
    """Return the trials that were committed with a study, and the file that holds them.

    Raises:
        UsageError: none are, or they cannot be read.
    """
    from tunesmith.analysis.loaded_record import loaded_record
    from tunesmith.ledger.histories.portable import read_history

    outputs = there.outputs
    name = outputs.history or outputs.trials
    if name is None or Path(name).suffix == ".csv":
        raise UsageError(
            f"its trials are not committed on `{there.branch}`: name them in the configuration,"
            " `outputs: {history: outputs/history.jsonl}`."
        )
    path = there.path(name)
    text = there.repository.read(there.commit, path)
    if text is None:
        raise UsageError(f"there is no {path} on `{there.branch}`.")
    if outputs.history is None:
        file, space = there.definition.file, there.definition.space
        return loaded_record(file, space, text, Path(name).suffix), path
    record = read_history(text).get(there.definition.file.study)
    if record is None:
        study = there.definition.file.study
        raise UsageError(f"there is no history of study `{study}` in {path} on `{there.branch}`.")
    return record, path


def joined(folder: str, name: str) -> str | None:
    """Join a folder of the repository and a path; ``None`` if it leads out.

    >>> joined("models/churn", "../data.csv"), joined("", "../x"), joined("a", "./b")
    ('models/data.csv', None, 'a/b')
    """
    if name.startswith("/"):
        return None
    path = posixpath.normpath(posixpath.join(folder, name))
    return None if path == ".." or path.startswith("../") else path.removeprefix("./")


def space_files(text: str, config: str) -> list[str]:
    """Return the file that holds the space, if it has one of its own."""
    try:
        data = parse_document(text, Path(config)).data
    except UsageError:
        return []
    space = data.get("space") if isinstance(data, dict) else None
    # The file is copied into a temporary folder, and must not land beside it.
    return [space] if isinstance(space, str) and ".." not in PurePosixPath(space).parts else []


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
