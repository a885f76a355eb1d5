"""Random search."""

from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from tunesmith.history import History
from tunesmith.search.unseen import sampled, unseen
from tunesmith.space import SearchSpace
from tunesmith.types import Params


@dataclass(frozen=True)
class RandomSampler:
    """Independent uniform points (Bergstra & Bengio 2012), never the same twice."""

    looks_back: ClassVar[bool] = False

    seed: int = 0

    def blocker(self, space: SearchSpace) -> str | None:  # noqa: ARG002
        """No blocker: any space will do."""
        return None

    def suggest(self, space: SearchSpace, history: History, n: int, rng: Generator) -> list[Params]:
        """Suggest points that are not in the history."""
        return unseen(lambda: sampled(space, rng), space, history, n, rng)
