"""Pauses between the tries of jobs that compete for a branch or a comment."""

import random
from collections.abc import Iterator

FIRST_S, LARGEST_S, GROWTH = 0.2, 8.0, 1.6
LIMIT_S = 60.0
"""Sum of all pauses in seconds, about."""


def pauses(limit_s: float = LIMIT_S) -> Iterator[float]:
    """Yield growing pauses in seconds, each drawn at random, so that jobs do not go in step.

    Args:
        limit_s: what they come to, at the end, in seconds.
    """
    spent, length = 0.0, FIRST_S
    # The module's own generator may have been given the same seed in each of the jobs.
    chance = random.SystemRandom()
    while spent < limit_s:
        pause = length * chance.uniform(0.5, 1.5)
        spent += pause
        yield pause
        length = min(length * GROWTH, LARGEST_S)
