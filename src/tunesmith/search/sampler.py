"""The protocol of samplers: a search strategy is a function of (space, history).

A strategy knows nothing else. It derives its memory from the history; an instance may cache derived
state, as long as its answer depends only on its arguments. This one rule gives resume, any number
of workers and replay at no further cost.
"""

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tunesmith.history import History
from tunesmith.space import SearchSpace
from tunesmith.types import Params

if TYPE_CHECKING:
    from numpy.random import Generator


class Sampler(Protocol):
    """Proposes the next points to try. Built with its options as keyword arguments.

    A sampler may have further capabilities: ``TellsLookingBack``, ``TellsExhaustive`` and
    ``TellsVersion``.
    """

    def blocker(self, space: SearchSpace) -> str | None:
        """Reason why this strategy cannot search the space, with a remedy; ``None`` if it can."""

    def suggest(
        self, space: SearchSpace, history: History, n: int, rng: "Generator"
    ) -> list[Params]:
        """Propose up to ``n`` points, best first, none of them in the history.

        Args:
            space: the space to search.
            history: trials so far; the running ones have params but no results.
            n: at least 1.
            rng: the only source of randomness.

        Returns:
            Canonical params; fewer than ``n`` only when the space is exhausted.
        """


@runtime_checkable
class TellsLookingBack(Protocol):
    """A sampler that tells if it reads results.

    One that does not is asked for many trials at a time, of which more can share fits.
    """

    looks_back: bool


@runtime_checkable
class TellsExhaustive(Protocol):
    """A sampler that tells if it lists all points of a space.

    The trials of one that does have no submodel candidates (``search: {curves: true}``).
    """

    is_exhaustive: bool


@runtime_checkable
class TellsVersion(Protocol):
    """A sampler that proposes other points than an earlier release did, from the same history.

    With a higher version, a study begins a new series of trials.
    """

    version: int


def looks_back(sampler: Sampler) -> bool:
    """True if the proposals of a strategy may depend on results."""
    return sampler.looks_back if isinstance(sampler, TellsLookingBack) else True


def version_of(sampler: Sampler) -> int:
    """Version of a strategy's proposals: the same version proposes the same trials."""
    return sampler.version if isinstance(sampler, TellsVersion) else 1


@runtime_checkable
class SpreadingSampler(Protocol):
    """A sampler whose points have an order of their own, and can come in another one."""

    def spread(self) -> Sampler:
        """Return a sampler of the same points, each far from the ones before it."""
        ...


def spread(sampler: Sampler) -> Sampler:
    """Return a sampler whose first points tell of the whole space, if their order can change."""
    return sampler.spread() if isinstance(sampler, SpreadingSampler) else sampler


def is_exhaustive(sampler: Sampler) -> bool:
    """True if a strategy lists all points, each as a trial of its own."""
    return sampler.is_exhaustive if isinstance(sampler, TellsExhaustive) else False
