"""The order of tests: what takes long comes first, shared out among the workers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import fsum
from pathlib import Path

import pytest
from tests.durations import LONG_S, function


def mark_long(items: Sequence[pytest.Item], seconds: Mapping[str, float]) -> None:
    """Give the marker ``long`` to all that took longer than ``LONG_S`` when it was noted."""
    for item in items:
        if seconds.get(function(item.nodeid), 0) >= LONG_S:
            item.add_marker("long")


def slow_first(
    items: Sequence[pytest.Item], n_workers: int, seconds: Mapping[str, float]
) -> list[pytest.Item]:
    """Order tests so that each worker gets a share of the slow files first, then of the others.

    pytest-xdist cuts the list into as many runs of equal length as there are workers, and lets
    whoever is done take from the end of another's run.

    Args:
        items: in the order of their files; slow ones are marked ``slow`` or ``long``.
        n_workers: at least 1.
        seconds: test function -> how long it took.

    Returns:
        the same tests; those of a file stay together, slow ones apart from the others.
    """
    files: dict[Path, list[pytest.Item]] = defaultdict(list)
    quick: list[pytest.Item] = []
    for item in items:
        is_slow = any(map(item.get_closest_marker, ("slow", "long")))
        (files[item.path] if is_slow else quick).append(item)
    ordered: list[pytest.Item] = []
    for number, share in enumerate(_shares(list(files.values()), n_workers, seconds)):
        # A run's end is where the next worker begins.
        end = len(items) * (number + 1) // n_workers
        ordered += share
        n_quick = max(end - len(ordered), 0) if number < n_workers - 1 else len(quick)
        ordered += quick[:n_quick]
        del quick[:n_quick]
    return ordered


def _shares(
    files: list[list[pytest.Item]], n_workers: int, seconds: Mapping[str, float]
) -> list[list[pytest.Item]]:
    """Deal files out, the longest first, each to whom has least to do."""
    # Exact sums: each worker must find the same order, and sets of names come in any order.
    sums = [fsum(seconds.get(n, 0.0) for n in {function(i.nodeid) for i in f}) for f in files]
    shares: list[list[pytest.Item]] = [[] for _ in range(n_workers)]
    loads = [(0.0, 0)] * n_workers
    for place in sorted(range(len(files)), key=lambda place: -sums[place]):
        least = loads.index(min(loads))
        shares[least] += files[place]
        loads[least] = (loads[least][0] + sums[place], len(shares[least]))
    return shares
