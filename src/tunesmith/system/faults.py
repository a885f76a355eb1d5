"""Named points at which tests kill a process, or make the system refuse a call.

A point costs nothing in production: unless ``TUNESMITH_FAULT`` is set when the module is imported,
``reach`` does nothing. Its value is ``kill:POINT:N`` or ``fail:POINT:N``: at the N-th time that
this process reaches the point it kills itself (SIGKILL), or the system refuses it (``OSError``).
With ``TUNESMITH_FAULT_ONCE``, the path of a file that is not there, only the first process of all
does so. With ``TUNESMITH_FAULT_LOG`` every point reached is appended to that file, which is how
tests learn which points there are, and how often a run passes each.
"""

import errno
import os
from collections import Counter
from collections.abc import Mapping

from tunesmith.system.portable.abilities import KILL

VARIABLE, LOG_VARIABLE = "TUNESMITH_FAULT", "TUNESMITH_FAULT_LOG"
ONCE_VARIABLE = "TUNESMITH_FAULT_ONCE"

_counts: Counter[str] = Counter()
_plan: tuple[str, str, int] | None = None
_log = _once = ""
_is_on = False


def reach(point: str) -> None:
    """Pass a named point.

    Raises:
        OSError: a test wants the system to refuse here.
    """
    if _is_on:
        _happen(point)


def plan(environ: Mapping[str, str]) -> None:
    """Take the plan from an environment; without one, nothing happens at any point."""
    global _plan, _log, _once, _is_on  # noqa: PLW0603 - one plan a process
    text = environ.get(VARIABLE, "")
    action, point, number = text.split(":") if text else ("", "", "0")
    _plan, _log = (action, point, int(number)) if text else None, environ.get(LOG_VARIABLE, "")
    _once = environ.get(ONCE_VARIABLE, "")
    _is_on = bool(_plan or _log)
    _counts.clear()


def _happen(point: str) -> None:
    _counts[point] += 1
    if _log:
        handle = os.open(_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(handle, f"{point}\n".encode())
        os.close(handle)
    if _plan is None or _plan[1:] != (point, _counts[point]) or not _is_first():
        return
    if _plan[0] == "kill":
        os.kill(os.getpid(), KILL)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), f"({point}, by a test)")


def _is_first() -> bool:
    if not _once:
        return True
    try:
        os.close(os.open(_once, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    return True


plan(os.environ)
