"""Imports of much code at once."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

is_command = False
"""True in a process that is a command from its start: until a study begins it has no other code."""


@contextmanager
def importing() -> Iterator[None]:
    """Have nothing collected: imports leave no garbage, and looking for it is a tenth of them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def end_quickly() -> None:
    """Have nothing collected when the process ends: its memory goes back to the system anyway."""
    # Among the objects of all imported modules, Python would look for garbage for half a second.
    atexit.register(gc.freeze)
