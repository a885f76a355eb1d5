"""Output that the runs of a trial have printed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tunesmith.config.model import File
from tunesmith.objective.program.runner import STDERR, STDOUT
from tunesmith.system.files import STATE
from tunesmith.system.fingerprint import digest
from tunesmith.system.redact import clean


@dataclass(frozen=True)
class Log:
    """One stream of one run."""

    fold: int
    path: Path
    text: str
    """Its text, without secrets and control characters."""


def runs_folder(root: Path, file: File) -> Path:
    """Folder in which the runs of a study leave their logs and artifacts.

    Args:
        root: the project folder.
        file: the configuration of the study.
    """
    return root.resolve() / STATE / "runs" / folder_name(file)


def folder_name(file: File) -> str:
    """Name of a study's folder; studies of one name in two ledgers have different folders."""
    usual = File.model_fields["ledger"].default
    return file.study if file.ledger == usual else f"{file.study}-{digest(file.ledger)[:8]}"


@dataclass(frozen=True)
class TrialLogs:
    """The logs of a trial's runs on this machine.

    Args:
        folder: from ``runs_folder``.
        keys: of the trial's evaluations, by fold.
    """

    folder: Path
    keys: Mapping[int, str]

    @property
    def exist(self) -> bool:
        """True if one of the evaluations has left a folder."""
        return any((self.folder / key).is_dir() for key in self.keys.values())

    def read(self, own: Mapping[str, str], *, only_errors: bool) -> list[Log]:
        """Read the logs that are not empty, by fold.

        Args:
            own: variables that the configuration sets for its programs; secrets among them and in
                the environment are left out.
            only_errors: leave out standard output.
        """
        logs = []
        environ = {**os.environ, **own}
        for fold, key in sorted(self.keys.items()):
            for name in (STDERR,) if only_errors else (STDOUT, STDERR):
                path = self.folder / key / name
                if path.is_file() and path.stat().st_size:
                    text = path.read_text(errors="replace")
                    logs.append(Log(fold, path, clean(text, environ).rstrip("\n")))
        return logs
