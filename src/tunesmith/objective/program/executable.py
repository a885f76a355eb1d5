"""Check that a command can be started, before anything is run."""

import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from tunesmith.errors import UsageError

HEAD_BYTES = 1024


def check_executable(program: str, root: Path, search_path: str | None) -> None:
    """Refuse a program that the system cannot start.

    Args:
        program: the command's first item.
        root: the project folder, in which the program will run.
        search_path: the value of ``PATH`` that the program gets; ``None`` for this process's own.

    Raises:
        UsageError: there is none, it is not executable, or nothing can interpret it.
    """
    # A path with a slash is looked up from the working folder, as the system will do.
    where = str((root / program).parent) if "/" in program else search_path
    file = shutil.which(Path(program).name if "/" in program else program, path=where)
    why, hint = _missing(program, root) if file is None else _uninterpreted(Path(file))
    if why:
        raise UsageError(f"objective.command: the program `{program}` {why}.\n  {hint}")


def check_reachable(command: Sequence[str], root: Path) -> None:
    """Refuse files that a copy of the project does not contain.

    Args:
        command: items as configured.
        root: the project folder.

    Raises:
        UsageError: an item leads out of the project to an existing file.
    """
    climbing = [item for item in command if ".." in PurePosixPath(item).parts]
    outside = [item for item in climbing if _leads_out(root, item)]
    if outside:
        raise UsageError(
            f"objective.command: `{outside[0]}` lies outside the project, and runs work in a copy"
            " of it.\n  Name it by its whole path, or use `workspace: shared`."
        )


def _leads_out(root: Path, item: str) -> bool:
    path = root / item
    return path.exists() and not path.resolve().is_relative_to(root.resolve())


def _missing(program: str, root: Path) -> tuple[str, str]:
    if not (root / program).is_file():
        return "does not exist", "Is it installed?"
    if "/" in program:
        return "is not executable", f"Make it executable: `chmod +x {program}`."
    return "is on no search path", f"For the project's own file write `./{program}`."


def _uninterpreted(file: Path) -> tuple[str, str]:
    """Describe the mistake in the first line of a script; empty if there is none."""
    with file.open("rb") as opened:
        head = opened.read(HEAD_BYTES)
    if not head.startswith(b"#!"):
        # Without that line the system refuses to start a text; only shells would run it.
        is_script = b"\0" not in head and head.isascii()
        hint = "Begin it with `#!/bin/sh` or the like, or name the interpreter in `command`."
        return ("has no first line that names its interpreter", hint) if is_script else ("", "")
    line = head[2:].partition(b"\n")[0].decode(errors="replace")
    interpreter = line.lstrip(" \t").partition(" ")[0]
    if Path(interpreter).is_file():
        return "", ""
    if interpreter.endswith("\r"):
        return "has Windows line ends", "Its first line must end without a carriage return."
    return f"names an interpreter that does not exist: `{interpreter}`", "Correct its first line."
