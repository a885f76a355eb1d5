"""What a search strategy is: a function of (space, history).

A strategy knows nothing else. What it needs to remember it derives from the history; an instance
may cache derived state, as long as the answer depends on its arguments alone. That one rule gives
resume, any number of workers and replay for nothing.
"""

from typing import Protocol

from numpy.random import Generator

from tunesmith.history import History
from tunesmith.space import SearchSpace
from tunesmith.types import Params


class Sampler(Protocol):
    """Proposes the next points to try. Built with its options as keyword arguments.

    One that never reads results may say so with ``looks_back = False``: it is then asked for many
    trials at a time, of which more can share their fits. One that goes through all points of a
    space may say ``is_exhaustive = True``: its trials then stand for themselves alone, without
    the other points that their fits score (``search: {curves: true}``).
    """

    def objection(self, space: SearchSpace) -> str | None:
        """Why this strategy cannot search the space, with the way out; ``None`` if it can."""

    def suggest(self, space: SearchSpace, history: History, n: int, rng: Generator) -> list[Params]:
        """Propose up to ``n`` points, best first, none of them in the history.

        Args:
            space: where to search.
            history: trials so far; the running ones have params but no results.
            n: at least 1.
            rng: the only source of randomness.

        Returns:
            Canonical params; fewer than ``n`` only when the space is exhausted.
        """


def looks_back(sampler: Sampler) -> bool:
    """Whether what a strategy proposes may depend on results."""
    return bool(getattr(sampler, "looks_back", True))


def is_exhaustive(sampler: Sampler) -> bool:
    """Whether a strategy lists all points, each as a trial of its own."""
    return bool(getattr(sampler, "is_exhaustive", False))
