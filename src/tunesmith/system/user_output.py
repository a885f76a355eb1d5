"""Output of the user's code while it runs in this very process.

In a program of your own nothing changes. The command line installs a holder here that captures the
output: its standard output carries results, and its output may be a CI job's. Of calls that the
user has not asked for, such as those of a check, nothing is noticed at all.
"""

import io
import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout

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


@contextmanager
def unnoticed() -> Iterator[None]:
    """Keep what calls print, warn of and draw from global generators from the user's program."""
    # The command line imports this module where it needs no numbers.
    import numpy as np

    drawn, drawn_by_numpy = random.getstate(), np.random.get_state()
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(drawn)
        np.random.set_state(drawn_by_numpy)
