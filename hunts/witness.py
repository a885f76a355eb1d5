"""Counts scores that rest on a fit made for another candidate."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from tunesmith.sharing.kernel import Kernel
from tunesmith.sharing.pipeline_prefix import PrefixCache


@dataclass
class Witness:
    """What was shared."""

    n_shared: int = 0
    n_kept: int = 0
    """How often something kept was taken."""


@contextmanager
def witnessing() -> Iterator[Witness]:
    """Count, as long as this lasts."""
    witness = Witness()
    together, alone, kept_or = Kernel.together, Kernel.alone, PrefixCache.kept_or

    def count_together(self: Any, fit: Any) -> Any:
        found = together(self, fit)
        n = sum(one is not None for one in found or ())
        witness.n_shared += n if n > 1 else 0
        return found

    def count_alone(self: Any, *args: Any) -> Any:
        before = witness.n_kept
        found = alone(self, *args)
        witness.n_shared += found is not None and witness.n_kept > before
        return found

    def count_kept(self: Any, place: Any, make: Any) -> Any:
        witness.n_kept += place in self._kept
        return kept_or(self, place, make)

    with (
        mock.patch.object(Kernel, "together", count_together),
        mock.patch.object(Kernel, "alone", count_alone),
        mock.patch.object(PrefixCache, "kept_or", count_kept),
    ):
        yield witness
