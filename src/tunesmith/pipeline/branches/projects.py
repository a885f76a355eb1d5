"""The project that each experiment belongs to, if a repository holds several projects."""

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tunesmith.config.load import project_root
from tunesmith.config.names import CONFIG_NAMES
from tunesmith.pipeline.branches.experiment import PROJECT_KEY
from tunesmith.pipeline.repository import Repository, Tip


def folder_of(config: str) -> str:
    """Return the project folder of a configuration, relative to the repository; empty for its top.

    >>> folder_of("models/a/config/tuning.yaml"), folder_of("tuning.yaml")
    ('models/a', '')
    """
    return project_root(Path("/", config)).as_posix().strip("/")


@dataclass
class Projects:
    """The projects of a repository."""

    repository: Repository
    own: str
    """The folder of the project at hand."""
    main: str | None
    """The newest commit of the branch that experiments are merged into."""

    @cached_property
    def others(self) -> set[str]:
        """Folders of the other projects, as the main branch has them."""
        if self.main is None:
            return set()
        names = {posixpath.basename(name) for name in CONFIG_NAMES}
        files = self.repository.files(self.main)
        folders = {folder_of(path) for path in files if posixpath.basename(path) in names}
        # Without this project on the main branch nothing tells experiments apart: all are its own.
        return folders - {self.own} if self.own in folders else set()

    @cached_property
    def _marks(self) -> dict[str, str]:
        return self.repository.marks(PROJECT_KEY)

    def owner(self, tuning: str, tips: Sequence[Tip | None]) -> str:
        """Return the folder of the project that an experiment belongs to.

        Args:
            tuning: the name of its branch to tune on.
            tips: of its branches.

        Returns:
            That of the project at hand, if nothing tells.
        """
        if not self.others:
            return self.own
        marked = self._marks.get(tuning)
        if marked is not None:
            return marked
        owners = {self._of_path(p) for tip in tips if tip for p in self._changed(tip.commit)}
        # The first by name, because a set has another order in each process.
        return self.own if not owners or self.own in owners else min(owners)

    def is_own(self, project: str) -> bool:
        """Tell whether parameters applied in a project belong to the project at hand."""
        return project == self.own or (not project and not self.others)

    def _changed(self, commit: str) -> Iterable[str]:
        base = None if self.main is None else self.repository.merge_base(self.main, commit)
        return self.repository.changed_since(base, commit) if base else ()

    def _of_path(self, path: str) -> str:
        """The innermost project around a path."""
        around = [f for f in (self.own, *self.others) if not f or path.startswith(f"{f}/")]
        return max(around, key=len, default=self.own)
