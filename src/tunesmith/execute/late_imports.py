"""Imports that a fork server leaves to its workers, because they start threads.

Only a process without threads may fork. CatBoost imports polars if it is installed, and polars
starts threads when it is imported. If the fork server imported it, every worker would have to be a
program of its own, which imports everything and shares no memory. So such an import is broken off,
and each worker makes it by itself; all other modules are imported once, before workers are forked.
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

STARTING_THREADS = ("polars",)
"""Packages that start threads when they are imported, whatever the environment says."""


class LeftToWorkersError(BaseException):
    """An import was broken off; no ``Exception``, so that few modules go on without it."""


def import_if_possible(name: str) -> bool:
    """Import a module if it exists and can be imported; return true."""
    # A module that cannot be imported is no error: the worker that needs it reports why.
    with suppress(Exception, SystemExit):
        import_module(name)
    return True


def import_early(name: str) -> bool:
    """Import a module if it exists, can be imported, and starts no threads.

    Returns:
        False if something is imported by half, and this process must have no forks: a module has
        gone on without the import that was broken off, or a part of its package is left behind.
    """
    before, finder, is_broken_off = set(sys.modules), _Refuser(), False
    sys.meta_path.insert(0, finder)
    try:
        import_if_possible(name)
    except LeftToWorkersError:
        is_broken_off = True
    finally:
        sys.meta_path.remove(finder)
    if not finder.has_refused:
        return True
    return is_broken_off and not any(map(_is_orphan, sys.modules.keys() - before))


def _is_orphan(name: str) -> bool:
    package = name.rpartition(".")[0]
    return bool(package) and package not in sys.modules


class _Refuser:
    """Finder that refuses packages with threads."""

    has_refused = False

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - as importlib calls it
        target: Any = None,  # noqa: ARG002
    ) -> None:
        """Break the import off, or leave the module to the other finders."""
        if name.partition(".")[0] in STARTING_THREADS:
            self.has_refused = True
            raise LeftToWorkersError(name)
