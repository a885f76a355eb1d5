"""Output of the user's code while it runs in this very process.

In a program of your own nothing changes. The command line installs a holder here that captures the
output: its standard output carries results, and its output may be a CI job's.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

Holder = Callable[[], AbstractContextManager[object]]

_holders: list[Holder] = []


def held() -> AbstractContextManager[object]:
    """Return the context for every call of the user's code: imports, the dry run, fits."""
    return _holders[-1]() if _holders else nullcontext()


def hold_with(holder: Holder) -> None:
    """Install a holder for all further output."""
    _holders[:] = [holder]


def let_go() -> None:
    """Remove the holder: output is no longer captured."""
    _holders.clear()
