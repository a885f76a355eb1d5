"""Variables of the user's shell that lead a program to files, and do not count for its results."""

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from tunesmith.objective.program.passing.sources import ProgramText, SourceFile
from tunesmith.system.redact import is_secret

IN_CODE = re.compile(
    r"(?:environ(?:\.get)?\s*[\[(]|getenv\s*\(|ENV\[|oc\.env:)\s*[\"']?([A-Z][A-Z0-9_]*)"
)
IN_SHELL = re.compile(r"\$\{?([A-Z][A-Z0-9_]*)")
USUAL = re.compile(
    r"(?:.*PATH|PWD|OLDPWD|SHELL|EDITOR|PAGER|TMPDIR|TEMP|TMP|LANG|_|VIRTUAL_ENV|.*_HOME|HOME)\Z"
    r"|(?:TUNESMITH|XDG|LC|SSH|CONDA|DBUS|GPG|GIT|CI|GITHUB|GITLAB|RUNNER|SLURM|PBS|LSB)_"
)
"""Variables of the machine, with other values on each; they seldom name data."""


def shell_variables(program: ProgramText, fixed: Collection[str]) -> Iterator[str]:
    """Note variables that a program reads, and that lead to files.

    Args:
        program: its text.
        fixed: variables that the configuration sets.
    """
    known: set[str] = set(fixed)
    for source in program.sources:
        for name in dict.fromkeys(_read_in(source)):
            value = os.environ.get(name, "")
            if name in known or USUAL.match(name) or not _leads_to_files(value, program.root):
                continue
            known.add(name)
            if not is_secret(name, value):
                yield (
                    f"{program.named(source.path)} reads {name} from your environment, which does"
                    f" not count for results: write `environment: {{set: {{{name}: …}}}}` below"
                    " `objective`, so that another value begins a new series"
                )


def _read_in(source: SourceFile) -> list[str]:
    return (IN_CODE if source.is_python else IN_SHELL).findall(source.text)


def _leads_to_files(value: str, root: Path) -> bool:
    return len(value) > 1 and os.path.exists(root / Path(value).expanduser())  # noqa: PTH110
