"""Output that the runs of a trial have printed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tunesmith.config.model import Definition, File
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


def runs_folder(definition: Definition) -> Path:
    """Folder in which the runs of a study leave their logs and artifacts."""
    return definition.root.resolve() / STATE / "runs" / folder_name(definition)


def folder_name(definition: Definition) -> str:
    """Name of a study's folder; studies of one name in two ledgers have different folders."""
    usual = File.model_fields["ledger"].default
    ledger, study = definition.file.ledger, definition.file.study
    return study if ledger == usual else f"{study}-{digest(ledger)[:8]}"


def was_run_here(definition: Definition, keys: Mapping[int, str]) -> bool:
    """True if one of these evaluations, by fold, has left a folder."""
    return any((runs_folder(definition) / key).is_dir() for key in keys.values())


def logs_of(definition: Definition, keys: Mapping[int, str], only_errors: bool) -> list[Log]:
    """Find the existing logs, by fold.

    Args:
        definition: of the study.
        keys: of the evaluations, by fold.
        only_errors: leave out standard output.
    """
    found = []
    environ = {**os.environ, **definition.file.objective.environment.set}
    for fold, key in sorted(keys.items()):
        for name in (STDERR,) if only_errors else (STDOUT, STDERR):
            path = runs_folder(definition) / key / name
            if path.is_file() and path.stat().st_size:
                text = path.read_text(errors="replace")
                found.append(Log(fold, path, clean(text, environ).rstrip("\n")))
    return found
