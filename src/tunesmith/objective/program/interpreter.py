"""Packages of the interpreter that runs a program written in Python."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

PYTHON = re.compile(r"^(python|pypy)[\d.]*(\.exe)?$")
SCRIPT = """
import sys
del sys.path[0]
import json, platform
from importlib.metadata import distributions
own = {"Python": platform.python_version(), "machine": platform.machine()}
print(json.dumps({**{str(d.metadata["Name"]).lower(): d.version for d in distributions()}, **own}))
"""
PATIENCE_S = 120


def packages_of(program: str, root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Ask an interpreter for its version and those of its packages.

    Args:
        program: first item of the command.
        root: the project folder.
        environ: environment of the program.

    Returns:
        Version by name; nothing for programs that are no Python interpreter, or do not answer.
    """
    place = shutil.which(program, path=environ.get("PATH"))
    file = str(root / program) if "/" in program else place
    if file is None or not PYTHON.match(Path(program).name):
        return {}
    try:
        asked = subprocess.run(  # noqa: S603 - the program of the study
            [file, "-c", SCRIPT],
            cwd=root,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_S,
            check=True,
        )
        return dict(json.loads(asked.stdout))
    except (OSError, subprocess.SubprocessError, ValueError, RecursionError):
        return {}
