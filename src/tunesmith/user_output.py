"""What the user's code prints while it runs in this very process.

In a program of the user's own it goes where the user sends it. The command line puts its own way of
holding it in here: its standard output carries results, and its output may be a CI job's.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

Holder = Callable[[], AbstractContextManager[object]]

_holders: list[Holder] = []


def held() -> AbstractContextManager[object]:
    """Around every call of the user's code: imports, the dry run, fits in this process."""
    return _holders[-1]() if _holders else nullcontext()


def hold_with(holder: Holder) -> None:
    """From now on, hold what is printed in this way."""
    _holders[:] = [holder]


def let_go() -> None:
    """Let what is printed go where it wants to."""
    _holders.clear()
