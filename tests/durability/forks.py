"""Something done in a process of its own, forked from this one: everything is imported."""

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from tunesmith.system import faults


def in_fork(
    folder: Path,
    do: Callable[[Path], int],
    environ: dict[str, str] | None = None,
    log: Path | None = None,
) -> int:
    """Do something in a folder; returns how it ended, as ``subprocess`` does.

    Args:
        folder: to be in.
        do: given the folder, returns its exit code.
        environ: more of it; a plan of faults is taken from there.
        log: for all that is said; by default ``run.log`` in the folder.
    """
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    code = 99
    try:
        os.setsid()
        os.chdir(folder)
        stream = os.open(log or folder / "run.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for number in (1, 2):
            os.dup2(stream, number)
        os.environ.update(environ or {})
        faults.plan(os.environ)
        code = do(folder)
    except BaseException as error:  # noqa: BLE001 - the other process must not go on in here
        # The command line has this code for what the file system says itself.
        code = 74 if isinstance(error, OSError) else int(getattr(error, "exit_code", 98))
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
